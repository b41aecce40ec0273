"""The rows of the command table that concern key-value stores."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import CONFIRM, JSON, on_app

_STORE = Argument("database", "name of the store, or of its config var (default: the app's only one)", required=False)

REDIS_TOPICS = {"redis": "manage key-value stores"}

REDIS_COMMANDS: tuple[Command, ...] = (
    on_app("redis", "redis:info", "gets information about redis", _STORE, JSON, aliases=("redis:info",)),
    on_app(
        "redis:cli",
        "redis:open_prompt",
        "open a redis prompt",
        _STORE,
        CONFIRM,
        examples=("redis:cli -a example",),
    ),
    on_app(
        "redis:credentials",
        "redis:credentials",
        "show how to connect",
        _STORE,
        Flag("reset", "give it another password"),
    ),
    on_app(
        "redis:keyspace-notifications",
        "redis:keyspace_notifications",
        "choose the events of keys that are published",
        _STORE,
        Flag("config", "letters of the events, '' for none", char="c", value="value"),
        examples=("redis:keyspace-notifications --config AKE", "redis:keyspace-notifications --config ''"),
    ),
    on_app(
        "redis:maxmemory",
        "redis:maxmemory",
        "choose which keys go when the memory is full",
        _STORE,
        Flag("policy", "noeviction, allkeys-lru, volatile-lru, …", char="p", value="value"),
        examples=("redis:maxmemory --policy allkeys-lru",),
    ),
    on_app(
        "redis:promote",
        "redis:promote",
        "make a store the app's REDIS_URL",
        Argument("database", "name of the store, or of its config var"),
        Flag("as", "name for the attachment (default REDIS)", value="value"),
        examples=("redis:promote HEROKU_REDIS_AMBER",),
    ),
    on_app("redis:stats-reset", "redis:reset_statistics", "begin to count anew", _STORE, CONFIRM),
    on_app(
        "redis:timeout",
        "redis:timeout",
        "choose when connections that say nothing are closed",
        _STORE,
        Flag("seconds", "seconds, 0 for never", char="s", value="value", number=True),
        examples=("redis:timeout --seconds 60",),
    ),
    on_app(
        "redis:upgrade",
        "redis:upgrade",
        "use another version",
        _STORE,
        Flag("version", "the version", char="v", value="value"),
        CONFIRM,
    ),
    on_app(
        "redis:wait",
        "redis:wait",
        "wait until a store is available",
        _STORE,
        Flag("wait-interval", "seconds between looks (default 2)", value="value", number=True),
    ),
)
