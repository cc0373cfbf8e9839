"""the first tables"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_at"), "attempts", ["at"], unique=False)
    op.create_index("ix_attempts_key_at", "attempts", ["key", "at"], unique=False)
    op.create_table(
        "frames",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("t", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reals", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("totals", postgresql.ARRAY(sa.DOUBLE_PRECISION()), nullable=True),
        sa.PrimaryKeyConstraint("series_id", "t", name=op.f("pk_frames")),
        postgresql_partition_by="RANGE (t)",
    )
    op.create_table(
        "households",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("business", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("caused_by", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("to_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("subject_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index(op.f("ix_mails_created_at"), "mails", ["created_at"], unique=False)
    op.create_index(op.f("ix_mails_subject_id"), "mails", ["subject_id"], unique=False)
    op.create_table(
        "organisations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('contractor', 'operator')", name=op.f("ck_organisations_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
    )
    op.create_index(
        "uq_organisations_operator",
        "organisations",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("kind = 'operator'"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_digest", sa.LargeBinary(), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("language", sa.String(), server_default="en", nullable=False),
        sa.Column("units", sa.String(), server_default="us", nullable=False),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("gender_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('unverified', 'active', 'suspended', 'closed')", name=op.f("ck_people_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email_digest", name=op.f("uq_people_email_digest")),
    )
    op.create_table(
        "poison_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poison_messages")),
    )
    op.create_index(op.f("ix_poison_messages_at"), "poison_messages", ["at"], unique=False)
    op.create_table(
        "access_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("scope IN ('view', 'control', 'equipment', 'people')", name=op.f("ck_access_grants_scope")),
        sa.ForeignKeyConstraint(["granted_by"], ["people.id"], name=op.f("fk_access_grants_granted_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_access_grants_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_access_grants_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grants")),
    )
    op.create_index("ix_access_grants_household_id", "access_grants", ["household_id"], unique=False)
    op.create_index("ix_access_grants_organisation_id", "access_grants", ["organisation_id"], unique=False)
    op.create_index(
        "uq_access_grants_live",
        "access_grants",
        ["household_id", "organisation_id", "scope"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_api_tokens_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_tokens_digest")),
    )
    op.create_index(op.f("ix_api_tokens_person_id"), "api_tokens", ["person_id"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("value_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('mailing', 'residence', 'billing', 'facility', 'other', 'phone')", name=op.f("ck_contacts_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_contacts_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_person_id"), "contacts", ["person_id"], unique=False)
    op.create_table(
        "household_members",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('owner', 'member', 'guest')", name=op.f("ck_household_members_role")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_household_members_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_household_members_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "household_id", name=op.f("pk_household_members")),
    )
    op.create_index("ix_household_members_household_id", "household_members", ["household_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('manager','dispatcher','technician','operator','support','privacy_officer','security','analyst')",
            name=op.f("ck_memberships_role"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_memberships_organisation_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_memberships_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "organisation_id", name=op.f("pk_memberships")),
    )
    op.create_index("ix_memberships_organisation_id", "memberships", ["organisation_id"], unique=False)
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("email_digest", sa.LargeBinary(), nullable=True),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('verify', 'reset', 'email', 'invite', 'operator')", name=op.f("ck_one_time_tokens_kind")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_one_time_tokens_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["invited_by"], ["people.id"], name=op.f("fk_one_time_tokens_invited_by"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_one_time_tokens_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_one_time_tokens_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_one_time_tokens_digest")),
    )
    op.create_index(op.f("ix_one_time_tokens_person_id"), "one_time_tokens", ["person_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"], unique=False)
    op.create_table(
        "sites",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('residential', 'commercial')", name=op.f("ck_sites_kind")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_sites_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("id", "household_id", name=op.f("uq_sites_id_household_id")),
    )
    op.create_index(op.f("ix_sites_household_id"), "sites", ["household_id"], unique=False)
    op.create_table(
        "gateways",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("claim_digest", sa.LargeBinary(), nullable=True),
        sa.Column("claim_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enrolment_open", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("online", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.String(), nullable=True),
        sa.CheckConstraint("kind IN ('agent', 'simple')", name=op.f("ck_gateways_kind")),
        sa.CheckConstraint("(household_id IS NULL) = (site_id IS NULL)", name=op.f("ck_gateways_claimed")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_gateways_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["site_id", "household_id"],
            ["sites.id", "sites.household_id"],
            name=op.f("fk_gateways_site_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateways")),
        sa.UniqueConstraint("claim_digest", name=op.f("uq_gateways_claim_digest")),
    )
    op.create_index(op.f("ix_gateways_household_id"), "gateways", ["household_id"], unique=False)
    op.create_index(op.f("ix_gateways_site_id"), "gateways", ["site_id"], unique=False)
    op.create_table(
        "zones",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_zones_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["site_id", "household_id"],
            ["sites.id", "sites.household_id"],
            name=op.f("fk_zones_site_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zones")),
    )
    op.create_index(op.f("ix_zones_household_id"), "zones", ["household_id"], unique=False)
    op.create_index(op.f("ix_zones_site_id"), "zones", ["site_id"], unique=False)
    op.create_table(
        "acknowledgements",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("ahead", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_acknowledgements_gateway_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("gateway_id", "epoch", name=op.f("pk_acknowledgements")),
    )
    op.create_table(
        "equipment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=True),
        sa.Column("gateway_id", sa.Uuid(), nullable=True),
        sa.Column("local_name", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("make", sa.String(), server_default="", nullable=False),
        sa.Column("model", sa.String(), server_default="", nullable=False),
        sa.Column("serial_number", sa.String(), server_default="", nullable=False),
        sa.Column("capacity_w", sa.Double(), nullable=True),
        sa.Column("fuel", sa.String(), server_default="", nullable=False),
        sa.Column("place", sa.String(), server_default="", nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_equipment_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["site_id", "household_id"],
            ["sites.id", "sites.household_id"],
            name=op.f("fk_equipment_site_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_equipment_zone_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment")),
        sa.UniqueConstraint("gateway_id", "local_name", name=op.f("uq_equipment_gateway_id_local_name")),
    )
    op.create_index(op.f("ix_equipment_household_id"), "equipment", ["household_id"], unique=False)
    op.create_index("ix_equipment_site_id", "equipment", ["site_id"], unique=False)
    op.create_table(
        "found_equipment",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("make", sa.String(), server_default="", nullable=False),
        sa.Column("model", sa.String(), server_default="", nullable=False),
        sa.Column("serial_number", sa.String(), server_default="", nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_found_equipment_gateway_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_found_equipment_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("gateway_id", "name", name=op.f("pk_found_equipment")),
    )
    op.create_index(op.f("ix_found_equipment_household_id"), "found_equipment", ["household_id"], unique=False)
    op.create_table(
        "gateway_certificates",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_gateway_certificates_gateway_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_gateway_certificates")),
    )
    op.create_index(op.f("ix_gateway_certificates_gateway_id"), "gateway_certificates", ["gateway_id"], unique=False)
    op.create_table(
        "gateway_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_gateway_tokens_gateway_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_gateway_tokens_digest")),
    )
    op.create_index(op.f("ix_gateway_tokens_gateway_id"), "gateway_tokens", ["gateway_id"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("epoch", sa.String(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("index", sa.Integer(), nullable=True),
        sa.Column("equipment", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("say", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_refusals_gateway_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_refusals_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusals")),
    )
    op.create_index("ix_refusals_gateway_id", "refusals", ["gateway_id", "at"], unique=False)
    op.create_index(op.f("ix_refusals_household_id"), "refusals", ["household_id"], unique=False)
    op.create_index("ix_refusals_message", "refusals", ["gateway_id", "epoch", "seq"], unique=False)
    op.create_table(
        "commands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("equipment_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.Uuid(), nullable=True),
        sa.Column("local_name", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=True),
        sa.Column("sender_company_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), server_default="", nullable=False),
        sa.Column("refusal", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued','sent','acknowledged','succeeded','failed','expired','refused')",
            name=op.f("ck_commands_state"),
        ),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_commands_equipment_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_commands_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["sender_company_id"], ["organisations.id"], name=op.f("fk_commands_sender_company_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["people.id"], name=op.f("fk_commands_sender_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
    )
    op.create_index("ix_commands_equipment_id", "commands", ["equipment_id", "created_at"], unique=False)
    op.create_index(op.f("ix_commands_household_id"), "commands", ["household_id"], unique=False)
    op.create_index(
        "ix_commands_due",
        "commands",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued','sent','acknowledged')"),
    )
    op.create_index(
        "ix_commands_open",
        "commands",
        ["gateway_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued','sent','acknowledged')"),
    )
    op.create_table(
        "twins",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("desired", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reported_version", sa.BigInteger(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_twins_gateway_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_twins_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_twins")),
    )
    op.create_index(op.f("ix_twins_household_id"), "twins", ["household_id"], unique=False)
    op.create_index(op.f("ix_twins_next_at"), "twins", ["next_at"], unique=False)
    op.create_table(
        "gateway_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("equipment_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_gateway_events_equipment_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_gateway_events_gateway_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_gateway_events_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_events")),
    )
    op.create_index("ix_gateway_events_gateway_id", "gateway_events", ["gateway_id", "at"], unique=False)
    op.create_index(op.f("ix_gateway_events_household_id"), "gateway_events", ["household_id"], unique=False)
    op.create_table(
        "slots",
        sa.Column("equipment_id", sa.Uuid(), nullable=False),
        sa.Column("point", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('real', 'counter', 'code')", name=op.f("ck_slots_kind")),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_slots_equipment_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("equipment_id", "point", name=op.f("pk_slots")),
    )
    op.create_index("uq_slots_place", "slots", ["equipment_id", sa.literal_column("(kind = 'counter')"), "slot"], unique=True)
    op.create_table(
        "tenures",
        sa.Column("series_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("equipment_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_tenures_equipment_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_tenures_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_tenures")),
    )
    op.create_index("ix_tenures_equipment_id", "tenures", ["equipment_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_tenures_household_id"), "tenures", ["household_id"], unique=False)
    op.create_index("uq_tenures_open", "tenures", ["equipment_id"], unique=True, postgresql_where=sa.text("ends_at IS NULL"))
    op.create_table(
        "transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("equipment_id", sa.Uuid(), nullable=True),
        sa.Column("to_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("offered_by", sa.Uuid(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(site_id IS NULL) <> (equipment_id IS NULL)", name=op.f("ck_transfers_one_thing")),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_transfers_equipment_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_transfers_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["offered_by"], ["people.id"], name=op.f("fk_transfers_offered_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_transfers_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("digest", name=op.f("uq_transfers_digest")),
    )
    op.create_index(op.f("ix_transfers_equipment_id"), "transfers", ["equipment_id"], unique=False)
    op.create_index(op.f("ix_transfers_household_id"), "transfers", ["household_id"], unique=False)
    op.create_index(op.f("ix_transfers_site_id"), "transfers", ["site_id"], unique=False)
    op.create_table(
        "command_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.String(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["command_id"], ["commands.id"], name=op.f("fk_command_steps_command_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_command_steps_household_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command_steps")),
    )
    op.create_index(op.f("ix_command_steps_command_id"), "command_steps", ["command_id"], unique=False)
    op.create_index(op.f("ix_command_steps_household_id"), "command_steps", ["household_id"], unique=False)
    op.create_table(
        "latest",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("equipment_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("t", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reals", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("real_times", postgresql.ARRAY(sa.DOUBLE_PRECISION()), nullable=False),
        sa.Column("totals", postgresql.ARRAY(sa.DOUBLE_PRECISION()), nullable=False),
        sa.Column("total_times", postgresql.ARRAY(sa.DOUBLE_PRECISION()), nullable=False),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_latest_equipment_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_latest_household_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["series_id"], ["tenures.series_id"], name=op.f("fk_latest_series_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_latest")),
    )
    op.create_index(op.f("ix_latest_equipment_id"), "latest", ["equipment_id"], unique=False)
    op.create_index(op.f("ix_latest_household_id"), "latest", ["household_id"], unique=False)
    op.execute("CREATE SCHEMA jobs")
    op.execute("SET LOCAL search_path TO jobs")
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute("SET LOCAL search_path TO public")
