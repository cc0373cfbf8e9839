"""history: closed days, the manifest, late frames, choices of keeping, holds, erasures"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "closings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("closed_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closings")),
    )
    op.create_index(op.f("ix_closings_closed_before"), "closings", ["closed_before"], unique=False)
    op.create_table(
        "late_frames",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("t", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reals", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("totals", postgresql.ARRAY(sa.DOUBLE_PRECISION()), nullable=True),
        sa.PrimaryKeyConstraint("series_id", "t", name=op.f("pk_late_frames")),
    )
    op.create_table(
        "history_files",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=False),
        sa.Column("modulus", sa.Integer(), nullable=False),
        sa.Column("remainder", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tier IN ('raw', 'hour', 'day', 'held')", name=op.f("ck_history_files_tier")),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_history_files")),
    )
    op.create_index("ix_history_files_part", "history_files", ["tier", "period", "keep_days", "modulus", "remainder"], unique=True)
    op.create_table(
        "keeping",
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("raw_days", sa.Integer(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_keeping_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_keeping")),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_holds_household_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["placed_by"], ["people.id"], name=op.f("fk_holds_placed_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_household_id", "holds", ["household_id"], unique=False)
    op.create_table(
        "series_erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("series", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("gateways", postgresql.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series_erasures")),
    )
