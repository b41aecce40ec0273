"""Terminal sessions without a terminal: commands are typed, plain values answer, what was shown is kept."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homeport.cli.call import World
from homeport.cli.endpoint import Endpoint, Local
from homeport.cli.entry import run
from homeport.cli.terminal import Terminal
from homeport.cli.transport import Reply, Stream, Transport
from homeport.errors import HomeportError, Unavailable

URL = "https://localhost:8443"
NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Shown:
    """What a command left on the screen, and its exit code."""

    code: int
    out: str = ""
    err: str = ""


@dataclass(frozen=True)
class Refusal:
    """An answer that is an error in Heroku's form."""

    status: int
    id: str
    message: str = "No."
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A part of a list; `next` is the Range of the part after it."""

    items: list[Any]
    next: str | None = None


@dataclass
class Chunks:
    """A stream that ends cleanly after its chunks, or `breaks`."""

    chunks: Sequence[bytes]
    breaks: bool = False
    status: int = 200
    content_type: str = "text/event-stream"
    closed: bool = False

    @property
    def headers(self) -> Mapping[str, str]:
        return {"content-type": self.content_type}

    def __post_init__(self) -> None:
        self._left: Iterator[bytes] = iter(self.chunks)

    def read(self) -> bytes:
        chunk = next(self._left, None)
        if chunk is None and self.breaks:
            raise Unavailable("The connection was lost.", id="connection_lost")
        return chunk or b""

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeApi:
    """Answers by `METHOD /path`; several answers for one are given in turn, the last one for good."""

    answers: dict[str, Any]
    requests: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    streams: list[Any] = field(default_factory=list)
    opened: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        self.requests.append(f"{method} {path}" + (f" {body.decode()}" if body else ""))
        self.headers.append(headers)
        answer = self.answers.get(f"{method} {path}", Refusal(404, "not_found", "Couldn't find that app."))
        if isinstance(answer, list) and answer and isinstance(answer[0], Part | Refusal | Reply):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Reply):
            return answer
        if isinstance(answer, Refusal):
            error = {"id": answer.id, "message": answer.message, **answer.more}
            return Reply(answer.status, {}, json.dumps(error).encode())
        if isinstance(answer, Part):
            more = {"next-range": answer.next} if answer.next else {}
            return Reply(206 if answer.next else 200, more, json.dumps(answer.items).encode())
        return Reply(200, {}, json.dumps(answer).encode())

    def open(self, url: str, headers: Mapping[str, str], *, idle: float) -> Stream:
        self.opened.append((url, headers))
        stream = self.streams.pop(0)
        if isinstance(stream, BaseException):
            raise stream
        found: Stream = stream
        return found


@dataclass
class FakeGit:
    """A checkout with remotes; `None` for no checkout at all."""

    remotes: dict[str, str] | None = None
    config: dict[str, str] = field(default_factory=dict)
    ran: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def exists(self) -> bool:
        return self.remotes is not None

    def output(self, *arguments: str) -> str:
        if self.remotes is None:
            raise HomeportError("git_failed", "git failed: not a git repository")
        match arguments:
            case ("remote", "-v"):
                return "\n".join(f"{name}\t{url} ({way})" for name, url in self.remotes.items() for way in WAYS)
            case ("remote",):
                return "\n".join(self.remotes)
            case ("remote", "add" | "set-url", name, url, *_):
                self.remotes[name] = url
            case ("remote", "remove", name):
                del self.remotes[name]
            case ("config", "--local", "--replace-all", name, value):
                self.config[name] = value
            case ("config", name):
                if name not in self.config:
                    raise HomeportError("git_failed", "git config failed: exit code 1")
                return self.config[name]
            case _:
                raise AssertionError(f"git {arguments}")
        return ""

    def run(self, *arguments: str) -> int:
        self.ran.append(arguments)
        return 0


WAYS = ("fetch", "push")


class Screen(StringIO):
    """A stream that is a terminal, or not."""

    def __init__(self, content: str = "", *, is_terminal: bool = False) -> None:
        super().__init__(content)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


class Session:
    """A shell to type in. `typed` is what a person answers at a terminal; without it stdin is no terminal."""

    def __init__(
        self,
        answers: Mapping[str, Any] | None = None,
        *,
        remotes: dict[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        local: Local | None = None,
        home: Path | None = None,
        streams: Sequence[Any] = (),
        colour: bool = False,
    ) -> None:
        self.api = FakeApi(dict(answers or {}), streams=list(streams))
        self.git = FakeGit(remotes)
        self.endpoints: list[Endpoint] = []
        self.slept: list[float] = []
        self.on_sleep: Callable[[float], None] = self.slept.append
        self.colour = colour
        self._local = local
        place = {"HOME": str(home) if home else "/nonexistent"}
        chosen = {"HOMEPORT_HOST": URL, "HOMEPORT_API_KEY": "secret-token"} if env is None else env
        self.env = {**place, **chosen}

    @property
    def requests(self) -> list[str]:
        return self.api.requests

    def type(self, line: str, *, typed: str | None = None, piped: str = "") -> Shown:
        """`line` as after `$ homeport `."""
        stdin = Screen(piped if typed is None else typed, is_terminal=typed is not None)
        stdout, stderr = Screen(is_terminal=self.colour), Screen(is_terminal=self.colour)
        terminal = Terminal(self.env, stdin=stdin, stdout=stdout, stderr=stderr)
        world = World(
            env=self.env,
            terminal=terminal,
            connect=self._connect,
            git=lambda: self.git,
            local=lambda: self._local,
            now=lambda: NOW,
            sleep=lambda seconds: self.on_sleep(seconds),
        )
        code = run(shlex.split(line), world)
        return Shown(code, stdout.getvalue(), stderr.getvalue())

    def _connect(self, endpoint: Endpoint) -> Transport:
        assert urlsplit(endpoint.url).scheme == "https"
        self.endpoints.append(endpoint)
        return self.api


def failure(text: str, id: str) -> str:
    """The form that every failure takes on stderr."""
    lines = [*f"Error: {text}".split("\n"), "", f"Error ID: {id}"]
    return "".join(f" ›   {line}".rstrip() + "\n" for line in lines)


def app(name: str = "demo", **changes: Any) -> dict[str, Any]:
    """An app as the API describes it."""
    return {
        "acm": False,
        "archived_at": None,
        "build_stack": {"id": "s1", "name": "heroku-24"},
        "create_status": "complete",
        "git_url": f"{URL}/{name}.git",
        "id": f"id-of-{name}",
        "maintenance": False,
        "name": name,
        "owner": {"email": "ada@example.com", "id": "u1"},
        "region": {"id": "r1", "name": "us"},
        "repo_size": 123456,
        "slug_size": 23456789,
        "stack": {"id": "s1", "name": "heroku-24"},
        "web_url": f"https://{name}.localhost:8443/",
        **changes,
    }


def release(version: int, description: str = "Deploy 1a2b3c4d", **changes: Any) -> dict[str, Any]:
    """A release as the API describes it, a minute old."""
    return {
        "addon_plan_names": [],
        "created_at": "2026-01-31T11:59:00Z",
        "current": False,
        "description": description,
        "eligible_for_rollback": True,
        "id": f"id-of-v{version}",
        "output_stream_url": None,
        "status": "succeeded",
        "user": {"email": "ada@example.com", "id": "u1"},
        "version": version,
        **changes,
    }


def dyno(name: str, state: str = "up", command: str = "gunicorn app:app", **changes: Any) -> dict[str, Any]:
    """A dyno as the API describes it, a minute in its state."""
    return {
        "command": command,
        "id": f"id-of-{name}",
        "name": name,
        "release": {"id": "id-of-v12", "version": 12},
        "size": "Basic",
        "state": state,
        "type": name.partition(".")[0],
        "updated_at": "2026-01-31T11:59:00Z",
        **changes,
    }


def local_time(text: str) -> str:
    """How a moment is shown where the tests run."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y/%m/%d %H:%M:%S %z")


A_MINUTE_AGO = f"{local_time('2026-01-31T11:59:00Z')} (~ 1m ago)"
