import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from homeport import accounts, apps
from homeport.config import Vault
from homeport.errors import HomeportError
from homeport.state import App, Base, Database, User, migrate


def test_the_migrations_make_exactly_the_tables_of_the_models(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    engine = create_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HomeportError) as caught:
        Database.open(url, vault=Vault.new_key())
    assert caught.value.id == "database_newer"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_a_file_that_is_no_database_is_said_to_be_unusable(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database at all, just text" * 100)
    with pytest.raises(HomeportError) as caught:
        Database.open(f"sqlite:///{tmp_path / 'state.db'}", vault=Vault.new_key())
    assert caught.value.id == "database_unusable"


def test_a_verb_that_raises_leaves_nothing_behind(database: Database) -> None:
    def half_done(session: Session) -> None:
        accounts.create_user(session, "ada@example.com")
        raise RuntimeError("in the middle")

    async def scenario() -> None:
        with pytest.raises(RuntimeError):
            await database.run(half_done)
        assert await database.run(accounts.first_user) is None

    asyncio.run(scenario())


def test_touched_apps_are_told_after_the_commit_and_only_then(database: Database) -> None:
    told: list[str] = []
    database.on_touch = told.append

    def create(session: Session) -> App:
        app = apps.create(session, owner=accounts.create_user(session, "ada@example.com"), name="shop")
        assert told == []
        return app

    async def scenario() -> App:
        return await database.run(create)

    assert told == []
    assert [asyncio.run(scenario()).id] == told


def test_concurrent_verbs_do_not_lose_each_others_writes(database: Database) -> None:
    def rename(session: Session, user_id: str) -> None:
        user = session.get_one(User, user_id)
        user.name = (user.name or "") + "x"

    async def scenario() -> str | None:
        user = await database.run(accounts.create_user, "ada@example.com")
        await asyncio.gather(*(database.run(rename, user.id) for _ in range(20)))
        return (await database.run(accounts.find_user, user.id)).name

    assert asyncio.run(scenario()) == "x" * 20
