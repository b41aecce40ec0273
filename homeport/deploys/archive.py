"""A source tarball that is looked into before it is deployed."""

from __future__ import annotations

import asyncio
import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from homeport.deploys.source import download
from homeport.errors import Invalid


@dataclass(frozen=True)
class Archive:
    """A .tar.gz at a URL, or a file. `checksum` is "SHA256:" and hexadecimal digits."""

    address: str | Path
    version: str | None = None
    checksum: str | None = None

    async def fetch(self, folder: Path) -> Path:
        """The file; downloaded into the folder, if it has to be. Raises `Invalid` (`source_…`)."""
        path = self.address if isinstance(self.address, Path) else folder / "source.tar.gz"
        if isinstance(self.address, str):
            await download(self.address, path)
        if self.checksum is not None and await asyncio.to_thread(_digest, path) != self.checksum.lower():
            raise Invalid(
                "The source tarball is not the one that its checksum names.",
                id="source_checksum",
                fix='Give the checksum of the tarball itself: "SHA256:" and what `sha256sum` prints.',
            )
        return path

    def member(self, path: Path, name: str, most: int) -> bytes | None:
        """At most so many bytes of the file of this name at the top of the source; None if there is none.

        The top may be inside of an only folder. Raises `Invalid` (`source_damaged`).
        """
        try:
            with tarfile.open(path, "r:*") as tar:
                found = [entry for entry in tar if entry.isfile() and _is_at_the_top(entry.name, name)]
                if not found:
                    return None
                file = tar.extractfile(min(found, key=lambda entry: entry.name.count("/")))
                return file.read(most) if file is not None else None
        except (tarfile.TarError, EOFError, OSError) as error:
            raise Invalid(
                "The source tarball cannot be unpacked.", id="source_damaged", why=str(error)[:300]
            ) from error


def _is_at_the_top(path: str, name: str) -> bool:
    parts = [part for part in PurePosixPath(path).parts if part not in (".", "/")]
    return parts[-1:] == [name] and len(parts) <= 2


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
