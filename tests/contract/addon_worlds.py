"""The providers that `test_addon_providers.py` holds to their contract, and how apps use what they provide."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import psycopg
import redis.asyncio

from homeport import router
from homeport.addons import Buckets, Postgres, Provider, Redis, Servers, Site
from homeport.addons.fake import FakeProvider
from homeport.home import Home
from tests.relay import Relay


class World(ABC):
    """A machine that outlives the daemons on it. `provider()` is what another daemon's start makes."""

    service: str
    other_plan: str
    lasts = True
    """Whether data survive the server's being killed a moment after they were acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.home.prepare()
        authority = router.Authority(self.home.tls)
        self.site = Site(
            home=self.home,
            servers=Servers(self.home.run / "servers", self.home.logs / "addons"),
            certificate=lambda host: authority.leaf(host).read_bytes(),
        )

    @abstractmethod
    def provider(self) -> Provider: ...

    @abstractmethod
    async def put(self, variables: Mapping[str, str], key: str, value: str) -> None:
        """Keep a value as an app would, by its config vars. Raises anything if it can't."""

    @abstractmethod
    async def get(self, variables: Mapping[str, str], key: str) -> str | None: ...

    def damage(self, backup: Path) -> None:
        """Take the end off the largest file."""
        largest = max((path for path in backup.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
        os.truncate(largest, largest.stat().st_size // 2)

    def servers(self) -> list[str]:
        return [path.stem for path in (self.home.run / "servers").glob("*.pid")]

    def kill(self) -> None:
        """Every server, as the kernel does it when memory runs out."""
        for name in self.servers():
            pid = self.site.servers.pid(name)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            while self.site.servers.pid(name) is not None:
                time.sleep(0.002)

    def secrets_seen(self, secret: str) -> list[str]:
        """Where a secret can be read by others: command lines of processes, and logs."""
        shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        found = ["a process"] if secret in shown else []
        return found + [
            path.name for path in self.home.logs.rglob("*") if path.is_file() and secret in path.read_text()
        ]


class FakeWorld(World):
    service = "heroku-postgresql"
    other_plan = "standard-0"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._provider = FakeProvider()

    def provider(self) -> FakeProvider:
        return self._provider

    def _reach(self, variables: Mapping[str, str]) -> str:
        (url,) = variables.values()
        return self._provider.made[url.rpartition("/")[2]].id

    async def put(self, variables: Mapping[str, str], key: str, value: str) -> None:
        self._provider.data.setdefault(self._reach(variables), {})[key] = value

    async def get(self, variables: Mapping[str, str], key: str) -> str | None:
        return self._provider.data.get(self._reach(variables), {}).get(key)


class PostgresWorld(World):
    service = "heroku-postgresql"
    other_plan = "standard-0"

    def provider(self) -> Postgres:
        return Postgres(self.site)

    async def _run(self, variables: Mapping[str, str], query: str, *values: str) -> list[tuple[object, ...]]:
        (url,) = variables.values()
        async with await psycopg.AsyncConnection.connect(url, sslmode="require", autocommit=True) as connection:
            cursor = await connection.execute(query.encode(), values)
            return await cursor.fetchall() if cursor.description else []

    async def put(self, variables: Mapping[str, str], key: str, value: str) -> None:
        await self._run(variables, "CREATE TABLE IF NOT EXISTS kept (key text PRIMARY KEY, value text)")
        upsert = "INSERT INTO kept VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        await self._run(variables, upsert, key, value)

    async def get(self, variables: Mapping[str, str], key: str) -> str | None:
        if await self._run(variables, "SELECT to_regclass('kept')") == [(None,)]:
            return None
        rows = await self._run(variables, "SELECT value FROM kept WHERE key = %s", key)
        return str(rows[0][0]) if rows else None


class RedisWorld(World):
    service = "heroku-redis"
    other_plan = "premium-0"

    def provider(self) -> Redis:
        return Redis(self.site)

    def _client(self, variables: Mapping[str, str]) -> redis.asyncio.Redis:
        """As apps on Heroku have it, which can't verify the certificate."""
        (url,) = (url for name, url in variables.items() if name == "NAME_URL")
        trust = {"ssl_cert_reqs": None} if url.startswith("rediss:") else {}
        return redis.asyncio.from_url(url, decode_responses=True, **trust)

    async def put(self, variables: Mapping[str, str], key: str, value: str) -> None:
        async with self._client(variables) as client:
            await client.set(key, value)

    async def get(self, variables: Mapping[str, str], key: str) -> str | None:
        async with self._client(variables) as client:
            found = await client.get(key)
            return None if found is None else str(found)


class BucketsWorld(World):
    service = "bucketeer"
    other_plan = "micro"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._relay = Relay(self.home.run / "buckets.sock")
        self.site = replace(self.site, url=lambda: f"http://127.0.0.1:{self._relay.port}")

    def provider(self) -> Buckets:
        return Buckets(self.site)

    def _client(self, variables: Mapping[str, str]) -> Any:
        keys = variables["NAME_AWS_ACCESS_KEY_ID"], variables["NAME_AWS_SECRET_ACCESS_KEY"]
        session = boto3.session.Session(*keys, region_name=variables["NAME_AWS_REGION"])
        return session.client("s3", endpoint_url=variables["NAME_AWS_ENDPOINT_URL"])

    async def put(self, variables: Mapping[str, str], key: str, value: str) -> None:
        with contextlib.closing(self._client(variables)) as client:
            await asyncio.to_thread(client.put_object, Bucket=variables["NAME_BUCKET_NAME"], Key=key, Body=value)

    async def get(self, variables: Mapping[str, str], key: str) -> str | None:
        with contextlib.closing(self._client(variables)) as client:
            try:
                found = await asyncio.to_thread(client.get_object, Bucket=variables["NAME_BUCKET_NAME"], Key=key)
            except client.exceptions.NoSuchKey:
                return None
            with contextlib.closing(found["Body"]) as body:
                return str(body.read(), "utf-8")
