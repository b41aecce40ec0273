"""The one file that a backup is: a tar, compressed by Zstandard, encrypted as age does it if there is a passphrase.

Its first member is `head.json`, its last `manifest.json`. What is between has the paths of $HOMEPORT_HOME, and the data
of add-ons are below `dumps/`.
"""

# System calls on plain strings: `pathlib` would double the time that the many small files of a slug take.
# ruff: noqa: PTH115, PTH116

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from homeport.backup.age import Decrypting, Encrypting, is_encrypted
from homeport.backup.manifest import HEAD, MANIFEST, Contents, Head, Manifest, Part, damaged, read_head, read_manifest
from homeport.backup.manifest import written as as_json
from homeport.errors import HomeportError, Invalid

LEVEL = 3
_COPY = 1024 * 1024
_PIECE = 128 * 1024
_SIP = 2048
"""What is decompressed at once: the library gives all that it makes of it in one piece, up to 32 kB for each byte."""
_IN_ONE_PIECE = 4 * 1024 * 1024
"""Smaller files are read before their size is written down: they may grow meanwhile, as logs do."""
_MAX_NOTE = 256 * 1024 * 1024
"""Of head and manifest, which are read into memory."""
_DEPTHS = {"slugs": 3, "builds": 2, "repositories": 2, "dumps": 2, "addons": 2, "logs": 2}

Skip = Callable[[str], bool]
"""Whether to leave out what has this path, relative to the folder that is written."""


def part_of(name: str) -> str:
    """The part that a member belongs to, which is the beginning of its path."""
    first = name.partition("/")[0]
    return "/".join(name.split("/")[: _DEPTHS.get(first, 1)])


class _Digest:
    """What a part amounts to, member after member."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.files = 0
        self.bytes = 0

    def begin(self, member: tarfile.TarInfo) -> None:
        size = member.size if member.isreg() else 0
        names = os.fsencode(member.name) + b"\0" + os.fsencode(member.linkname) + b"\0"
        self._hash.update(member.type + b"%o %d " % (member.mode, size) + names)
        self.files += member.isreg()
        self.bytes += size

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def part(self, name: str) -> Part:
        return Part(name, self.files, self.bytes, self._hash.hexdigest())


class Writer:
    """Writes a backup to `target`, which stays open. Only what `close` has ended is a backup."""

    def __init__(self, target: BinaryIO, head: Head, passphrase: bytes | None) -> None:
        self._head = head
        self._sealed = Encrypting(target, passphrase) if passphrase is not None else None
        below = cast(BinaryIO, self._sealed) if self._sealed is not None else target
        compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, threads=1)  # beside this one
        self._compressed = compressor.stream_writer(below, closefd=False)
        self._tar = tarfile.open(fileobj=cast(BinaryIO, self._compressed), mode="w|", bufsize=256 * 1024)  # noqa: SIM115
        self._parts: dict[str, _Digest] = {}
        self._add_data(_member(HEAD, tarfile.REGTYPE, 0o600), as_json(head))

    def file(self, path: Path, name: str) -> None:
        """Add a file under this name. Raises OSError."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            member = _member(name, tarfile.REGTYPE, facts.st_mode, facts.st_mtime)
            if facts.st_size <= _IN_ONE_PIECE:
                self._add_data(member, file.read())
            else:
                member.size = facts.st_size
                self._add(member, file)

    def folder(self, name: str) -> None:
        """Add an empty folder."""
        self._add_data(_member(name, tarfile.DIRTYPE, 0o700), b"")

    def tree(self, folder: Path, name: str, skip: Skip = lambda _path: False) -> None:
        """Add a folder with all its files, folders and links. What vanishes meanwhile is left out; so are sockets,
        pipes and devices. Raises OSError."""
        self._tree(os.fspath(folder), name, "", skip)

    def _tree(self, folder: str, name: str, path: str, skip: Skip) -> None:
        try:
            facts = os.stat(folder, follow_symlinks=False)
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        self._add_data(_member(name, tarfile.DIRTYPE, facts.st_mode, facts.st_mtime), b"")
        for entry in entries:
            below = f"{path}/{entry.name}" if path else entry.name
            if skip(below):
                continue
            with contextlib.suppress(FileNotFoundError):
                if entry.is_symlink():
                    link = _member(f"{name}/{entry.name}", tarfile.SYMTYPE, 0o777)
                    link.linkname = os.readlink(entry.path)
                    self._add_data(link, b"")
                elif entry.is_dir(follow_symlinks=False):
                    self._tree(entry.path, f"{name}/{entry.name}", below, skip)
                elif entry.is_file(follow_symlinks=False):
                    self.file(Path(entry.path), f"{name}/{entry.name}")

    def close(self, apps: tuple[str, ...], addons: tuple[Contents, ...], warnings: tuple[str, ...]) -> Manifest:
        """Write the manifest and end the archive. Raises OSError."""
        parts = tuple(digest.part(name) for name, digest in self._parts.items() if name != HEAD)
        manifest = Manifest(self._head, apps, addons, parts, warnings)
        self._add_data(_member(MANIFEST, tarfile.REGTYPE, 0o600), as_json(manifest))
        self._tar.close()
        self._compressed.close()  # type: ignore[no-untyped-call]
        if self._sealed is not None:
            self._sealed.close()
        return manifest

    def _add_data(self, member: tarfile.TarInfo, data: bytes) -> None:
        member.size = len(data)
        self._add(member, io.BytesIO(data))

    def _add(self, member: tarfile.TarInfo, source: BinaryIO) -> None:
        digest = self._parts.setdefault(part_of(member.name), _Digest())
        digest.begin(member)
        self._tar.addfile(member, cast(BinaryIO, _Listening(source, digest, member)) if member.size else None)


