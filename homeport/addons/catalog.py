"""What can be had: services and plans by Heroku's names, so that scripts and app.json files go on working.

Old names are plans too (`hobby-dev`, `mini`, `dev`): they are not listed, but who asks for one gets it, under that
name. All of it costs nothing here.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from homeport.errors import Invalid, NotFound

_LONGEST = 60  # characters of a name that are compared: difflib's time grows with their square
MB = 1024**2
GB = 1024**3


@dataclass(frozen=True)
class Plan:
    """A size of a service. What `limits` there are is the service's business: connections, bytes, jobs."""

    service: str
    name: str
    title: str
    limits: Mapping[str, int] = field(default_factory=dict)
    default: bool = False
    visible: bool = True

    @property
    def full_name(self) -> str:
        """`heroku-postgresql:essential-0`"""
        return f"{self.service}:{self.name}"


@dataclass(frozen=True)
class Service:
    """A kind of add-on.

    `first` is the name of an app's first attachment (DATABASE), `further` the root of the others' names
    (HEROKU_POSTGRESQL_AMBER), `stem` that of the add-ons' own names (postgresql-curved-12345). With `suffixes` an
    attachment's name makes those of config vars. `renamed` leads from plans that Heroku has replaced to those that are
    had instead. `greeting` is said of a new one.
    """

    name: str
    title: str
    stem: str
    first: str
    further: str
    plans: tuple[Plan, ...]
    suffixes: tuple[str, ...] = ("_URL",)
    renamed: Mapping[str, str] = field(default_factory=dict)
    multiple: bool = True
    sharing: bool = True
    greeting: str = ""

    @property
    def default(self) -> Plan:
        return next(plan for plan in self.plans if plan.default)

    def plan(self, name: str) -> Plan | None:
        wanted = self.renamed.get(name, name)
        return next((plan for plan in self.plans if plan.name == wanted), None)


def _postgres(name: str, title: str, connections: int, size: int, **more: bool) -> Plan:
    return Plan("heroku-postgresql", name, title, {"connections": connections, "bytes": size}, **more)


def _postgres_tier(tier: str) -> tuple[Plan, ...]:
    # https://devcenter.heroku.com/articles/heroku-postgres-plans
    sizes = {"0": (120, 64), "2": (400, 256), "3": (500, 512), "4": (500, 768), "5": (500, 1024), "6": (500, 1536)}
    sizes |= {"7": (500, 2048), "8": (500, 3072), "9": (500, 4096), "10": (500, 4096)}
    return tuple(
        _postgres(f"{tier}-{number}", f"{tier.title()} {number}", connections, gigabytes * GB)
        for number, (connections, gigabytes) in sizes.items()
    )


def _redis(name: str, title: str, connections: int, memory: int, **more: bool) -> Plan:
    return Plan("heroku-redis", name, title, {"connections": connections, "memory": memory}, **more)


def _redis_premium() -> tuple[Plan, ...]:
    # https://devcenter.heroku.com/articles/heroku-redis#plans
    sizes = {0: (40, 50), 1: (80, 100), 2: (200, 250), 3: (400, 500), 4: (1000, 1024), 5: (1000, 2560)}
    sizes |= {7: (1000, 7168), 8: (1000, 10240), 9: (1000, 25600)}
    return tuple(
        _redis(f"premium-{number}", f"Premium {number}", connections, megabytes * MB)
        for number, (connections, megabytes) in sizes.items()
    )


def _bucketeer(name: str, title: str, gigabytes: int, **more: bool) -> Plan:
    return Plan("bucketeer", name, title, {"bytes": gigabytes * GB}, **more)


def _sentry(name: str, title: str, events: int, per_minute: int, days: int, **more: bool) -> Plan:
    """`events` are kept, none for longer than `days`; `per_minute` are taken. Sentry counts them by the month."""
    limits = {"events": events, "per_minute": per_minute, "days": days, "bytes": events * 20 * 1024 + 64 * MB}
    return Plan("sentry", name, title, limits, **more)


