"""Objects put and got by boto3 through the router, beside the same server alone on a port of its own, without TLS."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3

from bench.platform import Platform
from bench.table import Row, Unit, middle
from homeport.addons import buckets
from homeport.addons.buckets.s3.store import Store
from homeport.addons.servers import free_port

TURNS = 100
LARGE_TURNS = 3
MOST = 2.0
READY_SECONDS = 30.0
FIRST_PORT = 21_000
SMALL = b"x" * 10_000
LARGE = b"x" * 64 * 1024**2

Put = Callable[[str, bytes], object]
Get = Callable[[str], object]


def measure(platform: Platform) -> list[Row]:
    app = "bench-buckets"
    platform.run("apps:create", app)
    platform.run("addons:create", "bucketeer", "-a", app)
    config: dict[str, str] = json.loads(platform.run("config", "-a", app, "--json"))
    trust = str(platform.home / "tls" / "bundle.pem")
    keys = config["BUCKETEER_AWS_ACCESS_KEY_ID"], config["BUCKETEER_AWS_SECRET_ACCESS_KEY"]
    through = _client(config["BUCKETEER_AWS_ENDPOINT_URL"], *keys, verify=trust)
    with bare() as (alone, bucket):
        ours = _times(*_verbs(through, config["BUCKETEER_BUCKET_NAME"]))
        floor = _times(*_verbs(alone, bucket))
    rows = []
    for name, took in ours.items():
        against = ("the server alone, no TLS", floor[name] * 1000)
        # Of many megabytes, most of the time is TLS in boto3.
        aim = () if "MB" in name else (f"≤ {MOST:.0f} ×", _most)
        rows.append(Row(f"bucket: {name}", Unit.MILLISECONDS, took * 1000, *against, *aim))
    return rows


def _most(floor: float) -> float:
    return floor * MOST


@contextlib.contextmanager
def bare() -> Iterator[tuple[Any, str]]:
    """The same server on a loopback port and a folder of its own, and a client with the keys of a bucket there."""
    port = free_port(FIRST_PORT)
    with tempfile.TemporaryDirectory(prefix="homeport-bench-") as name:
        store = Store(Path(name))
        store.index.prepare()
        store.make_bucket("bench-bucket", "AKIABENCH", "secret", 10**12)
        store.close()
        words = ["-P", "-m", "uvicorn", "--factory", "s3.application:make", "--http", "httptools", "--loop", "asyncio"]
        words += ["--app-dir", str(Path(buckets.__file__).parent), "--port", str(port), "--no-access-log"]
        server = subprocess.Popen(
            [sys.executable, *words, "--log-level", "warning"],
            env={**os.environ, "HOMEPORT_BUCKETS_FOLDER": name},
        )
        try:
            _wait_for(port)
            yield _client(f"http://127.0.0.1:{port}", "AKIABENCH", "secret"), "bench-bucket"
        finally:
            server.terminate()
            server.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _client(endpoint: str, key_id: str, secret: str, verify: str | None = None) -> Any:
    session = boto3.session.Session(key_id, secret, region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint, verify=verify)


def _verbs(client: Any, bucket: str) -> tuple[Put, Get]:
    def get(key: str) -> object:
        with contextlib.closing(client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
            return body.read()

    return lambda key, content: client.put_object(Bucket=bucket, Key=key, Body=content), get


def _times(put: Put, get: Get) -> dict[str, float]:
    put("warm", SMALL)
    get("warm")
    return {
        "put 10 kB": middle([_time(put, f"small/{turn}", SMALL) for turn in range(TURNS)]),
        "get 10 kB": middle([_time(get, f"small/{turn}") for turn in range(TURNS)]),
        "put 64 MB": middle([_time(put, f"large/{turn}", LARGE) for turn in range(LARGE_TURNS)]),
        "get 64 MB": middle([_time(get, f"large/{turn}") for turn in range(LARGE_TURNS)]),
    }


def _time(verb: Callable[..., object], *words: object) -> float:
    begun = time.perf_counter()
    verb(*words)
    return time.perf_counter() - begun
