"""Files go in and out of a server's own folder, and whatever it plants there leads nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homeport.addons import servers
from homeport.addons.accounts import Account


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """`data` is the server's, `secret` is not."""
    (tmp_path / "data").mkdir()
    (tmp_path / "secret").write_text("ours")
    return tmp_path


def test_what_it_has_written_is_collected(place: Path) -> None:
    (place / "data/dump").write_text("theirs")
    servers.collect(place / "data/dump", place / "copy", None)
    assert (place / "copy").read_text() == "theirs"
    assert (place / "copy").stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_followed_out(place: Path) -> None:
    (place / "data/dump").symlink_to(place / "secret")
    with pytest.raises(OSError):
        servers.collect(place / "data/dump", place / "copy", None)
    assert not (place / "copy").exists()


def test_a_pipe_holds_nobody_up(place: Path) -> None:
    os.mkfifo(place / "data/dump")
    with pytest.raises(OSError):
        servers.collect(place / "data/dump", place / "copy", None)


def test_a_second_name_for_somebody_elses_file_is_not_collected(place: Path) -> None:
    (place / "data/dump").hardlink_to(place / "secret")
    stranger = Account("stranger", os.geteuid() + 1, os.getegid())
    with pytest.raises(PermissionError):
        servers.collect(place / "data/dump", place / "copy", stranger)
    assert not (place / "copy").exists()


def test_nothing_is_overwritten_by_what_is_collected(place: Path) -> None:
    (place / "data/dump").write_text("theirs")
    with pytest.raises(FileExistsError):
        servers.collect(place / "data/dump", place / "secret", None)
    assert (place / "secret").read_text() == "ours"


def test_a_link_is_not_followed_in(place: Path) -> None:
    (place / "source").write_text("given")
    (place / "data/dump").symlink_to(place / "secret")
    servers.hand(place / "source", place / "data/dump", None)
    assert (place / "secret").read_text() == "ours"
    assert not (place / "data/dump").is_symlink()
    assert (place / "data/dump").read_text() == "given"
