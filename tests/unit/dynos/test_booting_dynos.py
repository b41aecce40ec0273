"""Which dynos get less time to end when the platform goes down: those that never took a request."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import accounts, apps, releases, slugs
from homeport.dynos import rows
from homeport.dynos.states import State
from homeport.state import App, Database, Dyno, Release


def test_web_dynos_that_never_served_are_booting_and_no_others(database: Database) -> None:
    with database.session() as session:
        app = apps.create(session, owner=accounts.create_user(session, "ada@example.com"), name="shop")
        releases.start(session, app, app.owner)
        served, on_trial = _release(session, app, pending=False), _release(session, app, pending=True)
        expected = {
            _dyno(session, served, "web", State.STARTING),
            _dyno(session, on_trial, "web", State.STARTING),
            _dyno(session, on_trial, "web", State.DOWN),  # a rollout that was given up
        }
        for release, kind, state in (
            (served, "web", State.UP),
            (served, "web", State.DOWN),  # requests are under way there
            (on_trial, "web", State.UP),
            (served, "worker", State.STARTING),
            (on_trial, "release", State.STARTING),
            (on_trial, "release", State.DOWN),
        ):
            _dyno(session, release, kind, state)
        assert rows.booting(session) == expected


def _release(session: Session, app: App, *, pending: bool) -> Release:
    slug = slugs.record(
        session, app, code=str(pending), layers=[], profile={}, process_types={"web": "run"}, commit=None,
        buildpack="Python", size=1,
    )  # fmt: skip
    return releases.create(session, app, by=app.owner, description="Deploy", slug=slug, pending=pending)


def _dyno(session: Session, release: Release, type: str, state: State) -> str:
    dyno = Dyno(
        app_id=release.app_id, release_id=release.id, type=type, name=f"{type}.1", command="run", state=state.value
    )
    session.add(dyno)
    session.flush()
    return dyno.id
