"""Tables of data tags: the random number of a signed-out browser that reported something, and what it reported."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import Guard, Purpose, Retention, Sensitivity, Subject, Table, held, secret_digest, table, technical

FOR_TAGS = (Purpose.SECURITY, Purpose.KEEP)
TAG_DAYS = 90
_BY_SYSTEM = Guard(read="false", write="false", systems={"authentication": "rw", "housekeeping": "rw"})
_NOBODYS = "it is nobody's until its browser signs in and its person says that it is theirs; from then on it is among their own reports"


class TagRow(Base):
    """A signed-out browser, as a digest of the random number in its cookie. Nothing in it says who uses it."""

    __tablename__ = "data_tags"
    __table_args__ = (
        table(
            Table(
                "browsers that reported something while nobody was signed in",
                Subject.TAG,
                "id",
                FOR_TAGS,
                Retention("seen_at", TAG_DAYS),
                _BY_SYSTEM,
                export=_NOBODYS,
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    digest: Mapped[bytes] = mapped_column(unique=True, info=secret_digest())
    made_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    seen_at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))


class TagEventRow(Base):
    """Errors of our pages in a signed-out browser: one row for each day (UTC), trouble, build and browser."""

    __tablename__ = "tag_events"
    __table_args__ = (
        UniqueConstraint("tag_id", "day", "fingerprint", "version", "browser", name="uq_tag_events_line"),
        table(
            Table(
                "errors of the pages in browsers where nobody was signed in",
                Subject.TAG,
                "tag_id",
                FOR_TAGS,
                Retention("last_at", TAG_DAYS),
                _BY_SYSTEM,
                export=_NOBODYS,
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    tag_id: Mapped[UUID] = mapped_column(ForeignKey("data_tags.id", ondelete="CASCADE"), info=held("user.device.device_id"))
    day: Mapped[date] = mapped_column(info=technical())
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    last_at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))
    count: Mapped[int] = mapped_column(server_default=text("1"), info=held("user.behavior"))
    kind: Mapped[str] = mapped_column(info=held("user.behavior"))
    fingerprint: Mapped[str] = mapped_column(info=technical())
    title: Mapped[str] = mapped_column(info=held("system.operations", Sensitivity.NONE))
    message: Mapped[str] = mapped_column(info=held("user.behavior"))
    page: Mapped[str] = mapped_column(info=held("user.behavior"))
    version: Mapped[str] = mapped_column(info=held("user.device.device_id"))
    browser: Mapped[str] = mapped_column(info=held("user.device.device_id"))
