"""Backups as files: named, whole or not there, kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from homeport.backup import Head, Manifest, shelf
from homeport.errors import HomeportError
from homeport.home import Home

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
MANIFEST = Manifest(Head(1, "1.0", "0001", NOON.isoformat(), "m", "/h"), ("shop",), (), ())


def put(folder: Path, *days: int) -> list[Path]:
    paths = [folder / f"homeport-202601{day:02}T120000Z.tar.zst" for day in days]
    for path in paths:
        path.write_bytes(b"x" * 10)
    return paths


def test_in_a_folder_a_backup_is_called_by_its_time(tmp_path: Path) -> None:
    assert shelf.place(tmp_path, NOON, encrypted=False).name == "homeport-20260102T120000Z.tar.zst"
    path = shelf.place(tmp_path, NOON, encrypted=True)
    assert path.name == "homeport-20260102T120000Z.tar.zst.age"
    path.touch()
    assert shelf.place(tmp_path, NOON, encrypted=True).name == "homeport-20260102T120000Z-2.tar.zst.age"


def test_a_named_file_is_taken_by_its_name_and_never_overwritten(tmp_path: Path) -> None:
    named = tmp_path / "mine.tar.zst"
    assert shelf.place(named, NOON, encrypted=False) == named
    named.touch()
    for asked, expected in ((named, "backup_exists"), (tmp_path / "none" / "mine", "folder_missing")):
        with pytest.raises(HomeportError) as refused:
            shelf.place(asked, NOON, encrypted=False)
        assert refused.value.id == expected


def test_a_draft_becomes_the_file_at_its_end(tmp_path: Path) -> None:
    target = tmp_path / "backup"
    with shelf.draft(target) as file:
        file.write(b"all")
        assert not target.exists()
        (draft,) = tmp_path.iterdir()
        assert draft.stat().st_mode & 0o777 == 0o600
    assert target.read_bytes() == b"all"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_draft_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with shelf.draft(tmp_path / "backup") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_two_do_not_write_the_same_file(tmp_path: Path) -> None:
    with shelf.draft(tmp_path / "backup") as file:
        file.write(b"first")
        with pytest.raises(HomeportError) as refused, shelf.draft(tmp_path / "backup"):
            pass
        assert refused.value.id == "backup_under_way"
    assert (tmp_path / "backup").read_bytes() == b"first"


def test_drafts_of_the_dead_are_swept_and_those_of_the_living_stay(tmp_path: Path) -> None:
    dead = tmp_path / ".homeport-backup-old.tar.zst.draft"
    dead.write_bytes(b"half")
    with shelf.draft(tmp_path / "one"):
        assert not dead.exists()
        shelf.sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1


def test_the_newest_are_listed_first(tmp_path: Path) -> None:
    first, second = put(tmp_path, 1, 2)
    (tmp_path / "else.tar.zst").touch()
    found = shelf.listed(tmp_path)
    assert [backup.path for backup in found] == [second, first]
    assert found[0].created_at == NOON
    assert found[0].bytes == 10
    assert shelf.listed(tmp_path / "none") == []


def test_a_proof_holds_while_the_file_is_the_same(tmp_path: Path) -> None:
    (path,) = put(tmp_path, 1)
    assert shelf.listed(tmp_path)[0].verified_at is None
    shelf.remember_proof(path, MANIFEST)
    assert shelf.listed(tmp_path)[0].verified_at is not None
    os.utime(path, (1, 1))
    assert shelf.listed(tmp_path)[0].verified_at is None


def test_the_oldest_go_with_their_proofs(tmp_path: Path) -> None:
    paths = put(tmp_path, 1, 2, 3, 4)
    for path in paths:
        shelf.remember_proof(path, MANIFEST)
    (tmp_path / "mine.tar.zst").touch()
    assert shelf.keep(tmp_path, 2) == [paths[1], paths[0]]
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == [
        paths[2].name,
        paths[3].name,
        "mine.tar.zst",
    ]
    assert len([path for path in tmp_path.iterdir() if path.name.startswith(".")]) == 2


def test_the_last_one_is_never_removed(tmp_path: Path) -> None:
    (path,) = put(tmp_path, 1)
    assert shelf.keep(tmp_path, 0) == []
    assert path.exists()


def test_every_folder_of_a_home_is_decided_about() -> None:
    """A room that keeps something in a new folder has to say whether it belongs into a backup."""
    from homeport.backup import ENTRIES

    home = Home(Path("/home"))
    folders = {
        value.relative_to(home.root).parts[0]
        for name, value in (
            (name, getattr(home, name)) for name in dir(Home) if isinstance(getattr(Home, name), property)
        )
        if isinstance(value, Path)
    }
    assert len(folders) > 10
    assert folders - set(ENTRIES) == set()
