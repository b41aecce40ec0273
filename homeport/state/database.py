"""The database and the one thread that talks to it.

Verbs are plain functions over a session; `Database.run` calls them in one transaction. Serialising them on one thread
makes "read, decide, write" atomic in this process on every backend, and keeps slow disks out of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from homeport.errors import HomeportError
from homeport.state.models import Base

P = ParamSpec("P")
T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """One open database. SQLite in WAL mode by default, PostgreSQL by URL."""

    def __init__(self, engine: Engine, *, vault: bytes, on_touch: Callable[[str], None] | None = None) -> None:
        self._engine = engine
        self._vault = vault
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self.on_touch = on_touch

    @classmethod
    def open(cls, url: str, *, vault: bytes, on_touch: Callable[[str], None] | None = None) -> Database:
        """Connect and bring the tables up to date. `vault` is the 32-byte key of the config vars.

        Raises `HomeportError`: `database_newer` (written by a later Homeport), `database_unusable`.
        """
        engine = _connect(url)
        try:
            migrate(engine)
        except DatabaseError as error:
            engine.dispose()
            raise HomeportError(
                "database_unusable",
                f"Homeport's database cannot be opened: {error.orig}.",
                why="Without it nothing is known about apps, releases and config vars.",
                fix="Restore the file from a backup, or start with an empty $HOMEPORT_HOME.",
            ) from error
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, vault=vault, on_touch=on_touch)

    async def run(self, verb: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`verb(session, …)` in one transaction on the database thread; its rows come back loaded."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: self._transact(verb, *args, **kwargs))

    def _transact(self, verb: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        with self.session() as session:
            return verb(session, *args, **kwargs)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back by an exception."""
        with Session(self._engine, expire_on_commit=False) as session:
            session.info["vault"] = self._vault
            touched: set[str] = session.info.setdefault("touched", set())
            with session.begin():
                yield session
        if self.on_touch is not None:
            for app_id in touched:
                self.on_touch(app_id)

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._engine.dispose()


def touch(session: Session, app_id: str) -> None:
    """What should run for this app may have changed: wake its loops once the transaction is committed."""
    session.info.setdefault("touched", set()).add(app_id)


def _connect(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    # No value of a statement ever reaches a log: it may be a secret.
    arguments = {"check_same_thread": False, "timeout": 10}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True)

    # The driver's own transaction handling begins transactions late, at the first write: two readers that both
    # become writers then fail. So the driver is told to keep out, and every transaction is IMMEDIATE.
    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable
    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def revision() -> str:
    """The newest migration this Homeport knows. File names begin with their revision, so they sort."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def migrate(engine: Engine) -> None:
    """Bring the tables to this version's schema; does nothing, quickly, when they are there already."""
    with engine.connect() as connection:
        present = None
        if engine.dialect.has_table(connection, "alembic_version"):
            present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if present == revision():
        return
    if present is not None and present > revision():
        raise HomeportError(
            "database_newer",
            f"The database was written by a newer Homeport (its schema is {present}, this one knows {revision()}).",
            why="An older program could damage what it does not understand.",
            fix="Start the newer Homeport again, or restore the backup that was made before the upgrade.",
        )
    # Imported here because it takes longer than everything else and is needed only after an upgrade.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


__all__ = ["Base", "Database", "migrate", "revision", "touch"]
