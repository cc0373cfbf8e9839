"""Tables of prediction: what machines of a make and model have in common, and what comes next of each machine."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.diagnostics.model import FOR_DIAGNOSIS, LEARNT_FROM
from lineset.kit.database import Base
from lineset.privacy import Guard, Purpose, Retention, Subject, Table, by_household, held, outlives, table, technical


class FleetModelRow(Base):
    """A version of what is known of a type, make and model: figures and lives of parts; it holds nobody's data. `households`: how many
    taught it, in steps of ten. `parameters` are empty once there is a newer version, and where too few households were left."""

    __tablename__ = "fleet_models"
    __table_args__ = (
        CheckConstraint("state IN ('published', 'withdrawn')", name="state"),
        UniqueConstraint("type", "make", "model", "version", name="uq_fleet_models_version"),
        table(
            Table(
                "what machines of a make and model have in common",
                Subject.NOBODY,
                "",
                (*LEARNT_FROM, Purpose.ACCOUNT),
                Retention("replaced", 0),
                Guard(read="true", write="false", systems={"training": "rw", "diagnosis": "r"}),
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


class HomeChangeRow(Base):
    """How the homes that let models learn from them changed in a month at the same weather: the mean and the standard deviation of
    ln(used / expected), rounded, and how many homes there were, in steps of ten. It holds nobody's data."""

    __tablename__ = "home_changes"
    __table_args__ = (
        table(
            Table(
                "how other homes' energy changed in the last month, of eleven homes or more",
                Subject.NOBODY,
                "",
                LEARNT_FROM,
                Retention("replaced", 0),
                Guard(read="true", write="false", systems={"training": "rw"}),
            )
        ),
    )
    month: Mapped[date] = mapped_column(primary_key=True, info=technical())
    households: Mapped[int] = mapped_column(info=technical())
    mean: Mapped[float] = mapped_column(info=technical())
    spread: Mapped[float] = mapped_column(info=technical())
    made: Mapped[datetime] = mapped_column(info=technical())


class ProspectRow(Base):
    """What was foretold of a machine: `views.Forecast` (or null), `views.Due`, `views.Life` as JSON, and figures of its last year by
    name. It is made anew each day."""

    __tablename__ = "prospects"
    __table_args__ = (
        table(
            Table(
                "what is foretold of each machine: use, care that comes due, and life left",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_DIAGNOSIS,
                Retention("made", 62),
                by_household(write="", systems={"diagnosis": "rw", "housekeeping": "rw"}),
            )
        ),
    )
    series_id: Mapped[int] = mapped_column(
        ForeignKey("tenures.series_id", ondelete="CASCADE"), primary_key=True, autoincrement=False, info=technical()
    )
    equipment_id: Mapped[UUID] = mapped_column(index=True, info=outlives(technical(), "equipment"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    forecast: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=False), nullable=False, info=held("derived.inference"))
    dues: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, info=held("derived.inference"))
    lives: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, info=held("derived.inference"))
    year: Mapped[dict[str, float]] = mapped_column(JSONB, info=held("derived.inference"))
    made: Mapped[datetime] = mapped_column(info=technical())
