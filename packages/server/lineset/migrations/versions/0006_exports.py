"""downloads of measurements, and the parts from which they are made"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("equipment_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("code", sa.String(), server_default="", nullable=False),
        sa.Column("machines", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("parts_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_expected", sa.BigInteger(), nullable=False),
        sa.Column("bytes_expected", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("detail IN ('raw', 'hour', 'day')", name=op.f("ck_exports_detail")),
        sa.CheckConstraint("format IN ('csv', 'parquet')", name=op.f("ck_exports_format")),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'ready', 'cancelled', 'failed', 'ended', 'expired')", name=op.f("ck_exports_state")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_exports_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_index(op.f("ix_exports_person_id"), "exports", ["person_id"], unique=False)
    op.create_index(op.f("ix_exports_asked_at"), "exports", ["asked_at"], unique=False)
    op.create_table(
        "export_parts",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("equipment_id", sa.Uuid(), nullable=False),
        sa.Column("series", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("points", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["export_id"], ["exports.id"], name=op.f("fk_export_parts_export_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_export_parts_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_export_parts")),
    )
    op.create_index(op.f("ix_export_parts_person_id"), "export_parts", ["person_id"], unique=False)
    op.create_index("ix_export_parts_series", "export_parts", ["series"], unique=False, postgresql_using="gin")
