"""The rules of config vars: https://devcenter.heroku.com/articles/config-vars."""

from __future__ import annotations

from collections.abc import Mapping

from homeport.errors import Invalid

MAX_TOTAL_BYTES = 64 * 1024
"""All names and values of an app together ("Config var policies")."""

_RESERVED = frozenset({"PORT", "DYNO", "PS"})


def merge(current: Mapping[str, str], changes: Mapping[str, object]) -> dict[str, str]:
    """`current` with `changes` applied; a value of None (or an empty string) removes a name.

    Numbers and booleans become strings as Heroku's API does. Raises `Invalid` for names and values that cannot be
    environment variables.
    """
    merged = dict(current)
    for name, value in changes.items():
        _check_name(name)
        if value is None or value == "":
            merged.pop(name, None)
        else:
            merged[name] = _text(name, value)
    total = sum(len(name.encode()) + len(value.encode()) for name, value in merged.items())
    if total > MAX_TOTAL_BYTES:
        raise Invalid(
            f"Config vars may hold {MAX_TOTAL_BYTES // 1024} KB in all; these would be {total // 1024} KB.",
            fix="Keep large values in a file or a bucket and only their address in a config var.",
        )
    return merged


def describe(current: Mapping[str, str], changes: Mapping[str, object]) -> str:
    """What a release made of these changes is called: "Set A, B config vars", "Remove A config vars"."""
    set_names = [name for name, value in changes.items() if value not in (None, "")]
    removed = [name for name, value in changes.items() if value in (None, "") and name in current]
    parts = []
    if set_names:
        parts.append(f"Set {_listed(set_names)} config vars")
    if removed:
        parts.append(f"{'remove' if parts else 'Remove'} {_listed(removed)} config vars")
    return ", ".join(parts) or "Update config vars"


def _listed(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown


def _check_name(name: str) -> None:
    if not name or "=" in name or any(ord(c) < 33 or ord(c) == 127 for c in name) or len(name) > 255:
        raise Invalid(
            f"{name[:60]!r} can't be the name of a config var.",
            why="It becomes an environment variable.",
            fix="Use letters, digits and underscores: `heroku config:set MY_NAME=value`.",
        )
    if name in _RESERVED:
        raise Invalid(f"{name} is set by the platform for every dyno and can't be a config var.")


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        raise Invalid(f"The value of {name} must be a string or null.")
    if "\x00" in value:
        raise Invalid(f"The value of {name} contains a NUL byte, which an environment variable cannot hold.")
    return value
