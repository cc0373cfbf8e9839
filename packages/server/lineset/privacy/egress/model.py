"""Tables of what leaves the platform: who may receive, under which agreement, and what each of them got about whom."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lineset.kit.database import Base
from lineset.privacy.declare import Guard, Table, held, table, technical
from lineset.privacy.vocabulary import Purpose, Retention, Subject

KINDS = ("processor", "affiliate", "partner")
"""Works on our instructions; belongs to the same group as the operator; decides for itself what it does with what it gets."""
CONSIDERATIONS = ("none", "money", "lead_fee", "discount", "data", "other")
"""What a recipient gives in return for personal data. Anything but "none" makes it a sale, and a sale is refused."""
OUTCOMES = ("begun", "taken", "refused")

_FOR_ALL = tuple(Purpose)
_STAFF = "access.staff('operator', 'privacy_officer')"
_REGISTER = Guard(read="true", write=_STAFF, systems={"mail": "r", "housekeeping": "r"})
"""The register is public: everybody may know who receives what."""
PROOF = "proof that what was passed on was also taken back, as long as somebody may ask for it (Civil Code section 1798.105(c))"


class RecipientRow(Base):
    """A company that may receive data from the platform. `key` names it in code and in consents."""

    __tablename__ = "recipients"
    __table_args__ = (
        CheckConstraint("kind IN ('processor', 'affiliate', 'partner')", name="kind"),
        table(
            Table(
                "companies that may receive data, and what for",
                Subject.NOBODY,
                "",
                _FOR_ALL,
                Retention("replaced", 0),
                _REGISTER,
                record=True,
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    key: Mapped[str] = mapped_column(unique=True, info=technical())
    kind: Mapped[str] = mapped_column(info=technical())
    name: Mapped[str] = mapped_column(info=technical())
    does: Mapped[str] = mapped_column(info=technical())
    region: Mapped[str] = mapped_column(info=technical())
    contact: Mapped[str] = mapped_column(info=technical())
    consent: Mapped[bool] = mapped_column(info=technical())
    created_at: Mapped[datetime] = mapped_column(info=technical())
    ended_at: Mapped[datetime | None] = mapped_column(info=technical())


class AgreementRow(Base):
    """What was agreed with a recipient. A flow that no agreement in force covers is refused."""

    __tablename__ = "agreements"
    __table_args__ = (
        CheckConstraint("consideration IN ('none', 'money', 'lead_fee', 'discount', 'data', 'other')", name="consideration"),
        Index("ix_agreements_recipient_id", "recipient_id"),
        table(
            Table(
                "what was agreed with the companies that receive data",
                Subject.NOBODY,
                "",
                _FOR_ALL,
                Retention("replaced", 0),
                _REGISTER,
                record=True,
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("recipients.id", ondelete="RESTRICT"), info=technical())
    title: Mapped[str] = mapped_column(info=technical())
    fields: Mapped[list[str]] = mapped_column(ARRAY(String), info=technical())
    purposes: Mapped[list[str]] = mapped_column(ARRAY(String), info=technical())
    confidentiality: Mapped[bool] = mapped_column(info=technical())
    security: Mapped[bool] = mapped_column(info=technical())
    consideration: Mapped[str] = mapped_column(info=technical())
    in_return: Mapped[str] = mapped_column(info=technical())
    starts_at: Mapped[datetime] = mapped_column(info=technical())
    ends_at: Mapped[datetime | None] = mapped_column(info=technical())
    ended_at: Mapped[datetime | None] = mapped_column(info=technical())


class DisclosureRow(Base):
    """Something that left: ids, codes, names of fields, counts and times, never content.

    Written before it leaves, and never taken back: "begun" stays where nobody knows whether it arrived. `subject_id` is the person or
    the household that it is about.
    """

    __tablename__ = "disclosures"
    __table_args__ = (
        CheckConstraint("outcome IN ('begun', 'taken', 'refused')", name="outcome"),
        Index("ix_disclosures_subject_id_at", "subject_id", "at"),
        Index("ix_disclosures_at", "at"),
        table(
            Table(
                "what was passed on about you, to whom and why",
                Subject.PERSON,
                "subject_id",
                (
                    Purpose.RIGHTS,
                    Purpose.ACCOUNT,
                    Purpose.OPERATE,
                    Purpose.COMMUNICATE,
                    Purpose.SHARE,
                    Purpose.OFFERS,
                    Purpose.NEWS,
                    Purpose.KEEP,
                ),
                Retention("at", 730),
                Guard(
                    read="subject_id = access.person() OR subject_id = ANY (ARRAY(SELECT access.households('view')))",
                    write="(SELECT access.purpose('share')) AND subject_id = ANY (ARRAY(SELECT access.households('owner')))",
                    systems={"mail": "rw", "housekeeping": "rw"},
                    app="SELECT, INSERT, UPDATE (outcome), DELETE",
                ),
                also=(("subject_id", Subject.HOUSEHOLD),),
                record=True,
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    subject_id: Mapped[UUID] = mapped_column(info=held("user.unique_id"))
    recipient_id: Mapped[UUID | None] = mapped_column(ForeignKey("recipients.id", ondelete="RESTRICT"), info=technical())
    recipient: Mapped[str] = mapped_column(info=held("user.behavior"))
    agreement_id: Mapped[UUID | None] = mapped_column(ForeignKey("agreements.id", ondelete="RESTRICT"), info=technical())
    purpose: Mapped[str] = mapped_column(info=held("user.behavior"))
    fields: Mapped[list[str]] = mapped_column(ARRAY(String), info=held("user.behavior"))
    what: Mapped[str] = mapped_column(info=held("user.behavior"))
    records: Mapped[int] = mapped_column(info=held("user.behavior"))
    at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    outcome: Mapped[str] = mapped_column(info=held("user.behavior"))


class RecipientNoticeRow(Base):
    """A recipient that has to be told of an erasure, and whether it said that it erased too. Its subject may be gone by then."""

    __tablename__ = "recipient_notices"
    __table_args__ = (
        UniqueConstraint("request_id", "recipient_id", name="uq_recipient_notices_request"),
        table(
            Table(
                "who was told to erase what they had received, and when they confirmed it",
                Subject.PERSON,
                "subject_id",
                (Purpose.RIGHTS, Purpose.KEEP, Purpose.ADMINISTER, Purpose.COMMUNICATE),
                Retention("made_at", 730),
                Guard(
                    read=f"subject_id = access.person() OR subject_id = ANY (ARRAY(SELECT access.households('owner'))) OR {_STAFF}",
                    write=_STAFF,
                    systems={"housekeeping": "rw", "mail": "rw"},
                ),
                erasure="keep",
                also=(("subject_id", Subject.HOUSEHOLD),),
            )
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, info=technical())
    request_id: Mapped[UUID] = mapped_column(info=technical())
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("recipients.id", ondelete="RESTRICT"), info=technical())
    subject_id: Mapped[UUID] = mapped_column(index=True, info=held("user.unique_id", erase="keep", keep=PROOF))
    fields: Mapped[list[str]] = mapped_column(ARRAY(String), info=held("user.behavior", erase="keep", keep=PROOF))
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"), info=held("user.behavior", erase="keep", keep=PROOF))
    told_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior", erase="keep", keep=PROOF))
    acknowledged_at: Mapped[datetime | None] = mapped_column(info=held("user.behavior", erase="keep", keep=PROOF))
    reference: Mapped[str] = mapped_column(server_default="", info=technical())


class OptOutRow(Base):
    """That a browser of a signed-in person said "do not sell or share" (Global Privacy Control) or "do not track"."""

    __tablename__ = "opt_outs"
    __table_args__ = (
        CheckConstraint("signal IN ('gpc', 'dnt')", name="signal"),
        table(
            Table(
                "signals of your browsers that you want nothing passed on and no use counted",
                Subject.PERSON,
                "person_id",
                (
                    Purpose.RIGHTS,
                    Purpose.ACCOUNT,
                    Purpose.OPERATE,
                    Purpose.COMMUNICATE,
                    Purpose.SHARE,
                    Purpose.OFFERS,
                    Purpose.ANALYTICS,
                    Purpose.NEWS,
                ),
                Retention("account closed", 0),
                Guard(
                    read="person_id = access.person()",
                    write="person_id = access.person()",
                    systems={"mail": "r"},
                ),
                record=True,
            )
        ),
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, info=held("user.unique_id"))
    signal: Mapped[str] = mapped_column(primary_key=True, info=held("user.settings"))
    first_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    last_at: Mapped[datetime] = mapped_column(info=held("user.behavior"))
    browser: Mapped[str] = mapped_column(info=held("user.device.device_id"))
