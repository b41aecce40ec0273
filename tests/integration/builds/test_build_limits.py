"""Builds that hang, flood, hide processes, or are killed: nothing of them stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.builds import Builder, Limits
from homeport.home import Home
from homeport.slugs import Store
from tests.integration.builds.workshop import Workshop

pytestmark = pytest.mark.slow

HOOK = "a hook that fails before compiling"


@pytest.fixture
def hurried(tmp_path: Path, cache: Path, python: str) -> Iterator[Workshop]:
    opened = Workshop(tmp_path, cache, python=python, limits=Limits(seconds=1.5, output=2000))
    yield opened
    opened.close()


def hook(workshop: Workshop, script: str) -> Path:
    source = workshop.source(HOOK, {"bin/pre_compile": f"#!/bin/bash\n{script}\n"})
    (source / "bin/pre_compile").chmod(0o755)
    return source


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def pid_in(file: Path) -> int:
    deadline = time.monotonic() + 10
    while not (file.exists() and file.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return int(file.read_text())


def test_a_build_that_hangs_is_ended_with_all_that_it_started(hurried: Workshop, tmp_path: Path) -> None:
    child, hidden = tmp_path / "child", tmp_path / "hidden"
    script = f"sleep 300 & echo $! > {child}\nsetsid -f bash -c 'echo $$ > {hidden}; sleep 300'\nwait"
    outcome = hurried.build(hook(hurried, script))
    assert outcome.error.id == "build_timeout"
    assert gone(pid_in(child))
    assert gone(pid_in(hidden))


def test_a_build_that_is_cancelled_is_ended_too(workshop: Workshop, tmp_path: Path) -> None:
    child = tmp_path / "child"

    async def cancelled() -> None:
        task = asyncio.ensure_future(workshop.building(hook(workshop, f"echo $$ > {child}; sleep 300")))
        while not child.exists():  # noqa: ASYNC110 - a file cannot be waited for
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert gone(pid_in(child))


def test_what_a_script_leaves_running_does_not_hold_the_build_up(workshop: Workshop, tmp_path: Path) -> None:
    child = tmp_path / "child"
    began = time.monotonic()
    outcome = workshop.build(hook(workshop, f"sleep 300 & echo $! > {child}; exit 3"))
    assert outcome.error.id == "hook_failed"
    assert time.monotonic() - began < 10
    assert gone(pid_in(child))


def test_a_flood_is_cut_and_the_build_goes_on(hurried: Workshop) -> None:
    outcome = hurried.build(hook(hurried, "head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 100; exit 3"))
    assert outcome.error.id == "hook_failed"
    assert len(outcome.text) < 5000
    assert "the rest is not shown" in outcome.text


def test_one_endless_line_is_cut(workshop: Workshop) -> None:
    outcome = workshop.build(hook(workshop, "head -c 1000000 /dev/zero | tr '\\0' 'x'; exit 3"))
    assert max(map(len, outcome.lines)) < 5000


def test_progress_bars_and_broken_bytes_become_lines(workshop: Workshop) -> None:
    outcome = workshop.build(
        hook(workshop, r"printf '10%%\r50%%\r100%%\n'; printf 'caf\xe9 \0!\n'; printf end; exit 3")
    )
    assert [line.strip() for line in outcome.lines if line.startswith("       ")] == ["100%", "caf\ufffd !", "end"]


def test_commands_run_at_low_priority_and_without_a_terminal(workshop: Workshop) -> None:
    outcome = workshop.build(hook(workshop, "nice; if read -r line; then echo typed; else echo nobody; fi; exit 3"))
    assert [line.strip() for line in outcome.lines if line.startswith("       ")] == ["10", "nobody"]


def test_a_script_without_its_first_line_is_run_by_bash(workshop: Workshop) -> None:
    source = workshop.source(HOOK, {"bin/pre_compile": "[[ 1 == 1 ]] && echo bash runs me\nexit 3\n"})
    outcome = workshop.build(source)
    assert "bash runs me" in outcome.text
    assert outcome.error.id == "hook_failed"


def test_config_vars_are_seen_and_the_daemons_secrets_are_not(workshop: Workshop) -> None:
    workshop.builder._environ["HOMEPORT_SECRET_OF_THE_DAEMON"] = "daemon-secret"
    config = {"GREETING": "hello", "SECRET_KEY": "hunter2hunter2", "DATABASE_URL": "postgres://u:s3cr3tpw@h/d"}
    outcome = workshop.build(hook(workshop, "env | sort; exit 3"), env=config)
    assert "GREETING=hello" in outcome.text
    assert "SECRET_KEY=[hidden]" in outcome.text
    assert "DATABASE_URL=postgres://u:[hidden]@h/d" in outcome.text
    for secret in ("daemon-secret", "hunter2hunter2", "s3cr3tpw"):
        assert secret not in outcome.text


def test_a_slug_that_is_too_large_is_refused(tmp_path: Path, cache: Path, python: str) -> None:
    workshop = Workshop(tmp_path, cache, python=python, limits=Limits(slug=1000))
    outcome = workshop.build(workshop.source("a slugignore", {"big.bin": "x" * 2000}))
    assert outcome.error.id == "slug_too_large"
    assert outcome.lines[-2] == " !     Push rejected, failed to compile Python app."
    workshop.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from homeport.builds import Builder, Job
from homeport.home import Home
from homeport.slugs import Store

home = Home(Path(sys.argv[1]))
home.prepare()
store = Store(home.slugs)
store.draft("half")
asyncio.run(Builder(home, store).build(Job("app", "app", Path(sys.argv[2])), print))
"""


def test_after_a_kill_the_next_builder_clears_up(workshop: Workshop, tmp_path: Path) -> None:
    child = tmp_path / "child"
    source = hook(workshop, f"setsid -f bash -c 'echo $$ > {child}; sleep 300'; sleep 300")
    home = Home(tmp_path / "other")
    daemon = subprocess.Popen([sys.executable, "-c", KILLED, str(home.root), str(source)], stdout=subprocess.DEVNULL)
    try:
        orphan = pid_in(child)
    finally:
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.wait()
    assert alive(orphan)
    store = Store(home.slugs)
    builder = Builder(home, store)
    assert gone(orphan)
    assert len(list((home.builds / "work").iterdir())) == 1
    assert not list((home.slugs / "drafts").glob("*/half*"))
    builder.close()
    store.close()
