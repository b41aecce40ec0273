"""Requests through the router against the same gunicorn asked directly, in turns."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

from bench.deploys import push
from bench.platform import Platform, Repository, answer
from bench.table import Row, Unit, percentile

CONNECTIONS = 16
SECONDS = 2
TURNS = 5

SERVERS = {
    "sync workers": "web: gunicorn app:app\n",  # gunicorn's default: a connection of its own for every request
    "threads": "web: gunicorn app:app --worker-class gthread --threads 8 --keep-alive 75\n",  # connections stay open
}

ROUTER_HEADERS = {
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "8080",
    "X-Request-Start": "1763717000123",
    "X-Request-Id": "0f5b5c8e-6f0d-4b9e-8f50-0e7d3a3a1c55",
    "Via": "1.1 homeport",
}
"""What apps get to see of Heroku's router. Reading it costs a Python server a sixth of a small request."""

_SCALE = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """Requests per second, and milliseconds that half and 99 of 100 requests stayed under."""

    rate: float
    p50: float
    p99: float
    failed: int


def measure(platform: Platform) -> list[Row]:
    return [row for server, procfile in SERVERS.items() for row in _measure(platform, server, procfile)]


def _measure(platform: Platform, server: str, procfile: str) -> list[Row]:
    app = f"traffic-{server.replace(' ', '-')}"
    with tempfile.TemporaryDirectory() as scratch:
        platform.run("apps:create", app, "--no-remote")
        repository = Repository(Path(scratch) / app, platform.env)
        (repository.folder / "Procfile").write_text(procfile)
        repository.commit("measured")
        push(platform, repository, app, "measured")
        loads = _in_turns(platform, platform.host(app))
        platform.run("apps:destroy", "--app", app, "--confirm", app)
    failed = sum(load.failed for several in loads.values() for load in several)
    # Other work on the machine slows some loads down: what counts is the middle one of the ratios within a turn.
    turns = sorted(range(TURNS), key=lambda turn: loads["http"][turn].rate / loads["direct"][turn].rate)
    direct, dressed, http, https = (load[turns[TURNS // 2]] for load in loads.values())
    return [
        Row(
            f"requests per second, {server}",
            Unit.PER_SECOND,
            http.rate,
            "direct",
            direct.rate,
            "≥ 0.85 of direct",
            lambda floor: 0.85 * floor,
            at_least=True,
        ),
        Row("  half of them within", Unit.MILLISECONDS, http.p50, "direct", direct.p50),
        Row("  99 % of them within", Unit.MILLISECONDS, http.p99, "direct", direct.p99),
        Row("  the same by https", Unit.PER_SECOND, https.rate, "direct", direct.rate),
        Row("  http against direct with the router's headers", Unit.PER_SECOND, http.rate, "direct", dressed.rate),
        Row("  failed of all these", Unit.COUNT, failed, aim="0", limit=lambda _: 0),
    ]


def _in_turns(platform: Platform, host: str) -> dict[str, list[Load]]:
    """Loads of the dyno itself, plain and with the router's headers, and of both ports of the router: one after the
    other, whose turn is first changing."""
    dyno = int(answer(platform.http_port, host, "/port")[1])
    targets = {
        "direct": f"http://127.0.0.1:{dyno}/",
        "dressed": f"http://127.0.0.1:{dyno}/",
        "http": f"http://127.0.0.1:{platform.http_port}/",
        "https": f"https://127.0.0.1:{platform.https_port}/",
    }
    loads: dict[str, list[Load]] = {name: [] for name in targets}
    for turn in range(TURNS):
        order = list(targets)
        first = turn % len(order)
        for name in order[first:] + order[:first]:
            loads[name].append(drive(targets[name], host, SECONDS, ROUTER_HEADERS if name == "dressed" else {}))
    return loads


def drive(url: str, host: str, seconds: float, headers: Mapping[str, str] = MappingProxyType({})) -> Load:
    """Load `url` over CONNECTIONS connections that stay open: by wrk if it is there, else by a loop of our own."""
    sent = {"Host": host, **headers}
    wrk = shutil.which("wrk")
    if wrk is None:
        return asyncio.run(_loop(url, sent, seconds))
    lines = [word for name, value in sent.items() for word in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        [wrk, "-t2", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--latency", *lines, url],
        check=True,
        capture_output=True,
        text=True,
    )
    return read_wrk(done.stdout)


def read_wrk(text: str) -> Load:
    """wrk's report as numbers; raises ValueError when it is none."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    latencies = dict(re.findall(r"^\s+(50|99)%\s+([\d.]+\w+)\s*$", text, re.M))
    if rate is None or set(latencies) != {"50", "99"}:
        raise ValueError(f"not a report of wrk:\n{text}")
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    failed = (int(wrong[1]) if wrong else 0) + (sum(map(int, broken.groups())) if broken else 0)
    return Load(float(rate[1]), _milliseconds(latencies["50"]), _milliseconds(latencies["99"]), failed)


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)([a-z]+)", text)
    if match is None or match[2] not in _SCALE:
        raise ValueError(f"not a time of wrk: {text}")
    return float(match[1]) * _SCALE[match[2]]


async def _loop(url: str, headers: Mapping[str, str], seconds: float) -> Load:
    """The same load in Python. Its own cost is high, and the same for every target, so ratios come out flattered."""
    times: list[float] = []
    failed = 0
    end = time.perf_counter() + seconds

    async def connection(client: httpx.AsyncClient) -> None:
        nonlocal failed
        while (start := time.perf_counter()) < end:
            try:
                response = await client.get(url, headers=headers)
                failed += response.status_code != 200
            except httpx.HTTPError:
                failed += 1
            times.append(time.perf_counter() - start)

    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(verify=False, limits=limits, trust_env=False) as client:
        await asyncio.gather(*(connection(client) for _ in range(CONNECTIONS)))
    return Load(len(times) / seconds, percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000, failed)
