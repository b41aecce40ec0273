"""Colour changes how a log line looks, never what it says."""

from __future__ import annotations

import re

import pytest

from homeport.cli.ink import Ink
from homeport.cli.log_colours import LogColours

_STAMP = "2026-01-02T03:04:05.678901+00:00"


@pytest.mark.parametrize(
    "line",
    [
        f'{_STAMP} app[web.1]:   File "/app/app.py", line 12, in boom',
        f"{_STAMP} app[web.1]:     return 1 / 0",
        f"{_STAMP} app[web.1]: Traceback (most recent call last):",
        f"{_STAMP} heroku[web.1]: State changed from up to crashed",
        f'{_STAMP} heroku[router]: at=info method=GET path="/" status=500',
    ],
)
def test_colour_keeps_the_text_and_the_indentation_of_tracebacks(line: str) -> None:
    painted = LogColours(Ink(on=True)).paint(line)
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == line
