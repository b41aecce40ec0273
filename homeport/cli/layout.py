"""How data is laid out: the forms of the official CLI (11.x) that people and their scripts read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from homeport.cli.ink import PLAIN, Ink, pad, width

# Anything but these in a value, and the official CLI puts it in quotes.
_NEEDS_QUOTES = re.compile(r"""["\s#!$&'()*,:;<=>?@\[\\\]^`{|}]""")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*\Z")


def header(text: str, ink: Ink = PLAIN) -> str:
    """`=== demo Config Vars` and the blank line that follows it."""
    return f"{ink.label('===')} {ink.label(text)}\n"


def pairs(rows: Iterable[tuple[str, Any]], ink: Ink = PLAIN) -> str:
    """`Key:   value`, values aligned; a list takes a line per item, None and empty lists are left out."""
    shown = [(key, value) for key, value in rows if value is not None and value != []]
    column = max((width(key) for key, _ in shown), default=0) + 2
    lines = []
    for key, value in shown:
        first, *more = value if isinstance(value, list) else [value]
        text = plain(first)
        lines.append(pad(f"{ink.label(key)}:", column if text else 0) + text)
        lines += [" " * column + plain(item) for item in more]
    return "\n".join(lines)


def plain(value: Any) -> str:
    """A value as the official CLI's `styledObject` prints it."""
    if value == "":
        return "''"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_literal(item)}" for key, item in value.items())
    return str(value)


def object_literal(value: Mapping[str, Any]) -> str:
    """`{ web: 2, worker: 1 }`: the one place where a script gets JavaScript's own notation (`apps:info --shell`)."""
    if not value:
        return "{}"
    keys = (key if _IDENTIFIER.match(key) else f"'{key}'" for key in value)
    return "{ " + ", ".join(f"{key}: {_literal(item)}" for key, item in zip(keys, value.values(), strict=True)) + " }"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return json.dumps(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with underlined headings and a blank line after it."""
    widths = [max(width(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    rule = " " + "─" * (sum(widths) + 3 * len(widths) - 1)
    lines = [_row(columns, widths), rule, *(_row(row, widths) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return ("  " + "   ".join(pad(cell, to) for cell, to in zip(cells, widths, strict=True))).rstrip()


def shell_quote(value: str) -> str:
    """The quoting of `config --shell`: as few quotes as can be, single ones if possible, newlines as `\\n`."""
    if not _NEEDS_QUOTES.search(value):
        return value
    if "'" in value or "\n" in value:
        escaped = re.sub(r'(["\\$`!])', r"\\\1", value).replace("\n", "\\n")
        return f'"{escaped}"'
    return f"'{value}'"


def shell_pairs(rows: Mapping[str, str]) -> str:
    return "".join(f"{key}={shell_quote(value)}\n" for key, value in rows.items()).removesuffix("\n")


def moment(text: str) -> datetime:
    """An API timestamp (ISO 8601, in UTC)."""
    then = datetime.fromisoformat(text)
    return then if then.tzinfo else then.replace(tzinfo=UTC)


def ago(text: str | None, now: datetime) -> str:
    """`2026/01/31 12:00:00 +0100 (~ 5m ago)`, in local time; without the age when that is over a day."""
    if not text:
        return ""
    then = moment(text)
    shown = then.astimezone().strftime("%Y/%m/%d %H:%M:%S %z")
    seconds = math.floor((now - then).total_seconds())
    if seconds < 60:
        return f"{shown} (~ {max(seconds, 0)}s ago)"
    if seconds < 3600:
        return f"{shown} (~ {seconds // 60}m ago)"
    if seconds < 25 * 3600:
        return f"{shown} (~ {seconds // 3600}h ago)"
    return shown


def file_size(count: int | None) -> str:
    """`121 KB`: 1024 to the step, no decimals, halves up."""
    size = float(count or 0)
    units = ("B", "KB", "MB", "GB", "TB")
    step = 0
    while size >= 1024 and step < len(units) - 1:
        size /= 1024
        step += 1
    rounded = math.floor(size + 0.5)
    if rounded == 1024 and step < len(units) - 1:
        rounded, step = 1, step + 1
    return f"{rounded} {units[step]}"


def shortened(text: str, to: int) -> str:
    return text if len(text) <= to else text[: max(to - 1, 0)] + "…"
