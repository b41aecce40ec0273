"""accounts, events, orders"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def moment(name, **options):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, **options)


def upgrade():
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("email", sa.String(254), nullable=False, unique=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("balance_cents", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("is_admin", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="0"),
        moment("created_at", server_default=sa.func.now()),
        sa.CheckConstraint("balance_cents >= 0", name="accounts_never_overspend"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("venue", sa.String(120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        moment("starts_at", index=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("sold", sa.Integer(), nullable=False, server_default="0"),
        sa.CheckConstraint("sold >= 0 AND sold <= capacity", name="events_never_oversell"),
        sa.CheckConstraint("price_cents >= 0", name="events_price"),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("event_id", sa.Integer(), sa.ForeignKey("events.id"), nullable=False, index=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        moment("created_at", server_default=sa.func.now()),
        sa.UniqueConstraint("account_id", "key", name="orders_once_per_key"),
        sa.CheckConstraint("quantity > 0", name="orders_quantity"),
    )
    op.create_table(
        "tickets",
        sa.Column("event_id", sa.Integer(), sa.ForeignKey("events.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("order_id", sa.Integer(), sa.ForeignKey("orders.id"), nullable=False, index=True),
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(200), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        moment("created_at", server_default=sa.func.now()),
        sa.UniqueConstraint("account_id", "key", name="entries_once_per_key"),
    )


def downgrade():
    for table in ("entries", "tickets", "orders", "events", "accounts"):
        op.drop_table(table)
