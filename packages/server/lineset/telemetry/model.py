"""Tables of measurements: slots, frames, latest values, acknowledgements, refusals and poison messages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, REAL
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

FOR_READINGS = (Purpose.OPERATE, Purpose.SERVICE, Purpose.SUPPORT, Purpose.ADMINISTER, Purpose.KEEP)
PRIVATE = Sensitivity.PRIVATE
RAW_DAYS = 800
"""Days for which single readings are kept, where their household has not chosen fewer: two heating seasons to compare, and a margin."""
ROLLUP_DAYS = 3653
"""Days for which hourly and daily sums are kept: about half the life of a heat pump."""
KEEP_RAW = Retention("measured", RAW_DAYS)


class SlotRow(Base):
    """Where a machine's point stands in its frames' arrays. Append-only: a slot is never given to another point."""

    __tablename__ = "slots"
    __table_args__ = (
        CheckConstraint("kind IN ('real', 'counter', 'code')", name="kind"),
        Index("uq_slots_place", "equipment_id", text("(kind = 'counter')"), "slot", unique=True),
        table(
            Table(
                "which points a machine has",
                Subject.HOUSEHOLD,
                "equipment_id",
                FOR_READINGS,
                WHILE_HOUSEHOLD,
                Guard(
                    read="equipment_id IN (SELECT equipment_id FROM tenures)",
                    write="false",
                    systems={"import": "rw", "history": "rw", "diagnosis": "r"},
                    ingest="SELECT, INSERT",
                ),
                via="tenures.equipment_id",
            )
        ),
    )
    equipment_id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    point: Mapped[str] = mapped_column(primary_key=True, info=held("equipment.measurement"))
    kind: Mapped[str] = mapped_column(info=technical())
    slot: Mapped[int] = mapped_column(SmallInteger, info=technical())
    known: Mapped[bool] = mapped_column(info=technical())
    first_seen_at: Mapped[datetime] = mapped_column(info=held("equipment.event"))


class FrameRow(Base):
    """What one machine measured at one moment. `reals` and `totals` stand by slot; NaN where nothing was measured."""

    __tablename__ = "frames"
    __table_args__ = (
        {
            **table(
                Table(
                    "measurements of the last days",
                    Subject.HOUSEHOLD,
                    "series_id",
                    FOR_READINGS,
                    KEEP_RAW,
                    Guard(
                        read="false",
                        write="false",
                        systems={"import": "rw", "history": "rw", "diagnosis": "r"},
                        ingest="SELECT, INSERT, UPDATE",
                    ),
                    via="tenures.series_id",
                    exporter="measurements",
                )
            ),
            "postgresql_partition_by": "RANGE (t)",
        },
    )
    series_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, info=held("user.unique_id"))
    t: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True, info=held("equipment.measurement", PRIVATE))
    reals: Mapped[list[float]] = mapped_column(ARRAY(REAL), info=held("equipment.measurement", PRIVATE))
    totals: Mapped[list[float] | None] = mapped_column(ARRAY(DOUBLE_PRECISION), info=held("equipment.measurement", PRIVATE))


class LateFrameRow(Base):
    """As `FrameRow`, for frames of days that are closed already, until they are merged into their own day's history."""

    __tablename__ = "late_frames"
    __table_args__ = (
        table(
            Table(
                "measurements that came late, until they join their day",
                Subject.HOUSEHOLD,
                "series_id",
                FOR_READINGS,
                KEEP_RAW,
                Guard(
                    read="false",
                    write="false",
                    systems={"import": "rw", "history": "rw", "diagnosis": "r"},
                    ingest="SELECT, INSERT, UPDATE",
                ),
                via="tenures.series_id",
                exporter="measurements",
            )
        ),
    )
    series_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, info=held("user.unique_id"))
    t: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True, info=held("equipment.measurement", PRIVATE))
    reals: Mapped[list[float]] = mapped_column(ARRAY(REAL), info=held("equipment.measurement", PRIVATE))
    totals: Mapped[list[float] | None] = mapped_column(ARRAY(DOUBLE_PRECISION), info=held("equipment.measurement", PRIVATE))


