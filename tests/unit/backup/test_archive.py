"""The file that a backup is: whole, or refused."""

from __future__ import annotations

import io
import os
import tarfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from homeport import state
from homeport.backup.archive import Reader, Writer, part_of
from homeport.backup.manifest import FORMAT, HEAD, Contents, Head, Manifest, written
from homeport.backup.unpack import Unpacker
from homeport.errors import HomeportError, Invalid

NOW = Head(FORMAT, "1.0", state.revision(), "2026-01-02T03:04:05+00:00", "old", "/old/home")


def source(folder: Path) -> Path:
    """A folder with everything that a slug or a repository may have."""
    (folder / "below/empty").mkdir(parents=True)
    (folder / "below/café.txt").write_text("text")
    (folder / "program").write_text("#!/bin/sh\n")
    (folder / "program").chmod(0o755)
    (folder / "large").write_bytes(os.urandom(5 * 1024 * 1024))
    (folder / "link").symlink_to("/usr/bin/env")
    (folder / "below/dangling").symlink_to("nowhere")
    (folder / ("long-" * 30)).mkdir()
    (folder / ("long-" * 30) / ("name-" * 30)).write_text("")
    with os.fdopen(os.open(bytes(folder) + b"/b\xe9d", os.O_WRONLY | os.O_CREAT), "w") as file:
        file.write("a name that is no UTF-8")
    os.utime(folder / "program", (1_000_000_000, 1_000_000_000))
    os.mkfifo(folder / "pipe")
    return folder


def packed(folder: Path | None = None, passphrase: bytes | None = None, head: Head = NOW) -> bytes:
    target = io.BytesIO()
    writer = Writer(target, head, passphrase)
    if folder is not None:
        writer.tree(folder, "slugs/layers/key", lambda path: path == "pipe")
    writer.close(("shop",), (Contents("1", "db", "heroku-postgresql", "mini", {"public.words": 3}),), ("careful",))
    return target.getvalue()


def unpacked(data: bytes, into: Path, passphrase: bytes | None = None) -> Manifest:
    reader, unpacker = Reader(io.BytesIO(data), passphrase), Unpacker(into)
    for member in reader.members():
        unpacker.put(member)
    return reader.manifest


def tree(folder: Path) -> dict[str, object]:
    """All of a folder, pipes aside."""
    found: dict[str, object] = {}
    for directory, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(directory, name)
            shown = str(path.relative_to(folder))
            if path.is_symlink():
                found[shown] = ("link", path.readlink())
            elif path.is_dir():
                found[shown] = ("folder",)
            elif path.is_file():
                found[shown] = (path.stat().st_mode & 0o777, int(path.stat().st_mtime), path.read_bytes())
    return found


@pytest.mark.parametrize("passphrase", [None, b"horse battery"])
@pytest.mark.slow
def test_what_goes_in_comes_out(tmp_path: Path, passphrase: bytes | None) -> None:
    folder, into = source(tmp_path / "from"), tmp_path / "into"
    into.mkdir()
    manifest = unpacked(packed(folder, passphrase), into, passphrase)
    assert tree(into / "slugs/layers/key") == tree(folder)
    assert manifest.head == NOW
    assert manifest.apps == ("shop",)
    assert manifest.addons[0].rows == {"public.words": 3}
    assert manifest.warnings == ("careful",)
    assert [(part.name, part.files) for part in manifest.parts] == [("slugs/layers/key", 5)]


def test_it_opens_with_tar(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("kept")
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed(tmp_path / "folder"))).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert archive.getnames() == [HEAD, "slugs/layers/key", "slugs/layers/key/file", "manifest.json"]


@pytest.mark.parametrize(
    ("member", "part"),
    [
        ("state.db", "state.db"),
        ("secrets/config.key", "secrets"),
        ("repositories/1.git/refs/heads/main", "repositories/1.git"),
        ("slugs/layers/python-1/bin/python", "slugs/layers/python-1"),
        ("dumps/1/database.dump", "dumps/1"),
        ("addons/backups/1.dump", "addons/backups"),
    ],
)
def test_members_belong_to_parts(member: str, part: str) -> None:
    assert part_of(member) == part


def small(tmp_path: Path, passphrase: bytes | None = None) -> bytes:
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    (folder / "one").write_text("some text that matters\n" * 20)
    (folder / "two").write_bytes(bytes(range(256)))
    return packed(folder, passphrase)


