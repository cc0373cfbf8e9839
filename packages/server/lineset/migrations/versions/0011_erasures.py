"""erasures of all that somebody has; what is being erased is hidden before its bytes are gone"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("grace_until", _TIME, nullable=False),
        sa.Column("hidden_at", _TIME, nullable=True),
        sa.Column("scope", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("steps", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("failure", sa.String(), server_default="", nullable=False),
        sa.Column("certificate", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.CheckConstraint("kind IN ('account', 'household', 'site', 'machine', 'device', 'item')", name=op.f("ck_erasures_kind")),
        sa.CheckConstraint("state IN ('waiting', 'erasing', 'held', 'done', 'cancelled')", name=op.f("ck_erasures_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    open_ = sa.text("state IN ('waiting', 'erasing', 'held')")
    op.create_index("uq_erasures_open", "erasures", ["kind", "target_id"], unique=True, postgresql_where=open_)
    op.create_index("ix_erasures_asked_by", "erasures", ["asked_by"])
    op.create_index("ix_erasures_household_id", "erasures", ["household_id"])
    op.create_index(op.f("ix_erasures_grace_until"), "erasures", ["grace_until"])
    for table in ("sites", "equipment", "tenures"):
        op.add_column(table, sa.Column("erased_at", _TIME, nullable=True))
