"""A file that is written in one step is there whole, private, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homeport.home import write_whole


def test_it_replaces_what_was_there_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o700])
def test_its_rights_are_those_that_were_asked_for_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "file", b"x", mode=mode)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_one_that_cannot_be_put_in_place_leaves_what_was_there(tmp_path: Path) -> None:
    there = tmp_path / "folder"
    (there / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        write_whole(there, "a file where a folder is")
    assert [found.name for found in tmp_path.iterdir()] == ["folder"]


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("theirs")
    (tmp_path / "key").symlink_to(tmp_path / "other")
    write_whole(tmp_path / "key", "ours")
    assert (tmp_path / "other").read_text() == "theirs"
    assert not (tmp_path / "key").is_symlink()
