"""texts can be counted too"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.batch_alter_table("counts") as counts:
        counts.add_column(sa.Column("text", sa.Text()))
        counts.alter_column("url", existing_type=sa.String(2000), nullable=True)


def downgrade():
    # Before, every count had a page: those of texts can't stay.
    op.execute("DELETE FROM counts WHERE url IS NULL")
    with op.batch_alter_table("counts") as counts:
        counts.alter_column("url", existing_type=sa.String(2000), nullable=False)
        counts.drop_column("text")