class LatestRow(Base):
    """Newest known value of each point of a machine, with the time of each, all by slot; seconds since 1970 in `real_times`."""

    __tablename__ = "latest"
    __table_args__ = (
        table(
            Table(
                "the newest measurements",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_READINGS,
                WHILE_HOUSEHOLD,
                by_household(write="", systems={"import": "rw", "history": "rw"}, ingest="SELECT, INSERT, UPDATE"),
            )
        ),
    )
    series_id: Mapped[int] = mapped_column(ForeignKey("tenures.series_id", ondelete="CASCADE"), primary_key=True, info=technical())
    equipment_id: Mapped[UUID] = mapped_column(index=True, info=outlives(technical(), "equipment"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    t: Mapped[datetime] = mapped_column(info=held("equipment.measurement", PRIVATE))
    reals: Mapped[list[float]] = mapped_column(ARRAY(REAL), info=held("equipment.measurement", PRIVATE))
    real_times: Mapped[list[float]] = mapped_column(ARRAY(DOUBLE_PRECISION), info=held("equipment.measurement", PRIVATE))
    totals: Mapped[list[float]] = mapped_column(ARRAY(DOUBLE_PRECISION), info=held("equipment.measurement", PRIVATE))
    total_times: Mapped[list[float]] = mapped_column(ARRAY(DOUBLE_PRECISION), info=held("equipment.measurement", PRIVATE))


class AcknowledgementRow(Base):
    """How far a gateway's numbered messages of one epoch are committed: all up to `through`, and those in `ahead` beyond it."""

    __tablename__ = "acknowledgements"
    __table_args__ = (
        table(
            Table(
                "how far each gateway's messages are stored",
                Subject.HOUSEHOLD,
                "gateway_id",
                FOR_READINGS,
                WHILE_HOUSEHOLD,
                Guard(
                    read="gateway_id IN (SELECT id FROM gateways)",
                    write="false",
                    ingest="SELECT, INSERT, UPDATE",
                    app="SELECT",
                ),
                via="gateways.id",
            )
        ),
    )
    gateway_id: Mapped[UUID] = mapped_column(
        ForeignKey("gateways.id", ondelete="CASCADE"), primary_key=True, info=held("user.device.device_id")
    )
    epoch: Mapped[str] = mapped_column(primary_key=True, info=technical())
    through: Mapped[int] = mapped_column(BigInteger, info=technical())
    ahead: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"), info=technical())
    updated_at: Mapped[datetime] = mapped_column(info=technical())


class RefusalRow(Base):
    """Something that a device sent and that was not taken, with the reason that the device was told.

    Where there is too much of it, it is only counted: one row for each gateway, reason and hour, with `times`, the newest sentence and no
    place in the device's sequence.
    """

    __tablename__ = "refusals"
    __table_args__ = (
        Index("ix_refusals_gateway_id", "gateway_id", "at"),
        Index("ix_refusals_message", "gateway_id", "epoch", "seq"),
        table(
            Table(
                "what devices sent that was not taken, and why",
                Subject.HOUSEHOLD,
                "household_id",
                FOR_READINGS,
                Retention("at", 90),
                by_household(write="", systems={"housekeeping": "rw", "import": "rw"}, ingest="SELECT, INSERT, UPDATE"),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    gateway_id: Mapped[UUID] = mapped_column(info=outlives(held("user.device.device_id"), "gateways"))
    household_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id")
    )
    epoch: Mapped[str | None] = mapped_column(info=technical())
    seq: Mapped[int | None] = mapped_column(BigInteger, info=technical())
    index: Mapped[int | None] = mapped_column(Integer, info=technical())
    equipment: Mapped[str | None] = mapped_column(info=held("equipment.identity"))
    code: Mapped[str] = mapped_column(info=held("equipment.event"))
    say: Mapped[str] = mapped_column(info=held("equipment.event"))
    at: Mapped[datetime] = mapped_column(info=held("equipment.event"))
    times: Mapped[int] = mapped_column(server_default="1", info=technical())


class PoisonRow(Base):
    """A message that could not be handled though it is well formed: set aside, counted and shown, so that the rest flows on."""

    __tablename__ = "poison_messages"
    __table_args__ = (
        table(
            Table(
                "messages set aside because they could not be handled",
                Subject.NOBODY,
                "",
                FOR_READINGS,
                Retention("at", 30),
                Guard(
                    read="access.staff('operator', 'support', 'security')",
                    write="false",
                    systems={"housekeeping": "rw"},
                    ingest="SELECT, INSERT",
                ),
                backup="nobody can be found whose they are, so no key of theirs could end",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    at: Mapped[datetime] = mapped_column(index=True, info=technical())
    subject: Mapped[str] = mapped_column(info=held("user.device.device_id"))
    payload: Mapped[bytes] = mapped_column(info=held("equipment.measurement", PRIVATE, export="could not be read, so not attributable"))
    reason: Mapped[str] = mapped_column(info=technical())
