"""Where a URL may lead the platform."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest

from homeport import reach
from homeport.errors import HomeportError, Invalid
from homeport.reach import NETWORKS, Reach


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses(address: str) -> None:
    assert Reach().allows(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    ],
)  # fmt: skip
def test_addresses_that_are_nobody_elses_business(address: str) -> None:
    assert not Reach().allows(ipaddress.ip_address(address))


def test_the_operator_names_networks() -> None:
    chosen = Reach.of({NETWORKS: "10.0.0.0/8, 192.168.1.7 fd00::/8"})
    for address, expected in (
        ("10.9.8.7", True), ("192.168.1.7", True), ("192.168.1.8", False), ("fd00::5", True), ("127.0.0.1", False),
        ("::ffff:10.0.0.1", True), ("8.8.8.8", True),
    ):  # fmt: skip
        assert chosen.allows(ipaddress.ip_address(address)) is expected, address
    assert Reach.of({}) == Reach()


def test_a_setting_that_is_wrong_is_said() -> None:
    with pytest.raises(HomeportError) as refused:
        Reach.of({NETWORKS: "everywhere"})
    assert refused.value.id == "setting_invalid"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x", "http://[::1]/x", "http://[::ffff:127.0.0.1]/", "http://0/",
        "http://2130706433/", "http://0x7f.1/", "http://169.254.169.254/latest/meta-data/", "https://10.0.0.1/",
    ],
)  # fmt: skip
def test_however_it_is_written(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NETWORKS, raising=False)

    async def scenario() -> None:
        async with reach.client() as client:
            await client.get(url)

    with pytest.raises(Invalid) as refused:
        asyncio.run(scenario())
    assert refused.value.id == "address_not_public"
