"""Tables of privacy itself: holds, and the evidence that retention runs."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, held, table, technical
from lineset.privacy.vocabulary import Purpose, Retention, Subject


class HoldRow(Base):
    """A legal or security hold: while it lasts, nothing of that household is deleted, neither for age nor by erasure."""

    __tablename__ = "holds"
    __table_args__ = (
        Index("ix_holds_household_id", "household_id"),
        table(
            Table(
                "what must not be deleted yet, and why",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.ADMINISTER, Purpose.KEEP),
                Retention("ended_at", 730),
                Guard(
                    read="access.staff('operator', 'privacy_officer')",
                    write="access.staff('operator', 'privacy_officer')",
                    systems={"history": "r", "housekeeping": "rw"},
                ),
                export="a hold may not be disclosed while it lasts",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="RESTRICT"), info=held("user.unique_id"))
    kind: Mapped[str] = mapped_column(info=held("user.behavior", export="a hold may not be disclosed while it lasts"))
    reason: Mapped[str] = mapped_column(info=held("user.behavior", export="a hold may not be disclosed while it lasts"))
    placed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), info=held("user.unique_id"))
    placed_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    until: Mapped[datetime | None] = mapped_column(info=technical())
    ended_at: Mapped[datetime | None] = mapped_column(info=technical())


_AUDITORS = "access.staff('operator', 'privacy_officer', 'security')"


class RetentionCountRow(Base):
    """How much of one kind was deleted or shortened on one day because its time was over."""

    __tablename__ = "retention_counts"
    __table_args__ = (
        CheckConstraint("action IN ('deleted', 'shortened')", name="action"),
        table(
            Table(
                "how much was deleted because its time was over, by day",
                Subject.NOBODY,
                "",
                (Purpose.ADMINISTER, Purpose.KEEP),
                Retention("at", 1_100),
                Guard(read=_AUDITORS, write="false", systems={"housekeeping": "rw", "history": "rw"}),
            )
        ),
    )
    day: Mapped[date] = mapped_column(primary_key=True, info=technical())
    what: Mapped[str] = mapped_column(primary_key=True, info=technical())
    action: Mapped[str] = mapped_column(primary_key=True, info=technical())
    count: Mapped[int] = mapped_column(info=technical())
    at: Mapped[datetime] = mapped_column(info=technical())


class EvidenceRow(Base):
    """A dated report that proves a practice: what retention did in a month, or a review. Never changed once it is there."""

    __tablename__ = "evidence"
    __table_args__ = (
        CheckConstraint("kind IN ('retention', 'review')", name="kind"),
        table(
            Table(
                "dated reports on retention and reviews",
                Subject.NOBODY,
                "",
                (Purpose.ADMINISTER, Purpose.KEEP),
                Retention("made_at", 1_825),
                Guard(read=_AUDITORS, write="false", systems={"housekeeping": "rw"}, app="SELECT, INSERT, DELETE"),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    kind: Mapped[str] = mapped_column(info=technical())
    period: Mapped[str] = mapped_column(info=technical())
    made_at: Mapped[datetime] = mapped_column(info=technical())
    content: Mapped[dict[str, Any]] = mapped_column(JSONB, info=technical())
    digest: Mapped[str] = mapped_column(info=technical())


class AttestationRow(Base):
    """What the operator states about a measure that no program can see: locks, disposal of disks, training of staff."""

    __tablename__ = "attestations"
    __table_args__ = (
        table(
            Table(
                "measures that the operator states to have taken",
                Subject.NOBODY,
                "",
                (Purpose.ADMINISTER, Purpose.KEEP),
                Retention("at", 1_825),
                Guard(
                    read=_AUDITORS,
                    write="access.staff('operator', 'security')",
                    systems={"housekeeping": "rw"},
                    app="SELECT, INSERT, DELETE",
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    measure: Mapped[str] = mapped_column(info=technical())
    statement: Mapped[str] = mapped_column(info=technical())
    at: Mapped[datetime] = mapped_column(info=technical())
    by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), info=held("user.unique_id"))
