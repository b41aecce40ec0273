"""Where the platform may be sent by a URL that somebody gives it.

Whoever may deploy can name the URL of a source. The platform stands inside of the operator's network, where services
trust who reaches them: loopback, private networks, a cloud's metadata at 169.254.169.254. So URLs lead only to public
addresses, and to those networks that the operator names in `HOMEPORT_FETCH_NETWORKS`. A name is resolved once, and the
address that was judged is the one that is connected to; redirects are judged as well.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from homeport.errors import HomeportError, Invalid

NETWORKS = "HOMEPORT_FETCH_NETWORKS"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Reach:
    """Public addresses, and those in `networks`."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Reach:
        """As the operator has set it. Raises `HomeportError` (`setting_invalid`)."""
        names = environment.get(NETWORKS, "").replace(",", " ").split()
        try:
            return cls(tuple(ipaddress.ip_network(name, strict=False) for name in names))
        except ValueError as error:
            raise HomeportError(
                "setting_invalid", f"{NETWORKS} is wrong: {error}.", fix="Say it as 10.0.0.0/8,192.168.1.7,fd00::/8"
            ) from None

    def allows(self, address: Address) -> bool:
        """Pure. Addresses that only carry another one are judged by that."""
        carried = _carried(address)
        if carried is not None:
            return self.allows(carried)
        named = any(address.version == network.version and address in network for network in self.networks)
        return named or (address.is_global and not address.is_multicast)

    async def address(self, host: str, port: int) -> str:
        """One that the host has and that may be connected to.

        Raises `Invalid` (`address_not_public`) if it has none of that kind, OSError if it has none at all.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        return str(self._first(host, addresses))

    async def require(self, url: str) -> None:
        """For programs that connect by themselves, which complain about hosts without an address better than we do.

        Raises `Invalid` (`address_not_public`).
        """
        parts = urlsplit(url)
        try:
            await self.address(parts.hostname or "", parts.port or 443)
        except OSError:
            return

    def _first(self, host: str, addresses: Sequence[Address]) -> Address:
        for address in addresses:
            if self.allows(address):
                return address
        raise Invalid(
            f"{host[:200]} is not an address of the public internet, so nothing is fetched from there.",
            id="address_not_public",
            why="Whoever can deploy could reach services by it that trust everybody in the operator's network.",
            fix="Put the file where everybody who has the URL can get it. "
            f"Or the operator allows the network: {NETWORKS}=10.0.0.0/8 homeport up",
        )


def client(**settings: object) -> httpx.AsyncClient:
    """An HTTP client that goes nowhere else. `settings` are those of `httpx.AsyncClient`."""
    reach = Reach.of()
    proxies = urllib.request.getproxies()
    through = {f"{scheme}://": _Transport(reach, proxies[scheme]) for scheme in ("http", "https") if scheme in proxies}
    return httpx.AsyncClient(transport=_Transport(reach, None), mounts=through, **settings)  # type: ignore[arg-type]


class _Transport(httpx.AsyncBaseTransport):
    """Connects to the address that was judged. Behind a proxy, which resolves names itself, the judgement is all there
    is."""

    def __init__(self, reach: Reach, proxy: str | None) -> None:
        self._reach = reach
        self._is_proxied = proxy is not None
        self._transport = httpx.AsyncHTTPTransport(proxy=proxy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            address = await self._reach.address(host, port)
        except OSError as error:
            if self._is_proxied:
                return await self._transport.handle_async_request(request)
            raise httpx.ConnectError(f"{host}: {error.strerror or error}", request=request) from error
        if self._is_proxied:
            return await self._transport.handle_async_request(request)
        # The name stays in the Host header, which was made from the URL already, and in what TLS is asked for.
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await self._transport.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._transport.aclose()


def _carried(address: Address) -> Address | None:
    """The IPv4 address in one of IPv6 that stands for it: mapped, 6to4, Teredo, NAT64."""
    if address.version == 4:
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
