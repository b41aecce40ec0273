"""`homeport local` with real processes, as a person runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SECONDS = 60


def start(folder: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    """`homeport local …` in this folder, in a session of its own, as in a terminal."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "HOMEPORT_HOME": str(folder / "nowhere")}
    return subprocess.Popen(
        [sys.executable, "-m", "homeport", *words], cwd=folder, env={**kept, **env}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(folder: Path, *words: str, **env: str) -> tuple[int, str, str]:
    process = start(folder, *words, **env)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def said(out: str, name: str) -> list[str]:
    """What a process printed, without the time and its name in front."""
    return re.findall(rf"^\d\d:\d\d:\d\d {re.escape(name)} +\| (.*)$", out, re.MULTILINE)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """The line with this text; those before it are read."""
    assert process.stdout is not None
    too_long = threading.Timer(SECONDS, process.kill)
    too_long.start()
    try:
        for line in process.stdout:
            if text in line:
                return line
    finally:
        too_long.cancel()
    raise AssertionError(f"{text!r} was not said: {process.communicate()}")


def test_processes_get_env_ports_and_names_and_the_exit_of_one_ends_all(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('GREETING="hello # there"\n')
    (tmp_path / "Procfile").write_text(
        "web: echo $GREETING $PORT $FOREMAN_WORKER_NAME $ON_SHELL; while [ ! -e worked ]; do sleep 0.05; done; exit 3\n"
        "worker: trap 'echo ending; exit 0' TERM; echo $PORT; touch worked; while :; do sleep 0.05; done\n"
        "release: echo never\n"
    )
    code, out, err = run(tmp_path, "local", ON_SHELL="yes")
    assert (code, err) == (3, "")
    assert said(out, "web.1") == ["hello # there 5006 web.1 yes"]
    assert said(out, "worker.1")[0] == "5106"
    assert said(out, "worker.1")[-1] == "ending"
    assert "web.1 exited with code 3" in said(out, "system")
    assert "never" not in out


def test_python_is_heard_at_once(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f'web: {sys.executable} -c "import time; print(1); time.sleep(600)"\n')
    process = start(tmp_path, "local")
    assert wait_for(process, "web.1  | 1")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 130


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_is_passed_on_once_and_nobody_stays_behind(tmp_path: Path, number: signal.Signals, code: int) -> None:
    (tmp_path / "Procfile").write_text(
        f"web: trap 'echo got it; exit 0' {number.name.removeprefix('SIG')}; sleep 600 & echo $! > child; "
        "echo $$ > own; echo ready; while :; do sleep 0.05; done\n"
    )
    process = start(tmp_path, "local")
    wait_for(process, "ready")
    process.send_signal(number)
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == code
    assert said(out, "web.1").count("got it") == 1
    for name in ("own", "child"):
        until(lambda name=name: not is_alive(int((tmp_path / name).read_text())))  # type: ignore[misc]


def test_who_does_not_listen_is_killed_by_a_second_one(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: trap '' INT TERM; echo ready; while :; do sleep 0.05; done\n")
    process = start(tmp_path, "local")
    wait_for(process, "ready")
    process.send_signal(signal.SIGINT)
    wait_for(process, "SIGINT received")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "web.1 was ended by SIGKILL" in out


def test_a_child_that_keeps_the_output_open_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        "web: sh -c 'trap \"\" TERM; echo $$ > child; while :; do sleep 0.05; done' & "
        "while [ ! -s child ]; do sleep 0.05; done; exit 4\n"
    )
    code, _, _ = run(tmp_path, "local")
    assert code == 4
    until(lambda: not is_alive(int((tmp_path / "child").read_text())))


def test_several_of_a_type_and_long_and_unfinished_lines(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        f"web: echo $PORT; {sys.executable} -c \"print('x' * 200000); print('end', end='')\"; "
        "touch done$PORT; while [ ! -e done7000 ] || [ ! -e done7001 ]; do sleep 0.05; done\n"
    )
    code, out, _ = run(tmp_path, "local", "web=2", "-p", "7000")
    assert code == 0
    for name, port in (("web.1", "7000"), ("web.2", "7001")):
        lines = said(out, name)
        assert lines[0] == port
        assert "".join(lines[1:]) == "x" * 200000 + "end"


def test_run_takes_the_place_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / ".env.local").write_text("B='two words'\n")
    code, out, _ = run(
        tmp_path, "local:run", "-e", ".env,.env.local", "sh", "-c", 'echo "$A $B $1"; exit 5', "x", "a  b"
    )
    assert (code, out) == (5, "1 two words a  b\n")
    code, _, err = run(tmp_path, "local:run", "no-such-command")
    assert code == 1
    assert "command_not_found" in err


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    code, _, err = run(tmp_path, "local")
    assert code == 1
    assert "There is no Procfile here." in err
    (tmp_path / "Procfile").write_text("web: true\n")
    code, out, err = run(tmp_path, "local", "-e", "nope.env")
    assert (code, out) == (1, "")
    assert "env_file_missing" in err
    code, _, err = run(tmp_path, "local", "nope")
    assert code == 2
    assert "It has: web." in err
    code, _, err = run(tmp_path, "local", "web")
    assert code == 0
    assert "There is no .env here" in err


def test_a_command_may_stand_in_for_a_procfile(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, "local", "--start-cmd", "echo $PORT")
    assert (code, said(out, "web.1")) == (0, ["5006"])


def test_a_reader_that_has_seen_enough_ends_everything(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: echo $$ > own; while :; do echo more; sleep 0.02; done\n")
    process = start(tmp_path, "local")
    wait_for(process, "more")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(SECONDS) == 0
    assert process.stderr is not None
    assert "internal_error" not in process.stderr.read()
    process.stderr.close()
    until(lambda: not is_alive(int((tmp_path / "own").read_text())))
