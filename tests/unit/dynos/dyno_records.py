"""Apps, releases and dynos as records, for tests that need no machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from homeport import accounts, apps, dynos, releases, slugs
from homeport.dynos.states import State
from homeport.state import App, Dyno, Release

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(seconds=35)


def new_app(session: Session, name: str = "demo") -> App:
    user = accounts.create_user(session, f"{name}@example.com")
    app = apps.create(session, owner=user, name=name)
    releases.start(session, app, user)
    return app


def deploy(session: Session, app: App, *, pending: bool = False, **process_types: str) -> Release:
    app = apps.find(session, app.id)
    slug = slugs.record(
        session,
        app,
        code="code",
        layers=[],
        profile={},
        process_types=process_types,
        commit=None,
        buildpack="Python",
        size=1,
    )
    release = releases.create(session, app, by=app.owner, description="Deploy", slug=slug, pending=pending)
    if not pending:
        dynos.align_formation(session, app, slug)
    return release


def dyno(
    session: Session, app: App, name: str, state: State = State.UP, *, release: Release | None = None, age: float = 0
) -> Dyno:
    """A dyno that was decided on `age` seconds before `AT`."""
    type_ = name.partition(".")[0]
    row = Dyno(
        app_id=app.id,
        release_id=(release or releases.current(session, app)).id,
        type=type_,
        name=name,
        command=f"run {type_}",
        state=state.value,
        created_at=AT - timedelta(seconds=age),
        updated_at=AT - timedelta(seconds=age),
    )
    if type_ == "web" and state is State.UP:
        row.host, row.port = "127.0.0.1", 20000
    session.add(row)
    session.flush()
    return row


def states(session: Session, app: App) -> list[str]:
    """All rows, oldest first."""
    session.flush()
    rows = session.query(Dyno).where(Dyno.app_id == app.id).order_by(Dyno.created_at, Dyno.id)
    return [f"{row.name} {row.state}" for row in rows]
