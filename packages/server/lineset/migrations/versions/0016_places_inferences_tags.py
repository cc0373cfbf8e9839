"""places behind their switch, inferences, and tags of signed-out browsers"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "places",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("gateway_id", sa.Uuid(), nullable=True),
        sa.Column("where_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.CheckConstraint("(site_id IS NULL) <> (gateway_id IS NULL)", name=op.f("ck_places_one_thing")),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_places_gateway_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_places_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["site_id", "household_id"],
            ["sites.id", "sites.household_id"],
            name=op.f("fk_places_site_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places")),
        sa.UniqueConstraint("household_id", "site_id", name="uq_places_site"),
        sa.UniqueConstraint("household_id", "gateway_id", name="uq_places_gateway"),
    )
    for column in ("household_id", "site_id", "gateway_id"):
        op.create_index(op.f(f"ix_places_{column}"), "places", [column])
    op.create_table(
        "session_places",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("where_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_session_places_session_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_session_places_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_session_places")),
    )
    op.create_index(op.f("ix_session_places_person_id"), "session_places", ["person_id"])
    _inferences()
    _tags()


def _inferences() -> None:
    op.create_table(
        "inferences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", "source", "statement")),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("contested_at", _TIME, nullable=True),
        sa.Column("contested_by", sa.Uuid(), nullable=True),
        sa.Column("objection", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_inferences_confidence")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_inferences_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["contested_by"], ["people.id"], name=op.f("fk_inferences_contested_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inferences")),
    )
    op.create_index("ix_inferences_household_id_made_at", "inferences", ["household_id", "made_at"])
    op.create_index(op.f("ix_inferences_contested_by"), "inferences", ["contested_by"])


def _tags() -> None:
    op.create_table(
        "data_tags",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_tags")),
        sa.UniqueConstraint("digest", name=op.f("uq_data_tags_digest")),
    )
    op.create_index(op.f("ix_data_tags_seen_at"), "data_tags", ["seen_at"])
    op.create_table(
        "tag_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("kind", "fingerprint", "title", "message", "page", "version", "browser")
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["data_tags.id"], name=op.f("fk_tag_events_tag_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_events")),
        sa.UniqueConstraint("tag_id", "day", "fingerprint", "version", "browser", name="uq_tag_events_line"),
    )
    op.create_index(op.f("ix_tag_events_last_at"), "tag_events", ["last_at"])