class _Listening:
    """A file whose bytes are told to a digest as they are read. Raises `HomeportError` when it has too few."""

    def __init__(self, source: BinaryIO, digest: _Digest, member: tarfile.TarInfo) -> None:
        self._source = source
        self._digest = digest
        self._name = member.name

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        if len(data) < size:
            raise HomeportError(
                "file_changed",
                f"{self._name} became shorter while it was read.",
                why="Files of that size are not expected to change.",
                fix="Make the backup again.",
            )
        self._digest.update(data)
        return data


@dataclass(frozen=True)
class Member:
    """A file, folder or link of a backup that is being read. `content` can be read once, before the next member."""

    part: str
    path: str
    mode: int
    modified: float
    size: int
    link: str | None
    is_folder: bool
    content: BinaryIO


class Reader:
    """Reads a backup from `source` once, from its beginning, checking everything.

    Raises `Invalid` here and while reading: `backup_damaged`, `backup_newer`, `backup_encrypted`,
    `backup_passphrase_wrong`.
    """

    def __init__(self, source: BinaryIO, passphrase: bytes | None) -> None:
        self._parts: dict[str, _Digest] = {}
        self._manifest: Manifest | None = None
        self._source = _opened(source, passphrase)
        with _damage_named():
            self._plain = _Decompressing(self._source)
            self._tar = tarfile.open(fileobj=cast(BinaryIO, self._plain), mode="r|", bufsize=256 * 1024)  # noqa: SIM115
            first = self._tar.next()
            if first is None or first.name != HEAD:
                raise damaged("It does not begin as a backup of Homeport does.")
            self.head = read_head(self._note(first))

    @property
    def manifest(self) -> Manifest:
        """Once all members have been read."""
        if self._manifest is None:
            raise damaged("It has no manifest: its end is missing.")
        return self._manifest

    def members(self) -> Iterator[Member]:
        """Everything between head and manifest. At the end all of it has been compared with the manifest."""
        while (info := self._next()) is not None:
            digest = self._parts.setdefault(part_of(info.name), _Digest())
            digest.begin(info)
            with _damage_named():
                raw = self._tar.extractfile(info) if info.isreg() else None
            content = _Checked(raw, digest, info.size) if raw is not None else io.BytesIO()
            yield Member(
                part=part_of(info.name),
                path=info.name,
                mode=stat.S_IMODE(info.mode) & 0o777,
                modified=float(info.mtime),
                size=info.size if info.isreg() else 0,
                link=info.linkname if info.issym() else None,
                is_folder=info.isdir(),
                content=cast(BinaryIO, content),
            )
            while content.read(_COPY):  # whatever the caller has left
                pass
        self._compare()

    def _next(self) -> tarfile.TarInfo | None:
        """The next member, None at the manifest."""
        with _damage_named():
            info = self._tar.next()
            if info is None:
                raise damaged("It has no manifest: its end is missing.")
            if info.name != MANIFEST:
                _require_harmless(info)
                return info
            self._manifest = read_manifest(self._note(info))
            self._plain.require_end()
            return None

    def _compare(self) -> None:
        if self.manifest.head != self.head:
            raise damaged("Its beginning and its end are not of the same backup.")
        found = {name: digest.part(name) for name, digest in self._parts.items()}
        said = {part.name: part for part in self.manifest.parts}
        for name in [*said, *found]:
            if found.get(name) != said.get(name):
                raise damaged(f"{name} is not as it was written.")

    def _note(self, info: tarfile.TarInfo) -> bytes:
        file = self._tar.extractfile(info) if info.isreg() and info.size <= _MAX_NOTE else None
        if file is None:
            raise damaged("What it says of itself can't be read.")
        return file.read()