SERVICES = (
    Service(
        "heroku-postgresql",
        "Heroku Postgres",
        stem="postgresql",
        first="DATABASE",
        further="HEROKU_POSTGRESQL",
        plans=(
            _postgres("essential-0", "Essential 0", 20, 1 * GB, default=True),
            _postgres("essential-1", "Essential 1", 20, 10 * GB),
            _postgres("essential-2", "Essential 2", 40, 32 * GB),
            *_postgres_tier("standard"),
            *_postgres_tier("premium"),
            _postgres("mini", "Mini", 20, 1 * GB, visible=False),
            _postgres("basic", "Basic", 20, 10 * GB, visible=False),
            _postgres("hobby-dev", "Hobby Dev", 20, 1 * GB, visible=False),
            _postgres("hobby-basic", "Hobby Basic", 20, 10 * GB, visible=False),
            _postgres("dev", "Dev", 20, 1 * GB, visible=False),
        ),
        greeting="The database is ready and empty. Fill it from another with pg:copy, pg:push or pg:backups:restore.",
    ),
    Service(
        "heroku-redis",
        "Heroku Key-Value Store",
        stem="redis",
        first="REDIS",
        further="HEROKU_REDIS",
        plans=(_redis("mini", "Mini", 20, 25 * MB, default=True), *_redis_premium()),
        # The official CLI talks to plans called hobby without TLS; so these are had under their new name.
        renamed={"hobby-dev": "mini", "hobby": "mini", "test": "mini"},
    ),
    Service(
        "bucketeer",
        "Bucketeer",
        stem="bucketeer",
        first="BUCKETEER",
        further="BUCKETEER",
        plans=(
            _bucketeer("hobbyist", "Hobbyist", 5, default=True),
            _bucketeer("micro", "Micro", 100),
            _bucketeer("small", "Small", 250),
            _bucketeer("medium", "Medium", 500),
            _bucketeer("large", "Large", 1000),
        ),
        suffixes=("_AWS_ACCESS_KEY_ID", "_AWS_SECRET_ACCESS_KEY", "_AWS_REGION", "_AWS_ENDPOINT_URL", "_BUCKET_NAME"),
    ),
    Service(
        "sentry",
        "Sentry",
        stem="sentry",
        first="SENTRY",
        further="SENTRY",
        plans=(
            _sentry("f1", "Developer", 5_000, 1_000, 30, default=True),
            _sentry("developer", "Developer", 5_000, 1_000, 30, visible=False),
            _sentry("team", "Team", 50_000, 10_000, 90),
            _sentry("business", "Business", 100_000, 20_000, 90),
        ),
        suffixes=("_DSN",),
    ),
    Service(
        "scheduler",
        "Heroku Scheduler",
        stem="scheduler",
        first="SCHEDULER",
        further="SCHEDULER",
        plans=(Plan("scheduler", "standard", "Standard", default=True),),
        suffixes=(),
        multiple=False,
        sharing=False,
    ),
)
_BY_NAME = {service.name: service for service in SERVICES}

_SYNONYMS = {
    "database": "heroku-postgresql",
    "db": "heroku-postgresql",
    "pg": "heroku-postgresql",
    "postgres": "heroku-postgresql",
    "postgresql": "heroku-postgresql",
    "heroku-data-for-redis": "heroku-redis",
    "heroku-key-value-store": "heroku-redis",
    "heroku-kv": "heroku-redis",
    "key-value-store": "heroku-redis",
    "redis": "heroku-redis",
    "redistogo": "heroku-redis",
    "rediscloud": "heroku-redis",
    "valkey": "heroku-redis",
    "bucket": "bucketeer",
    "s3": "bucketeer",
    "errors": "sentry",
    "glitchtip": "sentry",
    "cron": "scheduler",
    "heroku-scheduler": "scheduler",
}
"""What people call them, and services of Heroku's marketplace that do the same."""


def service(name: str) -> Service:
    """Raises `NotFound`."""
    found = _BY_NAME.get(name)
    if found is None:
        fix = _meant(_service_like(name)) + "See them: `heroku addons:services`."
        raise NotFound("addon_service", "Couldn't find that add-on service.", fix=fix)
    return found


def plan(name: str) -> Plan:
    """By "heroku-postgresql:essential-0", or by a service alone for its default plan. Raises `Invalid`."""
    of, colon, wanted = name.partition(":")
    found = None
    if of in _BY_NAME:
        found = _BY_NAME[of].plan(wanted) if colon else _BY_NAME[of].default
    if found is None:
        raise Invalid(
            f"Couldn't find either the add-on service or the add-on plan of {name[:100]!r}.",
            fix=_meant(_plan_like(of, wanted)) + f"See the plans that there are: `heroku addons:plans {of}`."
            if of in _BY_NAME
            else _meant(_service_like(of)) + "See the services that there are: `heroku addons:services`.",
        )
    return found


def _service_like(name: str) -> str | None:
    wanted = name.lower()[:_LONGEST]
    near = difflib.get_close_matches(wanted, [*_BY_NAME, *_SYNONYMS], n=1, cutoff=0.8)
    return _SYNONYMS.get(near[0], near[0]) if near else None


def _plan_like(of: str, wanted: str) -> str | None:
    plans = [plan.name for plan in _BY_NAME[of].plans if plan.visible]
    near = difflib.get_close_matches(wanted.lower()[:_LONGEST], plans, n=1)
    return f"{of}:{near[0]}" if near else None


def _meant(name: str | None) -> str:
    return f"Did you mean {name}? " if name else ""
