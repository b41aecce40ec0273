"""Alembic's way to the database: the app's own connection, its own models, and PostGIS's column types."""

import logging

from alembic import context
from geoalchemy2 import alembic_helpers

from market.extensions import db

logging.basicConfig(format="%(message)s")
logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)  # says what was done


def run() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_object=alembic_helpers.include_object,
            process_revision_directives=alembic_helpers.writer,
            render_item=alembic_helpers.render_item,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
