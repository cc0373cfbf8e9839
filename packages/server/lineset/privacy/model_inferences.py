"""The table of inferences: what the platform concludes about a household from other data."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, held, table, technical
from lineset.privacy.vocabulary import WHILE_HOUSEHOLD, Purpose, Sensitivity, Subject

_DERIVED = "derived.inference"


class InferenceRow(Base):
    """A conclusion: a habit, a prediction, a cause. It is the household's own like what it was made of; its people may contest it."""

    __tablename__ = "inferences"
    __table_args__ = (
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        Index("ix_inferences_household_id_made_at", "household_id", "made_at"),
        table(
            Table(
                "what we conclude from your data",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.OPERATE, Purpose.SERVICE, Purpose.RIGHTS, Purpose.KEEP),
                WHILE_HOUSEHOLD,
                Guard(
                    read="household_id = ANY (ARRAY(SELECT access.households('view')))",
                    write="(SELECT NOT access.purpose('service')) AND household_id = ANY (ARRAY(SELECT access.households('people')))",
                    systems={"housekeeping": "rw"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), info=held("user.unique_id"))
    kind: Mapped[str] = mapped_column(info=held(_DERIVED))
    source: Mapped[str] = mapped_column(info=held(_DERIVED))
    statement: Mapped[str] = mapped_column(info=held(_DERIVED, Sensitivity.PRIVATE))
    confidence: Mapped[float] = mapped_column(info=held(_DERIVED))
    model: Mapped[str] = mapped_column(info=held(_DERIVED))
    made_at: Mapped[datetime] = mapped_column(info=held(_DERIVED))
    contested_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    contested_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True, info=held("user.unique_id"))
    objection: Mapped[str] = mapped_column(server_default="", info=held("user.content.private", Sensitivity.PRIVATE))
