"""how many different words"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    # A column that may not be empty needs a value for the rows that are there. Only the default makes this work on a
    # table with rows; it is taken away again because the model does not have it.
    with op.batch_alter_table("counts") as counts:
        counts.add_column(sa.Column("distinct_words", sa.Integer(), nullable=False, server_default="0"))
    counts = sa.table("counts", sa.column("id"), sa.column("words", sa.JSON()), sa.column("distinct_words"))
    connection = op.get_bind()
    for id, words in connection.execute(sa.select(counts.c.id, counts.c.words)).all():
        # At least as many as were kept.
        connection.execute(counts.update().where(counts.c.id == id).values(distinct_words=len(words)))
    with op.batch_alter_table("counts") as counts:
        counts.alter_column("distinct_words", existing_type=sa.Integer(), server_default=None)


def downgrade():
    with op.batch_alter_table("counts") as counts:
        counts.drop_column("distinct_words")
