"""days of features, what machines have learnt, findings with their steps, and what verdicts taught"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"

_TIME = sa.DateTime(timezone=True)


def _keys(table: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    return (
        sa.ForeignKeyConstraint(["series_id"], ["tenures.series_id"], name=op.f(f"fk_{table}_series_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f(f"fk_{table}_household_id"), ondelete="CASCADE"),
    )


def upgrade() -> None:
    op.create_table(
        "machine_days",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("equipment_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("layout", sa.BigInteger(), nullable=False),
        sa.Column("sums", sa.LargeBinary(), nullable=False),
        sa.Column("through", _TIME, nullable=False),
        *_keys("machine_days"),
        sa.PrimaryKeyConstraint("series_id", "day", name=op.f("pk_machine_days")),
    )
    op.create_index("ix_machine_days_equipment_id", "machine_days", ["equipment_id", "day"])
    op.create_index(op.f("ix_machine_days_household_id"), "machine_days", ["household_id"])
    op.create_table(
        "machine_day_layouts",
        sa.Column("layout", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("names", postgresql.ARRAY(sa.String()), nullable=False),
        sa.PrimaryKeyConstraint("layout", name=op.f("pk_machine_day_layouts")),
    )
    op.create_table(
        "machine_memories",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("equipment_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("through", _TIME, nullable=False),
        *_keys("machine_memories"),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_machine_memories")),
    )
    op.create_index(op.f("ix_machine_memories_household_id"), "machine_memories", ["household_id"])
    op.create_table(
        "fault_priors",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("make", "model", "fault")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("confirmed", "rejected")),
        sa.PrimaryKeyConstraint("make", "model", "fault", name=op.f("pk_fault_priors")),
    )
    _findings()


def _findings() -> None:
    final = "'verified_fixed','closed','false_alarm'"
    op.create_table(
        "findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("equipment_id", "site_id", "household_id")),
        *(sa.Column(name, sa.String(), server_default="", nullable=False) for name in ("make", "model")),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("candidates", postgresql.JSONB(), nullable=False),
        sa.Column("effects", postgresql.ARRAY(sa.String()), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("confidence", "severity", "loss")),
        sa.Column("cost_a_day", sa.Float(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("plot", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        *(sa.Column(name, _TIME, nullable=False) for name in ("opened", "seen")),
        *(sa.Column(name, _TIME, nullable=True) for name in ("closed", "clear_since", "repaired")),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.CheckConstraint(f"state IN ('open','acknowledged','assigned','in_repair',{final})", name=op.f("ck_findings_state")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_findings_confidence")),
        sa.CheckConstraint(f"(closed IS NULL) = (state NOT IN ({final}))", name=op.f("ck_findings_closed")),
        *_keys("findings"),
        sa.ForeignKeyConstraint(["assigned_to"], ["people.id"], name=op.f("fk_findings_assigned_to"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    op.create_index("uq_findings_open", "findings", ["series_id", "fault"], unique=True, postgresql_where=sa.text("closed IS NULL"))
    op.create_index("ix_findings_equipment_id", "findings", ["equipment_id", "opened"])
    for column in ("site_id", "household_id", "seen", "assigned_to"):
        op.create_index(op.f(f"ix_findings_{column}"), "findings", [column])
    op.create_table(
        "finding_steps",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "finding_id", "household_id")),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        *(sa.Column(name, sa.String(), server_default="", nullable=False) for name in ("note", "verdict")),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.id"], name=op.f("fk_finding_steps_finding_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_finding_steps_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_finding_steps_by_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_steps")),
    )
    for column in ("finding_id", "household_id", "by_id"):
        op.create_index(op.f(f"ix_finding_steps_{column}"), "finding_steps", [column])
