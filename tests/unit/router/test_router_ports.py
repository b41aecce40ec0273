from __future__ import annotations

import errno

import pytest

from homeport.errors import HomeportError
from homeport.router import ports


def test_localhost_is_this_machine_only_and_a_domain_is_for_everybody() -> None:
    assert set(ports.addresses("localhost")) <= {"127.0.0.1", "::1"}
    assert set(ports.addresses("example.com")) <= {"0.0.0.0", "::"}
    assert "127.0.0.1" in ports.addresses("localhost")
    assert "0.0.0.0" in ports.addresses("example.com")


def test_an_address_that_was_asked_for_is_the_only_one() -> None:
    assert ports.addresses("example.com", "192.0.2.1") == ("192.0.2.1",)
    assert ports.addresses("localhost", ["127.0.0.1", "192.0.2.1"]) == ("127.0.0.1", "192.0.2.1")


def test_a_picked_port_is_free_and_not_one_that_is_taken_already() -> None:
    hosts = ports.addresses("localhost")
    first = ports.pick(hosts)
    ports.ensure_free(hosts, first, flag="--port")
    assert ports.pick(hosts, taken=(first,)) != first


def test_a_port_that_needs_an_administrator_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not to be had for real where tests run as an administrator.
    monkeypatch.setattr(ports, "_problem", lambda *_: OSError(errno.EACCES, "Permission denied"))
    with pytest.raises(HomeportError) as caught:
        ports.ensure_free(("0.0.0.0",), 443, flag="--port")
    assert caught.value.id == "port_forbidden"
    assert "--port" in caught.value.fix
    assert "ip_unprivileged_port_start=443" in caught.value.fix
