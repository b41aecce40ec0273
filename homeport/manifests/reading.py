"""Reading an app.json. Its author is a stranger: whatever it holds, there is an answer that names the place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from homeport.errors import Invalid
from homeport.manifests.manifest import Addon, Dynos, Fault, Job, Manifest, Reading, Variable

NAME = "app.json"
LARGEST = 256 * 1024
MOST = 200
"""Entries of a list or an object."""

T = TypeVar("T")

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_JOB_FIELDS = ("command", "schedule", "name", "timezone", "size", "overlap")


def read(data: bytes) -> Reading:
    """Raises `Invalid` (`manifest_syntax`) for what is no JSON object; the line is told."""
    parsed = _parse(data)
    reader = _Reader()
    manifest = Manifest(
        name=reader.text(parsed, "name"),
        description=reader.text(parsed, "description"),
        success_url=reader.text(parsed, "success_url"),
        stack=reader.text(parsed, "stack") or None,
        env=reader.mapping(parsed, "env", _variable),
        addons=reader.listing(parsed, "addons", _addon),
        buildpacks=reader.listing(parsed, "buildpacks", _buildpack),
        formation=dict(reader.mapping(parsed, "formation", lambda name, value: (name, _dynos(value)))),
        postdeploy=reader.script(parsed, "postdeploy"),
        cron=reader.listing(parsed, "cron", _job),
    )
    return Reading(manifest, tuple(reader.faults))


def _parse(data: bytes) -> Mapping[str, Any]:
    if len(data) > LARGEST:
        raise _unreadable(f"It is larger than {LARGEST // 1024} KB.")
    try:
        parsed = json.loads(data.decode("utf-8-sig"))
        json.dumps(parsed, ensure_ascii=False).encode()  # "\ud800" is JSON, and no text
    except UnicodeError:
        raise _unreadable("It is not text in UTF-8.") from None
    except json.JSONDecodeError as error:
        line = error.doc.split("\n")[error.lineno - 1].strip()
        shown = f"\n  {line[:120]}" if line else ""
        raise _unreadable(f"Line {error.lineno}, column {error.colno}: {error.msg}.{shown}") from None
    except (ValueError, RecursionError):
        raise _unreadable("It is nested too deeply, or has a number of thousands of digits.") from None
    if not isinstance(parsed, dict):
        raise _unreadable("It must be one JSON object: { … }.")
    return parsed


def _unreadable(why: str) -> Invalid:
    return Invalid(
        "The file app.json cannot be read.",
        id="manifest_syntax",
        why=why,
        fix="Mend it (JSON has no comments, and no comma after the last entry), commit and push again.",
    )


class _Wrong(Exception):
    """What should have been there instead."""


class _Reader:
    """Takes parts out of a parsed app.json, and notes what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def text(self, parsed: Mapping[str, Any], part: str) -> str:
        value = parsed.get(part, "")
        if isinstance(value, str):
            return value
        self.faults.append(Fault(part, f"{part} must be a string"))
        return ""

    def script(self, parsed: Mapping[str, Any], name: str) -> str | None:
        """A command, or an object with one, as the first app.json files had it."""
        scripts = parsed.get("scripts", {})
        value = scripts.get(name) if isinstance(scripts, dict) else 0
        if isinstance(value, dict):
            value = value.get("command", 0)
        if value is None or isinstance(value, str):
            return value or None
        self.faults.append(
            Fault("scripts", f"scripts.{name} must be a command" if scripts else "scripts must be an object")
        )
        return None

    def listing(self, parsed: Mapping[str, Any], part: str, make: Callable[[Any], T]) -> tuple[T, ...]:
        value = parsed.get(part, [])
        if not isinstance(value, list) or len(value) > MOST:
            self.faults.append(Fault(part, f"{part} must be a list of at most {MOST} entries"))
            return ()
        return tuple(self._each(part, ((f"{part}[{index}]", make, (item,)) for index, item in enumerate(value))))

    def mapping(self, parsed: Mapping[str, Any], part: str, make: Callable[[str, Any], T]) -> tuple[T, ...]:
        value = parsed.get(part, {})
        if not isinstance(value, dict) or len(value) > MOST:
            self.faults.append(Fault(part, f"{part} must be an object of at most {MOST} entries"))
            return ()
        return tuple(self._each(part, ((f"{part}.{key[:60]}", make, (key, item)) for key, item in value.items())))

    def _each(self, part: str, entries: Iterator[tuple[str, Callable[..., T], tuple[Any, ...]]]) -> Iterator[T]:
        for place, make, arguments in entries:
            try:
                yield make(*arguments)
            except _Wrong as wrong:
                self.faults.append(Fault(part, f"{place} {wrong}"))


def _variable(name: str, value: Any) -> Variable:
    """`"NAME": "value"`, or an object that describes it."""
    if not _VARIABLE.fullmatch(name):
        raise _Wrong("can't be the name of a config var: letters, digits and underscores can")
    if not isinstance(value, dict):
        return Variable(name, value=_scalar(value))
    generator = value.get("generator")
    if generator not in (None, "secret"):
        raise _Wrong('has an unknown generator: there is only "secret"')
    given = value.get("value")
    return Variable(
        name,
        description=value["description"] if isinstance(value.get("description"), str) else "",
        value=None if given is None else _scalar(given),
        required=value.get("required", True) not in (False, "false"),
        generated=generator == "secret",
    )


def _addon(value: Any) -> Addon:
    """`"service:plan"`, or `{"plan", "as", "options"}`."""
    if isinstance(value, str) and value:
        return Addon(value)
    if not isinstance(value, dict) or not isinstance(value.get("plan"), str) or not value["plan"]:
        raise _Wrong('must be a plan, such as "heroku-postgresql:essential-0", or an object with a plan')
    name, options = value.get("as"), value.get("options") or {}
    if not isinstance(name, str | None):
        raise _Wrong("must have a name under as")
    if not isinstance(options, dict):
        raise _Wrong("must have an object under options")
    return Addon(value["plan"], name, {str(key): _scalar(option) for key, option in options.items()})


def _buildpack(value: Any) -> str:
    """`{"url": …}`; a URL or a name alone is understood too."""
    url = value.get("url") if isinstance(value, dict) else value
    if not isinstance(url, str) or not url:
        raise _Wrong("must be an object with the buildpack's url")
    return url


def _dynos(value: Any) -> Dynos:
    if not isinstance(value, dict):
        raise _Wrong("must be an object with quantity and size")
    quantity, size = value.get("quantity"), value.get("size")
    if isinstance(quantity, bool) or not isinstance(quantity, int | None) or (quantity or 0) < 0:
        raise _Wrong("must have a whole number as quantity")
    if not isinstance(size, str | None):
        raise _Wrong("must have the name of a dyno size as size")
    return Dynos(quantity, size)


def _job(value: Any) -> Job:
    if not isinstance(value, dict):
        raise _Wrong('must be an object with a command and a schedule: {"command": "…", "schedule": "30 4 * * *"}')
    for name in ("command", "schedule"):
        if not value.get(name):
            raise _Wrong(f"has no {name}")
    if unknown := sorted(set(value) - set(_JOB_FIELDS)):
        raise _Wrong(f"has an unknown field {unknown[0][:40]}: there are {', '.join(_JOB_FIELDS)}")
    for name, given in value.items():
        if not isinstance(given, str):
            raise _Wrong(f"must have a string as {name}")
    return Job(**value)


def _scalar(value: Any) -> str:
    """Config vars are text; numbers and booleans are taken as they are written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _Wrong("must be a string")
