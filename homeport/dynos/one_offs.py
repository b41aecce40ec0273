"""One-off dynos as rows: who may run what, and how a client proves that a dyno is its own.

https://devcenter.heroku.com/articles/one-off-dynos
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import config, releases
from homeport.dynos import formations, rows, sizes
from homeport.dynos.environment import one_off_command
from homeport.errors import Conflict, Invalid
from homeport.state import App, Dyno, Release, touch

SECRET_PREFIX = "rendezvous-"  # noqa: S105 - not a secret
SECRET_LENGTH = len(SECRET_PREFIX) + 32
"""Characters; 24 random bytes, URL-safe."""

LIMIT = 50
"""One-off dynos of one app at a time."""

_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Wish:
    """A command to run once. `env` are its own variables, above the config vars."""

    command: str
    env: Mapping[str, str]
    type: str = "run"
    size: str = sizes.DEFAULT
    attach: bool = False
    force_no_tty: bool = False


def wish(
    command: str,
    env: Mapping[str, object],
    *,
    type: str | None = None,
    size: str | None = None,
    attach: bool = False,
    force_no_tty: bool = False,
) -> Wish:
    """From what an API request holds. Raises `Invalid`.

    The rules of config vars are those of every environment variable of a dyno.
    """
    return Wish(
        command=command,
        env=config.merge({}, env),
        type=type or "run",
        size=sizes.find(size or sizes.DEFAULT).name,
        attach=attach,
        force_no_tty=force_no_tty,
    )


def started(command: str, by: str) -> str:
    """What the log says when somebody has asked for one."""
    return f"Starting process with command `{command}` by user {by}"


def new_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(24)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    session: Session,
    app_id: str,
    wish: Wish,
    *,
    secret: str | None = None,
    now: datetime,
    dyno_id: str | None = None,
) -> Dyno:
    """A one-off dyno of the current release, with an id of the caller's choice if it has made one.

    Raises `Invalid` (`no_code`), and `Conflict` (`too_many_one_offs`).
    """
    app = session.get_one(App, app_id)
    release = releases.current(session, app)
    if release.slug is None:
        raise Invalid(
            "This app has no code to run yet.",
            id="no_code",
            why="A one-off dyno runs in the current release, and no release has a slug.",
            fix="Deploy it first: `git push heroku main`.",
        )
    if not wish.command.strip() or "\x00" in wish.command:
        raise Invalid("There is no command to run.", fix="Name one: `heroku run bash`.")
    if not _TYPE.fullmatch(wish.type) or wish.type == "release":
        raise Invalid(f"{wish.type[:60]!r} can't be the process type of a one-off dyno.", fix="Leave it out.")
    command = one_off_command(wish.command, release.slug.process_types)
    dyno = _add(session, app, release, wish.type, command, wish.size, now, dyno_id)
    dyno.environment = config.vault(session).seal(wish.env)
    dyno.attached, dyno.force_no_tty = wish.attach, wish.force_no_tty
    dyno.attach_digest = digest(secret) if secret is not None else None
    session.flush()
    touch(session, app.id)
    return dyno


def create_release_phase(session: Session, release_id: str, dyno_id: str, *, now: datetime) -> Dyno | None:
    """The dyno of a release's `release` process type; None if it has none."""
    release = session.get_one(Release, release_id)
    command = release.slug.process_types.get("release") if release.slug is not None else None
    if command is None:
        return None
    app = session.get_one(App, release.app_id)
    scale = formations.scales(session, app).get("release", formations.Scale(0))
    dyno = _add(session, app, release, "release", command, scale.size, now, dyno_id)
    touch(session, app.id)
    return dyno


def find_unclaimed(session: Session, secret: str) -> Dyno | None:
    """The dyno whose client has this secret and has not come before."""
    return session.scalar(select(Dyno).where(Dyno.attach_digest == digest(secret)))


def claim(session: Session, dyno_id: str, secret: str) -> Dyno | None:
    """The client is here: its secret opens no second door. None if somebody else was faster."""
    dyno = session.get(Dyno, dyno_id)
    if dyno is None or dyno.attach_digest != digest(secret):
        return None
    dyno.attach_digest = None
    return dyno


def expire(session: Session, dyno_id: str) -> Dyno | None:
    """Nobody came in time, and now nobody may. None if somebody just came."""
    dyno = session.get(Dyno, dyno_id)
    if dyno is None or dyno.attach_digest is None:
        return None
    dyno.attach_digest = None
    return dyno


def _add(
    session: Session,
    app: App,
    release: Release,
    type: str,
    command: str,
    size: str,
    now: datetime,
    dyno_id: str | None = None,
) -> Dyno:
    taken = {
        rows.number(dyno)
        for dyno in session.scalars(select(Dyno).where(Dyno.app_id == app.id))
        if rows.is_one_off(dyno)
    }
    if len(taken) >= LIMIT:
        raise Conflict(
            f"{LIMIT} one-off dynos of this app run already.",
            id="too_many_one_offs",
            fix="Wait for some to end, or end them: `heroku ps`, `heroku ps:stop run.1234`.",
        )
    number = secrets.choice([n for n in rows.ONE_OFF_NUMBERS if n not in taken])
    dyno = Dyno(
        app_id=app.id,
        release_id=release.id,
        type=type,
        name=f"{type}.{number}",
        size=size,
        command=command,
        created_at=now,
        updated_at=now,
    )
    if dyno_id is not None:
        dyno.id = dyno_id
    dyno.release = release
    session.add(dyno)
    session.flush()
    return dyno
