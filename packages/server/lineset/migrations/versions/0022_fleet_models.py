"""what machines of a make and model have in common"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "fleet_models",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("type", "make", "model")),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in ("parameters", "metrics")),
        sa.CheckConstraint("state IN ('published', 'withdrawn')", name=op.f("ck_fleet_models_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fleet_models")),
        sa.UniqueConstraint("type", "make", "model", "version", name="uq_fleet_models_version"),
    )
