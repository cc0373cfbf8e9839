"""Tables of downloads that somebody asked for, and of the parts from which each is made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import Purpose, Retention, Subject, Table, by_person, held, table, technical

FOR_EXPORTS = (Purpose.OPERATE, Purpose.SERVICE, Purpose.KEEP)
FILE_DAYS = 7
"""Days for which a finished file can be downloaded."""
ROW_DAYS = 30
"""Days for which a person's list still names a download, from the day on which it was asked for."""


class ExportRow(Base):
    """A download that a person asked for: of one machine, one site, or all machines that the person may see for that purpose.

    `path` names its file once it is ready; `code` says why there is none.
    """

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("detail IN ('raw', 'hour', 'day')", name="detail"),
        CheckConstraint("format IN ('csv', 'parquet')", name="format"),
        CheckConstraint("state IN ('waiting', 'running', 'ready', 'cancelled', 'failed', 'ended', 'expired')", name="state"),
        table(
            Table(
                "downloads that you asked for",
                Subject.PERSON,
                "person_id",
                FOR_EXPORTS,
                Retention("asked_at", ROW_DAYS),
                by_person(systems={"housekeeping": "rw", "history": "rw"}),
                backup="its file is in no backup; ask for it again",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    purpose: Mapped[str] = mapped_column(info=technical())
    site_id: Mapped[UUID | None] = mapped_column(info=held("equipment.placement"))
    equipment_id: Mapped[UUID | None] = mapped_column(info=held("equipment.identity"))
    since: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    until: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    detail: Mapped[str] = mapped_column(info=held("user.behavior"))
    format: Mapped[str] = mapped_column(info=held("user.behavior"))
    state: Mapped[str] = mapped_column(server_default="waiting", info=technical())
    code: Mapped[str] = mapped_column(server_default="", info=technical())
    machines: Mapped[int] = mapped_column(Integer, info=technical())
    parts: Mapped[int] = mapped_column(Integer, info=technical())
    parts_done: Mapped[int] = mapped_column(Integer, server_default=text("0"), info=technical())
    rows: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), info=technical())
    rows_expected: Mapped[int] = mapped_column(BigInteger, info=technical())
    bytes_expected: Mapped[int] = mapped_column(BigInteger, info=technical())
    path: Mapped[str | None] = mapped_column(info=technical())
    bytes: Mapped[int | None] = mapped_column(BigInteger, info=technical())
    sha256: Mapped[str | None] = mapped_column(info=technical())
    asked_at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))
    ready_at: Mapped[datetime | None] = mapped_column(info=technical())
    expires_at: Mapped[datetime | None] = mapped_column(info=technical())


class ExportPartRow(Base):
    """One machine over one stretch of time in a download: which series are in it, and, once it is made, its object until the whole
    file is ready."""

    __tablename__ = "export_parts"
    __table_args__ = (
        Index("ix_export_parts_series", "series", postgresql_using="gin"),
        table(
            Table(
                "what is in downloads that you asked for",
                Subject.PERSON,
                "person_id",
                FOR_EXPORTS,
                Retention("download deleted", 0),
                by_person(systems={"housekeeping": "rw", "history": "rw"}),
                backup="as the download itself",
            )
        ),
    )
    export_id: Mapped[UUID] = mapped_column(ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True, info=technical())
    number: Mapped[int] = mapped_column(Integer, primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    equipment_id: Mapped[UUID] = mapped_column(info=held("equipment.identity"))
    series: Mapped[list[int]] = mapped_column(ARRAY(Integer), info=held("user.unique_id"))
    points: Mapped[list[str]] = mapped_column(ARRAY(String), info=held("equipment.measurement"))
    time_zone: Mapped[str] = mapped_column(info=held("user.location.imprecise"))
    since: Mapped[datetime] = mapped_column(info=technical())
    until: Mapped[datetime] = mapped_column(info=technical())
    path: Mapped[str | None] = mapped_column(info=technical())
    rows: Mapped[int | None] = mapped_column(Integer, info=technical())
    bytes: Mapped[int | None] = mapped_column(BigInteger, info=technical())
    sha256: Mapped[str | None] = mapped_column(info=technical())
    done_at: Mapped[datetime | None] = mapped_column(info=technical())
