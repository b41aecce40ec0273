"""The rows of the command table that concern errors of apps."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import LONG_JSON, num, on_app, some

_ISSUE = Argument("issue", "number of the issue, such as 7 or EXAMPLE-7")
_ISSUES = Argument("issue", "number of the issue, such as 7 or EXAMPLE-7", many=True)
_ADDON = Flag("addon", "which sentry add-on, where the app has several", value="name")
_NARROW = (
    Flag("all", "resolved and ignored ones too", char="A"),
    Flag("level", "only of this level: fatal, error, warning, info, debug", char="l", value="level"),
    Flag("release", "only those seen in this release: v12, or what the SDK was told", value="release"),
    Flag("environment", "only those seen in this environment", char="e", value="name", aliases=("env",)),
    num("number of issues to show (default 25)"),
    _ADDON,
    LONG_JSON,
)

ERROR_TOPICS = {"errors": "see the errors of an app, and settle them"}

ERROR_COMMANDS: tuple[Command, ...] = (
    on_app(
        "errors",
        "errors:list_issues",
        "list the unresolved errors of an app, the last seen first",
        Flag("query", "in Sentry's words: is:resolved level:error type:KeyError text", char="q", value="query"),
        *_NARROW,
        examples=("errors -a example", "errors --release v12 --level error", "errors --query 'is:ignored timeout'"),
        own=True,
    ),
    on_app(
        "errors:search",
        "errors:search",
        "search among all errors of an app",
        some(
            "QUERY", "words, or is:resolved, level:error, release:v12, environment:staging, type:KeyError, source:logs"
        ),
        *_NARROW,
        examples=("errors:search timeout -a example", "errors:search is:regressed", "errors:search 'type:Key*'"),
        own=True,
    ),
    on_app(
        "errors:info",
        "errors:info",
        "show an error: how often, since when, and the traceback",
        _ISSUE,
        Flag("event", "ID of one of its events (default: the latest)", value="id"),
        _ADDON,
        LONG_JSON,
        examples=("errors:info 7 -a example", "errors:info EXAMPLE-7"),
        own=True,
    ),
    on_app(
        "errors:events",
        "errors:list_events",
        "list the events of an error that are kept",
        _ISSUE,
        num("number of events to show (default 25)"),
        _ADDON,
        LONG_JSON,
        own=True,
    ),
    on_app(
        "errors:resolve",
        "errors:resolve",
        "say that errors are mended; should one come back, it is shown again as a regression",
        _ISSUES,
        Flag("next-release", "mended in the next release: events of those up to now don't count as coming back"),
        _ADDON,
        examples=("errors:resolve EXAMPLE-7", "errors:resolve 7 8 9 --next-release"),
        own=True,
    ),
    on_app("errors:ignore", "errors:ignore", "count errors, and show them no more", _ISSUES, _ADDON, own=True),
    on_app(
        "errors:unresolve",
        "errors:unresolve",
        "show resolved or ignored errors again",
        _ISSUES,
        _ADDON,
        aliases=("errors:reopen",),
        own=True,
    ),
)
