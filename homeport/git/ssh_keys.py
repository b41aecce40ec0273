"""The platform's own SSH key, by which people know that it is the same one again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import asyncssh

from homeport.errors import HomeportError
from homeport.home import write_whole


@dataclass(frozen=True)
class SshHost:
    """Where git is spoken over SSH, and what a known_hosts file has to say of it."""

    name: str
    port: int
    public_key: str  # "ssh-ed25519 AAAA…"
    fingerprint: str  # "SHA256:…"

    @property
    def known_hosts(self) -> str:
        """One line, without a newline. The name is in brackets with its port unless that is 22 (sshd(8))."""
        return f"{self.name if self.port == 22 else f'[{self.name}]:{self.port}'} {self.public_key}"

    def url(self, app: str) -> str:
        """What `git remote add` takes."""
        return f"git@{self.name}:{app}.git" if self.port == 22 else f"ssh://git@{self.name}:{self.port}/{app}.git"


def host_key(path: Path) -> asyncssh.SSHKey:
    """The key in this file, made at the first start. Raises `HomeportError` (`ssh_host_key_unreadable`)."""
    if not path.exists():
        write_whole(path, asyncssh.generate_private_key("ssh-ed25519", comment="homeport").export_private_key())
    try:
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as error:
        raise HomeportError(
            "ssh_host_key_unreadable",
            f"The SSH host key in {path} cannot be read: {error}.",
            why="With another key every ssh client would warn of an impostor.",
            fix="Restore it from the backup of $HOMEPORT_HOME; or remove it, and a new one is made.",
        ) from error


def host(name: str, port: int, key: asyncssh.SSHKey) -> SshHost:
    kind, material = key.export_public_key("openssh").decode().split()[:2]
    return SshHost(name, port, f"{kind} {material}", key.get_fingerprint())
