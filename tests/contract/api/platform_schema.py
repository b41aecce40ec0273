"""Heroku's own schema of the Platform API, as a judge of our answers."""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker

Schema = dict[str, Any]

EXTRAS = {
    "app": {
        "create_status": "`apps:info` reads it, though the public schema leaves it out",
        "process_tier": "`ps` reads it, likewise",
    },
}
"""Fields of ours that a definition does not have, and why."""

OMITTED = {
    "slug": {"blob": "a slug is several layers here; none of them alone is Heroku's tarball"},
}
"""Fields that a strict definition has and ours leaves out, and why."""

OWN_HOSTS = {("app", "git_url"), ("app", "web_url"), ("team-app", "git_url"), ("team-app", "web_url")}
"""Patterns that name heroku.com."""


@dataclass(frozen=True)
class Link:
    """One of the schema's links: `method` and `path`, where every parameter is `{}`."""

    resource: str
    method: str
    path: str
    target: tuple[str, ...]  # JSON texts: some links are there twice, with other targets


@cache
def links() -> dict[tuple[str, str], Link]:
    found: dict[tuple[str, str], Link] = {}
    for resource, definition in _schema()["definitions"].items():
        for link in definition.get("links", []):
            key = (link["method"], template(link["href"]))
            before = found.get(key)
            targets = [*(before.target if before else ()), json.dumps(link.get("targetSchema") or {})]
            found[key] = Link(before.resource if before else resource, *key, tuple(targets))
    return found


def template(path: str) -> str:
    """`/apps/{app}` and `/apps/{(%23%2Fdefinitions…)}` -> `/apps/{}`."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def complaints(method: str, path: str, body: object) -> list[str]:
    """What the schema has against this answer of a route; nothing for a route that it does not know."""
    link = links().get((method, template(path)))
    if link is None:
        return []
    rounds = [_errors(json.loads(target), body) for target in link.target]
    return min(rounds, key=len)


def _errors(target: Schema, body: object) -> list[str]:
    validator = Draft4Validator({**target, "definitions": _schema()["definitions"]}, format_checker=_FORMATS)
    return [f"{'/'.join(map(str, error.path)) or '(body)'}: {error.message}" for error in validator.iter_errors(body)]


@cache
def _schema() -> Schema:
    text = (Path(__file__).parent / "schema" / "platform-api-schema.json").read_text()
    schema: Schema = copy.deepcopy(json.loads(text))
    for resource, field in OWN_HOSTS:
        definitions = schema["definitions"][resource]["definitions"]
        if field in definitions:
            definitions[field].pop("pattern", None)
    for resource, extras in EXTRAS.items():
        schema["definitions"][resource]["properties"].update({name: {} for name in extras})
    for strict in _strict(schema):
        strict["additionalProperties"] = False
        strict["required"] = list(strict["properties"])
    for resource, extras in EXTRAS.items():
        definition = schema["definitions"][resource]
        definition["required"] = [name for name in definition["required"] if name not in extras]
    for resource, omitted in OMITTED.items():
        definition = schema["definitions"][resource]
        definition["required"] = [name for name in definition["required"] if name not in omitted]
    return schema


def _strict(node: object) -> Iterator[Schema]:
    """`strictProperties`: all of the properties and no others
    (https://github.com/interagent/committee, https://github.com/brandur/json_schema)."""
    if isinstance(node, dict):
        if node.get("strictProperties") is True and "properties" in node:
            yield node
        for value in node.values():
            yield from _strict(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strict(value)


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", ValueError)
def _date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("uuid", ValueError)
def _uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value


@_FORMATS.checks("email")
def _email(value: object) -> bool:
    return not isinstance(value, str) or "@" in value
