"""Tables of exports: what somebody asked to have handed over, and the parts from which each file is made."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Table, by_person, held, table, technical
from lineset.privacy.vocabulary import Purpose, Retention, Subject

FILE_DAYS = 7
"""Days for which a finished file can be downloaded."""
ROW_DAYS = 730
"""Days for which it is kept that somebody asked, and what came of it (CCPA regulations § 7101: 24 months)."""
_STATES = "'waiting', 'running', 'ready', 'cancelled', 'failed', 'ended', 'expired'"


class AccountExportRow(Base):
    """A copy of all data about somebody: about the person, and about the households in `subjects` that they owned when they asked.

    `path` names the file once it is ready; `code` says why there is none.
    """

    __tablename__ = "account_exports"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        table(
            Table(
                "copies of your data that you asked for",
                Subject.PERSON,
                "person_id",
                (Purpose.RIGHTS, Purpose.KEEP),
                Retention("asked_at", ROW_DAYS),
                by_person(systems={"housekeeping": "rw"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    subjects: Mapped[list[str]] = mapped_column(JSONB, info=held("user.unique_id"))
    state: Mapped[str] = mapped_column(server_default="waiting", info=held("user.behavior"))
    code: Mapped[str] = mapped_column(server_default="", info=technical())
    parts: Mapped[int] = mapped_column(Integer, server_default=text("0"), info=technical())
    parts_done: Mapped[int] = mapped_column(Integer, server_default=text("0"), info=technical())
    rows: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), info=technical())
    path: Mapped[str | None] = mapped_column(info=technical())
    bytes: Mapped[int | None] = mapped_column(BigInteger, info=technical())
    sha256: Mapped[str | None] = mapped_column(info=technical())
    asked_at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))
    ready_at: Mapped[datetime | None] = mapped_column(info=technical())
    expires_at: Mapped[datetime | None] = mapped_column(info=technical())


class AccountExportPartRow(Base):
    """One file of an export: what makes it (`maker`) from which `args`, and, once it is made, its object until the whole is ready."""

    __tablename__ = "account_export_parts"
    __table_args__ = (
        table(
            Table(
                "what is in copies of your data, while they are made",
                Subject.PERSON,
                "person_id",
                (Purpose.RIGHTS, Purpose.KEEP),
                Retention("copy made", 0),
                by_person(systems={"housekeeping": "rw"}),
                export="the list of the files of this very copy",
                backup="its files are in no backup",
            )
        ),
    )
    export_id: Mapped[UUID] = mapped_column(ForeignKey("account_exports.id", ondelete="CASCADE"), primary_key=True, info=technical())
    number: Mapped[int] = mapped_column(Integer, primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    subject: Mapped[UUID] = mapped_column(info=held("user.unique_id"))
    maker: Mapped[str] = mapped_column(info=technical())
    name: Mapped[str] = mapped_column(info=held("equipment.identity"))
    args: Mapped[dict[str, Any]] = mapped_column(JSONB, info=held("equipment.measurement"))
    path: Mapped[str | None] = mapped_column(info=technical())
    rows: Mapped[int | None] = mapped_column(BigInteger, info=technical())
    bytes: Mapped[int | None] = mapped_column(BigInteger, info=technical())
    sha256: Mapped[str | None] = mapped_column(info=technical())
    done_at: Mapped[datetime | None] = mapped_column(info=technical())
