"""Tables that say what history there is, how far days are closed, and how long a household lets its measurements be kept."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import (
    WHILE_HOUSEHOLD,
    Guard,
    Purpose,
    Retention,
    Subject,
    Table,
    by_household,
    held,
    table,
    technical,
)

FOR_HISTORY = (Purpose.OPERATE, Purpose.SERVICE, Purpose.SUPPORT, Purpose.ADMINISTER, Purpose.KEEP, Purpose.RIGHTS)
_AS_LONG_AS_USED = Retention("replaced", 0)


class ClosingRow(Base):
    """A step by which the end of history moved on: days before the newest `closed_before` are closed."""

    __tablename__ = "closings"
    __table_args__ = (
        table(
            Table(
                "up to which day measurements are history",
                Subject.NOBODY,
                "",
                FOR_HISTORY,
                _AS_LONG_AS_USED,
                Guard(read="true", write="false", systems={"history": "rw"}, ingest="SELECT"),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    closed_before: Mapped[datetime] = mapped_column(index=True, info=technical())
    closed_at: Mapped[datetime] = mapped_column(info=technical())


class HistoryFileRow(Base):
    """The manifest: which file holds which part of history. A file that no row names does not exist for any reader.

    A part is one period (a day of raw readings, a month of hours, a year of days) of the series with `series_id % modulus = remainder`
    that are kept for `keep_days`.
    """

    __tablename__ = "history_files"
    __table_args__ = (
        CheckConstraint("tier IN ('raw', 'hour', 'day', 'held')", name="tier"),
        Index("ix_history_files_part", "tier", "period", "keep_days", "modulus", "remainder", unique=True),
        table(
            Table(
                "which file of history holds which day",
                Subject.NOBODY,
                "",
                FOR_HISTORY,
                _AS_LONG_AS_USED,
                Guard(read="true", write="false", systems={"history": "rw"}),
                backup="a restore writes files of its own",
            )
        ),
    )
    path: Mapped[str] = mapped_column(primary_key=True, info=technical())
    tier: Mapped[str] = mapped_column(info=technical())
    period: Mapped[date] = mapped_column(Date, info=technical())
    keep_days: Mapped[int] = mapped_column(Integer, info=technical())
    modulus: Mapped[int] = mapped_column(Integer, info=technical())
    remainder: Mapped[int] = mapped_column(Integer, info=technical())
    rows: Mapped[int] = mapped_column(BigInteger, info=technical())
    bytes: Mapped[int] = mapped_column(BigInteger, info=technical())
    written_at: Mapped[datetime] = mapped_column(info=technical())


class KeepingRow(Base):
    """A household's own choice of how long its raw measurements are kept: shorter than the platform's time."""

    __tablename__ = "keeping"
    __table_args__ = (
        table(
            Table(
                "how long a household lets its measurements be kept",
                Subject.HOUSEHOLD,
                "household_id",
                (*FOR_HISTORY, Purpose.ACCOUNT),
                WHILE_HOUSEHOLD,
                by_household(write="owner", systems={"history": "r", "diagnosis": "r"}),
            )
        ),
    )
    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("households.id", ondelete="CASCADE"), primary_key=True, info=held("user.unique_id")
    )
    raw_days: Mapped[int] = mapped_column(Integer, info=held("user.settings"))
    chosen_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))


class ErasureRow(Base):
    """An erasure of series, as far as it is done; what it names are numbers of series, which mean nothing once their tenures are gone."""

    __tablename__ = "series_erasures"
    __table_args__ = (
        table(
            Table(
                "erasures of measurements and how far they are",
                Subject.NOBODY,
                "",
                (Purpose.OPERATE, Purpose.ADMINISTER, Purpose.KEEP),
                Retention("asked_at", 730),
                Guard(
                    read="access.staff('operator', 'privacy_officer')",
                    write="false",
                    systems={"history": "rw", "housekeeping": "rw"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    series: Mapped[list[int]] = mapped_column(ARRAY(Integer), info=held("user.unique_id"))
    household_id: Mapped[UUID] = mapped_column(info=held("user.unique_id"))
    asked_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    done: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"), info=technical())
    finished_at: Mapped[datetime | None] = mapped_column(info=technical())
