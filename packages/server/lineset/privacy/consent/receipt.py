"""One answer as a receipt, its record as ISO/IEC TS 27560:2023 lays it out, and what holds after any number of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from lineset.privacy.consent.choices import CHOICES, KEPT, Choice
from lineset.privacy.vocabulary import PURPOSES, Purpose, Sensitivity

SCHEMA_VERSION = "ISO/IEC TS 27560:2023"
JURISDICTION = "US"
"""Under whose law the answers are asked for; what California (CCPA) and the GDPR ask of consent is kept for everybody."""
NOT_AGAIN_MONTHS = 12
"""After a no we do not ask for so long (California Civil Code § 1798.135(c)(4); 11 CCR § 7026(k)). People change it when they like."""
_SENSITIVE = ("user.location.precise", "occupancy.presence")


class Receipt(msgspec.Struct, frozen=True):
    """One answer. `subject`: the household or person that it binds; `by`: who pressed; `steps`: what was pressed, as evidence."""

    id: UUID
    number: int
    subject: UUID
    by: UUID | None
    choice: str
    purpose: Purpose
    detail: str
    given: bool
    at: datetime
    controller: str
    data: tuple[str, ...]
    recipients: tuple[str, ...]
    kept: str
    terms: str
    policy: str
    wording: str
    wording_digest: str
    language: str
    channel: str
    steps: tuple[str, ...]
    basis: str = "consent"
    jurisdiction: str = JURISDICTION
    schema_version: str = SCHEMA_VERSION


class PiiInformation(msgspec.Struct, frozen=True):
    """A kind of data that the answer is about."""

    pii_type: str
    sensitive_pii_category: bool


class PurposeRecord(msgspec.Struct, frozen=True):
    """What the data is processed for, and on what terms."""

    purpose: str
    purpose_type: str
    purpose_description: str
    lawful_basis: str
    pii_information: tuple[PiiInformation, ...]
    pii_controllers: tuple[str, ...]
    recipient_third_parties: tuple[str, ...]
    collection_method: str
    retention_period: str
    withdrawal_method: str
    jurisdiction: str
    scope: str


class Processing(msgspec.Struct, frozen=True):
    """What was shown, and the purpose."""

    privacy_notice: str
    language: str
    wording: str
    wording_digest: str
    terms_digest: str
    purposes: tuple[PurposeRecord, ...]


class Party(msgspec.Struct, frozen=True):
    """Somebody that the record names."""

    party_id: str
    party_role: str
    party_name: str = ""


class Event(msgspec.Struct, frozen=True):
    """What happened: an answer, with the evidence for it."""

    event_time: datetime
    event_type: str
    event_state: str
    entity_id: str
    evidence: tuple[str, ...]
    sequence: int


class Record(msgspec.Struct, frozen=True):
    """A consent record: header, processing, parties, events."""

    schema_version: str
    record_id: UUID
    pii_principal_id: UUID
    pii_processing: Processing
    party_identification: tuple[Party, ...]
    events: tuple[Event, ...]


def record_of(r: Receipt) -> Record:
    """The receipt as the standard's record; `receipt_of` reads it back."""
    purpose = PurposeRecord(
        purpose=r.purpose.value,
        purpose_type=r.choice,
        purpose_description=PURPOSES[r.purpose].say,
        lawful_basis=r.basis,
        pii_information=tuple(PiiInformation(c, c in _SENSITIVE) for c in r.data),
        pii_controllers=(r.controller,),
        recipient_third_parties=r.recipients,
        collection_method=r.channel,
        retention_period=r.kept,
        withdrawal_method="the same switch on the same page, or Your data",
        jurisdiction=r.jurisdiction,
        scope=r.detail,
    )
    parties = (Party(str(r.subject), "PII principal"), Party("controller", "PII controller", r.controller))
    event = Event(r.at, "explicit", "given" if r.given else "withdrawn", "" if r.by is None else str(r.by), r.steps, r.number)
    processing = Processing(r.policy, r.language, r.wording, r.wording_digest, r.terms, (purpose,))
    return Record(r.schema_version, r.id, r.subject, processing, parties, (event,))


