"""what comes next of each machine, and the hours of its days"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("machine_days", sa.Column("hours", sa.LargeBinary(), nullable=True))
    op.create_table(
        "prospects",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("equipment_id", "household_id")),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in ("forecast", "dues", "lives", "year")),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["tenures.series_id"], name=op.f("fk_prospects_series_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_prospects_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_prospects")),
    )
    for column in ("equipment_id", "household_id"):
        op.create_index(op.f(f"ix_prospects_{column}"), "prospects", [column])
