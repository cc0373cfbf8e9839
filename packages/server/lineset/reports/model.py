"""The table of reminders: what somebody was told to be due, so that nobody is told twice."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import Guard, Purpose, Retention, Subject, Table, held, outlives, table, technical

KEPT_DAYS = 731
_MINE = "person_id = (SELECT access.person())"
_OURS = "household_id = ANY (ARRAY(SELECT access.households('view')))"


class ReminderRow(Base):
    """Something due at a machine that a person was reminded of. It goes once it is due no more, so that the next time is told."""

    __tablename__ = "reminders"
    __table_args__ = (
        table(
            Table(
                "what you were reminded of by mail, so that you are told once",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.OPERATE, Purpose.KEEP),
                Retention("told_at", KEPT_DAYS),
                Guard(read=_MINE, write=f"{_MINE} AND {_OURS}", systems={"housekeeping": "rw"}),
                also=(("person_id", Subject.PERSON),),
            )
        ),
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, info=held("user.unique_id"))
    equipment_id: Mapped[UUID] = mapped_column(primary_key=True, index=True, info=outlives(technical(), "equipment"))
    part: Mapped[str] = mapped_column(primary_key=True, info=held("derived.inference"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    told_at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))
