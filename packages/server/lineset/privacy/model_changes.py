"""Tables of corrections: what people changed of what they told, kept under the key of whom it is about."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, held, outlives, table, technical
from lineset.privacy.vocabulary import Purpose, Retention, Sensitivity, Subject

CHANGE_DAYS = 730
_ADD_ONLY = "SELECT, INSERT, DELETE"


class _Change:
    """What both tables hold: `field` is what it was ("person.name", "site.address"), the values as text, empty where there was none.

    Each has a `thing` that it belongs to, a contact or a site or machine: when that is deleted, its corrections go with it.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    at: Mapped[datetime] = mapped_column(index=True, info=held("user.behavior"))
    field: Mapped[str] = mapped_column(info=held("user.settings"))
    before_sealed: Mapped[bytes | None] = mapped_column(info=held("user.content.private", Sensitivity.PRIVATE))
    after_sealed: Mapped[bytes | None] = mapped_column(info=held("user.content.private", Sensitivity.PRIVATE))


class PersonChangeRow(_Change, Base):
    """A correction of what a person told about themselves. Added, never changed."""

    __tablename__ = "person_changes"
    __table_args__ = (
        table(
            Table(
                "what you corrected about yourself",
                Subject.PERSON,
                "person_id",
                (Purpose.ACCOUNT, Purpose.RIGHTS, Purpose.KEEP),
                Retention("at", CHANGE_DAYS),
                Guard(
                    read="person_id = access.person()",
                    write="person_id = access.person()",
                    insert="person_id = access.person() AND by_person = access.person()",
                    systems={"authentication": "rw", "housekeeping": "rw"},
                    app=_ADD_ONLY,
                ),
            )
        ),
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    thing: Mapped[UUID | None] = mapped_column(info=outlives(technical(), "contacts"))
    by_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), info=held("user.unique_id"))


class HouseholdChangeRow(_Change, Base):
    """A correction of what is known of a household, its sites and machines. Added, never changed; companies do not see it."""

    __tablename__ = "household_changes"
    __table_args__ = (
        table(
            Table(
                "what was corrected about your home and machines, and by whom",
                Subject.HOUSEHOLD,
                "household_id",
                (Purpose.ACCOUNT, Purpose.OPERATE, Purpose.SERVICE, Purpose.RIGHTS, Purpose.KEEP),
                Retention("at", CHANGE_DAYS),
                Guard(
                    read="NOT (SELECT access.purpose('service')) AND household_id = ANY (ARRAY(SELECT access.households('view')))",
                    write="household_id = ANY (ARRAY(SELECT access.households('owner')))",
                    insert="by_person = access.person() AND (household_id = ANY (ARRAY(SELECT access.households('equipment')))"
                    " OR household_id = ANY (ARRAY(SELECT access.households('people'))))",
                    systems={"housekeeping": "rw"},
                    app=_ADD_ONLY,
                ),
            )
        ),
    )
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True, info=held("user.unique_id"))
    thing: Mapped[UUID | None] = mapped_column(info=outlives(technical(), "equipment"))
    by_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), info=held("user.unique_id"))
