"""The table of the copies that were made of what the platform keeps."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, table, technical
from lineset.privacy.vocabulary import Purpose, Retention, Subject


class CopyRow(Base):
    """A backup of data or a copy of the keys: where it was written, and when it must be gone."""

    __tablename__ = "copies"
    __table_args__ = (
        CheckConstraint("kind IN ('data', 'keys')", name="kind"),
        table(
            Table(
                "which backups were made, and when they end",
                Subject.NOBODY,
                "",
                (Purpose.ADMINISTER, Purpose.RIGHTS, Purpose.KEEP),
                Retention("ends_at", 730),
                Guard(
                    read="access.staff('operator', 'privacy_officer', 'security')",
                    write="false",
                    systems={"backup": "rw", "housekeeping": "rw", "erasure": "r"},
                ),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    kind: Mapped[str] = mapped_column(info=technical())
    path: Mapped[str] = mapped_column(info=technical())
    made_at: Mapped[datetime] = mapped_column(info=technical())
    ends_at: Mapped[datetime] = mapped_column(info=technical())
    bytes: Mapped[int] = mapped_column(BigInteger, info=technical())
    sha256: Mapped[str] = mapped_column(info=technical())
    deleted_at: Mapped[datetime | None] = mapped_column(info=technical())
