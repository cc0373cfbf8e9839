"""advice on machines, and what was dismissed of it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "advice",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "household_id", "site_id", "equipment_id")),
        sa.Column("finding_id", sa.Uuid(), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", "code", "suffers")),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("saving_a_year", "cost")),
        sa.Column("figures", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        *(sa.Column(name, _TIME, nullable=False) for name in ("act_by", "made")),
        sa.Column("stands", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("dismissed_at", _TIME, nullable=True),
        sa.Column("dismissed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_advice_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.id"], name=op.f("fk_advice_finding_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["dismissed_by"], ["people.id"], name=op.f("fk_advice_dismissed_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advice")),
    )
    for column in ("household_id", "site_id", "equipment_id", "finding_id", "made", "dismissed_by"):
        op.create_index(op.f(f"ix_advice_{column}"), "advice", [column])
