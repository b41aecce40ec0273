"""The server killed, the plan full, the disk full, many clients at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from homeport.addons import Plan, catalog
from homeport.addons.buckets.s3.store import Store
from homeport.errors import Invalid
from tests.integration.addons.buckets.ground import Ground, Tenant, refused, wait_until

pytestmark = pytest.mark.slow

MB = 1024**2


def small(size: int, name: str = "hobbyist") -> Plan:
    return Plan("bucketeer", name, name.title(), {"bytes": size})


def files(ground: Ground) -> list[Path]:
    return [path for path in (ground.home.addons / "bucketeer" / "files").rglob("*") if path.is_file()]


def test_no_acknowledged_object_is_lost_when_the_server_is_killed(own_ground: Ground) -> None:
    """Killed three times while four clients write; each object that was acknowledged is there, whole."""
    tenant = own_ground.tenant()
    acknowledged: dict[str, bytes] = {}
    done = threading.Event()

    def write(name: str) -> None:
        number = 0
        with tenant.client(retries={"max_attempts": 0}) as client:
            while not done.is_set():
                number += 1
                content = f"{name} {number} ".encode() * 20_000
                with contextlib.suppress(BotoCoreError, ClientError):
                    client.put_object(
                        Bucket=tenant.bucket,
                        Key=f"{name}/{number % 7}",
                        Body=content,
                        ContentType="text/x-mine",
                        Metadata={"number": str(number)},
                    )
                    acknowledged[f"{name}/{number % 7}"] = content

    writers = [threading.Thread(target=write, args=(f"w{index}",)) for index in range(4)]
    for writer in writers:
        writer.start()
    for _ in range(3):
        before = len(acknowledged)
        wait_until(lambda before=before: len(acknowledged) >= min(before + 5, 28))  # type: ignore[misc]
        own_ground.kill()
        assert tenant.tend() == []
    done.set()
    for writer in writers:
        writer.join()
    own_ground.kill()
    assert tenant.tend() == []
    for key, content in acknowledged.items():
        with tenant.client() as client:
            head = client.head_object(Bucket=tenant.bucket, Key=key)
        found = tenant.content(key)
        later = int(head["Metadata"]["number"]) - int(content.split(b" ")[1])
        # A put that nobody had an answer to may have been done all the same; it is a later one then, and whole.
        assert later >= 0
        assert found == f"{key[:2]} {head['Metadata']['number']} ".encode() * 20_000
        assert head["ContentType"] == "text/x-mine"
    assert list((own_ground.home.addons / "bucketeer" / "incoming").iterdir()) == []


def test_a_plan_is_not_exceeded(own_ground: Ground) -> None:
    tenant = own_ground.tenant(small(10 * MB))
    tenant.put("a", b"a" * 6 * MB)
    with refused("QuotaExceeded", 403):
        tenant.put("b", b"b" * 6 * MB)
    with tenant.client() as client:
        with refused("QuotaExceeded", 403):
            client.copy_object(Bucket=tenant.bucket, Key="b", CopySource={"Bucket": tenant.bucket, "Key": "a"})
        upload = client.create_multipart_upload(Bucket=tenant.bucket, Key="c")["UploadId"]
        with refused("QuotaExceeded", 403):
            client.upload_part(Bucket=tenant.bucket, Key="c", UploadId=upload, PartNumber=1, Body=b"c" * 5 * MB)
    tenant.put("a", b"A" * 7 * MB)
    assert tenant.keys() == ["a"]
    assert tenant.content("a") == b"A" * 7 * MB
    provider = own_ground.provider()
    with pytest.raises(Invalid, match="more than"):
        asyncio.run(provider.provision(replace(tenant.resource, plan=small(MB))))
    larger = replace(tenant.resource, plan=catalog.plan("bucketeer:micro"))
    assert asyncio.run(provider.provision(larger)) == tenant.resource.secret
    tenant.put("b", b"b" * 6 * MB)


def test_what_is_deleted_leaves_the_disk(own_ground: Ground) -> None:
    tenant = own_ground.tenant()
    for _ in range(3):
        tenant.put("a", b"a" * MB)
    tenant.put("b", b"b")
    with tenant.client() as client:
        where = {"Bucket": tenant.bucket, "Key": "c"}
        upload = client.create_multipart_upload(**where)["UploadId"]
        client.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"c")
        client.abort_multipart_upload(**where, UploadId=upload)
        client.delete_object(Bucket=tenant.bucket, Key="b")
    wait_until(lambda: len(files(own_ground)) == 1)
    other = own_ground.tenant()
    other.put("x", b"x")
    asyncio.run(own_ground.provider().deprovision(tenant.resource))
    wait_until(lambda: len(files(own_ground)) == 1)
    assert other.content("x") == b"x"
    asyncio.run(own_ground.provider().deprovision(other.resource))
    assert own_ground.pid is None, "with its last bucket the server goes too"
    assert files(own_ground) == []


def test_an_object_that_is_being_read_stays_until_it_was(own_ground: Ground) -> None:
    tenant = own_ground.tenant()
    content = os.urandom(30 * MB)
    tenant.put("a", content)
    with (
        tenant.client() as client,
        contextlib.closing(client.get_object(Bucket=tenant.bucket, Key="a")["Body"]) as body,
    ):
        first = body.read(1000)
        tenant.put("a", b"new")
        client.delete_object(Bucket=tenant.bucket, Key="a")
        tenant.put("other", b"x")
        assert first + body.read() == content
    wait_until(lambda: len(files(own_ground)) == 1)


def test_large_objects_are_not_held_in_memory(own_ground: Ground, tmp_path: Path) -> None:
    tenant = own_ground.tenant()
    tenant.put("warm", b"x" * MB)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(400 * MB)
    with tenant.client() as client, large.open("rb") as file:
        client.put_object(Bucket=tenant.bucket, Key="large", Body=file)
        with contextlib.closing(client.get_object(Bucket=tenant.bucket, Key="large")["Body"]) as body:
            assert sum(len(piece) for piece in body.iter_chunks(MB)) == 400 * MB
    peak = Path(f"/proc/{own_ground.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
    assert int(peak) < 120 * 1024, f"{int(peak) // 1024} MB"


def test_only_one_of_many_creates(tenant: Tenant) -> None:
    outcomes: list[str] = []

    def create(number: int) -> None:
        try:
            tenant.put("once", f"{number}".encode(), IfNoneMatch="*")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
        else:
            outcomes.append("created")

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["created"]


def test_a_restore_outlives_a_server_that_is_started_meanwhile(own_ground: Ground, tmp_path: Path) -> None:
    tenant = own_ground.tenant()
    tenant.put("a", b"then")
    folder = own_ground.home.addons / "bucketeer"
    with contextlib.closing(Store(folder)) as store, store.blobs.draft() as draft:
        draft.write(b"to be restored")
        draft.keep()
        store.pin("restore", 60)
        own_ground.kill()
        assert tenant.tend() == []
        assert (folder / "incoming" / draft.id).exists()
        store.unpin("restore")
        own_ground.kill()
        assert tenant.tend() == []
        assert not (folder / "incoming" / draft.id).exists()


def test_keys_at_rest_are_private(own_ground: Ground) -> None:
    tenant = own_ground.tenant()
    tenant.put("a", b"x")
    folder = own_ground.home.addons / "bucketeer"
    assert folder.stat().st_mode & 0o077 == 0
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """40 MB to be filled. Only root can have such a disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a disk can't be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_can_be_emptied(tiny_disk: Path) -> None:
    ground = Ground(tiny_disk)
    try:
        tenant = ground.tenant()
        tenant.put("old", b"old" * MB)
        with refused("InsufficientStorage", 507):
            tenant.put("old", b"x" * 50 * MB)
        taken = tiny_disk / "somebody else's"
        with taken.open("wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * MB)
        assert shutil.disk_usage(tiny_disk).free < MB
        for key in ("old", "new"):
            with refused("InsufficientStorage", 507):
                tenant.put(key, b"new")
        assert tenant.content("old") == b"old" * MB
        assert tenant.keys() == ["old"]
        taken.unlink()
        tenant.put("old", b"new")
        assert tenant.content("old") == b"new"
    finally:
        ground.close()
