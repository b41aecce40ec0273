"""Bucketeer on this machine: one S3 server for all add-ons, a bucket and a key for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from homeport.addons.buckets import copies, variables
from homeport.addons.buckets.foreign import Foreign
from homeport.addons.buckets.instance import Instance
from homeport.addons.buckets.s3.errors import S3Error
from homeport.addons.buckets.s3.store import PUBLIC, Store
from homeport.addons.buckets.s3.store import Bucket as Kept
from homeport.addons.catalog import Plan
from homeport.addons.provider import UNSETTLED, Resource
from homeport.addons.site import Site
from homeport.errors import HomeportError, Invalid, Unavailable

T = TypeVar("T")

_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

_log = logging.getLogger("homeport.addons.buckets")


@dataclass(frozen=True)
class Bucket:
    """Where a bucket is. `measured`: it is on this machine, so that there are `Facts` of it.

    `public_prefix` begins the keys that everybody may read, at `public_url` and what follows the prefix.
    """

    name: str
    endpoint: str
    region: str
    measured: bool
    public_prefix: str = PUBLIC

    @property
    def public_url(self) -> str:
        return f"{self.endpoint}/{self.name}/{self.public_prefix}"


@dataclass(frozen=True)
class Facts:
    """What a bucket holds; `used`, `public_bytes` and `quota` are bytes, `uploads` multipart uploads that go on."""

    bucket: str
    endpoint: str
    objects: int
    uploads: int
    used: int
    quota: int
    public_objects: int
    public_bytes: int


class Buckets:
    """The provider of `bucketeer`. New buckets are made at `foreign`, if the operator has named such an endpoint;
    those that there are stay where they were made."""

    service = "bucketeer"

    def __init__(self, site: Site, foreign: Foreign | None = None) -> None:
        self._site = site
        self._foreign = foreign
        self._instance = Instance(site.servers, site.home)
        self._turn = asyncio.Lock()
        self._complaint = ""

    def check(self, plan: Plan, options: Mapping[str, str]) -> None:  # noqa: ARG002 - every plan can be had
        if options:
            raise Invalid(f"bucketeer has no option {min(options)[:50]} here.")

    async def provision(self, resource: Resource) -> Mapping[str, str]:
        foreign = self._elsewhere(resource)
        if foreign is not None:
            return await foreign.provision(resource)
        secret = {
            "bucket": resource.secret.get("bucket") or f"bucketeer-{resource.id}",
            "key_id": resource.secret.get("key_id") or new_key_id(),
            "password": resource.secret.get("password") or new_secret(),
            "endpoint": variables.endpoint(self._site.url()),
        }
        async with self._turn:
            self._instance.prepare()
            await self._ask(lambda store: _make(store, resource, secret))
            await self._instance.start()
        return secret

    def config_vars(self, resource: Resource, name: str) -> dict[str, str]:
        return variables.config_vars(resource.secret, name)

    async def deprovision(self, resource: Resource) -> None:
        if Foreign.has(resource):
            await self._named(resource).deprovision(resource)
            return
        async with self._turn:
            if not self._instance.exists:
                return
            if await self._ask(lambda store: _remove(store, f"bucketeer-{resource.id}")):
                await self._instance.stop()
                await self._ask(_sweep)

    async def tend(self, resources: list[Resource]) -> list[Resource]:
        own = [resource for resource in resources if not Foreign.has(resource)]
        if own and not self._turn.locked():
            async with self._turn:
                await self._keep(own)
        endpoint = variables.endpoint(self._site.url())
        changed = [resource for resource in own if resource.secret["endpoint"] != endpoint]
        elsewhere = [resource for resource in resources if Foreign.has(resource)]
        if self._foreign is not None:
            changed += [resource for resource in elsewhere if self._foreign.differs(resource)]
        unsettled = [resource for resource in resources if UNSETTLED in resource.secret and resource not in changed]
        return changed + unsettled

    async def backup(self, resource: Resource, into: Path) -> None:
        if Foreign.has(resource):
            await self._named(resource).backup(resource, into)
            return
        await self._ask(lambda store: copies.save(store, resource.secret["bucket"], into))

    async def restore(self, resource: Resource, source: Path) -> None:
        if Foreign.has(resource):
            await self._named(resource).restore(resource, source)
            return
        await self._ask(lambda store: copies.load(store, resource.secret["bucket"], source))

    async def examine(self, resource: Resource, source: Path) -> None:  # noqa: ARG002 - any bucket takes it
        await asyncio.to_thread(copies.examine, source)

    async def stop(self) -> None:
        await self._instance.stop()

    async def close(self) -> None:
        return

    def bucket(self, resource: Resource) -> Bucket:
        secret = resource.secret
        region = secret.get("region", variables.REGION)
        return Bucket(secret["bucket"], secret["endpoint"], region, measured=not Foreign.has(resource))

    async def facts(self, resource: Resource) -> Facts:
        """Raises `Unavailable` for a bucket at an endpoint that isn't ours."""
        if Foreign.has(resource):
            raise Unavailable(
                f"{resource.name} is kept at {resource.secret['endpoint']}, which Homeport doesn't measure.",
                fix="Ask that endpoint's own tools.",
            )
        return await self._ask(lambda store: _facts(store, resource.secret))

    def _elsewhere(self, resource: Resource) -> Foreign | None:
        """Who makes it, if not this machine."""
        if Foreign.has(resource):
            return self._named(resource)
        return self._foreign if not resource.secret else None

    def _named(self, resource: Resource) -> Foreign:
        if self._foreign is None:
            raise Unavailable(
                f"{resource.name} is kept at {resource.secret['endpoint']}, and no S3 endpoint is named any more.",
                id="s3_endpoint_missing",
                fix="Start Homeport with HOMEPORT_S3_ENDPOINT and its keys: see docs/buckets.md.",
            )
        return self._foreign

    async def _keep(self, resources: list[Resource]) -> None:
        """Have the server running, and each bucket in its index. What fails is tried again the next time."""
        try:
            self._instance.tidy()
            self._instance.prepare()
            await self._ask(lambda store: _restore_rows(store, resources))
            await self._instance.start()
        except (HomeportError, OSError) as error:
            said = error.message if isinstance(error, HomeportError) else str(error)
            if said != self._complaint:
                self._complaint = said
                _log.error("%s", said)
        else:
            self._complaint = ""

    async def _ask(self, question: Callable[[Store], T]) -> T:
        return await asyncio.to_thread(_with_store, self._instance.folder, question)


