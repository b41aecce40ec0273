"""Ports that were picked are taken again when nobody else has them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from homeport.daemon import ports

LOOPBACK = ("127.0.0.1",)


@contextlib.contextmanager
def held() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        yield port


def test_a_port_that_is_free_again_is_taken_again() -> None:
    with held() as port:
        pass
    assert ports.again(port, LOOPBACK, patience=30) == port


def test_a_port_that_somebody_has_is_not_waited_for_for_ever() -> None:
    with held() as port:
        assert ports.again(port, LOOPBACK, patience=0.1) == 0
        assert ports.again(port, ("127.0.0.2", "127.0.0.1"), patience=0.1) == 0, "it has to be free on all addresses"


def test_nothing_was_picked_yet() -> None:
    assert ports.again(0, LOOPBACK) == 0


@pytest.mark.parametrize("address", ["203.0.113.9", "no address"])
def test_an_address_that_this_machine_does_not_have_is_not_free(address: str) -> None:
    with held() as port:
        pass
    assert ports.again(port, (address,), patience=0) == 0
