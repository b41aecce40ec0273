"""Buckets at an endpoint that the operator names: here, another platform's built-in server, where all is one bucket's
keys; so buckets are made there beforehand, by the names that will be asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from homeport.addons import Foreign, Resource, catalog
from homeport.errors import HomeportError, Invalid, Unavailable
from tests.integration.addons.buckets.ground import Ground, Tenant

pytestmark = pytest.mark.slow

PLAN = catalog.service("bucketeer").default


@pytest.fixture
def elsewhere(own_ground: Ground) -> Tenant:
    return own_ground.tenant()


@pytest.fixture
def endpoint(elsewhere: Tenant) -> Foreign:
    secret = elsewhere.resource.secret
    return Foreign(secret["endpoint"], secret["key_id"], secret["password"], prefix="bucketeer")


@pytest.fixture
def at_home(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path / "home")
    yield made
    made.close()


def test_a_bucket_is_kept_there(at_home: Ground, endpoint: Foreign, elsewhere: Tenant, tmp_path: Path) -> None:
    provider = at_home.provider(endpoint)
    resource = Resource(elsewhere.resource.id, "bucketeer-1", PLAN)
    made = replace(resource, secret=asyncio.run(provider.provision(resource)))
    assert at_home.pid is None, "nothing is started here"
    variables = provider.config_vars(made, "BUCKETEER")
    assert variables["AWS_ENDPOINT_URL_S3"] == variables["BUCKETEER_AWS_ENDPOINT_URL"] == endpoint.endpoint
    assert variables["BUCKETEER_AWS_ACCESS_KEY_ID"] == endpoint.key_id
    assert asyncio.run(provider.tend([made])) == []
    tenant = Tenant(at_home, made)
    tenant.put("a", b"then", ContentType="text/x-mine", Metadata={"who": "me"})
    backup = tmp_path / "backup"
    backup.mkdir()
    asyncio.run(provider.backup(made, backup))
    tenant.put("a", b"now")
    tenant.put("b", b"now")
    asyncio.run(provider.restore(made, backup))
    assert (tenant.content("a"), tenant.keys()) == (b"then", ["a"])
    with tenant.client() as client:
        found = client.head_object(Bucket=tenant.bucket, Key="a")
    assert (found["ContentType"], found["Metadata"]) == ("text/x-mine", {"who": "me"})
    next((backup / "files").rglob("0*0")).joinpath("000000000").write_bytes(b"damaged")
    with pytest.raises(Invalid):
        asyncio.run(provider.restore(made, backup))
    with pytest.raises(Unavailable) as caught:
        asyncio.run(at_home.provider().backup(made, backup))
    assert caught.value.id == "s3_endpoint_missing"


def test_other_keys_for_the_same_endpoint_are_handed_on(at_home: Ground, endpoint: Foreign) -> None:
    resource = Resource("1", "bucketeer-1", PLAN, secret=endpoint.remembered("bucketeer-1"))
    rotated = replace(endpoint, secret="another")
    assert asyncio.run(at_home.provider(rotated).tend([resource])) == [resource]
    moved = replace(endpoint, endpoint="https://s3.example")
    assert asyncio.run(at_home.provider(moved).tend([resource])) == []


def test_an_endpoint_that_refuses_is_said_in_our_words(at_home: Ground, endpoint: Foreign) -> None:
    stranger = replace(endpoint, secret="wrong")
    with pytest.raises(Unavailable) as caught:
        asyncio.run(at_home.provider(stranger).provision(Resource("1", "bucketeer-1", PLAN)))
    assert caught.value.id == "s3_endpoint_failed"
    assert endpoint.secret not in caught.value.message


def test_the_environment_names_it() -> None:
    assert Foreign.from_environment({}) is None
    named = {"HOMEPORT_S3_ENDPOINT": "https://s3.example/"}
    with pytest.raises(HomeportError) as caught:
        Foreign.from_environment(named)
    assert caught.value.id == "s3_endpoint_invalid"
    named |= {"HOMEPORT_S3_ACCESS_KEY_ID": "id", "HOMEPORT_S3_SECRET_ACCESS_KEY": "secret", "HOMEPORT_S3_PREFIX": "hp"}
    assert Foreign.from_environment(named) == Foreign("https://s3.example", "id", "secret", "us-east-1", "hp")
    assert "secret" not in repr(Foreign.from_environment(named)).replace("secret=", "")
