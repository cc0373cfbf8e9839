"""who may receive data, under which agreement, what each of them got, who was told to erase it, and signals of browsers"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"

_TIME = sa.DateTime(timezone=True)
_LIST = postgresql.ARRAY(sa.String())


def upgrade() -> None:
    op.create_table(
        "recipients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("does", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.CheckConstraint("kind IN ('processor', 'affiliate', 'partner')", name=op.f("ck_recipients_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
        sa.UniqueConstraint("key", name=op.f("uq_recipients_key")),
    )
    op.create_table(
        "agreements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("fields", _LIST, nullable=False),
        sa.Column("purposes", _LIST, nullable=False),
        sa.Column("confidentiality", sa.Boolean(), nullable=False),
        sa.Column("security", sa.Boolean(), nullable=False),
        sa.Column("consideration", sa.String(), nullable=False),
        sa.Column("in_return", sa.String(), nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.CheckConstraint(
            "consideration IN ('none', 'money', 'lead_fee', 'discount', 'data', 'other')", name=op.f("ck_agreements_consideration")
        ),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipients.id"], name=op.f("fk_agreements_recipient_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
    )
    op.create_index("ix_agreements_recipient_id", "agreements", ["recipient_id"], unique=False)
    op.create_table(
        "disclosures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("fields", _LIST, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.CheckConstraint("outcome IN ('begun', 'taken', 'refused')", name=op.f("ck_disclosures_outcome")),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipients.id"], name=op.f("fk_disclosures_recipient_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreements.id"], name=op.f("fk_disclosures_agreement_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")),
    )
    op.create_index("ix_disclosures_subject_id_at", "disclosures", ["subject_id", "at"], unique=False)
    op.create_index("ix_disclosures_at", "disclosures", ["at"], unique=False)
    op.create_table(
        "recipient_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("fields", _LIST, nullable=False),
        sa.Column("made_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("told_at", _TIME, nullable=True),
        sa.Column("acknowledged_at", _TIME, nullable=True),
        sa.Column("reference", sa.String(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipients.id"], name=op.f("fk_recipient_notices_recipient_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient_notices")),
        sa.UniqueConstraint("request_id", "recipient_id", name="uq_recipient_notices_request"),
    )
    op.create_index(op.f("ix_recipient_notices_subject_id"), "recipient_notices", ["subject_id"], unique=False)
    op.create_table(
        "opt_outs",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("signal", sa.String(), nullable=False),
        sa.Column("first_at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.CheckConstraint("signal IN ('gpc', 'dnt')", name=op.f("ck_opt_outs_signal")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_opt_outs_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "signal", name=op.f("pk_opt_outs")),
    )
    op.add_column("mails", sa.Column("opened_at", _TIME, nullable=True))
