"""equal troubles as one line, addresses of gateways, reports of the pages"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("gateway_events", sa.Column("last_at", sa.DateTime(timezone=True), nullable=True))
    # the owner of the tables is bound by forced row-level security too, unless it lifts that
    op.execute("ALTER TABLE gateway_events NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE gateway_events SET last_at = at")
    op.execute("ALTER TABLE gateway_events FORCE ROW LEVEL SECURITY")
    op.alter_column("gateway_events", "last_at", nullable=False)
    op.add_column("gateway_events", sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("gateway_events", sa.Column("fingerprint", sa.String(), nullable=True))
    op.add_column("gateway_events", sa.Column("title", sa.String(), server_default="", nullable=False))
    op.add_column("gateway_events", sa.Column("version", sa.String(), nullable=True))
    op.create_index(op.f("ix_gateway_events_last_at"), "gateway_events", ["last_at"], unique=False)
    op.create_index("ix_gateway_events_fingerprint", "gateway_events", ["gateway_id", "fingerprint", "at"], unique=False)
    op.create_table(
        "gateway_connections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("way IN ('certificate', 'token', 'http', 'enrolment')", name=op.f("ck_gateway_connections_way")),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_gateway_connections_gateway_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_gateway_connections_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_connections")),
    )
    op.create_index("ix_gateway_connections_gateway_id", "gateway_connections", ["gateway_id", "last_at"], unique=False)
    op.create_index(op.f("ix_gateway_connections_household_id"), "gateway_connections", ["household_id"], unique=False)
    op.create_index(op.f("ix_gateway_connections_last_at"), "gateway_connections", ["last_at"], unique=False)
    op.create_table(
        "app_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("frames", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.CheckConstraint("kind IN ('opened', 'error', 'rejection', 'too_many')", name=op.f("ck_app_events_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_app_events_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_events")),
        sa.UniqueConstraint("person_id", "day", "fingerprint", "version", "browser", name="uq_app_events_line"),
    )
    op.create_index(op.f("ix_app_events_last_at"), "app_events", ["last_at"], unique=False)
    op.create_index(op.f("ix_app_events_person_id"), "app_events", ["person_id"], unique=False)
