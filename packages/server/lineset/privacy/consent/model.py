"""The tables of consent: receipts, one for each answer, of a household or of a person. Nothing in them is ever changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, held, table, technical
from lineset.privacy.vocabulary import WHILE_ACCOUNT, WHILE_HOUSEHOLD, Purpose, Subject

_ANSWERS = (Purpose.RIGHTS,)
_SETTING = "user.settings"


class _Receipt:
    """What both kinds of receipts hold, after ISO/IEC TS 27560:2023.

    `number` orders answers about one thing, also those of one instant. `terms` is the digest of what was agreed to, `policy` that of the
    purposes' published text; `wording` is what the person read, in `language`; `steps` is what they pressed, as evidence.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    schema_version: Mapped[str] = mapped_column(info=technical())
    choice: Mapped[str] = mapped_column(info=held(_SETTING))
    purpose: Mapped[str] = mapped_column(info=held(_SETTING))
    detail: Mapped[str] = mapped_column(info=held(_SETTING))
    given: Mapped[bool] = mapped_column(info=held(_SETTING))
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    basis: Mapped[str] = mapped_column(info=technical())
    controller: Mapped[str] = mapped_column(info=technical())
    jurisdiction: Mapped[str] = mapped_column(info=technical())
    data: Mapped[list[str]] = mapped_column(ARRAY(String), info=held(_SETTING))
    recipients: Mapped[list[str]] = mapped_column(ARRAY(String), info=held(_SETTING))
    kept: Mapped[str] = mapped_column(info=held(_SETTING))
    terms: Mapped[str] = mapped_column(info=technical())
    policy: Mapped[str] = mapped_column(info=technical())
    wording: Mapped[str] = mapped_column(info=held(_SETTING))
    wording_digest: Mapped[str] = mapped_column(info=technical())
    language: Mapped[str] = mapped_column(info=held("user.demographic.language"))
    channel: Mapped[str] = mapped_column(info=held("user.behavior"))
    steps: Mapped[list[str]] = mapped_column(ARRAY(String), info=held("user.behavior"))
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), info=technical())


class HouseholdReceiptRow(_Receipt, Base):
    """An answer for a household, by one of its people. It goes only with the household, by its erasure: nobody changes or deletes it."""

    __tablename__ = "consent_receipts"
    __table_args__ = (
        Index("ix_consent_receipts_fold", "purpose", "household_id", "detail", "number"),
        Index("ix_consent_receipts_household_id", "household_id"),
        table(
            Table(
                "what your household agreed to or refused, in which words",
                Subject.HOUSEHOLD,
                "household_id",
                _ANSWERS,
                WHILE_HOUSEHOLD,
                Guard(
                    read="household_id = ANY (ARRAY(SELECT access.households('view')))",
                    write="false",
                    insert="household_id = ANY (ARRAY(SELECT access.households('people'))) AND by_person = (SELECT access.person())",
                    app="SELECT, INSERT",
                ),
            )
        ),
    )
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), info=held("user.unique_id"))
    by_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True, info=held("user.unique_id"))


class PersonReceiptRow(_Receipt, Base):
    """A person's own answer. It goes only with the account itself."""

    __tablename__ = "person_consent_receipts"
    __table_args__ = (
        Index("ix_person_consent_receipts_fold", "purpose", "person_id", "detail", "number"),
        Index("ix_person_consent_receipts_person_id", "person_id"),
        table(
            Table(
                "what you agreed to or refused, in which words",
                Subject.PERSON,
                "person_id",
                _ANSWERS,
                WHILE_ACCOUNT,
                Guard(read="person_id = access.person()", write="false", insert="person_id = access.person()", app="SELECT, INSERT"),
            )
        ),
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), info=held("user.unique_id"))
