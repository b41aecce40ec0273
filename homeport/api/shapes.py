"""What several resources have in common on the wire."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, overload

from homeport.state import App, User

Shape = dict[str, Any]

_NAMES = uuid.UUID("7b0c2b7e-6f0e-5c0b-9a51-0f1a2d6f7c11")


def fixed_id(kind: str, name: str) -> str:
    """The id of something that is no row (a region, a stack, a dyno size): the same on every platform, for ever."""
    return str(uuid.uuid5(_NAMES, f"{kind}:{name}"))


def named(kind: str, name: str) -> Shape:
    return {"id": fixed_id(kind, name), "name": name}


GENERATION = named("generation", "cedar")
"""Always the object: `version=3` has it so and strict decoders (heroku-go) fail on the string of `version=3.sdk`."""

EPOCH = "2026-01-01T00:00:00Z"
"""When things that come with the program were "created"."""


@overload
def stamp(at: datetime) -> str: ...
@overload
def stamp(at: None) -> None: ...


def stamp(at: datetime | None) -> str | None:
    """`2026-01-01T00:00:00Z`, as Heroku writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None


def moment(at: datetime, id: str) -> str:
    """A time to sort by that is unique in its list."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')}~{id}"


def app_ref(app: App) -> Shape:
    return {"id": app.id, "name": app.name}


def user_ref(user: User) -> Shape:
    return {"id": user.id, "email": user.email}
