"""The table of advice: what is worth doing at each machine, and what its people don't want to hear of again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import Guard, Purpose, Retention, Subject, Table, held, outlives, table, technical

KEPT_DAYS = 731
"""After it was given last."""
_MINE = "household_id = ANY (ARRAY(SELECT access.households('{scope}')))"
_NO_COMPANY = "(SELECT NOT access.purpose('service'))"
_LEADS = "household_id IN (SELECT c.subject FROM access.consenting('offers') AS c WHERE c.detail = 'leads')"
"""A company that a household let in sees its advice only while the household says yes to offers of its companies."""


class AdviceRow(Base):
    """One piece of advice. `id` is made of household, machine and reason, so that advice which was dismissed stays away when it is given
    again; `act_by`: until when it should be done."""

    __tablename__ = "advice"
    __table_args__ = (
        table(
            Table(
                "advice on machines, and what was dismissed of it",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.OPERATE, Purpose.SERVICE, Purpose.KEEP),
                Retention("made", KEPT_DAYS),
                Guard(
                    read=f"{_MINE.format(scope='view')} AND ({_NO_COMPANY} OR {_LEADS})",
                    write=f"{_MINE.format(scope='control')} AND {_NO_COMPANY}",
                    systems={"diagnosis": "rw", "housekeeping": "rw"},
                ),
                also=(("dismissed_by", Subject.PERSON),),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    site_id: Mapped[UUID] = mapped_column(index=True, info=outlives(technical(), "sites"))
    equipment_id: Mapped[UUID] = mapped_column(index=True, info=outlives(technical(), "equipment"))
    finding_id: Mapped[UUID | None] = mapped_column(ForeignKey("findings.id", ondelete="CASCADE"), index=True, info=technical())
    kind: Mapped[str] = mapped_column(info=held("derived.inference"))
    code: Mapped[str] = mapped_column(info=held("derived.inference"))
    suffers: Mapped[str] = mapped_column(info=held("derived.inference"))
    saving_a_year: Mapped[float | None] = mapped_column(info=held("derived.inference"))
    cost: Mapped[float | None] = mapped_column(info=held("derived.inference"))
    figures: Mapped[dict[str, float]] = mapped_column(JSONB, server_default=text("'{}'"), info=held("derived.inference"))
    act_by: Mapped[datetime] = mapped_column(info=held("derived.inference"))
    made: Mapped[datetime] = mapped_column(index=True, info=technical())
    stands: Mapped[bool] = mapped_column(
        server_default=text("true"), info=technical()
    )  # False: not given any more, kept since it was dismissed
    dismissed_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    dismissed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True, info=held("user.behavior"))