class _Decompressing:
    """What is behind the compression. Other than the library's own reader it tells an end from a file that was cut."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._waiting = memoryview(b"")
        self._ready = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and not self._frame.eof:
            if not self._waiting:
                self._waiting = memoryview(self._source.read(_PIECE))
            if not self._waiting:
                raise damaged("Its end is missing.")
            self._ready += self._frame.decompress(self._waiting[:_SIP])
            self._waiting = self._waiting[_SIP:]
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data

    def require_end(self) -> None:
        """Read to the checksum, which comes last, and see that nothing follows."""
        while self.read(_COPY):
            pass
        if self._frame.unused_data or self._waiting or self._source.read(1):
            raise damaged("Something follows after its end.")


class _Checked:
    """The content of a member: told to the digest as it is read, and as long as it should be."""

    def __init__(self, source: object, digest: _Digest, size: int) -> None:
        self._source = cast(BinaryIO, source)
        self._digest = digest
        self._left = size

    def read(self, size: int = -1) -> bytes:
        with _damage_named():
            data = self._source.read(size)
        self._digest.update(data)
        self._left -= len(data)
        if not data and size != 0 and self._left > 0:
            raise damaged("Its end is missing.")
        return data


def _opened(source: BinaryIO, passphrase: bytes | None) -> BinaryIO:
    """What is behind the encryption, if there is one."""
    beginning = source.read(64)
    source.seek(0)
    if not is_encrypted(beginning):
        return source
    if passphrase is None:
        raise Invalid(
            "The backup is encrypted.",
            id="backup_encrypted",
            fix="Give the file with the passphrase it was made with: --passphrase-file FILE.",
        )
    return cast(BinaryIO, Decrypting(source, passphrase))


@contextlib.contextmanager
def _damage_named() -> Iterator[None]:
    """What the libraries say of damage, in our words."""
    try:
        yield
    except (zstandard.ZstdError, tarfile.TarError, EOFError, UnicodeError, ValueError, OverflowError) as error:
        raise damaged(f"It can't be unpacked ({str(error)[:100] or type(error).__name__}).") from None


def _require_harmless(info: tarfile.TarInfo) -> None:
    """Only files, folders and links, and only below the folder that they are unpacked into."""
    steps = info.name.split("/")
    if not (info.isreg() or info.isdir() or info.issym()) or {"", ".", ".."} & set(steps) or "\0" in info.name:
        raise damaged(f"It has a member that no backup has ({info.name[:100]!r}).")


def _member(name: str, kind: bytes, mode: int, modified: float = 0.0) -> tarfile.TarInfo:
    """Times in whole seconds: those are what Python compares compiled code by, and they need no longer headers."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = stat.S_IMODE(mode)
    info.mtime = int(modified)
    return info
