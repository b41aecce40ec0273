"""A machine with buckets, and clients as apps have them: boto3 and django-storages with their default settings."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from homeport.addons import Buckets, Foreign, Plan, Resource, Servers, Site, catalog
from homeport.home import Home
from tests.relay import Relay

PATIENCE_SECONDS = 60.0

_SESSION = boto3.session.Session()  # one for all: it reads megabytes of descriptions before its first client


class Ground:
    """One machine; each test makes buckets of its own there."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.home.prepare()
        self.relay = Relay(self.home.run / "buckets.sock")
        self.url = f"http://127.0.0.1:{self.relay.port}"
        self.site = Site(
            home=self.home,
            servers=Servers(self.home.run / "servers", self.home.logs / "addons"),
            url=lambda: self.url,
        )
        self._made = 0

    def provider(self, foreign: Foreign | None = None) -> Buckets:
        return Buckets(self.site, foreign)

    def tenant(self, plan: Plan | None = None, foreign: Foreign | None = None) -> Tenant:
        self._made += 1
        chosen = plan or catalog.service("bucketeer").default
        resource = Resource(f"{self._made:08x}-0000-4000-8000-{os.urandom(6).hex()}", f"bucketeer-{self._made}", chosen)
        secret = asyncio.run(self.provider(foreign).provision(resource))
        return Tenant(self, replace(resource, secret=secret))

    @property
    def pid(self) -> int | None:
        return self.site.servers.pid("buckets")

    def kill(self) -> None:
        """As the kernel does it."""
        pid = self.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.pid is None)

    def close(self) -> None:
        asyncio.run(self.provider().stop())
        self.relay.close()


@dataclass
class Tenant:
    """A bucket, and clients that have its keys."""

    ground: Ground
    resource: Resource

    @property
    def bucket(self) -> str:
        return self.resource.secret["bucket"]

    @property
    def url(self) -> str:
        return f"{self.resource.secret['endpoint']}/{self.bucket}"

    @contextlib.contextmanager
    def client(self, **config: Any) -> Iterator[Any]:
        secret = self.resource.secret
        made = _SESSION.client(
            "s3",
            aws_access_key_id=secret["key_id"],
            aws_secret_access_key=secret["password"],
            region_name="us-east-1",
            endpoint_url=secret["endpoint"],
            config=Config(**config),
        )
        try:
            yield made
        finally:
            made.close()

    def content(self, key: str) -> bytes:
        with self.client() as client:
            body = client.get_object(Bucket=self.bucket, Key=key)["Body"]
            with contextlib.closing(body):
                return bytes(body.read())

    def put(self, key: str, content: bytes, **more: Any) -> Any:
        with self.client() as client:
            return client.put_object(Bucket=self.bucket, Key=key, Body=content, **more)

    def keys(self, **more: Any) -> list[str]:
        with self.client() as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **more)
            return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def tend(self) -> list[Resource]:
        return asyncio.run(self.ground.provider().tend([self.resource]))


@contextlib.contextmanager
def refused(code: str, status: int) -> Iterator[None]:
    """What is done inside is answered so."""
    with pytest.raises(ClientError) as caught:
        yield
    found = caught.value.response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def fetch(address: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Without a word of correction to the path, as browsers and HTTP libraries like to make."""
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, address.partition(url.netloc)[2], headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "waited for nothing"
        time.sleep(0.01)
