"""The table of fleet models: what machines of a make and model have in common. It holds nobody's data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.diagnostics.model import LEARNT_FROM
from lineset.kit.database import Base
from lineset.privacy import Guard, Retention, Subject, Table, table, technical


class FleetModelRow(Base):
    """A version of what is known of a type, make and model. `households`: how many taught it, in steps of ten. `parameters` are empty once
    there is a newer version, and where too few households were left."""

    __tablename__ = "fleet_models"
    __table_args__ = (
        CheckConstraint("state IN ('published', 'withdrawn')", name="state"),
        UniqueConstraint("type", "make", "model", "version", name="uq_fleet_models_version"),
        table(
            Table(
                "what machines of a make and model have in common",
                Subject.NOBODY,
                "",
                LEARNT_FROM,
                Retention("replaced", 0),
                Guard(read="true", write="false", systems={"training": "rw"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    type: Mapped[str] = mapped_column(info=technical())
    make: Mapped[str] = mapped_column(info=technical())
    model: Mapped[str] = mapped_column(info=technical())
    version: Mapped[int] = mapped_column(info=technical())
    state: Mapped[str] = mapped_column(info=technical())
    trained_at: Mapped[datetime] = mapped_column(info=technical())
    households: Mapped[int] = mapped_column(info=technical())
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB, info=technical())
    metrics: Mapped[dict[str, Any]] = mapped_column(JSONB, info=technical())
