"""Ports of Redis servers."""

from __future__ import annotations

import socket
from pathlib import Path

from homeport.addons.redis import ports


def add_on(root: Path, name: str) -> Path:
    folder = root / name
    folder.mkdir()
    return folder


def test_a_claim_is_remembered(tmp_path: Path) -> None:
    folder = add_on(tmp_path, "one")
    assert ports.held(folder) is None
    claimed = ports.claim(folder)
    assert ports.held(folder) == claimed


def test_nobody_is_given_what_another_one_holds(tmp_path: Path) -> None:
    """Not even while that one's server is down."""
    one = add_on(tmp_path, "one")
    first = ports.claim(one)
    (one / ports.FILE).rename(add_on(tmp_path, "other") / ports.FILE)
    assert ports.claim(one) != first


def test_a_pair_is_only_given_whole(tmp_path: Path) -> None:
    folder = add_on(tmp_path, "one")
    port = ports.claim(folder)
    (folder / ports.FILE).unlink()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        assert not ports.are_free(port)
        assert ports.claim(folder) != port


def test_ports_stay_below_those_of_dynos(tmp_path: Path) -> None:
    claimed = [ports.claim(add_on(tmp_path, str(number))) for number in range(20)]
    assert len(set(claimed)) == 20
    assert all(ports.FIRST <= port < 20000 - 1 and port % 2 == 0 for port in claimed)


def test_a_damaged_note_counts_as_none(tmp_path: Path) -> None:
    folder = add_on(tmp_path, "one")
    (folder / ports.FILE).write_text("")
    assert ports.held(folder) is None
