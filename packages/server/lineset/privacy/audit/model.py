"""Tables of the access log: who looked at or changed whose home, the chain over it, and staff's access for a stated reason."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, held, table, technical
from lineset.privacy.vocabulary import Purpose, Retention, Sensitivity, Subject

LOG_DAYS = 730
"""Entries are kept for 24 months; after that the digests in `audit_leaves` stay, so that older proofs still hold."""
MOST_MINUTES = 60
_READS_LOG = "access.staff('privacy_officer', 'security')"
_CHANGES = "SELECT, UPDATE (seq, household_id, thing, reason, subject_salt, subject_digest, actor_id, actor_salt, actor_digest), DELETE"
_SEALED = "kept as proof; says nothing by itself"


class AccessLogRow(Base):
    """Somebody else's access to a household within one stretch of time: who, as what, why, doing what. Added by `access.enter` alone."""

    __tablename__ = "access_log"
    __table_args__ = (
        Index("uq_access_log_window", "actor_id", "window_start", "purpose", "action", "household_id", "thing", unique=True),
        Index("ix_access_log_household_id_at", "household_id", "at"),
        Index("ix_access_log_at", "at"),
        Index("ix_access_log_unsealed", "at", postgresql_where=text("seq IS NULL")),
        table(
            Table(
                "who saw or changed your home, why, and when",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.RIGHTS, Purpose.OPERATE, Purpose.ADMINISTER, Purpose.KEEP),
                Retention("at", LOG_DAYS),
                Guard(
                    read=f"household_id = ANY (ARRAY(SELECT access.households('view'))) OR {_READS_LOG}",
                    write="false",
                    systems={"housekeeping": "rw"},
                    app=_CHANGES,
                ),
                erasure="pseudonymise",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    seq: Mapped[int | None] = mapped_column(BigInteger, unique=True, info=technical())
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    window_start: Mapped[datetime] = mapped_column(info=technical())
    actor_id: Mapped[UUID | None] = mapped_column(info=held("user.unique_id", erase="pseudonymise"))
    organisation_id: Mapped[UUID | None] = mapped_column(info=held("user.workplace"))
    role: Mapped[str] = mapped_column(info=held("user.workplace"))
    household_id: Mapped[UUID | None] = mapped_column(info=held("user.unique_id", erase="pseudonymise"))
    purpose: Mapped[str] = mapped_column(info=held("user.behavior"))
    action: Mapped[str] = mapped_column(info=held("user.behavior"))
    thing: Mapped[UUID | None] = mapped_column(info=held("equipment.identity", erase="pseudonymise"))
    reason: Mapped[str] = mapped_column(server_default="", info=held("user.content.private", Sensitivity.PRIVATE, erase="pseudonymise"))
    subject_salt: Mapped[bytes | None] = mapped_column(info=held("system.operations", Sensitivity.NONE, export=_SEALED, erase="null"))
    subject_digest: Mapped[bytes | None] = mapped_column(info=held("system.operations", Sensitivity.NONE, export=_SEALED))
    actor_salt: Mapped[bytes | None] = mapped_column(info=held("system.operations", Sensitivity.NONE, export=_SEALED, erase="null"))
    actor_digest: Mapped[bytes | None] = mapped_column(info=held("system.operations", Sensitivity.NONE, export=_SEALED))


class LeafRow(Base):
    """One entry's place in the chain: `body` is the digest of the entry, `hash` that of place, time, the hash before and body."""

    __tablename__ = "audit_leaves"
    __table_args__ = (
        table(
            Table(
                "digests of the access log",
                Subject.NOBODY,
                "",
                (Purpose.ADMINISTER, Purpose.KEEP),
                Retention("installation ended", 0),
                Guard(read=_READS_LOG, write="false", systems={"housekeeping": "rw"}, app="SELECT, INSERT"),
            )
        ),
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, info=technical())
    at: Mapped[datetime] = mapped_column(info=technical())
    body: Mapped[bytes] = mapped_column(info=technical())
    hash: Mapped[bytes] = mapped_column(info=technical())


class CheckpointRow(Base):
    """A signed statement of how long the chain is and of the root of its Merkle tree; from `peaks` the next is made."""

    __tablename__ = "audit_checkpoints"
    __table_args__ = (
        table(
            Table(
                "signed statements about the access log",
                Subject.NOBODY,
                "",
                (Purpose.ADMINISTER, Purpose.KEEP),
                Retention("installation ended", 0),
                Guard(read="true", write="false", systems={"housekeeping": "rw"}, app="SELECT, INSERT"),
            )
        ),
    )
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, info=technical())
    made_at: Mapped[datetime] = mapped_column(info=technical())
    root: Mapped[bytes] = mapped_column(info=technical())
    signature: Mapped[bytes] = mapped_column(info=technical())
    peaks: Mapped[bytes] = mapped_column(info=technical())


class StaffAccessRow(Base):
    """A member of the operator's staff may look at one household, for a stated reason, for an hour at most."""

    __tablename__ = "staff_accesses"
    __table_args__ = (
        CheckConstraint("role IN ('support', 'security', 'privacy_officer')", name="role"),
        CheckConstraint(f"ends_at > starts_at AND ends_at <= starts_at + interval '{MOST_MINUTES} minutes'", name="span"),
        Index("ix_staff_accesses_person_id", "person_id"),
        Index("ix_staff_accesses_household_id", "household_id"),
        table(
            Table(
                "when our staff looked at your home, and why",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.SUPPORT, Purpose.SECURITY, Purpose.RIGHTS, Purpose.OPERATE, Purpose.ADMINISTER, Purpose.KEEP),
                Retention("ends_at", LOG_DAYS),
                Guard(
                    read="household_id = ANY (ARRAY(SELECT access.households('view'))) OR person_id = access.person() AND access.staff()"
                    f" OR {_READS_LOG}",
                    write="person_id = access.person() AND access.staff()",
                    insert="false",  # together with the mail to the owners, by the platform's own actor
                    systems={"authentication": "rw", "housekeeping": "rw"},
                    app="SELECT, INSERT, UPDATE (ended_at), DELETE",
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), info=held("user.unique_id"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), info=held("user.unique_id"))
    role: Mapped[str] = mapped_column(info=held("user.workplace"))
    reason: Mapped[str] = mapped_column(info=held("user.content.private", Sensitivity.PRIVATE))
    ticket: Mapped[str] = mapped_column(server_default="", info=held("user.content.private", Sensitivity.PRIVATE))
    starts_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    ends_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    ended_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
