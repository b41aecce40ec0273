"""A storm of error events, and what it takes from an app beside it."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.deploys import push
from bench.platform import Platform, Repository
from bench.table import Row, Unit, percentile
from homeport.home import Home

PER_MINUTE = 10_000
SECONDS = 30.0
SENDERS = 24
TURNS = 3
PAUSE = 0.02
"""Seconds between two requests to the app: it is neither idle nor busy."""

FRAMES = 30
KINDS = 20


def measure(platform: Platform) -> list[Row]:
    app = "errors"
    with tempfile.TemporaryDirectory() as scratch:
        platform.run("apps:create", app, "--no-remote")
        push(platform, Repository(Path(scratch) / app, platform.env), app, "first")
        platform.run("addons:create", "sentry:business", "--app", app)
        dsn = platform.run("config:get", "SENTRY_DSN", "--app", app).strip()
        calm: list[float] = []
        stormy: list[float] = []
        storm = Storm(dsn)
        began = _cpu_seconds(platform)
        for _ in range(TURNS):
            calm += _latencies(platform, app, SECONDS / TURNS)
            with storm.raging():
                stormy += _latencies(platform, app, SECONDS / TURNS)
        spent = _cpu_seconds(platform) - began
        found = json.loads(platform.run("errors", "--json", "--all", "--app", app))
        platform.run("apps:destroy", "--app", app, "--confirm", app)
    counted = sum(issue["count"] for issue in found)
    rate = storm.sent / storm.seconds * 60
    return [
        Row(
            "error events per minute", Unit.COUNT, rate, aim="≥ 9,500", limit=lambda _: 0.95 * PER_MINUTE, at_least=True
        ),
        Row("  of these not taken", Unit.COUNT, storm.refused, aim="0", limit=lambda _: 0),
        Row("  taken and not counted", Unit.COUNT, storm.sent - counted, aim="0", limit=lambda _: 0),
        Row("  issues", Unit.COUNT, len(found), aim=str(KINDS), limit=lambda _: KINDS),
        Row("  the tracker's share of a core", Unit.SECONDS, spent / storm.seconds, aim="≤ 1", limit=lambda _: 1.0),
        Row("  an event is answered within, half", Unit.MILLISECONDS, percentile(storm.times, 0.5) * 1000),
        Row("  and 99 %", Unit.MILLISECONDS, percentile(storm.times, 0.99) * 1000),
        *_beside("half", calm, stormy, 0.5),
        *_beside("95 %", calm, stormy, 0.95),
    ]


def _beside(name: str, calm: list[float], stormy: list[float], share: float) -> list[Row]:
    without = percentile(calm, share) * 1000
    return [
        Row(
            f"an app beside it answers, {name}",
            Unit.MILLISECONDS,
            percentile(stormy, share) * 1000,
            "without",
            without,
            "≤ 1.5 of that",
            lambda floor: 1.5 * floor,
        )
    ]


@dataclass
class Storm:
    """Events as sentry-sdk sends them, evenly, at PER_MINUTE. `seconds` is how long it has raged."""

    dsn: str
    sent: int = 0
    refused: int = 0
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def raging(self) -> Iterator[None]:
        over = threading.Event()
        senders = [threading.Thread(target=self._send, args=(over, number)) for number in range(SENDERS)]
        began = time.perf_counter()
        for sender in senders:
            sender.start()
        try:
            yield
        finally:
            over.set()
            for sender in senders:
                sender.join()
            self.seconds += time.perf_counter() - began

    def _send(self, over: threading.Event, number: int) -> None:
        url = urlsplit(self.dsn)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
        headers = {
            "X-Sentry-Auth": f"Sentry sentry_key={url.username}, sentry_version=7",
            "Content-Type": "application/x-sentry-envelope",
            "Content-Encoding": "gzip",
        }
        every = SENDERS * 60 / PER_MINUTE
        due = time.perf_counter() + every * number / SENDERS
        count = number
        while not over.is_set():
            time.sleep(max(0.0, due - time.perf_counter()))
            due += every
            count += SENDERS
            body = _envelope(count % KINDS)
            began = time.perf_counter()
            connection.request("POST", f"/api{url.path}/envelope/", body, headers)
            response = connection.getresponse()
            response.read()
            with self._lock:
                self.times.append(time.perf_counter() - began)
                self.sent += response.status == 200
                self.refused += response.status != 200
        connection.close()


def _envelope(kind: int) -> bytes:
    """About 42 KB, 2 when compressed: a Django request with local variables. Made quickly, for the app's sake."""
    content = _template(kind).replace(_ID, uuid.uuid4().hex.encode())
    return gzip.compress(b'{}\n{"type":"event","length":%d}\n%s\n' % (len(content), content), 1)


@cache
def _template(kind: int) -> bytes:
    frames = [_frame(number, kind) for number in range(FRAMES)]
    crash = {"values": [{"type": "ValueError", "value": "x", "stacktrace": {"frames": frames}}]}
    return json.dumps({**_EVENT, "exception": crash, "user": {"id": str(kind)}}).encode()


_ID = b"0" * 32


def _frame(number: int, kind: int) -> dict[str, Any]:
    own = number >= FRAMES - 5
    lines = [f"        value = self.process(request, {place}, key='value')" for place in range(5)]
    return {
        "filename": f"shop/module{number}.py",
        "abs_path": f"/app/shop/module{number}.py" if own else f"/app/.heroku/python/lib/python3.11/x{number}.py",
        "module": f"shop.module{number}",
        "function": f"handle_{chr(97 + kind)}" if number == FRAMES - 1 else "handle",
        "lineno": 100 + number,
        "in_app": own,
        "pre_context": lines,
        "context_line": "        raise ValueError(x)",
        "post_context": lines,
        "vars": {f"variable_{place}": f"<WSGIRequest: GET '/orders/{place}'>" for place in range(8)}
        | {"password": "x"},
    }


_EVENT = {
    "event_id": _ID.decode(),
    "platform": "python",
    "level": "error",
    "release": "abc123",
    "environment": "production",
    "transaction": "/orders/{id}",
    "server_name": "web.1",
    "request": {
        "url": "http://shop.example.com/orders/7",
        "method": "GET",
        "headers": {"Cookie": "sessionid=abc", "User-Agent": "Mozilla/5.0", "Host": "shop.example.com"},
        "env": {"REMOTE_ADDR": "10.0.0.1"},
    },
    "breadcrumbs": {
        "values": [
            {"category": "query", "message": f"SELECT * FROM orders WHERE id = {n}", "timestamp": 1.0}
            for n in range(40)
        ]
    },
    "modules": {f"package-{n}": "1.2.3" for n in range(60)},
}


def _latencies(platform: Platform, app: str, seconds: float) -> list[float]:
    """Of requests to the app, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", platform.http_port, timeout=30)
    times = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        connection.request("GET", "/", headers={"Host": platform.host(app)})
        connection.getresponse().read()
        times.append(time.perf_counter() - began)
        time.sleep(PAUSE)
    connection.close()
    return times


def _cpu_seconds(platform: Platform) -> float:
    """That the tracker has used."""
    pid = (Home(platform.home).run / "servers/errors.pid").read_text().splitlines()[1].split()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
