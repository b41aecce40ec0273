"""How long a command line takes before it does anything, and for a small question; ours against the official one."""

from __future__ import annotations

import shutil
import subprocess
import time

from bench.platform import HOMEPORT, Platform
from bench.table import Row, Unit, middle

TURNS = 7


def measure(platform: Platform) -> list[Row]:
    heroku = shutil.which("heroku", path=platform.env["PATH"])
    rows = []
    for name, words, aim in (
        ("CLI: --version", ("--version",), "≤ 1/5 of heroku's"),
        ("CLI: apps", ("apps",), ""),
    ):
        ours, theirs = [], []
        for _ in range(TURNS):
            ours.append(_time(platform, str(HOMEPORT), *words))
            if heroku is not None:
                theirs.append(_time(platform, heroku, *words))
        rows.append(
            Row(
                name,
                Unit.MILLISECONDS,
                middle(ours) * 1000,
                "heroku" if theirs else "no heroku here",
                middle(theirs) * 1000 if theirs else None,
                aim,
                (lambda floor: floor / 5) if aim and theirs else None,
            )
        )
    return rows


def _time(platform: Platform, *words: str) -> float:
    start = time.perf_counter()
    subprocess.run(words, env=platform.env, check=True, capture_output=True)
    return time.perf_counter() - start
