"""`homeport errors`: an app's issues, and what to say of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from homeport.cli import event_pages, layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.cli.event_pages import ago, safe
from homeport.cli.ink import Ink

Item = dict[str, Any]

SHOWN = 25
NARROWEST = 20
WIDEST = 60
BARS = "▁▂▃▄▅▆▇█"


def list_issues(call: Call) -> None:
    query = call.option("query") or ""
    open_only = "is:" not in query and not call.has("all")
    words = [query, *_narrowed(call), "is:unresolved" if open_only else ""]
    _show(call, " ".join(filter(None, words)), nothing="no unresolved errors" if open_only else "no such errors")


def search(call: Call) -> None:
    words = [*call.arguments, *_narrowed(call)]
    if not words:
        raise UsageError("Say what to search for.", command=call.command.name)
    _show(call, " ".join(words), nothing="no such errors")


def info(call: Call) -> None:
    issue: Item = call.api.get(_address(call, _only(call)))
    event: Item | None = issue["latest_event"]
    if (wanted := call.option("event")) is not None:
        event = call.api.get(_address(call, _only(call), "events", wanted))
    if call.has("json"):
        call.terminal.json({**issue, "latest_event": event} if wanted is None else {**issue, "event": event})
        return
    ink, now = call.terminal.ink, call.world.now()
    call.terminal.out(layout.header(f"{ink.name(issue['short_id'])} {safe(_title(issue))}", ink))
    call.terminal.out(layout.pairs(_facts(issue, ink, now), ink))
    call.terminal.out()
    if event is None:
        call.terminal.out("None of its events is kept any more.")
        return
    call.terminal.out("\n".join(event_pages.page(event, ink, now)))


def list_events(call: Call) -> None:
    count = call.number("num") or SHOWN
    events = call.api.newest(_address(call, _only(call), "events"), count, by="number")
    if call.has("json"):
        call.terminal.json(events)
        return
    now = call.world.now()
    rows = [
        (
            event["id"],
            ago(event["at"], now),
            safe(event["version"] or event["release"] or "")[:20],
            safe(event["environment"] or ""),
            event["source"],
        )
        for event in events
    ]
    call.terminal.out(layout.table(("id", "when", "release", "environment", "source"), rows))


def resolve(call: Call) -> None:
    more = {"in_next_release": True} if call.has("next-release") else {}
    _judge(call, "Resolving", {"status": "resolved", **more})


def ignore(call: Call) -> None:
    _judge(call, "Ignoring", {"status": "ignored"})


def unresolve(call: Call) -> None:
    _judge(call, "Reopening", {"status": "unresolved"})


def _judge(call: Call, doing: str, body: Item) -> None:
    for number in call.arguments:
        with call.terminal.doing(f"{doing} {call.terminal.talk_ink.name(number)}"):
            call.api.patch(_address(call, number), body)


def _show(call: Call, query: str, *, nothing: str) -> None:
    address = f"{path('apps', call.app, 'errors')}{_asked(call, query=query)}"
    issues = call.api.newest(address, call.number("num") or SHOWN, by="last_seen")
    if call.has("json"):
        call.terminal.json(issues)
        return
    ink, now = call.terminal.ink, call.world.now()
    if not issues:
        call.terminal.out(f"{ink.app(call.app)} has {nothing}.")
        return
    columns = ("id", "level", "error", "where", "events", "last 24 h", "last seen", "release")
    room = _room(call, issues, now)
    rows = [_row(issue, ink, now, room) for issue in issues]
    call.terminal.out(layout.header(f"{ink.app(call.app)} Errors", ink))
    call.terminal.out(layout.table(columns, rows))
    call.terminal.say(f"See one: homeport errors:info {issues[0]['short_id']} -a {call.app}")


def _row(issue: Item, ink: Ink, now: datetime, room: int) -> tuple[str, ...]:
    title = layout.shortened(safe(_title(issue)), room)
    return (
        ink.name(issue["short_id"]),
        event_pages.level(issue["level"], ink),
        title if issue["status"] == "unresolved" else ink.dim(f"{title} ({issue['status']})"),
        layout.shortened(_place(issue), WIDEST),
        f"{issue['count']:,}" + (ink.warning(" back") if issue["regressed_at"] else ""),
        bars(issue["hours"]),
        ago(issue["last_seen"], now),
        safe(issue["last_release"] or "")[:12],
    )


def _room(call: Call, issues: Sequence[Item], now: datetime) -> int:
    """Characters that are left for messages where a line must fit into a terminal."""
    columns = call.terminal.columns
    if columns is None:
        return WIDEST
    bare = Ink(False)
    others = [[cell for place, cell in enumerate(_row(issue, bare, now, 0)) if place != 2] for issue in issues]
    taken = sum(max(map(len, column)) for column in zip(*others, strict=True)) + 2 + 3 * 7
    return max(NARROWEST, min(WIDEST, columns - taken))


def bars(counts: Sequence[int]) -> str:
    """A count each as a bar; nothing at all as a dot."""
    most = max(counts, default=0)
    return "".join(BARS[max(0, -(-count * len(BARS) // most) - 1)] if count else "·" for count in counts)


def _title(issue: Item) -> str:
    return ": ".join(filter(None, (issue["type"], issue["message"]))) or "(no message)"


def _place(issue: Item) -> str:
    """`shop/views.py:12 in pay`"""
    culprit = issue["culprit"]
    if not culprit["file"]:
        return safe(culprit["function"] or issue["logger"] or "")
    return safe(f"{culprit['file']}:{culprit['line']} in {culprit['function']}")


def _facts(issue: Item, ink: Ink, now: datetime) -> list[tuple[str, Any]]:
    return [
        ("Status", _status(issue, ink, now)),
        ("Level", event_pages.level(issue["level"], ink)),
        ("Where", _place(issue) or None),
        ("Events", f"{issue['count']:,}, {issue['kept_events']:,} of them kept"),
        ("Users", f"{issue['users']:,}" if issue["users"] else None),
        ("First seen", _seen(issue, "first", now)),
        ("Last seen", _seen(issue, "last", now)),
        ("Releases", [_facet(facet) for facet in (issue["versions"] + issue["releases"])[:8]]),
        ("Environments", [_facet(facet) for facet in issue["environments"][:5]]),
        ("Found in", "the app's log" if issue["source"] == "logs" else None),
        ("Last 24 hours", f"{bars(issue['hours'])}  {sum(issue['hours']):,}"),
    ]


def _status(issue: Item, ink: Ink, now: datetime) -> str:
    status = issue["status"]
    if status == "resolved":
        when = f" {ago(issue['resolved_at'], now)}" if issue["resolved_at"] else ""
        return ink.success("resolved") + when + (", in the next release" if issue["in_next_release"] else "")
    if issue["regressed_at"]:
        return f"{ink.failure('unresolved')}, came back {ago(issue['regressed_at'], now)}"
    return ink.failure(status) if status == "unresolved" else ink.dim(status)


def _seen(issue: Item, which: str, now: datetime) -> str:
    release = issue[f"{which}_release"]
    return ago(issue[f"{which}_seen"], now) + (f" in {safe(release)}" if release else "")


def _facet(facet: Item) -> str:
    return f"{safe(facet['value'])} ({facet['count']:,})"


def _narrowed(call: Call) -> list[str]:
    """What flags say, as words of a search."""
    found = []
    for flag in ("level", "release", "environment"):
        if (value := call.option(flag)) is not None:
            quoted = value.replace('"', "")
            found.append(f'{flag}:"{quoted}"')
    return found


def _only(call: Call) -> str:
    return call.arguments[0]


def _address(call: Call, *more: str) -> str:
    return path("apps", call.app, "errors", *more) + _asked(call)


def _asked(call: Call, **words: str) -> str:
    """The query of an address."""
    if (addon := call.option("addon")) is not None:
        words["addon"] = addon
    said = "&".join(f"{name}={quote(value, safe='')}" for name, value in words.items() if value)
    return f"?{said}" if said else ""
