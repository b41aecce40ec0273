"""Apps that sleep: which ones, after how long, and what wakes them. Verbs over a session.

As on Heroku, an app whose web dynos are Eco (or Free) sleeps when nobody has asked it for anything for 30 minutes: its
web dynos, and its Eco workers with them. The next request wakes it, and so does a new release, a restart or a change
of its formation. One-off dynos neither sleep nor wake anybody.
https://devcenter.heroku.com/articles/eco-dyno-hours#dyno-sleeping
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from homeport import releases
from homeport.dynos import rows, sizes
from homeport.dynos.states import State
from homeport.state import App, Dyno, Formation, touch

SLEEP_AFTER = "HOMEPORT_SLEEP_AFTER"
"""A config var: minutes without a request, a fraction if need be."""

USUALLY = timedelta(minutes=30)
_LONGEST = 365 * 24 * 60.0  # minutes


@dataclass(frozen=True)
class Idler:
    """An app that would sleep. `since`: when its web dynos were last seen to come up."""

    app_id: str
    since: datetime
    patience: timedelta


def patience(variables: dict[str, str]) -> timedelta:
    """How long an app with these config vars stays awake for nobody. What is no time there counts as not set."""
    try:
        minutes = float(variables.get(SLEEP_AFTER, ""))
    except ValueError:
        return USUALLY
    if not math.isfinite(minutes) or minutes <= 0:
        return USUALLY
    return timedelta(minutes=min(minutes, _LONGEST))


def idlers(session: Session) -> list[Idler]:
    """The apps that are awake, whose web dynos are all up and of a size that sleeps."""
    found = []
    for app, web in session.execute(_may_sleep().order_by(App.id)):
        since = _all_up_since(session, app, web)
        if since is not None and app.current_release is not None:
            found.append(Idler(app.id, since, patience(releases.variables(session, app.current_release))))
    return found


def fall_asleep(session: Session, app_id: str) -> bool:
    """Let an app sleep, if it still may."""
    row = session.execute(_may_sleep().where(App.id == app_id)).first()
    if row is None or _all_up_since(session, *row) is None:
        return False
    app, _ = row
    app.asleep_release_id = app.current_release_id
    touch(session, app.id)
    return True


def rouse(session: Session, app: App) -> None:
    """Wake an app, if it sleeps."""
    app.asleep_release_id = None
    touch(session, app.id)


def _may_sleep() -> Select[App, Formation]:
    """Apps whose web dynos are of a size that sleeps, and what they should have of them."""
    sleepy = [size.name for size in sizes.every() if size.sleeps]
    wanted = and_(Formation.type == "web", Formation.size.in_(sleepy), Formation.quantity > 0)
    return select(App, Formation).join(Formation, Formation.app_id == App.id).where(wanted)


def _all_up_since(session: Session, app: App, web: Formation) -> datetime | None:
    """None while the app is asleep, or not up with all its web dynos."""
    if app.asleep:
        return None
    dynos = session.scalars(select(Dyno).where(Dyno.app_id == app.id, Dyno.type == "web")).all()
    dynos = [dyno for dyno in dynos if not rows.is_one_off(dyno)]
    settled = all(
        dyno.state == State.UP.value and dyno.release_id == app.current_release_id and dyno.size == web.size
        for dyno in dynos
    )
    return max(dyno.updated_at for dyno in dynos) if settled and len(dynos) == web.quantity else None
