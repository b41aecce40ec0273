"""`$HOMEPORT_HOME`: where everything that Homeport keeps lives, one folder to back up; and how files get there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from homeport.errors import HomeportError


def write_whole(path: Path, content: bytes | str, *, mode: int = 0o600, group: int | None = None) -> None:
    """Replace a file in one step: a crash at any moment leaves the old content or the new, never half of one.

    It is written beside `path` and never has looser rights than `mode`. With `group`, root's account and this group
    own it. Raises OSError; what was there is there then.
    """
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if group is not None:
                os.fchown(descriptor, 0, group)
            os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Home:
    """The layout of one `$HOMEPORT_HOME`. Movable: nothing inside stores an absolute path to itself."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """`$HOMEPORT_HOME`, or `~/.homeport`."""
        return cls(Path(os.environ.get("HOMEPORT_HOME") or Path.home() / ".homeport").expanduser().absolute())

    @property
    def database(self) -> Path:
        return self.root / "state.db"

    @property
    def secrets(self) -> Path:
        """The key that config vars are encrypted with and the first user's token (mode 0700)."""
        return self.root / "secrets"

    @property
    def tls(self) -> Path:
        """The local certificate authority and the certificates it has issued."""
        return self.root / "tls"

    @property
    def repositories(self) -> Path:
        """One bare git repository per app, named by app id so that a rename moves nothing."""
        return self.root / "repositories"

    @property
    def slugs(self) -> Path:
        """Content-addressed layers."""
        return self.root / "slugs"

    @property
    def builds(self) -> Path:
        """Build directories, build output and build caches."""
        return self.root / "builds"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def dynos(self) -> Path:
        """The local engine's: a folder per dyno with its working copy of the slug."""
        return self.root / "dynos"

    @property
    def addons(self) -> Path:
        """A folder per add-on service: the data of its servers, backups, files."""
        return self.root / "addons"

    @property
    def backups(self) -> Path:
        """What `homeport backup` writes unless it is told where to."""
        return self.root / "backups"

    @property
    def router(self) -> Path:
        """The proxy's configuration, maps and pages."""
        return self.root / "router"

    @property
    def ports(self) -> Path:
        """The ports that were picked where `homeport up` was told to take any."""
        return self.root / "ports.json"

    @property
    def run(self) -> Path:
        """Sockets, lock and pid files: nothing here outlives a reboot."""
        return self.root / "run"

    def prepare(self) -> None:
        """Make the folders, private to this user.

        Raises `HomeportError` (`home_unusable`) when the folder cannot be made or written.
        """
        try:
            for folder in (
                self.root,
                self.secrets,
                self.tls,
                self.repositories,
                self.slugs,
                self.builds,
                self.logs,
                self.dynos,
                self.router,
                self.run,
            ):
                folder.mkdir(parents=True, exist_ok=True)
            for private in (self.root, self.secrets, self.run):
                private.chmod(0o700)
            probe = self.root / ".writable"
            probe.write_text("")
            probe.unlink()
        except OSError as error:
            raise HomeportError(
                "home_unusable",
                f"Homeport cannot use its folder {self.root}: {error.strerror or error}.",
                why="Apps, config vars, releases and logs are all kept there.",
                fix="Make the folder writable for this user, or set HOMEPORT_HOME to another one.",
            ) from error
