"""The Platform API v3 as a client meets it: paths, versions, errors, lists in parts.

https://devcenter.heroku.com/articles/platform-api-reference
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from homeport import __version__
from homeport.cli.endpoint import Endpoint, Source
from homeport.cli.errors import ApiError, UsageError
from homeport.cli.table import ELSEWHERE
from homeport.cli.transport import Stream, Transport

V3 = "application/vnd.heroku+json; version=3"
# What the official CLI asks where the two versions differ: verbs on process types, and dynos' states.
SDK = "application/vnd.heroku+json; version=3.sdk"

_COMMAND = re.compile(r"(?:(?<=`)|(?<=^  ))heroku (?P<topic>[a-z]\w*)", re.MULTILINE)
"""In backticks, or on a line of its own."""

USER_AGENT = f"homeport/{__version__} ({sys.platform}; python {sys.version_info.major}.{sys.version_info.minor})"


def path(*segments: str) -> str:
    """`/apps/demo/dynos/web.1`: every segment quoted, so that a name can only ever be a name.

    Raises `UsageError` for a segment that would lead elsewhere.
    """
    for segment in segments:
        if segment in ("", ".", ".."):
            raise UsageError(f"{segment!r} is not a name.")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


class Api:
    """Requests to one platform. `warn` is told what the server wants its user to know (X-Heroku-Warning)."""

    def __init__(self, endpoint: Endpoint, transport: Transport, warn: Callable[[str], None]) -> None:
        self.endpoint = endpoint
        self._transport = transport
        self._warn = warn
        self._warned: set[str] = set()

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        accept: str = V3,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Any, Mapping[str, str]]:
        """The decoded answer and its headers. Raises `ApiError` for any status that is not 2xx."""
        sent = {"Accept": accept, "User-Agent": USER_AGENT}
        if self.endpoint.token:
            sent["Authorization"] = f"Bearer {self.endpoint.token}"
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        reply = self._transport.send(method, path, {**sent, **(headers or {})}, content)
        self._show_warning(reply.headers)
        answer = _decoded(reply.body)
        if not 200 <= reply.status < 300:
            raise self._error(reply.status, answer, method)
        return answer, reply.headers

    def get(self, path: str, *, accept: str = V3) -> Any:
        return self.request("GET", path, accept=accept)[0]

    def all(self, path: str, *, accept: str = V3) -> list[Any]:
        """The whole list, however many parts the server cuts it into (206 with Next-Range)."""
        found, headers = self.request("GET", path, accept=accept)
        whole: list[Any] = list(found)
        while further := headers.get("next-range"):
            found, headers = self.request("GET", path, accept=accept, headers={"Range": further})
            whole += found
        return whole

    def newest(self, path: str, count: int, *, by: str, accept: str = V3) -> list[Any]:
        """The `count` items with the highest `by`, newest first."""
        wanted = {"Range": f"{by} ..; max={count}, order=desc"}
        found, _ = self.request("GET", path, accept=accept, headers=wanted)
        return list(found)

    def optional(self, path: str, default: Any) -> Any:
        """The answer, or `default` where this platform has no such thing."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            return default

    def post(self, path: str, body: Any = None, *, accept: str = V3) -> Any:
        return self.request("POST", path, body, accept=accept)[0]

    def put(self, path: str, body: Any) -> Any:
        return self.request("PUT", path, body)[0]

    def upload(self, path: str, data: bytes) -> None:
        """Bytes to a place that the server gave out, secret in itself: no token goes there. Raises `ApiError`."""
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/octet-stream"}
        reply = self._transport.send("PUT", path, headers, data)
        if not 200 <= reply.status < 300:
            raise self._error(reply.status, _decoded(reply.body), "PUT")

    def patch(self, path: str, body: Any) -> Any:
        return self.request("PATCH", path, body)[0]

    def delete(self, path: str, *, accept: str = V3) -> Any:
        return self.request("DELETE", path, accept=accept)[0]

    @contextmanager
    def stream(self, url: str, *, idle: float = 3600.0, **headers: str) -> Iterator[Stream]:
        """A URL that the server gave out, secret in itself: no token goes there. Raises `ApiError` if not 200."""
        opened = self._transport.open(url, {"User-Agent": USER_AGENT, **headers}, idle=idle)
        try:
            if opened.status != 200:
                raise ApiError(
                    f"http_{opened.status}", f"The stream answered {opened.status}.", status=opened.status, coded=False
                )
            yield opened
        finally:
            opened.close()

    def _show_warning(self, headers: Mapping[str, str]) -> None:
        text = (headers.get("x-heroku-warning") or headers.get("warning-message") or "").strip()
        if text and text not in self._warned:
            self._warned.add(text)
            self._warn(in_our_words(text))

    def _error(self, status: int, answer: Any, method: str) -> ApiError:
        said = answer if isinstance(answer, dict) and answer.get("message") else None
        fix = ""
        if status == 401:
            fix = _how_to_log_in(self.endpoint)
        if said is None:
            return ApiError(
                f"http_{status}", f"The server answered {status} to {method}.", status=status, coded=False, fix=fix
            )
        return ApiError(
            said.get("id") or f"http_{status}",
            in_our_words(said["message"]),
            status=status,
            coded=True,
            fix=fix,
            resource=said.get("resource") or "",
            url=said.get("url") or "",
        )


def in_our_words(text: str) -> str:
    """The commands that a server tells its users to type, which it names by the official CLI's word for all of them."""
    return _COMMAND.sub(lambda said: said[0] if said["topic"] in ELSEWHERE else f"homeport {said['topic']}", text)


def _how_to_log_in(endpoint: Endpoint) -> str:
    if endpoint.token is None:
        return "Log in: homeport login"
    if endpoint.source is Source.ENVIRONMENT:
        return "Check the token in HOMEPORT_API_KEY or HEROKU_API_KEY."
    if endpoint.source is Source.LOGIN:
        return "The token is no longer valid. Log in again: homeport login"
    return "The token in $HOMEPORT_HOME/secrets/token is not this platform's."


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body.strip() else None
    except ValueError:
        return None
