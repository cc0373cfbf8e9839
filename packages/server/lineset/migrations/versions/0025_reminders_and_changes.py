"""what somebody was reminded of, and how homes changed in a month"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "reminders",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("person_id", "equipment_id")),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_reminders_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_reminders_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "equipment_id", "part", name=op.f("pk_reminders")),
    )
    for column in ("equipment_id", "household_id", "told_at"):
        op.create_index(op.f(f"ix_reminders_{column}"), "reminders", [column])
    op.create_table(
        "home_changes",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("mean", "spread")),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_home_changes")),
    )
