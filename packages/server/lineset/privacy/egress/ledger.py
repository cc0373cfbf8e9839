"""What has left: shown to those whom it is about. And who has to be told when it is to be erased."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy.door import Person, Tx
from lineset.privacy.egress.model import DisclosureRow, RecipientNoticeRow, RecipientRow

MOST_REFERENCE = 120


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Something that was passed on. `outcome`: "taken", "refused", or "begun" where nobody knows whether it arrived."""

    id: UUID
    at: datetime
    recipient: str
    kind: str
    purpose: str
    fields: tuple[str, ...]
    what: str
    records: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A recipient that is to erase what it got about a subject. `told_at` and `acknowledged_at` are None until then."""

    id: UUID
    request: UUID
    subject: UUID
    recipient: str
    contact: str
    fields: tuple[str, ...]
    made_at: datetime
    told_at: datetime | None
    acknowledged_at: datetime | None
    reference: str


async def disclosures(tx: Tx, household: UUID | None = None, limit: int = 200) -> list[Disclosure]:
    """What was passed on about a household and about the acting person, newest first. Nobody sees another's."""
    about = [DisclosureRow.subject_id == household] if household else []
    if isinstance(tx.context.actor, Person):
        about.append(DisclosureRow.subject_id == tx.context.actor.id)
    kind = func.coalesce(RecipientRow.kind, "processor").label("kind")
    wanted = select(DisclosureRow, kind).outerjoin(RecipientRow, RecipientRow.id == DisclosureRow.recipient_id)
    rows = await tx.session.execute(wanted.where(or_(*about)).order_by(DisclosureRow.at.desc(), DisclosureRow.id.desc()).limit(limit))
    return [Disclosure(d.id, d.at, d.recipient, found, d.purpose, tuple(d.fields), d.what, d.records, d.outcome) for d, found in rows.all()]


async def tell_recipients(tx: Tx, subject: UUID, request: UUID) -> int:
    """Note for each recipient that got data about the subject that it has to erase it too; how many are still to confirm.

    Called within an erasure, before the ledger's rows go; again with the same request it notes nothing twice. For the platform's
    actors that erase.
    """
    got = (
        select(DisclosureRow.recipient_id, DisclosureRow.fields)
        .where(DisclosureRow.subject_id == subject, DisclosureRow.recipient_id.is_not(None), DisclosureRow.outcome != "refused")
        .distinct()
    )
    by_recipient: dict[UUID, set[str]] = {}
    for recipient, fields in (await tx.session.execute(got)).all():
        if recipient is not None:
            by_recipient.setdefault(recipient, set()).update(fields)
    for recipient, held in by_recipient.items():
        row = {"id": new_id(), "request_id": request, "recipient_id": recipient, "subject_id": subject, "fields": sorted(held)}
        await tx.session.execute(
            insert(RecipientNoticeRow).values(**row, made_at=now()).on_conflict_do_nothing(index_elements=["request_id", "recipient_id"])
        )
    waiting = RecipientNoticeRow.request_id == request, RecipientNoticeRow.acknowledged_at.is_(None)
    return await tx.session.scalar(select(func.count()).select_from(RecipientNoticeRow).where(*waiting)) or 0


async def recipient_notices(tx: Tx, request: UUID | None = None, *, open_only: bool = False, limit: int = 500) -> list[Notice]:
    """Notices of one erasure, or of all, newest first, as far as the asker may see them."""
    wanted = select(RecipientNoticeRow, RecipientRow.name, RecipientRow.contact).join(
        RecipientRow, RecipientRow.id == RecipientNoticeRow.recipient_id
    )
    if request is not None:
        wanted = wanted.where(RecipientNoticeRow.request_id == request)
    if open_only:
        wanted = wanted.where(RecipientNoticeRow.acknowledged_at.is_(None))
    rows = await tx.session.execute(wanted.order_by(RecipientNoticeRow.made_at.desc()).limit(limit))
    return [
        Notice(n.id, n.request_id, n.subject_id, name, contact, tuple(n.fields), n.made_at, n.told_at, n.acknowledged_at, n.reference)
        for n, name, contact in rows.all()
    ]


async def note_told(tx: Tx, notice: UUID) -> None:
    """That the recipient has been told now.

    Raises:
        NotFound: there is no such notice that waits for it.
    """
    waiting = RecipientNoticeRow.id == notice, RecipientNoticeRow.told_at.is_(None)
    done = await tx.session.scalar(update(RecipientNoticeRow).where(*waiting).values(told_at=now()).returning(RecipientNoticeRow.id))
    if done is None:
        raise NotFound("notice")


async def acknowledge(tx: Tx, notice: UUID, reference: str) -> None:
    """That the recipient has confirmed the erasure; `reference` is its own word for it, such as a ticket's number.

    Raises:
        Invalid: there is no reference, or it is too long.
        NotFound: there is no such notice that waits for it.
    """
    reference = " ".join(reference.split())
    if not reference or len(reference) > MOST_REFERENCE or not reference.isprintable():
        raise Invalid("missing", "Fill this in.", "reference")
    waiting = RecipientNoticeRow.id == notice, RecipientNoticeRow.acknowledged_at.is_(None)
    at = now()
    values = {"acknowledged_at": at, "reference": reference, "told_at": func.coalesce(RecipientNoticeRow.told_at, at)}
    done = await tx.session.scalar(update(RecipientNoticeRow).where(*waiting).values(**values).returning(RecipientNoticeRow.id))
    if done is None:
        raise NotFound("notice")
