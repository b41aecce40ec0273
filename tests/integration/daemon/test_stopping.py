"""`homeport down` and the daemon that it tells to end, with processes in the daemon's place."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homeport.daemon import lock, stopping
from homeport.home import Home

DAEMON = """
import os, signal, sys, time
from pathlib import Path
from homeport.daemon import lock, stopping
from homeport.home import Home

home, way = Home(Path(sys.argv[1])), sys.argv[2]
heard = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: heard.append(signal.Signals(number).name))
with lock.held(home):
    print("ready", flush=True)
    while not heard:
        time.sleep(0.01)
    if heard == ["SIGINT"] and way != "deaf":
        stopping.note(home, 3)
        while way == "waits" and not (home.root / "go").exists():
            time.sleep(0.01)
        if way == "dies":
            os._exit(9)
        stopping.note(home, 3, done=True)
    while way == "deaf":
        time.sleep(1)
    print(*heard, flush=True)
"""


@pytest.fixture
def home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.prepare()
        yield home


@contextlib.contextmanager
def daemon(home: Home, way: str = "") -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(home.root), way], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            assert lock.holder(home) == process.pid
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.read().strip()


def test_the_daemon_ends_what_runs_and_says_how_much_that_was(home: Home) -> None:
    announced: list[int] = []
    with daemon(home) as process:
        assert stopping.end(home, process.pid, announced.append) == 3
        assert heard(process) == "SIGINT"
    assert announced in ([3], []), "it may be done before anybody looks"


def test_one_that_dies_in_the_midst_of_it_leaves_the_rest_to_others(home: Home) -> None:
    with daemon(home, "dies") as process:
        assert stopping.end(home, process.pid, lambda _dynos: None) is None
        assert lock.holder(home) is None


def test_who_comes_second_waits_for_the_end_and_does_not_cut_it_short(home: Home) -> None:
    with daemon(home, "waits") as process:
        os.kill(process.pid, 2)
        _until(lambda: stopping.read(home, process.pid) is not None)

        def go_on(dynos: int) -> None:
            (home.root / "go").touch()

        assert stopping.end(home, process.pid, go_on) == 3
        assert heard(process) == "SIGINT"


def test_what_another_daemon_wrote_down_is_not_taken_for_this_ones(home: Home) -> None:
    stopping.note(home, 7, done=True)
    with daemon(home, "dies") as process:
        assert stopping.end(home, process.pid, lambda _dynos: None) is None


def test_one_that_does_not_listen_is_killed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "END_SECONDS", 0.5)
    with daemon(home, "deaf") as process:
        assert stopping.end(home, process.pid, lambda _dynos: None) is None
        assert process.wait(60) == -9


def test_one_that_shall_leave_the_dynos_gets_term(home: Home) -> None:
    with daemon(home) as process:
        stopping.let_go(home, process.pid)
        assert heard(process) == "SIGTERM"
    stopping.let_go(home, process.pid)  # it has ended: nothing happens


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
