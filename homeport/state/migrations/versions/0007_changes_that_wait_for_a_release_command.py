"""changes that wait for a release command"""

import sqlalchemy as sa
from alembic import op

from homeport.state.models import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "release_changes",
        sa.Column("release_id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("config", sa.LargeBinary(), nullable=True),
        sa.Column("removed", sa.JSON(), nullable=False),
        sa.Column("source_id", sa.String(length=36), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["source_id"], ["releases.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("release_id"),
    )
    with op.batch_alter_table("release_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_release_changes_app_id"), ["app_id"], unique=False)
