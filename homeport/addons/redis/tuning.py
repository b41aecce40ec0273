"""What the owner of an add-on may set: `redis:maxmemory`, `redis:timeout`, `redis:keyspace-notifications`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from homeport.errors import Invalid

POLICIES = {
    "noeviction": "return errors when memory limit is reached",
    "allkeys-lru": "removes less recently used keys first",
    "volatile-lru": "removes less recently used keys first that have an expiry set",
    "allkeys-random": "evicts random keys",
    "volatile-random": "evicts random keys but only those that have an expiry set",
    "volatile-ttl": "only evicts keys with an expiry set and a short TTL",
    "allkeys-lfu": "removes less frequently used keys first",
    "volatile-lfu": "removes less frequently used keys first that have an expiry set",
}
"""What happens when the memory is full, as the official CLI describes it."""

OPTIONS = ("maxmemory_policy", "timeout", "notify_keyspace_events")
"""What of it can be said at creation: `addons:create heroku-redis -- --timeout 60`."""
EVENTS = "KEg$lshzxetdmnA"
MAX_TIMEOUT = 2**31 - 1


@dataclass(frozen=True)
class Tuning:
    """The defaults are Heroku's: https://devcenter.heroku.com/articles/heroku-redis#configuring-your-instance

    `timeout` closes connections that say nothing for that many seconds, 0 none; `events` are those that are published,
    in the letters of https://redis.io/docs/latest/develop/use/keyspace-notifications/.
    """

    policy: str = "noeviction"
    timeout: int = 300
    events: str = ""

    @classmethod
    def of(cls, secret: Mapping[str, str]) -> Tuning:
        """As it was remembered."""
        usual = cls()
        return cls(
            policy=secret.get("policy", usual.policy),
            timeout=int(secret.get("timeout", usual.timeout)),
            events=secret.get("events", usual.events),
        )

    @classmethod
    def asked(cls, options: Mapping[str, str]) -> Tuning:
        """As somebody wants a new one. Raises `Invalid`."""
        usual = cls()
        timeout = options.get("timeout", str(usual.timeout))
        return cls(
            policy=options.get("maxmemory_policy", usual.policy),
            timeout=int(timeout) if timeout.isascii() and timeout.isdigit() and len(timeout) < 18 else -1,
            events=options.get("notify_keyspace_events", usual.events),
        ).check()

    def remembered(self) -> dict[str, str]:
        return {"policy": self.policy, "timeout": str(self.timeout), "events": self.events}

    def check(self) -> Tuning:
        """Itself, if a server can be told so. Raises `Invalid`."""
        if self.policy not in POLICIES:
            raise Invalid(f"There is no policy {self.policy[:50]!r}.", fix=f"Choose one of {', '.join(POLICIES)}.")
        if not 0 <= self.timeout <= MAX_TIMEOUT:
            raise Invalid("The timeout is a number of seconds, or 0 for none.", fix=f"At most {MAX_TIMEOUT}.")
        if unknown := sorted(set(self.events) - set(EVENTS)):
            raise Invalid(
                f"There are no keyspace events {unknown[0]!r}.",
                fix=f"Choose from {EVENTS}, with K or E among them; nothing for no notifications.",
            )
        if self.events and not set(self.events) & {"K", "E"}:
            raise Invalid(
                "Without K or E no keyspace event is ever published.",
                why="K publishes by key, E by event.",
                fix=f"Add one of them: K{self.events}.",
            )
        return self