def receipt_json(receipt: Receipt) -> bytes:
    """The receipt as JSON in the fields of ISO/IEC TS 27560:2023."""
    return msgspec.json.format(msgspec.json.encode(record_of(receipt)), indent=2)


def receipt_of(document: bytes) -> Receipt:
    """The receipt that `receipt_json` made the document of.

    Raises:
        msgspec.ValidationError: it is none.
    """
    record = msgspec.json.decode(document, type=Record)
    purpose, event, processing = record.pii_processing.purposes[0], record.events[0], record.pii_processing
    return Receipt(
        id=record.record_id,
        number=event.sequence,
        subject=record.pii_principal_id,
        by=UUID(event.entity_id) if event.entity_id else None,
        choice=purpose.purpose_type,
        purpose=Purpose(purpose.purpose),
        detail=purpose.scope,
        given=event.event_state == "given",
        at=event.event_time,
        controller=purpose.pii_controllers[0],
        data=tuple(p.pii_type for p in purpose.pii_information),
        recipients=purpose.recipient_third_parties,
        kept=purpose.retention_period,
        terms=processing.terms_digest,
        policy=processing.privacy_notice,
        wording=processing.wording,
        wording_digest=processing.wording_digest,
        language=processing.language,
        channel=purpose.collection_method,
        steps=event.evidence,
        basis=purpose.lawful_basis,
        jurisdiction=purpose.jurisdiction,
        schema_version=record.schema_version,
    )


@dataclass(frozen=True, slots=True)
class Consent:
    """What holds for one choice and thing today.

    `given`: the last answer was a yes. `since`: when it was given; None where nobody ever answered. `needs_new_yes`: it was a yes to
    other terms, so processing waits. `holds`: whether data may be processed. `may_ask`: whether our pages may ask by themselves.
    """

    key: str
    purpose: Purpose
    detail: str
    given: bool
    since: datetime | None
    wording: str
    choice: Choice
    receipt: UUID | None = None
    needs_new_yes: bool = False
    may_ask: bool = True

    @property
    def holds(self) -> bool:
        """Whether it is a yes to today's terms."""
        return self.given and not self.needs_new_yes


def state(choice: Choice, detail: str, last: Receipt | None, at: datetime, language: str = "en") -> Consent:
    """What holds at that time, the last answer given.

    A yes of other terms is asked about again at once; a no not for 12 months, whatever has changed.
    """
    key = choice.key if choice.bare else f"{choice.key}:{detail}"
    words = choice.said(language).whole
    if last is None:
        return Consent(key, choice.purpose, detail, False, None, words, choice)
    stale = last.given and last.terms != choice.terms
    may_ask = stale if last.given else at >= _months_later(last.at, NOT_AGAIN_MONTHS)
    return Consent(key, choice.purpose, detail, last.given, last.at, last.wording, choice, last.id, stale, may_ask)


def fold(receipts: Iterable[Receipt], at: datetime, language: str = "en") -> dict[tuple[str, str], Consent]:
    """What holds at that time for each choice and detail that was ever answered. Of one instant, the higher number is the later answer."""
    last: dict[tuple[str, str], Receipt] = {}
    for r in receipts:
        known = last.get((r.choice, r.detail))
        if r.choice in CHOICES and r.at <= at and (known is None or r.number > known.number):
            last[r.choice, r.detail] = r
    return {(key, detail): state(CHOICES[key], detail, r, at, language) for (key, detail), r in last.items()}


def needs_new_yes(choice: Choice, last: Receipt | None) -> bool:
    """Whether processing waits: the last yes was to another wording, purpose text, data, recipients or time than today's."""
    return last is not None and last.given and last.terms != choice.terms


def policy_digest() -> str:
    """SHA-256 of the text of all purposes, as the policy publishes them today."""
    text = [(p.value, t.title, t.say, t.basis) for p, t in sorted(PURPOSES.items())]
    return hashlib.sha256(msgspec.json.encode((text, sorted(KEPT.items()), sorted(s.value for s in Sensitivity)))).hexdigest()


def _months_later(at: datetime, months: int) -> datetime:
    year, month = at.year + (at.month - 1 + months) // 12, (at.month - 1 + months) % 12 + 1
    try:
        return at.replace(year=year, month=month)
    except ValueError:  # 29 February
        return at.replace(year=year, month=month + 1, day=1)