@pytest.mark.slow
def test_no_flipped_bit_goes_unnoticed(tmp_path: Path) -> None:
    """Unless it changes nothing of what is read."""
    whole = small(tmp_path)
    noticed = 0
    for index in range(len(whole)):
        data = bytearray(whole)
        data[index] ^= 0x10
        into = tmp_path / f"flip-{index}"
        into.mkdir()
        try:
            unpacked(bytes(data), into)
        except Invalid:
            noticed += 1
        else:
            assert tree(into / "slugs/layers/key") == tree(tmp_path / "small"), index
    assert noticed > len(whole) * 0.95


@pytest.mark.slow
def test_every_missing_end_is_noticed(tmp_path: Path) -> None:
    whole = small(tmp_path)
    for length in range(len(whole)):
        into = tmp_path / f"cut-{length}"
        into.mkdir()
        with pytest.raises(Invalid) as refused:
            unpacked(whole[:length], into)
        assert refused.value.id == "backup_damaged"


def test_what_is_no_backup_is_refused() -> None:
    for data in (b"", b"hello", os.urandom(10_000), zstandard.compress(b"no tar"), zstandard.compress(_tar("else"))):
        with pytest.raises(Invalid) as refused:
            Reader(io.BytesIO(data), None)
        assert refused.value.id == "backup_damaged"


def test_what_unpacks_to_very_much_takes_no_memory() -> None:
    packed = zstandard.ZstdCompressor().compress(bytes(512 * 1024**2))
    tracemalloc.start()
    try:
        with pytest.raises(Invalid):
            Reader(io.BytesIO(packed), None)
        assert tracemalloc.get_traced_memory()[1] < 200 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_newer_format_or_schema_is_refused() -> None:
    for head in (replace(NOW, format=FORMAT + 1), replace(NOW, schema="9999")):
        with pytest.raises(Invalid) as refused:
            Reader(io.BytesIO(packed(head=head)), None)
        assert refused.value.id == "backup_newer"


@pytest.mark.slow
def test_an_encrypted_one_asks_for_its_passphrase() -> None:
    data = packed(passphrase=b"horse battery")
    for passphrase, expected in ((None, "backup_encrypted"), (b"other", "backup_passphrase_wrong")):
        with pytest.raises(Invalid) as refused:
            Reader(io.BytesIO(data), passphrase)
        assert refused.value.id == expected


def test_a_passphrase_for_one_that_is_not_encrypted_does_no_harm() -> None:
    assert Reader(io.BytesIO(packed()), b"horse battery").head == NOW


def test_parts_that_were_exchanged_are_noticed(tmp_path: Path) -> None:
    """Somebody unpacks it, changes a file and packs it again."""
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(small(tmp_path))).read()
    changed = plain.replace(b"some text that matters", b"some text that no more")
    with pytest.raises(Invalid) as refused:
        unpacked(zstandard.compress(changed), tmp_path)
    assert "slugs/layers/key is not as it was written" in refused.value.why


def _tar(name: str, **fields: object) -> bytes:
    """A tar that begins as a backup does, then has this member."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        head = tarfile.TarInfo(HEAD if fields else name)
        head.size = len(written(NOW))
        archive.addfile(head, io.BytesIO(written(NOW)))
        if fields:
            member = tarfile.TarInfo(name)
            for field, value in fields.items():
                setattr(member, field, value)
            archive.addfile(member)
    return target.getvalue()


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a/./b", "a//b"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        unpacked(zstandard.compress(_tar(name, mode=0o600)), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_only_files_folders_and_links_are_taken(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(Invalid):
        unpacked(zstandard.compress(_tar("thing", type=kind, linkname="/etc/passwd")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside, into = tmp_path / "outside", tmp_path / "into"
    outside.mkdir()
    into.mkdir()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        head = tarfile.TarInfo(HEAD)
        head.size = len(written(NOW))
        archive.addfile(head, io.BytesIO(written(NOW)))
        link = tarfile.TarInfo("tls")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("tls/ca.key"))
    with pytest.raises(Invalid):
        unpacked(zstandard.compress(target.getvalue()), into)
    assert list(outside.iterdir()) == []


def test_setuid_does_not_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "program").touch()
    (folder / "program").chmod(0o4755)
    into = tmp_path / "into"
    into.mkdir()
    unpacked(packed(folder), into)
    assert (into / "slugs/layers/key/program").stat().st_mode & 0o7777 == 0o755


def test_a_file_that_shrinks_while_it_is_read_is_said(tmp_path: Path) -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return b""

    writer = Writer(io.BytesIO(), NOW, None)
    member = tarfile.TarInfo("slugs/layers/key/file")
    member.size = 10
    with pytest.raises(HomeportError) as refused:
        writer._add(member, Shrinking())
    assert refused.value.id == "file_changed"
