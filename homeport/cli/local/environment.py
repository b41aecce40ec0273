"""Variables from files such as `.env`: KEY=value lines as dotenv reads them, or JSON as node-foreman does.

Nothing is expanded: `$` is a character like others, as in a config var.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from homeport.errors import HomeportError


def read_files(paths: Sequence[Path], warn: Callable[[str], None], *, optional: bool) -> dict[str, str]:
    """The variables of all files together, later files first in rank. A file may be missing if it is `optional`.

    Raises `HomeportError` (`env_file_missing`, `env_file_unreadable`).
    """
    found: dict[str, str] = {}
    for path in paths:
        try:
            text = path.read_text()
        except FileNotFoundError:
            if not optional:
                raise HomeportError(
                    "env_file_missing", f"There is no file {path}.", fix="Name another one with --env, or write it."
                ) from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise HomeportError("env_file_unreadable", f"{path} cannot be read: {reason}.") from error
        else:
            found |= parse(text, partial(_complain, warn, path))
    return found


def _complain(warn: Callable[[str], None], path: Path, line: str) -> None:
    warn(f"{path} {line} is not KEY=value and is passed over.")


def parse(text: str, unreadable: Callable[[str], None]) -> dict[str, str]:
    """Pure; `unreadable` is told of statements that are none, by their line alone: they may be secrets."""
    if text.lstrip().startswith("{"):
        try:
            return dict(_flat(json.loads(text)))
        except ValueError:
            pass  # then it is none
    from dotenv.parser import parse_stream

    found: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and not _is_name(binding.key)):
            unreadable(f"line {binding.original.line}")
        elif binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found


def _is_name(key: str) -> bool:
    return bool(key) and "=" not in key and "\0" not in key and not any(character.isspace() for character in key)


def _flat(values: Mapping[str, Any], *path: str) -> list[tuple[str, str]]:
    """`{"db": {"host": "x"}}` is `DB_HOST=x`."""
    found = []
    for key, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, *path, key)
        else:
            found.append(("_".join((*path, key)).upper(), value if isinstance(value, str) else json.dumps(value)))
    return found
