"""Table of mails on their way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy import Guard, Purpose, Retention, Sensitivity, Subject, Table, held, table, technical


class MailRow(Base):
    """A mail: address, subject line and text are sealed under the key of `subject_id`.

    That is the recipient or, for an invitation to somebody unknown, the household or company that invites. `caused_by` is the person
    whose action made the platform write; nobody reads another's mail through it, since only the platform's own actors read at all.
    """

    __tablename__ = "mails"
    __table_args__ = (
        table(
            Table(
                "mails that the platform sends",
                Subject.PERSON,
                "subject_id",
                (
                    Purpose.COMMUNICATE,
                    Purpose.SECURITY,
                    Purpose.ACCOUNT,
                    Purpose.ADMINISTER,
                    Purpose.OPERATE,
                    Purpose.SERVICE,
                    Purpose.KEEP,
                ),
                Retention("created_at", 7),
                Guard(
                    read="false",
                    write="caused_by = access.person()",
                    systems={"mail": "rw", "authentication": "rw", "housekeeping": "rw", "setup": "rw", "transfer": "rw"},
                ),
                also=(("subject_id", Subject.HOUSEHOLD),),
                backup="a mail that was sent must not be sent again",
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    subject_id: Mapped[UUID] = mapped_column(index=True, info=held("user.unique_id"))
    caused_by: Mapped[UUID | None] = mapped_column(info=held("user.unique_id"))
    kind: Mapped[str] = mapped_column(info=technical())
    to_sealed: Mapped[bytes] = mapped_column(info=held("user.contact.email", Sensitivity.PRIVATE))
    subject_sealed: Mapped[bytes] = mapped_column(info=held("user.content.private", Sensitivity.PRIVATE))
    body_sealed: Mapped[bytes] = mapped_column(
        info=held("user.content.private", Sensitivity.PRIVATE, export="holds links that let somebody in")
    )
    created_at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))
    sent_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
    attempts: Mapped[int] = mapped_column(server_default="0", info=technical())
    failure: Mapped[str | None] = mapped_column(info=technical())
    opened_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior"))
