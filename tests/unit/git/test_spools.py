"""How much of what people send lies on the disk at once."""

from __future__ import annotations

from pathlib import Path

from homeport.git.spools import Spools


def test_so_many_bytes_a_person(tmp_path: Path) -> None:
    spools = Spools(tmp_path, 100)
    one, other, anothers = spools.open("ada"), spools.open("ada"), spools.open("grace")
    assert one.reserve(60)
    assert not other.reserve(41)
    assert other.reserve(40)
    assert not one.reserve(1)
    assert anothers.reserve(100)
    for spool in (one, other, anothers):
        spool.close()


def test_room_is_given_back_once(tmp_path: Path) -> None:
    spools = Spools(tmp_path, 100)
    first = spools.open("ada")
    assert first.reserve(100)
    first.close()
    first.close()
    second = spools.open("ada")
    assert second.reserve(100)
    second.empty()
    assert second.reserve(100)
    second.close()
    third = spools.open("ada")
    assert third.reserve(100)
    assert not third.reserve(1)
    third.close()


def test_it_is_a_file_without_a_name_that_others_can_be_given(tmp_path: Path) -> None:
    with Spools(tmp_path, 100).open("ada") as spool:
        spool.write(b"what was sent")
        spool.seek(0)
        assert list(tmp_path.iterdir()) == []
        assert spool.read() == b"what was sent"
        assert spool.fileno() > 2
        spool.empty()
        assert spool.read() == b""
