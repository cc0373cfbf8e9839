"""what people corrected"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    for name, owner, owners in (("person_changes", "person_id", "people"), ("household_changes", "household_id", "households")):
        op.create_table(
            name,
            sa.Column("id", sa.Uuid(), nullable=False),
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("field", sa.String(), nullable=False),
            sa.Column("thing", sa.Uuid(), nullable=True),
            sa.Column("before_sealed", sa.LargeBinary(), nullable=True),
            sa.Column("after_sealed", sa.LargeBinary(), nullable=True),
            sa.Column(owner, sa.Uuid(), nullable=False),
            sa.Column("by_person", sa.Uuid(), nullable=True),
            sa.ForeignKeyConstraint([owner], [f"{owners}.id"], name=op.f(f"fk_{name}_{owner}"), ondelete="CASCADE"),
            sa.ForeignKeyConstraint(["by_person"], ["people.id"], name=op.f(f"fk_{name}_by_person"), ondelete="SET NULL"),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        )
        op.create_index(op.f(f"ix_{name}_at"), name, ["at"])
        op.create_index(op.f(f"ix_{name}_{owner}"), name, [owner])
