"""Tables of privacy itself: holds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
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
