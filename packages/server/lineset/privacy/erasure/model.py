"""The table of erasures: what somebody wants to be gone, how far that is, and the proof."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, held, table, technical
from lineset.privacy.vocabulary import Purpose, Retention, Sensitivity, Subject

KINDS = ("account", "household", "site", "machine", "device", "item")
"""What can be erased. `device` is a gateway; `item` is one row of the asker's own, such as a contact or a session."""
STATES = ("waiting", "erasing", "held", "done", "cancelled")
PROOF_DAYS = 730
"""Days for which a finished erasure can be proven (CCPA regulations, 11 CCR 7101: requests are kept for 24 months)."""
_BASIS = "proof that the erasure was asked for and done (GDPR art. 5(2); 11 CCR 7101)"
_PROOF = held("user.unique_id", erase="keep", keep=_BASIS)
_WHEN = held("user.behavior", erase="keep", keep=_BASIS)
_MINE = "(asked_by = (SELECT access.person()) OR household_id = ANY (ARRAY(SELECT access.households('owner'))))"


class ErasureRow(Base):
    """One erasure. It holds ids, codes and times alone, so nothing in it says who somebody was once it is done.

    `scope`: the ids of all that goes, as it was when it was hidden; `steps`: the time at which each step was done and how many rows,
    files or keys went; `certificate`: what is certified, with its signature.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("kind IN ('account', 'household', 'site', 'machine', 'device', 'item')", name="kind"),
        CheckConstraint("state IN ('waiting', 'erasing', 'held', 'done', 'cancelled')", name="state"),
        Index("uq_erasures_open", "kind", "target_id", unique=True, postgresql_where=text("state IN ('waiting', 'erasing', 'held')")),
        Index("ix_erasures_asked_by", "asked_by"),
        Index("ix_erasures_household_id", "household_id"),
        table(
            Table(
                "what you asked us to erase, and how far that is",
                Subject.PERSON,
                "asked_by",
                (Purpose.RIGHTS, Purpose.ACCOUNT, Purpose.OPERATE, Purpose.ADMINISTER, Purpose.KEEP),
                Retention("finished_at", PROOF_DAYS),
                Guard(
                    read=f"{_MINE} OR access.staff('privacy_officer')",
                    write=f"{_MINE} AND state IN ('waiting', 'cancelled')",
                    insert="asked_by = (SELECT access.person()) AND (person_id IS NULL OR person_id = asked_by) AND"
                    " (household_id IS NULL OR household_id = ANY (ARRAY(SELECT access.households('owner'))))",
                    systems={"housekeeping": "rw"},
                ),
                erasure="keep",
                also=(("household_id", Subject.HOUSEHOLD),),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    kind: Mapped[str] = mapped_column(info=technical())
    target_id: Mapped[UUID] = mapped_column(info=_PROOF)
    asked_by: Mapped[UUID] = mapped_column(info=_PROOF)
    person_id: Mapped[UUID | None] = mapped_column(info=_PROOF)
    household_id: Mapped[UUID | None] = mapped_column(info=_PROOF)
    state: Mapped[str] = mapped_column(info=technical())
    asked_at: Mapped[datetime] = mapped_column(info=_WHEN)
    grace_until: Mapped[datetime] = mapped_column(index=True, info=technical())
    hidden_at: Mapped[datetime | None] = mapped_column(info=technical())
    scope: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"), info=_PROOF)
    steps: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"), info=technical())
    failure: Mapped[str] = mapped_column(server_default="", info=held("system.operations", Sensitivity.NONE, erase="keep", keep=_BASIS))
    certificate: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=technical())
    finished_at: Mapped[datetime | None] = mapped_column(info=_WHEN)
