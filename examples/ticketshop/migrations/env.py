"""Alembic's way to the database: the app's own connection, its own models."""

import logging

from alembic import context

from ticketshop.extensions import db

logging.basicConfig(format="%(message)s")
logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)  # says what was done


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
