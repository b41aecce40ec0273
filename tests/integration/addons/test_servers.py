"""Servers are real processes here: small Python programs that tell what they see."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from homeport.addons import accounts, servers
from homeport.addons.servers import Server, Servers
from homeport.errors import HomeportError

PROGRAM = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "seen").write_text(f"{os.getpid()} {os.getuid()} {os.getppid()} {sorted(os.environ)}")
def stop(*_):
    (folder / "stopped").write_text("in good order")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while True:
    time.sleep(1)
"""


@dataclass
class Ground:
    folder: Path
    servers: Servers
    server: Server

    def run(self, folder: str = "run") -> Servers:
        """As another daemon would find them."""
        return Servers(self.folder / folder, self.folder / "logs")

    def eventually(self, check: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not check():
            assert time.monotonic() < deadline, self.servers.last_words("toy")
            time.sleep(0.01)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    account = accounts.unprivileged("nobody")
    data = tmp_path / "data"
    servers.own(data, account)
    python = "/usr/bin/python3" if account else sys.executable  # one that another account may run
    command = (python, "-c", PROGRAM, servers.seen(data, account))
    server = Server("toy", data, command, account, {"TOY": "1"})
    made = Ground(tmp_path, Servers(tmp_path / "run", tmp_path / "logs"), server)
    yield made
    asyncio.run(made.servers.stop(server, seconds=0.0))


def start(ground: Ground) -> int:
    assert asyncio.run(ground.servers.start(ground.server))
    ground.eventually(lambda: (ground.server.folder / "seen").exists())
    ground.eventually(lambda: "ready" in ground.servers.last_words("toy"))
    pid = ground.servers.pid("toy")
    assert pid is not None
    return pid


@pytest.mark.slow
def test_a_server_reaches_its_folder_below_a_private_home(ground: Ground) -> None:
    ground.folder.chmod(0o700)
    pid = start(ground)
    seen = (ground.server.folder / "seen").read_text()
    assert int(seen.split()[0]) == pid
    expected = ground.server.account.uid if ground.server.account else os.getuid()
    assert int(seen.split()[1]) == expected
    assert int(seen.split()[2]) != os.getpid()
    variables = seen.partition("[")[2]
    assert "'TOY'" in variables
    assert "PYTEST" not in variables


@pytest.mark.slow
def test_it_is_started_once_and_found_again_by_the_next_daemon(ground: Ground) -> None:
    pid = start(ground)
    assert not asyncio.run(ground.servers.start(ground.server))
    later = ground.run()
    assert later.pid("toy") == pid
    assert not asyncio.run(later.start(ground.server))
    asyncio.run(later.stop(ground.server))
    assert (ground.server.folder / "stopped").read_text() == "in good order"
    assert later.pid("toy") is None


@pytest.mark.slow
def test_a_killed_one_is_known_to_be_dead_and_started_anew(ground: Ground) -> None:
    pid = start(ground)
    os.kill(pid, signal.SIGKILL)
    ground.eventually(lambda: ground.servers.pid("toy") is None)
    (ground.server.folder / "seen").unlink()
    assert start(ground) != pid


@pytest.mark.slow
def test_a_deaf_one_is_killed(ground: Ground) -> None:
    pid = start(ground)
    os.kill(pid, signal.SIGSTOP)
    asyncio.run(ground.servers.stop(ground.server, seconds=0.05))
    assert ground.servers.pid("toy") is None


class Unkillable(Servers):
    """No signal reaches the server, as none reaches a process that waits for a broken disk."""

    def signal(self, server: Server, number: signal.Signals) -> bool:
        return self.pid(server.name) is not None


@pytest.mark.slow
def test_one_that_outlives_being_killed_stays_known(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a second one would be started on the same folder."""
    monkeypatch.setattr(servers, "KILL_SECONDS", 0.05)
    pid = start(ground)
    stuck = Unkillable(ground.folder / "run", ground.folder / "logs")
    with pytest.raises(HomeportError) as caught:
        asyncio.run(stuck.stop(ground.server, seconds=0.05))
    assert caught.value.id == "server_not_stopped"
    assert ground.servers.pid("toy") == pid
    assert not asyncio.run(ground.servers.start(ground.server))


def test_one_that_fails_keeps_none_of_the_others_from_their_end() -> None:
    done: list[str] = []

    async def slow() -> None:
        await asyncio.sleep(0)
        done.append("slow")

    async def broken() -> None:
        raise HomeportError("server_not_stopped", "It does not end.")

    with pytest.raises(HomeportError, match="does not end"):
        asyncio.run(servers.each(broken(), slow()))
    assert done == ["slow"]


def test_another_process_with_the_same_number_is_left_alone(ground: Ground) -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    own = Path("/proc/self/stat").read_text()
    fields = own.split(" ")
    fields[21] = "1"  # started at another time
    run = ground.folder / "run"
    run.mkdir()
    (run / "toy.pid").write_text(f"{boot}\n{' '.join(fields)}\n")
    assert ground.servers.pid("toy") is None
    (run / "toy.pid").write_text(f"{boot}\n{own}\n")
    assert ground.servers.pid("toy") == os.getpid()
    (run / "toy.pid").write_text(f"another boot\n{own}\n")
    assert ground.servers.pid("toy") is None
    (run / "toy.pid").write_text("")
    assert ground.servers.pid("toy") is None


def test_tools_run_as_servers_do(ground: Ground) -> None:
    seen = servers.seen(ground.server.folder, ground.server.account)
    done = asyncio.run(
        ground.servers.tool("sh", "-c", f"echo hello >{seen}/file; id -u; exit 3", folder=ground.server.folder,
                            account=ground.server.account)
    )  # fmt: skip
    assert done.code == 3
    assert (ground.server.folder / "file").read_text() == "hello\n"
    assert int(done.output) == (ground.server.folder / "file").stat().st_uid


def test_a_long_log_is_begun_anew_while_it_is_written(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "MAX_LOG_BYTES", 10)
    log = ground.servers.log("toy")
    log.parent.mkdir()
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 20)
        ground.servers.trim_log("toy")
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert log.with_suffix(".log.1").read_bytes() == b"x" * 20


def test_a_missing_program_names_its_package() -> None:
    with pytest.raises(HomeportError) as missing:
        servers.program("surely-not-there", "surely-a-package")
    assert missing.value.id == "program_missing"
    assert "surely-a-package" in missing.value.fix


def test_a_server_that_cannot_be_written_down_is_not_started(ground: Ground) -> None:
    bad = replace(ground.server, folder=ground.folder / "missing")
    assert asyncio.run(ground.servers.start(bad))
    ground.eventually(lambda: ground.servers.pid("toy") is None)
