"""Tables of people, companies, households, and who may do what."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import (
    WHILE_ACCOUNT,
    WHILE_HOUSEHOLD,
    Guard,
    Purpose,
    Retention,
    Sensitivity,
    Subject,
    Table,
    by_household,
    by_person,
    held,
    secret_digest,
    table,
    technical,
)

PRIVATE = Sensitivity.PRIVATE
_FOR_ACCOUNTS = (
    Purpose.ACCOUNT,
    Purpose.SECURITY,
    Purpose.OPERATE,
    Purpose.SERVICE,
    Purpose.SUPPORT,
    Purpose.COMMUNICATE,
    Purpose.ADMINISTER,
    Purpose.KEEP,
)

SCOPES = ("view", "control", "equipment", "people", "reset", "members")
"""What a household can grant to a company, each by itself: see readings; send commands; change equipment; see who lives there and keep the
household's information; start a new password for a member; pause, resume or end a member's access."""
NEEDS = {"reset": "people", "members": "people"}
"""Scopes that come with another: nobody decides about people whom they may not know."""

HOUSEHOLD_ROLES = ("owner", "member", "guest")
COMPANY_ROLES = ("manager", "dispatcher", "technician")
STAFF_ROLES = ("operator", "support", "privacy_officer", "security", "analyst")


class PersonRow(Base):
    """A human with a sign-in."""

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint("status IN ('unverified', 'active', 'suspended', 'closed')", name="status"),
        table(
            Table(
                "people who sign in",
                Subject.PERSON,
                "id",
                _FOR_ACCOUNTS,
                WHILE_ACCOUNT,
                Guard(
                    read="id IN (SELECT access.people())",
                    write="id = access.person()",
                    systems={"authentication": "rw", "setup": "rw", "mail": "r", "housekeeping": "rw", "transfer": "r", "review": "r"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=held("user.unique_id"))
    email_digest: Mapped[bytes] = mapped_column(
        unique=True, info=held("user.contact.email", PRIVATE, export="a keyed digest; the address itself is exported")
    )
    email_sealed: Mapped[bytes] = mapped_column(info=held("user.contact.email", PRIVATE))
    name_sealed: Mapped[bytes] = mapped_column(info=held("user.name", PRIVATE))
    password_hash: Mapped[str | None] = mapped_column(info=secret_digest())
    status: Mapped[str] = mapped_column(info=held("user.settings"))
    language: Mapped[str] = mapped_column(server_default="en", info=held("user.demographic.language"))
    units: Mapped[str] = mapped_column(server_default="us", info=held("user.settings"))
    time_zone: Mapped[str | None] = mapped_column(info=held("user.location.imprecise"))
    birth_year: Mapped[int | None] = mapped_column(info=held("user.demographic.age_range", PRIVATE))
    gender_sealed: Mapped[bytes | None] = mapped_column(info=held("user.demographic.gender", Sensitivity.SENSITIVE))
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    verified_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))


class ContactRow(Base):
    """One of a person's addresses or telephone numbers."""

    __tablename__ = "contacts"
    __table_args__ = (
        CheckConstraint("kind IN ('mailing', 'residence', 'billing', 'facility', 'other', 'phone')", name="kind"),
        table(
            Table(
                "addresses and telephone numbers that people gave",
                Subject.PERSON,
                "person_id",
                _FOR_ACCOUNTS,
                WHILE_ACCOUNT,
                by_person(systems={"setup": "rw", "authentication": "rw"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    kind: Mapped[str] = mapped_column(info=held("user.settings"))
    label: Mapped[str] = mapped_column(info=held("user.settings"))
    value_sealed: Mapped[bytes] = mapped_column(info=held("user.contact.address", PRIVATE))


class SessionRow(Base):
    """A browser or app in which a person is signed in."""

    __tablename__ = "sessions"
    __table_args__ = (
        table(
            Table(
                "browsers and apps in which you are signed in",
                Subject.PERSON,
                "person_id",
                (Purpose.SECURITY, Purpose.KEEP),
                Retention("expires_at", 30),
                by_person(systems={"authentication": "rw", "housekeeping": "rw", "setup": "rw", "review": "r"}),
                backup="a session that was ended must not come back; people sign in again",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    digest: Mapped[bytes] = mapped_column(unique=True, info=secret_digest())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    last_seen_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    expires_at: Mapped[datetime] = mapped_column(index=True, info=technical())
    address: Mapped[str | None] = mapped_column(info=held("user.device.ip_address", PRIVATE, shorten=Retention("last_seen_at", 30)))
    agent: Mapped[str] = mapped_column(info=held("user.device.device_id"))


class OneTimeTokenRow(Base):
    """A link that works once: verify an address, reset a password, change an address, accept an invitation, set up the operator.

    The address that it was sent to is sealed under the person's key, or for an invitation under that of the household or company.
    """

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        CheckConstraint("kind IN ('verify', 'reset', 'email', 'invite', 'operator')", name="kind"),
        table(
            Table(
                "links that work once",
                Subject.PERSON,
                "person_id",
                (Purpose.SECURITY, Purpose.ACCOUNT, Purpose.ADMINISTER, Purpose.KEEP),
                Retention("expires_at", 1),
                Guard(
                    read="person_id = access.person() OR invited_by = access.person() OR"
                    " household_id = ANY (ARRAY(SELECT access.households('people'))) OR"
                    " organisation_id IN (SELECT access.organisations('manager')) OR kind = 'invite' AND access.staff('operator')",
                    write="kind = 'invite' AND person_id IS NULL AND ("
                    "household_id = ANY (ARRAY(SELECT access.households('owner'))) OR"
                    " organisation_id IN (SELECT access.organisations('manager')) OR"
                    " organisation_id IS NOT NULL AND access.staff('operator'))",
                    systems={"authentication": "rw", "setup": "rw", "housekeeping": "rw"},
                ),
                also=(("invited_by", Subject.PERSON), ("household_id", Subject.HOUSEHOLD)),
                sealed_by=("person_id", "household_id", "organisation_id"),
                backup="a link that was used must not work again",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    digest: Mapped[bytes] = mapped_column(unique=True, info=secret_digest())
    kind: Mapped[str] = mapped_column(info=technical())
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), info=held("user.unique_id"))
    household_id: Mapped[UUID | None] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), info=technical())
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"), info=technical())
    role: Mapped[str | None] = mapped_column(info=technical())
    email_digest: Mapped[bytes | None] = mapped_column(
        info=held("user.contact.email", PRIVATE, export="a keyed digest; the address itself is exported")
    )
    email_sealed: Mapped[bytes | None] = mapped_column(info=held("user.contact.email", PRIVATE))
    expires_at: Mapped[datetime] = mapped_column(info=technical())
    used_at: Mapped[datetime | None] = mapped_column(info=technical())


class ApiTokenRow(Base):
    """A personal token for programs."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        table(
            Table(
                "personal tokens for programs",
                Subject.PERSON,
                "person_id",
                (Purpose.SECURITY, Purpose.ACCOUNT),
                WHILE_ACCOUNT,
                by_person(systems={"authentication": "rw", "setup": "rw", "review": "r"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    digest: Mapped[bytes] = mapped_column(unique=True, info=secret_digest())
    name: Mapped[str] = mapped_column(info=held("user.settings"))
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    last_used_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    revoked_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))


class AttemptRow(Base):
    """A failed try to sign in or to use a code, for throttling."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index("ix_attempts_key_at", "key", "at"),
        table(
            Table(
                "failed tries, counted to slow down guessing",
                Subject.NOBODY,
                "",
                (Purpose.SECURITY, Purpose.KEEP),
                Retention("at", 2),
                Guard(
                    read="false",
                    write="false",
                    systems={"authentication": "rw", "housekeeping": "rw", "enrolment": "rw"},
                ),
                backup="counts of two days",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    key: Mapped[bytes] = mapped_column(info=held("user.device.ip_address", PRIVATE, export="a keyed digest for two days"))
    at: Mapped[datetime] = mapped_column(index=True, info=technical())


class OrganisationRow(Base):
    """A company: a contractor, or the operator of this installation."""

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint("kind IN ('contractor', 'operator')", name="kind"),
        Index("uq_organisations_operator", "kind", unique=True, postgresql_where=text("kind = 'operator'")),
        table(
            Table(
                "companies",
                Subject.NOBODY,
                "",
                _FOR_ACCOUNTS,
                Retention("company closed", 0),
                Guard(
                    read="true",
                    write="access.staff('operator') OR kind = 'contractor' AND id IN (SELECT access.organisations('manager'))",
                    systems={"authentication": "r", "setup": "rw", "mail": "r", "review": "r"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    kind: Mapped[str] = mapped_column(info=technical())
    name: Mapped[str] = mapped_column(info=held("user.workplace"))
    phone: Mapped[str | None] = mapped_column(info=held("user.workplace"))
    email: Mapped[str | None] = mapped_column(info=held("user.workplace"))
    created_at: Mapped[datetime] = mapped_column(info=technical())


class MembershipRow(Base):
    """A person's work at a company."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint(
            "role IN ('manager','dispatcher','technician','operator','support','privacy_officer','security','analyst')",
            name="role",
        ),
        Index("ix_memberships_organisation_id", "organisation_id"),
        table(
            Table(
                "who works where, as what",
                Subject.WORKER,
                "person_id",
                _FOR_ACCOUNTS,
                WHILE_ACCOUNT,
                Guard(
                    read="person_id IN (SELECT access.people())",
                    write="organisation_id IN (SELECT access.organisations('manager')) OR access.staff('operator')",
                    insert="false",  # by invitation only: whoever is a colleague is known by name
                    systems={"authentication": "rw", "setup": "rw", "review": "r"},
                    app="SELECT, INSERT, UPDATE (role, started_at, ended_at), DELETE",
                ),
            )
        ),
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, info=held("user.unique_id"))
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True, info=held("user.workplace")
    )
    role: Mapped[str] = mapped_column(info=held("user.workplace"))
    started_at: Mapped[datetime] = mapped_column(info=held("user.workplace"))
    ended_at: Mapped[datetime | None] = mapped_column(info=held("user.workplace"))


class HouseholdRow(Base):
    """The people of one account: a family, or a business with its sites."""

    __tablename__ = "households"
    __table_args__ = (
        table(
            Table(
                "households and businesses that own sites",
                Subject.HOUSEHOLD,
                "id",
                _FOR_ACCOUNTS,
                WHILE_HOUSEHOLD,
                by_household(
                    write="people",
                    column="id",
                    systems={"authentication": "rw", "setup": "rw", "mail": "r", "import": "rw", "housekeeping": "rw", "transfer": "r"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=held("user.unique_id"))
    name_sealed: Mapped[bytes] = mapped_column(info=held("user.account.username", PRIVATE))
    business: Mapped[bool] = mapped_column(server_default=text("false"), info=held("user.settings"))
    created_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))


class HouseholdMemberRow(Base):
    """A person's place in a household."""

    __tablename__ = "household_members"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'member', 'guest')", name="role"),
        Index("ix_household_members_household_id", "household_id"),
        table(
            Table(
                "who belongs to which household",
                Subject.HOUSEHOLD,
                "household_id",
                _FOR_ACCOUNTS,
                WHILE_HOUSEHOLD,
                Guard(
                    read="household_id = ANY (ARRAY(SELECT access.households('people'))) OR person_id = access.person()",
                    write="household_id = ANY (ARRAY(SELECT access.households('owner')))",
                    insert="false",  # by invitation only: whoever is a member is known by name
                    systems={"authentication": "rw", "setup": "rw", "housekeeping": "rw", "transfer": "r"},
                    app="SELECT, INSERT, UPDATE (role, started_at, ended_at, suspended_at), DELETE",
                ),
                also=(("person_id", Subject.PERSON),),
            )
        ),
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, info=held("user.unique_id"))
    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("households.id", ondelete="CASCADE"), primary_key=True, info=held("user.unique_id")
    )
    role: Mapped[str] = mapped_column(info=held("user.settings"))
    started_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    ended_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    suspended_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))  # paused by an owner since then


class SuspensionRow(Base):
    """A time in which somebody could not get in, by decision of the operator's staff, with the reason that they were told."""

    __tablename__ = "suspensions"
    __table_args__ = (
        table(
            Table(
                "when your account was suspended, and why",
                Subject.PERSON,
                "person_id",
                (Purpose.ACCOUNT, Purpose.SECURITY, Purpose.ADMINISTER, Purpose.KEEP),
                Retention("ended_at", 730),
                Guard(
                    read="person_id = access.person() OR access.staff('operator', 'security')",
                    write="false",
                    systems={"authentication": "rw", "housekeeping": "rw"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    reason: Mapped[str] = mapped_column(info=held("user.content.private", PRIVATE))
    by_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), info=held("user.unique_id"))
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    ended_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))


class AccessGrantRow(Base):
    """One thing that a household lets one company do, until it ends or is taken back."""

    __tablename__ = "access_grants"
    __table_args__ = (
        CheckConstraint("scope IN ('view', 'control', 'equipment', 'people', 'reset', 'members')", name="scope"),
        Index("ix_access_grants_organisation_id", "organisation_id"),
        Index("ix_access_grants_household_id", "household_id"),
        Index(
            "uq_access_grants_live",
            "household_id",
            "organisation_id",
            "scope",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        table(
            Table(
                "what you let companies see and do",
                Subject.HOUSEHOLD,
                "household_id",
                _FOR_ACCOUNTS,
                Retention("revoked_at", 730),
                Guard(
                    read="NOT (SELECT access.purpose('service')) AND household_id = ANY (ARRAY(SELECT access.households('view')))"
                    " OR organisation_id IN (SELECT access.organisations())",
                    write="household_id = ANY (ARRAY(SELECT access.households('owner')))",
                    systems={"setup": "rw", "housekeeping": "rw", "review": "r"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), info=held("user.unique_id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"), info=held("user.settings"))
    scope: Mapped[str] = mapped_column(info=held("user.settings"))
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), info=held("user.unique_id"))
    granted_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    ends_at: Mapped[datetime | None] = mapped_column(info=held("user.settings"))
    revoked_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
