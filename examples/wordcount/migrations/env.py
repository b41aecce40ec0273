"""Alembic's way to the database: the app's own connection, its own models. `flask db init` makes a longer one."""

import logging

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext

from wordcount import models  # noqa: F401 - so that the tables are known
from wordcount.extensions import db

logging.basicConfig(format="%(message)s")
logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)  # the push shows what the release phase did
logging.getLogger("alembic.autogenerate").setLevel(logging.INFO)  # so `db migrate` says what it found


def leave_out_the_empty(_context: MigrationContext, _revision: object, scripts: list[MigrationScript]) -> None:
    """No file from `flask db migrate` when nothing has changed."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and scripts[0].upgrade_ops.is_empty():
        scripts.clear()
        logging.getLogger("alembic.autogenerate").info("The tables are what the models say: nothing to change.")


def run() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            process_revision_directives=leave_out_the_empty,
            render_as_batch=connection.dialect.name == "sqlite",  # SQLite can change few things about a table
        )
        with context.begin_transaction():
            context.run_migrations()


run()
