"""Where buckets are: a host name on a server, a path on one machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homeport.router.configuration import certificate_names, configure
from homeport.router.route_table import RouteTable
from tests.unit.router.test_router_configuration import SETTINGS


@pytest.mark.parametrize("domain", ["localhost", "example.com"])
def test_buckets_have_a_name_or_a_path(domain: str) -> None:
    configuration = configure(RouteTable(), replace(SETTINGS, domain=domain))
    is_local = domain == "localhost"
    assert ("path -m reg ^/s3(/|$)" in configuration.text) is is_local
    assert (configuration.hosts.get("s3.example.com") == "buckets") is not is_local
    assert "server buckets unix@run/buckets.sock" in configuration.text


def test_the_wildcard_certificate_covers_their_name() -> None:
    configuration = configure(RouteTable(), replace(SETTINGS, domain="example.com"))
    default, own = certificate_names(configuration, "example.com")
    assert "*.example.com" in default
    assert own == set()
