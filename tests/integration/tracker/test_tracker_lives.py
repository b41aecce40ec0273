"""The tracker in bad times: killed under load, restored while it works, moved, misused."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from homeport import tracker
from homeport.errors import HomeportError, Invalid, NotFound
from tests.integration.tracker import ground
from tests.integration.tracker.ground import SERVER, Ground, eventually
from tests.unit.tracker.event_samples import crash, frame, raised

pytestmark = pytest.mark.slow


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Ground]:
    with ground.opened(tmp_path) as made:
        yield made


def envelope(event_id: str, kind: int = 0) -> bytes:
    event = crash(raised("KeyError", "x", frame(function=f"f{chr(97 + kind)}")), event_id=event_id)
    content = json.dumps({**event, "timestamp": time.time()}).encode()
    return b'{}\n{"type":"event","length":%d}\n%s\n' % (len(content), content)


def send(machine: Ground, event_id: str | None = None) -> httpx.Response:
    return httpx.post(machine.url, content=envelope(event_id or uuid.uuid4().hex), headers=machine.auth, timeout=60)


def test_no_acknowledged_event_is_lost_when_the_tracker_is_killed_under_load(machine: Ground) -> None:
    """None at all: an event is acknowledged after its transaction."""
    acknowledged: set[str] = set()

    async def storm() -> None:
        many = asyncio.Event()

        async def sender(number: int) -> None:
            async with httpx.AsyncClient(timeout=60) as client:
                for _ in range(60):
                    event_id = uuid.uuid4().hex
                    try:
                        answer = await client.post(
                            machine.url, content=envelope(event_id, number), headers=machine.auth
                        )
                    except httpx.HTTPError:
                        return
                    assert answer.status_code == 200
                    acknowledged.add(event_id)
                    if len(acknowledged) > 150:
                        many.set()

        senders = [asyncio.create_task(sender(number)) for number in range(8)]
        async with asyncio.timeout(120):
            await many.wait()
        machine.kill()
        await asyncio.gather(*senders)

    asyncio.run(storm())
    assert machine.tend() == []
    issues = machine.provider.issues(machine.resource)
    kept = {event.id for issue in machine.issues() for event in issues.events(issue.number)}
    assert acknowledged - kept == set()
    assert sum(issue.count for issue in machine.issues()) >= len(acknowledged)
    assert send(machine).status_code == 200


def test_issues_can_be_settled_while_events_come(machine: Ground) -> None:
    send(machine)
    issues = machine.provider.issues(machine.resource)

    async def both() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            sending = [
                client.post(machine.url, content=envelope(uuid.uuid4().hex), headers=machine.auth) for _ in range(100)
            ]
            judging = [
                asyncio.to_thread(issues.judge, [1], status, time.time()) for status in tracker.Status for _ in range(5)
            ]
            answers = await asyncio.gather(*sending, *judging)
        assert {answer.status_code for answer in answers if answer is not None} == {200}

    asyncio.run(both())
    assert [issue.count for issue in machine.issues()] == [101]


def test_a_restore_while_events_come_is_the_state_of_then(machine: Ground, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    for _ in range(3):
        send(machine)
    machine.provider.issues(machine.resource).judge([1], tracker.Status.IGNORED, time.time())
    asyncio.run(machine.provider.backup(machine.resource, backup))
    for _ in range(4):
        send(machine)
    asyncio.run(machine.provider.restore(machine.resource, backup))
    (issue,) = machine.issues()
    assert (issue.count, issue.status) == (3, tracker.Status.IGNORED)
    assert send(machine).status_code == 200
    assert machine.issues()[0].count == 4


def test_backups_that_are_damaged_or_of_something_else_change_nothing(machine: Ground, tmp_path: Path) -> None:
    send(machine)
    for name, content in {"empty": b"", "text": b"SQLite format 3\0 not really", "nothing": None}.items():
        folder = tmp_path / name
        folder.mkdir()
        if content is not None:
            (folder / "errors.db").write_bytes(content)
        with pytest.raises(Invalid) as caught:
            asyncio.run(machine.provider.restore(machine.resource, folder))
        assert caught.value.id == "backup_damaged"
    assert machine.issues()[0].count == 1


def test_another_address_is_another_dsn_and_the_same_key(machine: Ground) -> None:
    before = machine.dsn
    moved = ground.Door(machine.home.run / tracker.SOCKET)
    machine.door.close()
    machine.door = moved
    assert machine.tend() == [machine.resource]
    machine.provision()
    assert machine.dsn != before
    assert machine.dsn.split("@")[0] == before.split("@")[0]
    assert machine.tend() == []
    assert send(machine).status_code == 200


def test_the_operator_s_own_tracker(machine: Ground) -> None:
    send(machine)
    mine = machine.dsn
    setting = machine.home.addons / "sentry/external-dsn"
    setting.write_text("https://abc@glitchtip.example.com/3\n")
    assert machine.tend() == [machine.resource]
    machine.provision()
    assert machine.dsn == "https://abc@glitchtip.example.com/3"
    assert machine.tend() == []
    with pytest.raises(NotFound):
        machine.provider.issues(machine.resource)
    setting.write_text("nonsense")
    assert machine.tend() == [], "apps keep what they have"
    with pytest.raises(HomeportError) as caught:
        machine.provision()
    assert caught.value.id == "external_dsn_invalid"
    setting.unlink()
    assert machine.tend() == [machine.resource]
    machine.provision()
    assert machine.dsn.rpartition("/")[2] == mine.rpartition("/")[2]
    assert machine.issues()[0].count == 1


def test_what_is_no_http_and_who_is_slow_keep_nobody_waiting(machine: Ground) -> None:
    stuck = []
    for words in (
        b"\x16\x03\x01garbage\r\n\r\n",
        b"POST /api/1/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n",
    ):
        client = socket.create_connection(("127.0.0.1", machine.door.port))
        client.sendall(words)
        stuck.append(client)
    assert send(machine).status_code == 200
    for client in stuck:
        client.close()
    assert machine.site.servers.pid(SERVER) is not None


def test_a_socket_s_path_may_be_long(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    with ground.opened(folder) as made:
        assert made.site.servers.pid(SERVER) is not None
        assert made.tend() == []


def test_it_takes_little_memory(machine: Ground) -> None:
    for _ in range(20):
        send(machine)
    status = Path(f"/proc/{machine.site.servers.pid(SERVER)}/status").read_text()
    resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    assert resident < 70 * 1024, "kilobytes"
    assert os.getpriority(os.PRIO_PROCESS, machine.site.servers.pid(SERVER) or 0) > 0, "it gives way to apps"


def test_files_are_nobody_else_s(machine: Ground) -> None:
    send(machine)
    eventually(machine.issues, "an issue")
    folder = machine.provider.folder(machine.resource.id)
    for path in (folder, *folder.iterdir(), machine.home.run / tracker.SOCKET):
        assert path.stat().st_mode & 0o077 == 0, path
