"""Alembic's way to the database: the app's own connection, its own models. `flask db init` makes a longer one."""

import logging

from alembic import context

from wordcount import models  # noqa: F401 - so that the tables are known
from wordcount.extensions import db

logging.basicConfig(format="%(message)s")
logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)  # the push shows what the release phase did


def run() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=connection.dialect.name == "sqlite",  # SQLite can change few things about a table
        )
        with context.begin_transaction():
            context.run_migrations()


run()
