"""Which ports are remembered, and what is said when one could not be had again."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.daemon import ports
from homeport.daemon.parts import Settings
from homeport.daemon.ports import Picked
from homeport.home import Home

ANY = Settings(https_port=0, http_port=0)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_those_that_were_picked_are_remembered_and_nothing_is_said(home: Home) -> None:
    first = Picked(40001, 40002, 40003)
    assert ports.settle(home, ANY, ports.read(home), first) == ()
    assert ports.read(home) == first
    assert ports.settle(home, ANY, first, first) == ()


def test_those_that_others_have_now_are_said_and_forgotten(home: Home) -> None:
    before = Picked(40001, 40002, 40003)
    notes = ports.settle(home, ANY, before, Picked(40101, 40002, 40103))
    assert [note.split(",")[0] for note in notes] == [
        "Somebody else has port 40001 now",
        "Somebody else has port 40003 now",
    ]
    assert "it is 40101. Git remotes follow by: homeport git:remote -a APP" in notes[0]
    assert ports.read(home) == Picked(40101, 40002, 40103)


def test_ports_that_were_asked_for_by_number_are_not_remembered(home: Home) -> None:
    before = Picked(40001, 40002, 40003)
    ports.settle(home, ANY, ports.read(home), before)
    assert ports.settle(home, Settings(), before, Picked(8443, 8080, 2222)) == ()
    assert ports.read(home) == before


def test_the_ssh_port_is_any_where_the_https_port_is_unless_it_was_named() -> None:
    assert ANY.picks_ssh_port
    assert Settings(ssh_port=0).picks_ssh_port
    assert not Settings().picks_ssh_port
    assert not Settings(https_port=0, ssh_port=2222).picks_ssh_port


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"https": "x"}', '{"https": [1]}', "\xff"])
def test_a_file_that_cannot_be_read_is_as_none(home: Home, content: str) -> None:
    home.ports.write_bytes(content.encode("latin-1"))
    assert ports.read(home) == Picked()


def test_numbers_that_are_no_ports_are_as_none(home: Home) -> None:
    home.ports.write_text('{"https": -1, "http": 65536, "ssh": 22, "more": 1}')
    assert ports.read(home) == Picked(ssh=22)
