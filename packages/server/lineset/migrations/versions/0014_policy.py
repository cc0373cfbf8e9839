"""published policy and terms, who was told of them, and news by mail"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "policy_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("significant", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('policy', 'terms')", name=op.f("ck_policy_versions_kind")),
        sa.ForeignKeyConstraint(["published_by"], ["people.id"], name=op.f("fk_policy_versions_published_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_versions")),
    )
    op.create_index("ix_policy_versions_kind_effective_at", "policy_versions", ["kind", "effective_at"], unique=False)
    op.create_index(op.f("ix_policy_versions_digest"), "policy_versions", ["digest"], unique=False)
    op.create_table(
        "policy_receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.CheckConstraint("what IN ('accepted', 'noticed', 'mailed')", name=op.f("ck_policy_receipts_what")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_policy_receipts_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["version_id"], ["policy_versions.id"], name=op.f("fk_policy_receipts_version_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_receipts")),
        sa.UniqueConstraint("person_id", "version_id", "what", name=op.f("uq_policy_receipts_person_id_version_id_what")),
    )
    op.create_table(
        "news_subscribers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_digest", sa.LargeBinary(), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news_subscribers")),
        sa.UniqueConstraint("email_digest", name=op.f("uq_news_subscribers_email_digest")),
    )
    op.create_table(
        "news_issues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_en", sa.String(), nullable=False),
        sa.Column("text_en", sa.String(), nullable=False),
        sa.Column("subject_es", sa.String(), nullable=False),
        sa.Column("text_es", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reached", sa.Uuid(), nullable=True),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news_issues")),
    )
