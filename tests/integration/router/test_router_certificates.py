"""Every host name has a certificate that a careful client takes, as soon as the name is known."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from homeport.router import AppState, RouteTable
from homeport.router.authority import LEAF_LIFETIME, RENEW_BEFORE, Authority
from tests.integration.router.proxy_ground import Dyno, Ground, app, hello, proxy, up

pytestmark = pytest.mark.slow


async def certificate(ground: Ground, host: str) -> x509.Certificate:
    """What is served for a host name; raises unless the chain and the name are right."""
    _, writer = await ground.connect(host)
    served = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(served)


def test_all_names_are_covered(tmp_path: Path) -> None:
    async def story() -> None:
        names = ("www.example.org", "*.example.net")
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno, hostnames=names)) as ground:
            for host in ("localhost", "127.0.0.1", "shop.localhost", "www.example.org", "any.example.net"):
                await certificate(ground, host)
            with pytest.raises(ssl.SSLCertVerificationError):
                await certificate(ground, "stranger.localhost")

    asyncio.run(story())


def test_a_domain_of_ones_own_has_a_wildcard(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path, domain="apps.example.com", bind="127.0.0.1") as ground:
            shop = app("shop", AppState.NO_WEB, hostnames=("www.example.org",))
            await ground.proxy.apply(
                RouteTable(
                    (type(shop)(shop.app_id, shop.name, ("shop.apps.example.com", "www.example.org"), shop.state),)
                )
            )
            for host in ("api.apps.example.com", "git.apps.example.com", "apps.example.com", "localhost"):
                await certificate(ground, host)
            await certificate(ground, "www.example.org")
            assert (await ground.get("shop.apps.example.com")).status == 503
            assert (await ground.get("api.apps.example.com")).headers["content-type"] == "application/json"

    asyncio.run(story())


def test_the_api_speaks_http_1_and_apps_both(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            for host, expected in (("localhost", "http/1.1"), ("shop.localhost", "h2")):
                _, writer = await ground.connect(host, "h2", "http/1.1")
                assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == expected
                writer.close()

    asyncio.run(story())


def test_expiring_certificates_are_renewed_without_a_reload(tmp_path: Path) -> None:
    async def story() -> None:
        now = datetime.now(UTC)
        ground = Ground(tmp_path)
        long_ago = now - LEAF_LIFETIME + RENEW_BEFORE - timedelta(days=1)
        ground.proxy.authority = Authority(ground.home.tls, clock=lambda: long_ago)
        async with Dyno.running(hello) as dyno:
            try:
                await ground.proxy.start(up("shop", dyno))
                hosts = ("shop.localhost", "localhost", "127.0.0.1")
                old = {host: await certificate(ground, host) for host in hosts}
                assert all(served.not_valid_after_utc - now < RENEW_BEFORE for served in old.values())
                ground.proxy.authority = Authority(ground.home.tls)
                await ground.proxy.apply(up("shop", dyno))
                for host in hosts:
                    renewed = await certificate(ground, host)
                    assert renewed.not_valid_after_utc - now > RENEW_BEFORE, host
                assert "Reloading" not in (ground.home.run / "haproxy.log").read_text()
                assert len(list((ground.home.tls / "leaves").iterdir())) == 1, "what nobody uses is not kept"
            finally:
                await ground.proxy.stop()

    asyncio.run(story())


def test_adding_an_app_is_quick(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground:
            apps = [app(f"app{number}", AppState.NO_WEB) for number in range(20)]
            await ground.proxy.apply(RouteTable(tuple(apps)))
            await asyncio.sleep(1)
            took = []
            for number in range(5):
                apps.append(app(f"new{number}", AppState.NO_WEB))
                started = time.perf_counter()
                await ground.proxy.apply(RouteTable(tuple(apps)))
                took.append(time.perf_counter() - started)
                assert (await ground.get(f"new{number}.localhost")).status == 503
                await asyncio.sleep(0.8)
            assert min(took) < 0.25, took

    asyncio.run(story())


def test_private_keys_are_private(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            keys = [path for path in ground.home.tls.rglob("*") if path.is_file() and b"PRIVATE" in path.read_bytes()]
            assert len(keys) == 3
            for path in keys:
                assert path.stat().st_mode & 0o077 == 0, path
            assert b"PRIVATE" not in ground.proxy.authority.bundle.read_bytes()
            assert ground.proxy.authority.ca.read_bytes() in ground.proxy.authority.bundle.read_bytes()

    asyncio.run(story())


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    async def story() -> None:
        other = Authority(tmp_path / "other")
        (tmp_path / "other").mkdir()
        other.prepare()
        async with proxy(tmp_path / "home") as ground:
            context = ssl.create_default_context(cafile=os.fspath(other.ca))
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.open_connection(
                    "127.0.0.1", ground.proxy.https_port, ssl=context, server_hostname="localhost"
                )

    asyncio.run(story())
