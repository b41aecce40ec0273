from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from homeport import config, releases
from homeport.dynos import one_offs
from homeport.errors import Conflict, Invalid
from homeport.state import App, Database, Dyno
from tests.unit.dynos.dyno_records import AT, deploy, new_app


def test_a_one_off_runs_in_the_current_release_under_a_random_name(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        release = deploy(session, app, web="s", task="python task.py")
        made = one_offs.create(session, app.id, one_offs.wish("task --all", {"A": 1, "B": ""}), secret=None, now=AT)
        assert re.fullmatch(r"run\.[1-9]\d{3}", made.name)
        assert (made.type, made.command, made.release_id) == ("run", "python task.py --all", release.id)
        assert made.attach_digest is None
        assert made.environment is not None
        assert config.vault(session).open(made.environment) == {"A": "1"}
        assert b'"A"' not in made.environment, "it is sealed"


def test_only_the_digest_of_the_secret_is_kept_and_it_opens_once(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        secret = one_offs.new_secret()
        assert re.fullmatch(r"rendezvous-[A-Za-z0-9_-]{32}", secret)
        assert len(secret) == one_offs.SECRET_LENGTH
        made = one_offs.create(session, app.id, one_offs.wish("bash", {}, attach=True), secret=secret, now=AT)
        row = session.execute(select(Dyno.__table__)).one()
        assert secret not in repr(row)
        assert one_offs.find_unclaimed(session, one_offs.new_secret()) is None
        found = one_offs.find_unclaimed(session, secret)
        assert found is not None
        assert found.id == made.id
        assert one_offs.claim(session, made.id, secret) is not None
        assert one_offs.find_unclaimed(session, secret) is None
        assert one_offs.claim(session, made.id, secret) is None


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("", {}),
        ("  ", {}),
        ("a\0b", {}),
        ("bash", {"size": "gigantic"}),
        ("bash", {"type": "release"}),
        ("bash", {"type": "a.b"}),
        ("bash", {"type": "../x"}),
        ("bash", {"env": {"A=B": "1"}}),
        ("bash", {"env": {"PORT": "1"}}),
        ("bash", {"env": {"A": "\0"}}),
    ],
)
def test_what_cannot_be_run(database: Database, command: str, changes: dict[str, object]) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        with pytest.raises(Invalid):
            _create(session, app, command, **changes)
        assert session.scalar(select(func.count()).select_from(Dyno)) == 0


def _create(session: Session, app: App, command: str, *, env: object = None, **changes: object) -> None:
    wish = one_offs.wish(command, env or {}, **changes)  # type: ignore[arg-type]
    one_offs.create(session, app.id, wish, secret=None, now=AT)


def test_before_the_first_deploy_there_is_nothing_to_run(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        with pytest.raises(Invalid) as caught:
            one_offs.create(session, app.id, one_offs.wish("bash", {}), secret=None, now=AT)
        assert caught.value.id == "no_code"


def test_names_are_unique_and_their_number_is_bounded(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        wish = one_offs.wish("sleep 1", {}, type="job")
        names = {one_offs.create(session, app.id, wish, secret=None, now=AT).name for _ in range(one_offs.LIMIT)}
        assert len(names) == one_offs.LIMIT
        assert all(name.startswith("job.") for name in names)
        with pytest.raises(Conflict) as caught:
            one_offs.create(session, app.id, wish, secret=None, now=AT)
        assert caught.value.id == "too_many_one_offs"


def test_the_release_phase_runs_in_the_pending_release(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        pending = deploy(session, app, pending=True, web="s", release="migrate")
        made = one_offs.create_release_phase(session, pending.id, "an-id", now=AT)
        assert made is not None
        assert (made.id, made.type, made.command, made.release_id) == ("an-id", "release", "migrate", pending.id)
        assert re.fullmatch(r"release\.[1-9]\d{3}", made.name)
        assert releases.current(session, app).id != pending.id
        without = deploy(session, app, pending=True, web="s")
        assert one_offs.create_release_phase(session, without.id, "b", now=AT) is None
