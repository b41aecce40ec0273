"""Errors of an app, gathered into issues by its `sentry` add-on: `homeport errors`. Homeport's own; Heroku has none.

An issue is called by its number, or by app and number as it is shown: `WORDCOUNT-7`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from sqlalchemy.orm import Session

from homeport import addons
from homeport.addons import Errors
from homeport.api.exchange import Call, Reply
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape
from homeport.errors import Invalid, NotFound
from homeport.state import Addon
from homeport.tracker import Detail, Facet, Issue, Issues, Kept, Status

P = ParamSpec("P")
T = TypeVar("T")

KEYS: Keys[Issue] = {
    "last_seen": lambda issue: f"{_moment(issue.last_seen)}~{issue.number}",
    "id": lambda issue: issue.number,
    "count": lambda issue: f"{issue.count:012d}~{issue.number:09d}",
    "first_seen": lambda issue: f"{_moment(issue.first_seen)}~{issue.number}",
}
EVENT_KEYS: Keys[Kept] = {"number": lambda kept: kept.number, "at": lambda kept: f"{_moment(kept.at)}~{kept.number}"}


async def index(call: Call) -> Reply:
    """`?query=is:unresolved…`, in Sentry's words; without one, all. `?addon=` where an app has several trackers."""
    addon, issues = await _tracker(call)
    found = await _ask(issues.search, call.query.get("query", ""), time.time())
    return call.listing(found, lambda issue: _shape(call, addon, issue), KEYS)


async def info(call: Call) -> Reply:
    """With its latest event, and counts by hour (30 days) and by day (90 days)."""
    addon, issues = await _tracker(call)
    detail = await _ask(issues.detail, _number(call), time.time())
    return Reply(_whole(call, addon, detail))


async def update(call: Call) -> Reply:
    """`{status: resolved|ignored|unresolved, in_next_release?}`"""
    addon, issues = await _tracker(call)
    asked = call.body.text("status")
    if asked not in {status.value for status in Status}:
        raise Invalid("status must be unresolved, resolved or ignored.")
    in_next = call.body.flag("in_next_release")
    if in_next and asked != Status.RESOLVED.value:
        raise Invalid("in_next_release goes with the status resolved only.")
    number, now = _number(call), time.time()
    await _ask(issues.judge, [number], Status(asked), now, in_next_release=in_next)
    detail = await _ask(issues.detail, number, now)
    return Reply(_shape(call, addon, detail.issue))


async def events(call: Call) -> Reply:
    """Those that are kept."""
    _, issues = await _tracker(call)
    found = await _ask(issues.events, _number(call))
    return call.listing(found, _event, EVENT_KEYS)


async def event(call: Call) -> Reply:
    _, issues = await _tracker(call)
    return Reply(_event(await _ask(issues.event, _number(call), call.params["event"])))


async def _tracker(call: Call) -> tuple[Addon, Issues]:
    """The app's add-on and its issues. Raises `NotFound` where there is none."""
    addon = await call.core.database.run(_addon, call)
    provider = call.addons.provider(Errors.service)
    if not isinstance(provider, Errors):
        raise NotFound("addon_service", "There is no error tracking here.")
    return addon, provider.issues(await call.addons.resource(addon))


def _addon(session: Session, call: Call) -> Addon:
    """The one that is asked for, or that SENTRY_DSN leads to, or the first one."""
    there = [found for found in addons.attachments(session, call.app) if found.addon.service == Errors.service]
    wanted = call.query.get("addon")
    if wanted is not None:
        there = [found for found in there if wanted in (found.addon.name, found.addon_id, found.name)]
    if not there:
        raise NotFound(
            "add_on",
            f"{call.app.name} has no error tracking{' of that name' if wanted else ''}.",
            fix=f"Add it: `heroku addons:create sentry -a {call.app.name}`",
        )
    return min(there, key=lambda found: (found.name != "SENTRY", found.name)).addon


def _number(call: Call) -> int:
    """The number in `7`, `WORDCOUNT-7` or `wordcount-7`. Raises `NotFound`."""
    name, _, digits = call.params["issue"].rpartition("-")
    if (name and name.upper() != call.app.name.upper()) or not (digits.isascii() and digits.isdigit()):
        raise NotFound("issue", "Couldn't find that issue.", fix="See all of them: `homeport errors --all`.")
    return int(digits[:15])


async def _ask(question: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Away from the event loop: a large file may be slow."""
    return await asyncio.to_thread(question, *arguments, **named)


def _shape(call: Call, addon: Addon, issue: Issue) -> Shape:
    return {
        "addon": {"id": addon.id, "name": addon.name},
        "count": issue.count,
        "culprit": {"file": issue.file, "function": issue.function, "line": issue.line or None},
        "first_release": issue.first_release or None,
        "first_seen": _moment(issue.first_seen),
        "hours": list(issue.hours),
        "id": issue.number,
        "in_next_release": issue.in_next_release,
        "last_release": issue.last_release or None,
        "last_seen": _moment(issue.last_seen),
        "level": issue.level,
        "logger": issue.logger or None,
        "message": issue.text,
        "regressed_at": _moment(issue.regressed_at) if issue.regressed_at else None,
        "resolved_at": _moment(issue.resolved_at) if issue.resolved_at else None,
        "short_id": f"{call.app.name.upper()}-{issue.number}",
        "source": issue.source,
        "status": issue.status.value,
        "type": issue.type or None,
        "users": issue.users,
    }


def _whole(call: Call, addon: Addon, detail: Detail) -> Shape:
    return {
        **_shape(call, addon, detail.issue),
        "counts": {
            "days": [_count(at, count) for at, count in detail.days],
            "hours": [_count(at, count) for at, count in detail.hours],
        },
        "environments": [_facet(facet) for facet in detail.facets["environment"]],
        "kept_events": detail.kept,
        "latest_event": _event(detail.latest) if detail.latest is not None else None,
        "releases": [_facet(facet) for facet in detail.facets["release"]],
        "versions": [_facet(facet) for facet in detail.facets["version"]],
    }


def _count(at: int, count: int) -> Shape:
    return {"at": _moment(at), "count": count}


def _facet(facet: Facet) -> Shape:
    return {
        "count": facet.count,
        "first_seen": _moment(facet.first_seen),
        "last_seen": _moment(facet.last_seen),
        "value": facet.value,
    }


def _event(kept: Kept) -> Shape:
    return {
        "at": _moment(kept.at),
        "environment": kept.environment or None,
        "event": kept.raw,
        "id": kept.id,
        "number": kept.number,
        "release": kept.release or None,
        "source": kept.source,
        "version": kept.version or None,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
