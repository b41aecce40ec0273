"""Real processes write, are killed without warning, meet a full disk; their logs are read afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from homeport.logs import KEPT_LINES, Logs

WRITER = """
import sys
from pathlib import Path
from homeport.logs import Logs

logs = Logs(Path(sys.argv[1]))
number = logs.last_seq("app")
while True:
    logs.write("app", "heroku", "web.1", [f"line {number + step} " + "x" * 300 for step in range(1, 8)])
    number = logs.last_seq("app")
    print(number, flush=True)
"""

SMALL_DISK = """
import resource, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from homeport.logs import Logs

time = datetime(2026, 1, 1, tzinfo=UTC)
logs = Logs(Path(sys.argv[1]), clock=lambda: time)
no_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, no_limit[1]))  # like a full disk: writes end half-way
for number in range(1, 1001):
    logs.write("app", "app", "api", [f"line {number} " + "x" * 200])
    time += timedelta(milliseconds=10)
assert [line.seq for line in logs.recent("app", 1000)] == list(range(1, 1001))
if sys.argv[2] == "recovers":
    resource.setrlimit(resource.RLIMIT_FSIZE, no_limit)
    time += timedelta(seconds=1)
    logs.write("app", "app", "api", ["line 1001 after"])
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_killing_the_writer_loses_nothing_that_was_written(tmp_path: Path) -> None:
    root = tmp_path / "logs"
    confirmed = 0
    for round_number in range(1, 6):
        with start(WRITER, root) as writer:
            assert writer.stdout is not None
            for _ in range(110 * round_number):  # across rotations, too
                confirmed = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            # What it said before the signal reached it.
            confirmed = max([confirmed, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
        assert writer.returncode == -signal.SIGKILL
        logs = Logs(root)
        kept = logs.recent("app")
        assert logs.last_seq("app") >= confirmed
        assert [line.seq for line in kept] == list(range(kept[-1].seq - len(kept) + 1, kept[-1].seq + 1))
        assert len(kept) == min(kept[-1].seq, KEPT_LINES)
        assert all(line.text == f"line {line.seq} " + "x" * 300 for line in kept)
        logs.close()
    assert confirmed > 3 * KEPT_LINES
    assert sum(path.stat().st_size for path in root.rglob("*.log")) < 2 * (KEPT_LINES + 7) * 400


@pytest.mark.slow
@pytest.mark.parametrize(("outcome", "last"), [("recovers", 1001), ("does not recover", None)])
def test_a_full_disk_neither_stops_nor_garbles_the_log(tmp_path: Path, outcome: str, last: int | None) -> None:
    with start(SMALL_DISK, tmp_path / "logs", outcome) as writer:
        _, errors = writer.communicate(timeout=30)
    assert writer.returncode == 0, errors
    logs = Logs(tmp_path / "logs")
    kept = logs.recent("app")
    logs.close()
    assert [line.seq for line in kept] == list(range(1, (last or len(kept)) + 1))
    assert all(line.text.startswith(f"line {line.seq} ") for line in kept)
    assert len(kept) > 100
