"""Table of people who want news by mail and need no account for it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import Guard, Purpose, Retention, Sensitivity, Subject, Table, held, table, technical


class NewsSubscriberRow(Base):
    """An address that asked for news, sealed under a key of its own: the row's id. `ends_at` is set until the address is confirmed.

    The second step, by the link in the mail, is the yes; there is none without it, and leaving deletes row and key.
    """

    __tablename__ = "news_subscribers"
    __table_args__ = (
        table(
            Table(
                "addresses that subscribed to news",
                Subject.TAG,
                "id",
                (Purpose.COMMUNICATE, Purpose.ADMINISTER, Purpose.KEEP),
                Retention("ends_at", 1),
                Guard(read="false", write="false", systems={"mail": "rw", "housekeeping": "rw"}),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=held("user.unique_id"))
    email_digest: Mapped[bytes] = mapped_column(
        unique=True, info=held("user.contact.email", Sensitivity.PRIVATE, export="a keyed digest; the address itself is exported")
    )
    email_sealed: Mapped[bytes] = mapped_column(info=held("user.contact.email", Sensitivity.PRIVATE))
    language: Mapped[str] = mapped_column(info=held("user.demographic.language"))
    asked_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    confirmed_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    ends_at: Mapped[datetime | None] = mapped_column(info=technical())


class NewsIssueRow(Base):
    """News that the operator sends: words in each language, and how far the sending is. Nobody's data."""

    __tablename__ = "news_issues"
    __table_args__ = (
        table(
            Table(
                "news that the operator sent",
                Subject.NOBODY,
                "",
                (Purpose.ADMINISTER, Purpose.COMMUNICATE, Purpose.KEEP),
                Retention("created_at", 1825),
                Guard(
                    read="(SELECT access.staff('operator', 'privacy_officer'))",
                    write="(SELECT access.staff('operator'))",
                    systems={"mail": "rw", "housekeeping": "rw"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    subject_en: Mapped[str] = mapped_column(info=technical())
    text_en: Mapped[str] = mapped_column(info=technical())
    subject_es: Mapped[str] = mapped_column(info=technical())
    text_es: Mapped[str] = mapped_column(info=technical())
    created_at: Mapped[datetime] = mapped_column(info=technical())
    reached: Mapped[UUID | None] = mapped_column(info=technical())
    sent: Mapped[int] = mapped_column(server_default="0", info=technical())
    done_at: Mapped[datetime | None] = mapped_column(info=technical())
