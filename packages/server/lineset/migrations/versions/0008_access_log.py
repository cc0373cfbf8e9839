"""the access log with its chain, and staff's accesses for a stated reason"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("window_start", _TIME, nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("thing", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("subject_salt", sa.LargeBinary(), nullable=True),
        sa.Column("subject_digest", sa.LargeBinary(), nullable=True),
        sa.Column("actor_salt", sa.LargeBinary(), nullable=True),
        sa.Column("actor_digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
        sa.UniqueConstraint("seq", name=op.f("uq_access_log_seq")),
    )
    window = ["actor_id", "window_start", "purpose", "action", "household_id", "thing"]
    op.create_index("uq_access_log_window", "access_log", window, unique=True)
    op.create_index("ix_access_log_household_id_at", "access_log", ["household_id", "at"])
    op.create_index("ix_access_log_at", "access_log", ["at"])
    op.create_index("ix_access_log_unsealed", "access_log", ["at"], postgresql_where=sa.text("seq IS NULL"))
    op.create_table(
        "audit_leaves",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_leaves")),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "staff_accesses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), server_default="", nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.CheckConstraint("role IN ('support', 'security', 'privacy_officer')", name=op.f("ck_staff_accesses_role")),
        sa.CheckConstraint("ends_at > starts_at AND ends_at <= starts_at + interval '60 minutes'", name=op.f("ck_staff_accesses_span")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_staff_accesses_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_staff_accesses_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_accesses")),
    )
    op.create_index("ix_staff_accesses_person_id", "staff_accesses", ["person_id"])
    op.create_index("ix_staff_accesses_household_id", "staff_accesses", ["household_id"])
