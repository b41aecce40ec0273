"""The measurements' own arithmetic."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import __main__ as measuring
from bench import platform
from bench.table import Row, Unit, middle, percentile, render
from bench.traffic import Load, read_wrk

WRK = """\
Running 4s test @ http://127.0.0.1:8080/
  2 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.20ms  300.00us  20.00ms   90.00%
    Req/Sec     1.00k   100.00     1.20k    70.00%
  Latency Distribution
     50%  850.00us
     75%    1.30ms
     90%    2.00ms
     99%    1.10s\x20
  8000 requests in 4.00s, 1.00MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 4
Requests/sec:   2000.25
"""


def test_reads_the_report_of_wrk() -> None:
    assert read_wrk(WRK) == Load(rate=2000.25, p50=0.85, p99=1100.0, failed=7)


def test_anything_else_is_no_report() -> None:
    with pytest.raises(ValueError, match="not a report"):
        read_wrk("unable to connect to 127.0.0.1:1 Connection refused")


def test_an_aim_is_met_or_missed() -> None:
    at_most = Row("deploy", Unit.SECONDS, 1.0, "floor", 0.5, "≤ floor + 0.5 s", lambda floor: floor + 0.5)
    at_least = Row("rate", Unit.PER_SECOND, 80, "direct", 100, "≥ 0.85", lambda floor: 0.85 * floor, at_least=True)
    assert at_most.met is True
    assert at_least.met is False
    assert Row("pushed", Unit.SECONDS, 1.0).met is None


def test_the_table_shows_both_sides_and_their_ratio() -> None:
    row = Row("deploy", Unit.SECONDS, 1.25, "floor", 0.5, "≤ floor", lambda floor: floor)
    assert render([row]) == (
        "        homeport  against       ratio  aim\ndeploy  1.25 s    floor 0.50 s  2.50   ≤ floor  MISSED"
    )


def test_middle_and_percentile() -> None:
    assert middle([3, 1, 2]) == 2
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 100
    assert percentile([1.0], 0.5) == 1.0


def test_what_was_measured_before_something_failed_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextlib.contextmanager
    def running() -> Iterator[None]:
        yield None

    def fail(_platform: object) -> list[Row]:
        raise subprocess.CalledProcessError(1, ["homeport", "backup"], stderr="the disk is full\n")

    monkeypatch.setattr(platform, "running", running)
    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    monkeypatch.setattr(measuring, "SECTIONS", {"starts": lambda _: [Row("CLI", Unit.SECONDS, 1.5)], "backup": fail})
    assert measuring.main([]) == 1
    said = capsys.readouterr()
    assert "CLI  1.50 s" in said.out
    assert "the disk is full" in said.err
    (kept,) = tmp_path.iterdir()
    assert [row["name"] for row in json.loads(kept.read_text())] == ["CLI"]
