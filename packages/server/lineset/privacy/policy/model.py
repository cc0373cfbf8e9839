"""Tables of published texts, and of who was told of them or accepted them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, by_person, held, table, technical
from lineset.privacy.vocabulary import WHILE_ACCOUNT, Purpose, Retention, Subject


class PolicyVersionRow(Base):
    """A published version of the policy or the terms. Only `told_at` ever changes; what is published stays as it is."""

    __tablename__ = "policy_versions"
    __table_args__ = (
        CheckConstraint("kind IN ('policy', 'terms')", name="kind"),
        Index("ix_policy_versions_kind_effective_at", "kind", "effective_at"),
        table(
            Table(
                "published versions of policy and terms, and who published them",
                Subject.NOBODY,
                "",
                (Purpose.RIGHTS, Purpose.ACCOUNT, Purpose.ADMINISTER, Purpose.SECURITY),
                Retention("platform closed", 0),
                Guard(
                    read="true",
                    write="access.staff('operator', 'privacy_officer') AND access.purpose('administer')",
                    systems={"setup": "rw", "authentication": "rw"},
                    app="SELECT, INSERT, UPDATE (told_at)",
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    kind: Mapped[str] = mapped_column(info=technical())
    digest: Mapped[str] = mapped_column(index=True, info=technical())
    body: Mapped[dict[str, Any]] = mapped_column(JSONB, info=technical())
    changes: Mapped[list[Any]] = mapped_column(JSONB, info=technical())
    significant: Mapped[bool] = mapped_column(info=technical())
    published_at: Mapped[datetime] = mapped_column(info=technical())
    effective_at: Mapped[datetime] = mapped_column(info=technical())
    published_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("people.id", ondelete="SET NULL"),
        info=held("user.unique_id", export="the operator's act, not the person's data", erase="null"),
    )
    told_at: Mapped[datetime | None] = mapped_column(info=technical())


class PolicyReceiptRow(Base):
    """That a person accepted a version, put its notice away, or was written to about it. Added, never changed."""

    __tablename__ = "policy_receipts"
    __table_args__ = (
        CheckConstraint("what IN ('accepted', 'noticed', 'mailed')", name="what"),
        UniqueConstraint("person_id", "version_id", "what"),
        table(
            Table(
                "which versions of terms you accepted, and of which policy you were told",
                Subject.PERSON,
                "person_id",
                (Purpose.ACCOUNT, Purpose.RIGHTS, Purpose.SECURITY),
                WHILE_ACCOUNT,
                by_person(systems={"authentication": "rw", "setup": "rw"}, app="SELECT, INSERT"),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), info=held("user.unique_id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("policy_versions.id", ondelete="RESTRICT"), info=technical())
    what: Mapped[str] = mapped_column(info=held("user.behavior"))
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    language: Mapped[str] = mapped_column(info=held("user.demographic.language"))
    channel: Mapped[str] = mapped_column(info=held("user.behavior"))
