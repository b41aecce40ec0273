"""HTTP by the standard library: what a command needs of it, in a tenth of the time that a client library takes to load.

`send` goes to the endpoint and nowhere else, so that a token cannot leave it; `open` reads a URL that the server gave
out (logs, build output) and sends no token.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from homeport.cli.endpoint import Endpoint, Source, is_loopback
from homeport.errors import HomeportError, Unavailable

if TYPE_CHECKING:
    from ssl import SSLContext

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0  # Heroku's own limit on a silent request


@dataclass(frozen=True)
class Reply:
    """`headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Stream(Protocol):
    """An answer that is read while it comes."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name."""
        ...

    def read(self) -> bytes:
        """What has come, at least a byte; b"" at a clean end. Raises `Unavailable` when it breaks off."""
        ...

    def close(self) -> None: ...


class Transport(Protocol):
    """The seam to the network."""

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply: ...

    def open(self, url: str, headers: Mapping[str, str], *, idle: float) -> Stream:
        """`idle`: seconds of silence after which the connection counts as lost."""
        ...


class HttpTransport:
    """One kept-alive connection to the endpoint, and one more for each stream."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: HTTPConnection | None = None

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        kept = self._connection is not None
        try:
            return self._exchange(method, path, headers, body)
        except (HTTPException, OSError) as error:
            self._connection = None
            # A kept connection may have been closed under us; asking again changes nothing.
            if kept and method == "GET" and not isinstance(error, TimeoutError):
                return self.send(method, path, headers, body)
            raise explain(error, self._endpoint, may_have_happened=method != "GET") from error

    def open(self, url: str, headers: Mapping[str, str], *, idle: float) -> Stream:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise HomeportError(
                "invalid_stream_url", f"The server named a stream that is no web address: {parts.scheme}"
            )
        try:
            connection = self._connect(parts.scheme, parts.hostname or "", parts.port, idle)
            connection.request(
                "GET", f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}", headers=dict(headers)
            )
            return HttpStream(connection, connection.getresponse(), self._endpoint)
        except (HTTPException, OSError) as error:
            raise explain(error, self._endpoint) from error

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        if self._connection is None:
            parts = urlsplit(self._endpoint.url)
            self._connection = self._connect(parts.scheme, parts.hostname or "", parts.port, ANSWER_SECONDS)
        self._connection.request(method, path, body=body, headers=dict(headers))
        response = self._connection.getresponse()
        content = response.read()
        if response.will_close:
            self._connection.close()
            self._connection = None
        return Reply(response.status, _lower(response), content)

    def _connect(self, scheme: str, host: str, port: int | None, idle: float) -> HTTPConnection:
        if scheme == "https":
            context = trust(self._endpoint)
            connection: HTTPConnection = HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=context)
        else:
            connection = HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(idle)
        return connection


class HttpStream:
    """The `Stream` of an `HttpTransport`."""

    def __init__(self, connection: HTTPConnection, response: HTTPResponse, endpoint: Endpoint) -> None:
        self.status = response.status
        self.headers = _lower(response)
        self._connection = connection
        self._response = response
        self._endpoint = endpoint

    def read(self) -> bytes:
        try:
            return self._response.read1(65536)
        except (HTTPException, OSError) as error:
            raise explain(error, self._endpoint) from error

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def trust(endpoint: Endpoint) -> SSLContext:
    """On loopback only our own authority, when it is known: loading the system's costs more than the whole request."""
    import ssl

    if endpoint.ca is not None and is_loopback(endpoint.hostname):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = ssl.create_default_context()
    if endpoint.ca is not None:
        try:
            context.load_verify_locations(cafile=endpoint.ca)
        except OSError as error:
            raise HomeportError(
                "authority_unreadable",
                f"The certificate authority in {endpoint.ca} cannot be read: {error.strerror or error}.",
                fix="Start the platform again, which writes it anew: homeport up",
            ) from error
    return context


def explain(error: Exception, endpoint: Endpoint, *, may_have_happened: bool = False) -> HomeportError:
    """What a failed connection means to the person at the terminal."""
    import ssl

    where = endpoint.url
    start = "Start it: homeport up --detach" if endpoint.is_loopback else "Check the address and your network."
    if endpoint.source is Source.LOGIN:
        start += "\nTo forget this platform: homeport logout"
    if isinstance(error, ConnectionRefusedError):
        return Unavailable(f"Nothing answers at {where}.", id="not_running", fix=start)
    if isinstance(error, socket.gaierror):
        return Unavailable(f"There is no host {endpoint.hostname}: {error.strerror}.", id="host_unknown", fix=start)
    if isinstance(error, ssl.SSLCertVerificationError):
        return HomeportError(
            "certificate_untrusted",
            f"The certificate of {where} is not trusted: {error.verify_message}.",
            why="Somebody else might be answering in its place; nothing was sent.",
            fix="If the platform has a certificate authority of its own, name its ca.pem in HOMEPORT_CA.",
        )
    reason = "it did not answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    done = "What was asked may have happened all the same; look before you ask again." if may_have_happened else ""
    return Unavailable(f"The connection to {where} was lost: {reason}.", id="connection_lost", fix=done)


def _lower(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
