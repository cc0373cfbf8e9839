"""The table of what pages and apps tell of themselves."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import Purpose, Retention, Sensitivity, Subject, Table, by_person, held, table, technical


class AppEventRow(Base):
    """Errors of our pages in somebody's browser, and on which days it was opened: one row for each day (UTC), trouble, build and browser.

    `title` names a trouble by its class and places in our own scripts alone, so that the operator's staff may count it.
    """

    __tablename__ = "app_events"
    __table_args__ = (
        CheckConstraint("kind IN ('opened', 'error', 'rejection', 'too_many')", name="kind"),
        UniqueConstraint("person_id", "day", "fingerprint", "version", "browser", name="uq_app_events_line"),
        table(
            Table(
                "errors of the pages in your browser, and when you opened them",
                Subject.PERSON,
                "person_id",
                (Purpose.OPERATE, Purpose.SECURITY, Purpose.KEEP),
                Retention("last_at", 90),
                by_person(systems={"housekeeping": "rw", "authentication": "rw"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    day: Mapped[date] = mapped_column(info=technical())
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    last_at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))
    count: Mapped[int] = mapped_column(server_default=text("1"), info=held("user.behavior"))
    kind: Mapped[str] = mapped_column(info=held("user.behavior"))
    fingerprint: Mapped[str] = mapped_column(info=technical())
    title: Mapped[str] = mapped_column(info=held("system.operations", Sensitivity.NONE))
    message: Mapped[str] = mapped_column(info=held("user.behavior"))
    frames: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"), info=held("system.operations", Sensitivity.NONE))
    page: Mapped[str] = mapped_column(info=held("user.behavior"))
    version: Mapped[str] = mapped_column(info=held("user.device.device_id"))
    browser: Mapped[str] = mapped_column(info=held("user.device.device_id"))
    address: Mapped[str | None] = mapped_column(info=held("user.device.ip_address", Sensitivity.PRIVATE, shorten=Retention("last_at", 30)))
