"""Alembic's entry: migrations run on the connection that `state.migrate` hands over."""

from alembic import context

from homeport.state.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