def new_key_id() -> str:
    return "AKIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16))


def new_secret() -> str:
    """Letters and digits only: it stands in shells and URLs."""
    return secrets.token_hex(20)


def _with_store(folder: Path, question: Callable[[Store], T]) -> T:
    with contextlib.closing(Store(folder)) as store:
        store.blobs.prepare()
        store.index.prepare()
        try:
            return question(store)
        except S3Error as error:
            raise HomeportError(
                "bucket_failed", error.message, fix="Look for room on the disk, then try again."
            ) from error


def _make(store: Store, resource: Resource, secret: Mapping[str, str]) -> None:
    quota = resource.plan.limits["bytes"]
    try:
        there = store.find_bucket(secret["bucket"])
    except S3Error:
        there = None
    if there is not None and there.quota > quota and there.used > quota:
        raise Invalid(
            f"{resource.name} holds {there.used / 1024**3:.1f} GB, more than {resource.plan.full_name} does.",
            fix="Delete objects, or choose a larger plan: `heroku addons:plans bucketeer`.",
        )
    store.make_bucket(secret["bucket"], secret["key_id"], secret["password"], quota)


def _restore_rows(store: Store, resources: list[Resource]) -> None:
    """An index that was lost gets its buckets and keys back."""
    for resource in resources:
        secret = resource.secret
        wanted = (secret["bucket"], secret["key_id"], secret["password"], resource.plan.limits["bytes"])
        known = store.bucket_of_key(secret["key_id"])
        if known is None or _told(known) != wanted:
            store.make_bucket(*wanted)


def _told(bucket: Kept) -> tuple[str, str, str, int]:
    return bucket.name, bucket.key_id, bucket.secret, bucket.quota


def _remove(store: Store, bucket: str) -> bool:
    """Whether it was the last one."""
    store.remove_bucket(bucket)
    return store.index.one("SELECT 1 FROM buckets") is None


def _sweep(store: Store) -> None:
    while store.sweep():
        pass


def _facts(store: Store, secret: Mapping[str, str]) -> Facts:
    bucket = store.find_bucket(secret["bucket"])
    objects = store.index.one("SELECT count(*) AS n FROM objects WHERE bucket = ?", bucket.name)
    uploads = store.index.one("SELECT count(*) AS n FROM uploads WHERE bucket = ?", bucket.name)
    counts = [int(row["n"]) if row is not None else 0 for row in (objects, uploads)]
    public = store.index.one(
        "SELECT count(*) AS n, total(size) AS bytes FROM objects WHERE bucket = ? AND key >= ? AND key < ?",
        *(bucket.name, PUBLIC, PUBLIC[:-1] + chr(ord(PUBLIC[-1]) + 1)),
    )
    shown = (int(public["n"]), int(public["bytes"])) if public is not None else (0, 0)
    return Facts(bucket.name, secret["endpoint"], counts[0], counts[1], bucket.used, bucket.quota, *shown)
