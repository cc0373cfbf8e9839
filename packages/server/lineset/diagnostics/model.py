"""Tables of diagnosis: days of features, what machines have learnt, findings with their steps, and what technicians' verdicts taught."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import (
    WHILE_HOUSEHOLD,
    Guard,
    Purpose,
    Retention,
    Sensitivity,
    Subject,
    Table,
    by_household,
    held,
    outlives,
    table,
    technical,
)

FOR_DIAGNOSIS = (Purpose.OPERATE, Purpose.SERVICE, Purpose.SUPPORT, Purpose.ADMINISTER, Purpose.KEEP, Purpose.RIGHTS)
LEARNT_FROM = (*FOR_DIAGNOSIS, Purpose.FLEET_MODELS)
"""With a household's yes the fleet's models learn from these."""
PRIVATE = Sensitivity.PRIVATE
DAYS_KEPT = 3653
FINDINGS_KEPT = 1826
"""Days: five years, so that a fault that comes back after a repair is known."""


class MachineDayRow(Base):
    """What a machine's readings of one day of its site's calendar add up to: `sums` are 32-bit numbers, little-endian, in the order of the
    layout's names; NaN where a feature does not exist. `hours`: run time (s), energy (kWh) and outdoor temperature (degC) of its 24 hours,
    in the same form, hour by hour. `through`: up to when readings of that day are in it."""

    __tablename__ = "machine_days"
    __table_args__ = (
        Index("ix_machine_days_equipment_id", "equipment_id", "day"),
        table(
            Table(
                "daily sums that diagnosis and performance are made of",
                Subject.HOUSEHOLD,
                "household_id",
                LEARNT_FROM,
                Retention("day", DAYS_KEPT),
                by_household(write="", systems={"diagnosis": "rw", "training": "r", "housekeeping": "rw"}),
                exporter="days",
            )
        ),
    )
    series_id: Mapped[int] = mapped_column(
        ForeignKey("tenures.series_id", ondelete="CASCADE"), primary_key=True, autoincrement=False, info=technical()
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True, info=held("equipment.measurement"))
    equipment_id: Mapped[UUID] = mapped_column(info=outlives(technical(), "equipment"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    layout: Mapped[int] = mapped_column(BigInteger, info=technical())
    sums: Mapped[bytes] = mapped_column(info=held("equipment.measurement", PRIVATE))
    hours: Mapped[bytes | None] = mapped_column(info=held("equipment.measurement", PRIVATE))
    through: Mapped[datetime] = mapped_column(info=technical())


class DayLayoutRow(Base):
    """The names of the sums of a day, in their order. `layout` is made of the names, so that a layout is the same wherever it is made."""

    __tablename__ = "machine_day_layouts"
    __table_args__ = (
        table(
            Table(
                "what the daily sums of diagnosis are called",
                Subject.NOBODY,
                "",
                LEARNT_FROM,
                Retention("replaced", 0),
                Guard(read="true", write="false", systems={"diagnosis": "rw", "training": "r"}),
            )
        ),
    )
    layout: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, info=technical())
    names: Mapped[list[str]] = mapped_column(ARRAY(String), info=technical())


class MemoryRow(Base):
    """What a machine has shown to be normal for it, as numbers of a model, and up to when its readings have been diagnosed."""

    __tablename__ = "machine_memories"
    __table_args__ = (
        table(
            Table(
                "what is normal for each machine, as diagnosis has learnt it",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_DIAGNOSIS,
                WHILE_HOUSEHOLD,
                by_household(write="", systems={"diagnosis": "rw"}),
            )
        ),
    )
    series_id: Mapped[int] = mapped_column(
        ForeignKey("tenures.series_id", ondelete="CASCADE"), primary_key=True, autoincrement=False, info=technical()
    )
    equipment_id: Mapped[UUID] = mapped_column(info=outlives(technical(), "equipment"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    state: Mapped[bytes] = mapped_column(
        info=held("derived.inference", export="coefficients that only diagnosis can read; what it concludes with them is handed over")
    )
    through: Mapped[datetime] = mapped_column(info=technical())


class FindingRow(Base):
    """A fault found at a machine. It is open while `closed` is empty; `repaired` is when a technician said that it is mended, until that is
    verified. `clear_since`: from when on its detector saw nothing any more. `make` and `model` as they were, for what verdicts teach."""

    __tablename__ = "findings"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open','acknowledged','assigned','in_repair','verified_fixed','closed','false_alarm')",
            name="state",
        ),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        CheckConstraint("(closed IS NULL) = (state NOT IN ('verified_fixed','closed','false_alarm'))", name="closed"),
        Index("uq_findings_open", "series_id", "fault", unique=True, postgresql_where=text("closed IS NULL")),
        Index("ix_findings_equipment_id", "equipment_id", "opened"),
        Index("ix_findings_site_id", "site_id"),
        table(
            Table(
                "faults found at machines, and what became of them",
                Subject.HOUSEHOLD,
                "household_id",
                LEARNT_FROM,
                Retention("seen", FINDINGS_KEPT),
                by_household(systems={"diagnosis": "rw", "housekeeping": "rw"}),
                also=(("assigned_to", Subject.PERSON),),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    series_id: Mapped[int] = mapped_column(Integer, ForeignKey("tenures.series_id", ondelete="CASCADE"), info=technical())
    equipment_id: Mapped[UUID] = mapped_column(info=outlives(technical(), "equipment"))
    site_id: Mapped[UUID] = mapped_column(info=outlives(technical(), "sites"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    make: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    model: Mapped[str] = mapped_column(server_default="", info=held("equipment.identity"))
    fault: Mapped[str] = mapped_column(info=held("derived.inference"))
    candidates: Mapped[dict[str, float]] = mapped_column(JSONB, info=held("derived.inference"))
    effects: Mapped[list[str]] = mapped_column(ARRAY(String), info=held("derived.inference"))
    confidence: Mapped[float] = mapped_column(info=held("derived.inference"))
    severity: Mapped[float] = mapped_column(info=held("derived.inference"))
    loss: Mapped[float] = mapped_column(info=held("derived.inference"))
    cost_a_day: Mapped[float | None] = mapped_column(info=held("derived.inference"))
    evidence: Mapped[dict[str, float]] = mapped_column(JSONB, info=held("derived.inference"))
    plot: Mapped[list[str]] = mapped_column(ARRAY(String), info=technical())
    state: Mapped[str] = mapped_column(info=held("equipment.event"))
    opened: Mapped[datetime] = mapped_column(info=held("equipment.event"))
    seen: Mapped[datetime] = mapped_column(index=True, info=held("equipment.event"))
    closed: Mapped[datetime | None] = mapped_column(info=held("equipment.event"))
    clear_since: Mapped[datetime | None] = mapped_column(info=technical())
    repaired: Mapped[datetime | None] = mapped_column(info=held("equipment.event"))
    assigned_to: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True, info=held("user.workplace"))


class FindingStepRow(Base):
    """One step in a finding's life. `by_id`: nobody where the platform took it; `verdict`: the fault that a technician found, or "none"."""

    __tablename__ = "finding_steps"
    __table_args__ = (
        table(
            Table(
                "each step in the life of a fault",
                Subject.HOUSEHOLD,
                "household_id",
                LEARNT_FROM,
                Retention("at", FINDINGS_KEPT),
                by_household(systems={"diagnosis": "rw", "housekeeping": "rw"}),
                also=(("by_id", Subject.PERSON),),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    finding_id: Mapped[UUID] = mapped_column(ForeignKey("findings.id", ondelete="CASCADE"), index=True, info=technical())
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    at: Mapped[datetime] = mapped_column(info=held("equipment.event"))
    state: Mapped[str] = mapped_column(info=held("equipment.event"))
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True, info=held("user.behavior"))
    note: Mapped[str] = mapped_column(server_default="", info=held("equipment.event"))
    verdict: Mapped[str] = mapped_column(server_default="", info=held("equipment.event"))


class FaultPriorRow(Base):
    """How often technicians confirmed a fault at machines of a make and model that diagnosis had named, and how often not."""

    __tablename__ = "fault_priors"
    __table_args__ = (
        table(
            Table(
                "how often each fault was confirmed, by make and model",
                Subject.NOBODY,
                "",
                FOR_DIAGNOSIS,
                Retention("replaced", 0),
                Guard(read="true", write="false", systems={"diagnosis": "rw"}),
            )
        ),
    )
    make: Mapped[str] = mapped_column(primary_key=True, info=technical())
    model: Mapped[str] = mapped_column(primary_key=True, info=technical())
    fault: Mapped[str] = mapped_column(primary_key=True, info=technical())
    confirmed: Mapped[int] = mapped_column(Integer, info=technical())
    rejected: Mapped[int] = mapped_column(Integer, info=technical())
