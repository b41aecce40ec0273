from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore import auth

from tests.integration.addons.buckets.ground import Ground, Tenant

PURE = {"s3v4": auth.S3SigV4Auth, "s3v4-query": auth.S3SigV4QueryAuth, "v4": auth.SigV4Auth}


@pytest.fixture(autouse=True)
def signers_as_apps_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where awscrt is installed, as it is for our server, botocore signs by it; apps seldom have it."""
    for name, signer in PURE.items():
        monkeypatch.setitem(auth.AUTH_TYPE_MAPS, name, signer)


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One server for all tests that do it no harm."""
    made = Ground(tmp_path_factory.mktemp("buckets"))
    yield made
    made.close()


@pytest.fixture
def tenant(ground: Ground) -> Tenant:
    return ground.tenant()


@pytest.fixture
def own_ground(tmp_path: Path) -> Iterator[Ground]:
    """A server of the test's own, to be harmed."""
    made = Ground(tmp_path)
    yield made
    made.close()
