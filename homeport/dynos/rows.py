"""Dynos in the database: what a plan is made from, and the marks that its actions leave. Verbs over a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from homeport import apps, config, releases
from homeport.dynos import backoff, formations
from homeport.dynos.environment import Code, Launch, Metadata
from homeport.dynos.probe import Health
from homeport.dynos.situation import Generation, Row, Setback, Slot, Wanted
from homeport.dynos.states import State, change
from homeport.engine import Address
from homeport.state import App, Crash, Dyno, Release

ONE_OFF_NUMBERS = range(1000, 10_000)
"""One-off dynos are told from the formation's by their numbers, which those never reach: run.1234."""

HEALTH_PATH = "HOMEPORT_HEALTH_PATH"
METADATA_FEATURE = "runtime-dyno-metadata"


Hostname = Callable[[str], str]
"""From an app's name to the host name that the router knows it by."""


@dataclass(frozen=True)
class Situation:
    """All that the database knows about one app's dynos."""

    wanted: Wanted
    rows: tuple[Row, ...]
    setbacks: dict[str, Setback]


def number(dyno: Dyno) -> int:
    """The N of web.N."""
    return int(dyno.name.rpartition(".")[2])


def is_one_off(dyno: Dyno) -> bool:
    return number(dyno) in ONE_OFF_NUMBERS


def read(session: Session, app_id: str, candidate_id: str | None = None) -> Situation | None:
    """None if there is no such app. `candidate_id` counts only while that release is pending."""
    app = session.get(App, app_id)
    if app is None:
        return None
    candidate = session.get(Release, candidate_id) if candidate_id is not None else None
    pending = candidate is not None and candidate.status == "pending"
    dynos = session.scalars(select(Dyno).where(Dyno.app_id == app_id).order_by(Dyno.created_at, Dyno.id))
    crashes = session.scalars(select(Crash).where(Crash.app_id == app_id))
    return Situation(
        wanted=Wanted(
            current=generation(session, app, app.current_release) if app.current_release is not None else None,
            candidate=generation(session, app, candidate, only="web") if candidate is not None and pending else None,
            asleep=app.asleep,
        ),
        rows=tuple(_row(dyno) for dyno in dynos),
        setbacks={crash.slot: Setback(crash.count, crash.retry_at) for crash in crashes},
    )


def generation(session: Session, app: App, release: Release, *, only: str | None = None) -> Generation:
    """The slots that this release should fill, as the formation stands."""
    types = release.slug.process_types if release.slug is not None else {}
    scales = formations.align(formations.scales(session, app), types)
    return Generation(
        release.id,
        tuple(
            Slot(type=name, number=n, size=scale.size, command=types[name])
            for name, scale in scales.items()
            if name != "release" and only in (None, name)
            for n in range(1, scale.quantity + 1)
        ),
    )


def _row(dyno: Dyno) -> Row:
    return Row(
        id=dyno.id,
        name=dyno.name,
        type=dyno.type,
        release_id=dyno.release_id,
        size=dyno.size,
        state=State(dyno.state),
        created_at=dyno.created_at,
        changed_at=dyno.updated_at,
        one_off=is_one_off(dyno),
        on_trial=dyno.release.status != "succeeded",
        attached=dyno.attached,
        unclaimed=dyno.attached and dyno.attach_digest is not None,
    )


def launch(session: Session, dyno_id: str, hostname: Hostname) -> Launch | None:
    """What this dyno is to be started with; None if it was forgotten meanwhile."""
    dyno = session.get(Dyno, dyno_id)
    if dyno is None or dyno.release.slug is None:
        return None
    app, release, slug = session.get_one(App, dyno.app_id), dyno.release, dyno.release.slug
    told = any(
        feature.enabled for feature in apps.features(session, app) if feature.definition.name == METADATA_FEATURE
    )
    return Launch(
        id=dyno.id,
        name=dyno.name,
        type="run" if is_one_off(dyno) else dyno.type,
        command=dyno.command,
        size=dyno.size,
        code=Code(slug.code, tuple(slug.layers), slug.profile, slug.process_types, slug.commit),
        config=releases.variables(session, release),
        extra=config.vault(session).open(dyno.environment) if dyno.environment is not None else {},
        metadata=_metadata(app, release, hostname(app.name)) if told else None,
        attached=dyno.attached,
        force_no_tty=dyno.force_no_tty,
    )


def _metadata(app: App, release: Release, domain_name: str) -> Metadata:
    return Metadata(
        app_id=app.id,
        app_name=app.name,
        domain_name=domain_name,
        release_version=release.version,
        release_created_at=release.created_at,
        description=release.description,
        commit=release.slug.commit if release.slug is not None else None,
    )


