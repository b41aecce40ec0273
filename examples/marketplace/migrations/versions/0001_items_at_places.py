"""items at places"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography

revision = "0001"
down_revision = None


def upgrade():
    # Before the first table that has a place. Needs no superuser on Heroku nor on Homeport.
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(40), nullable=False, unique=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("slug", sa.String(40), nullable=False, unique=True),
        sa.Column("name", sa.String(60), nullable=False),
    )
    op.create_table(
        "items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("seller_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False, index=True),
        sa.Column("category_id", sa.Integer(), sa.ForeignKey("categories.id"), nullable=False, index=True),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("place_name", sa.String(80), nullable=False),
        sa.Column("place", Geography("POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("picture", sa.String(40)),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), index=True),
        sa.CheckConstraint("price_cents >= 0", name="items_price"),
    )
    op.create_index("items_place", "items", ["place"], postgresql_using="gist")


def downgrade():
    for table in ("items", "categories", "accounts"):
        op.drop_table(table)
    # The extension stays: other tables may use it.
