"""Fetching pages that strangers name, without doing harm.

Whoever may tell a server what to fetch can make it knock on doors that only the server can reach: databases of the
same network, the machine itself, a cloud's metadata service. So: http and https only, public addresses only (checked
again at every redirect, and the address that was checked is the one that is connected to), and limits on time and size.
A page that trickles is given up at the latest when the task's own time is over (queue.py).
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from bs4 import BeautifulSoup

READABLE = ("text/html", "application/xhtml+xml", "text/plain")
REDIRECTS = 5


class CannotFetch(Exception):
    """Why not, in words for whoever asked."""


@dataclass(frozen=True)
class Limits:
    seconds: float
    bytes: int
    private_addresses: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Limits":
        return cls(config["FETCH_SECONDS"], config["MAX_PAGE"], config["FETCH_PRIVATE_ADDRESSES"])


@dataclass(frozen=True)
class Page:
    title: str
    text: str


def fetch(url: str, limits: Limits) -> Page:
    """The readable text of a page. Raises `CannotFetch`."""
    try:
        return _fetch(url, limits)
    except httpx.TimeoutException:
        raise CannotFetch("The page took too long to answer.") from None
    except httpx.TooManyRedirects:
        raise CannotFetch("The page leads from one address to the next without end.") from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError):
        raise CannotFetch("That is not the address of a web page.") from None
    except httpx.HTTPError as error:
        raise CannotFetch(f"The page could not be fetched: {error or type(error).__name__}") from None


def _fetch(url: str, limits: Limits) -> Page:
    deadline = time.monotonic() + limits.seconds
    client = httpx.Client(
        transport=PublicOnly(limits),
        timeout=limits.seconds,
        follow_redirects=True,
        max_redirects=REDIRECTS,
        trust_env=False,  # a proxy would connect for us, to wherever it likes
        headers={"User-Agent": "wordcount (an example app)", "Accept": ", ".join(READABLE)},
    )
    with client, client.stream("GET", url) as response:
        if response.status_code != 200:
            raise CannotFetch(f"The page answers with status {response.status_code}.")
        kind = response.headers.get("Content-Type", "text/html").partition(";")[0].strip().lower()
        if kind not in READABLE:
            raise CannotFetch(f"That is {kind}, and not a page to read.")
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limits.bytes:
                raise CannotFetch(f"The page is larger than {limits.bytes // 1024} KB.")
            if time.monotonic() > deadline:
                raise CannotFetch("The page took too long to answer.")
        return read(bytes(body), kind, response.charset_encoding)


def read(body: bytes, kind: str, encoding: str | None) -> Page:
    """The text that a person would read, without what is there for machines."""
    if kind == "text/plain":
        try:
            return Page("", body.decode(encoding or "utf-8", errors="replace"))
        except LookupError:  # an encoding that Python does not know
            return Page("", body.decode("utf-8", errors="replace"))
    soup = BeautifulSoup(body, "html.parser", from_encoding=encoding)
    title = soup.title.get_text(" ", strip=True).replace("\0", "") if soup.title else ""  # Postgres keeps no NUL
    for element in soup(["title", "script", "style", "noscript", "template", "svg", "nav", "footer"]):
        element.decompose()
    return Page(title, soup.get_text(" ", strip=True))


class PublicOnly(httpx.HTTPTransport):
    """Connects to public addresses only. Redirects come through here too.

    A name is looked up once, and the connection goes to the address that was checked. Looking it up again could give
    another answer: that is how a name is made to pass the check and lead inside all the same.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(verify=ssl.create_default_context())
        self._limits = limits

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        address = self._address(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,  # Host among them: the name, not the address
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},  # the certificate is checked for the name
        )
        return super().handle_request(pinned)

    def _address(self, host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise CannotFetch(f"There is no host named {host}.") from None
        addresses = [str(item[4][0]) for item in found]
        if not self._limits.private_addresses and not all(is_public(address) for address in addresses):
            raise CannotFetch(f"{host} is not on the public internet.")
        return addresses[0]


def is_public(address: str) -> bool:
    """Whether anybody could reach this address. Some IPv6 addresses have an IPv4 address inside, which counts."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inside = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo and parsed.teredo[1])
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            inside = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inside:
            return is_public(str(inside))
    return parsed.is_global and not parsed.is_multicast