def health(session: Session, dyno_id: str, hostname: Hostname) -> Health | None:
    """The health path that the dyno's release configures, if it does."""
    dyno = session.get(Dyno, dyno_id)
    if dyno is None:
        return None
    path = releases.variables(session, dyno.release).get(HEALTH_PATH)
    app = session.get_one(App, dyno.app_id)
    return Health.of(path, hostname(app.name)) if path else None


def create(
    session: Session, app_id: str, release_id: str, slot: Slot, *, now: datetime, state: State = State.STARTING
) -> Dyno | None:
    """Decide on a dyno for this slot; None if the app or the release is gone."""
    if session.get(App, app_id) is None or session.get(Release, release_id) is None:
        return None
    dyno = Dyno(
        app_id=app_id,
        release_id=release_id,
        type=slot.type,
        name=slot.name,
        size=slot.size,
        command=slot.command,
        state=state.value,
        created_at=now,
        updated_at=now,
    )
    session.add(dyno)
    session.flush()
    return dyno


def _mark(session: Session, dyno_id: str, state: State, now: datetime) -> Dyno | None:
    """None if the row is gone, or if somebody has told the dyno to go since the plan was made: that stands."""
    dyno = session.get(Dyno, dyno_id)
    if dyno is None or dyno.state == State.DOWN.value:
        return None
    dyno.state = change(State(dyno.state), state).value
    dyno.updated_at = now
    return dyno


def mark_up(session: Session, dyno_id: str, address: Address | None, *, now: datetime) -> Dyno | None:
    dyno = _mark(session, dyno_id, State.UP, now)
    if dyno is not None and address is not None:
        dyno.host, dyno.port = address.host, address.port
    return dyno


def mark_crashed(
    session: Session, dyno_id: str, exit_code: int | None, *, counts: bool, now: datetime
) -> tuple[Dyno, timedelta] | None:
    """The dyno and the delay before its slot's next try."""
    dyno = _mark(session, dyno_id, State.CRASHED, now)
    if dyno is None:
        return None
    dyno.exit_code = exit_code
    if not counts:
        return dyno, timedelta(0)
    crash = session.get(Crash, (dyno.app_id, dyno.name))
    if crash is None:
        crash = Crash(app_id=dyno.app_id, slot=dyno.name, count=0)
        session.add(crash)
    crash.count += 1
    crash.last_at = now
    delay = backoff.delay(crash.count)
    crash.retry_at = now + delay
    return dyno, delay


def mark_idle(session: Session, dyno_id: str, *, now: datetime) -> Dyno | None:
    """None also if somebody has woken the app meanwhile."""
    dyno = session.get(Dyno, dyno_id)
    if dyno is None or not session.get_one(App, dyno.app_id).asleep:
        return None
    return _mark(session, dyno_id, State.IDLE, now)


def mark_down(session: Session, dyno_id: str, *, now: datetime, stop_by: datetime) -> Dyno | None:
    dyno = _mark(session, dyno_id, State.DOWN, now)
    if dyno is not None:
        dyno.stop_by = stop_by
    return dyno


def find(session: Session, dyno_id: str) -> Dyno | None:
    return session.get(Dyno, dyno_id)


def remove(session: Session, dyno_ids: Iterable[str]) -> None:
    for dyno_id in dyno_ids:
        dyno = session.get(Dyno, dyno_id)
        if dyno is not None:
            session.delete(dyno)


def booting(session: Session) -> set[str]:
    """The web dynos of all apps that were started and never took requests, those of a rollout that was given up too."""
    on_trial = (Dyno.state == State.DOWN.value) & (Release.status != "succeeded")
    never_served = (Dyno.state == State.STARTING.value) | on_trial
    found = select(Dyno.id).join(Release, Release.id == Dyno.release_id).where(Dyno.type == "web", never_served)
    return set(session.scalars(found))


def remove_all(session: Session) -> None:
    """Of all apps: no dyno runs any more."""
    session.execute(delete(Dyno))


def forget_crashes(session: Session, app_id: str, slot: str) -> None:
    crash = session.get(Crash, (app_id, slot))
    if crash is not None:
        session.delete(crash)


def names(session: Session) -> dict[str, tuple[str, str]]:
    """Every dyno's app and name, by id."""
    rows = session.execute(select(Dyno.id, Dyno.app_id, Dyno.name))
    return {dyno_id: (app_id, name) for dyno_id, app_id, name in rows}
