"""the ledger of consent"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

_LIST = postgresql.ARRAY(sa.String())
_WORDS = ("wording", "wording_digest", "language", "channel")


def upgrade() -> None:
    for table, owner, of in (("consent_receipts", "household_id", "households"), ("person_consent_receipts", "person_id", "people")):
        by = [sa.Column("by_person", sa.Uuid(), nullable=True)] if of == "households" else []
        known = (
            [sa.ForeignKeyConstraint(["by_person"], ["people.id"], name=op.f(f"fk_{table}_by_person"), ondelete="SET NULL")] if by else []
        )
        op.create_table(
            table,
            sa.Column("id", sa.Uuid(), nullable=False),
            sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
            *(sa.Column(name, sa.String(), nullable=False) for name in ("schema_version", "choice", "purpose", "detail")),
            sa.Column("given", sa.Boolean(), nullable=False),
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            *(sa.Column(name, sa.String(), nullable=False) for name in ("basis", "controller", "jurisdiction")),
            sa.Column("data", _LIST, nullable=False),
            sa.Column("recipients", _LIST, nullable=False),
            *(sa.Column(name, sa.String(), nullable=False) for name in ("kept", "terms", "policy", *_WORDS)),
            sa.Column("steps", _LIST, nullable=False),
            sa.Column(owner, sa.Uuid(), nullable=False),
            *by,
            sa.ForeignKeyConstraint([owner], [f"{of}.id"], name=op.f(f"fk_{table}_{owner}"), ondelete="CASCADE"),
            *known,
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_fold", table, ["purpose", owner, "detail", "number"])
        op.create_index(f"ix_{table}_{owner}", table, [owner])
    op.create_index(op.f("ix_consent_receipts_by_person"), "consent_receipts", ["by_person"])
