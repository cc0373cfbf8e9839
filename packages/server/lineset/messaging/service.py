"""Mails: put into the transaction that causes them, sent by a job once it has committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.messaging.model import MailRow
from lineset.privacy import Person, Tx

MAX_BODY = 20_000
"""Characters; a mail of ours is a few lines."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as its recipient reads it. `failure` says why the last try did not get through; `about`: whose key seals it."""

    id: UUID
    about: UUID
    kind: str
    to: str
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    failure: str | None


async def queue_mail(tx: Tx, subject_id: UUID, address: str, kind: str, subject: str, body: str) -> UUID:
    """Put a mail and the job that sends it into this transaction; the id of the mail.

    `subject_id` is whose key seals it: the recipient's, or that of the household or company that invites somebody unknown. In `body`
    (plain text), `{url}` stands for the address of this installation and is filled in when the mail is sent or shown.

    Raises:
        Invalid: the subject line has more than one line, or the text is longer than any mail of ours.
    """
    if "\n" in subject or "\r" in subject or len(subject) > 200:
        raise Invalid("bad_mail", "A mail needs a subject of one line with at most 200 characters.")
    if len(body) > MAX_BODY:
        raise Invalid("bad_mail", f"A mail may have at most {MAX_BODY} characters.")
    mail_id = new_id()
    actor = tx.context.actor
    await tx.session.execute(
        insert(MailRow).values(
            id=mail_id,
            subject_id=subject_id,
            caused_by=actor.id if isinstance(actor, Person) else None,
            kind=kind,
            to_sealed=await tx.vault.seal(subject_id, address),
            subject_sealed=await tx.vault.seal(subject_id, subject),
            body_sealed=await tx.vault.seal(subject_id, body),
            created_at=now(),
        )
    )
    await defer(tx.session, "messaging.send", mail=str(mail_id))
    return mail_id


async def list_mails(tx: Tx, url: str, limit: int = 100) -> list[Mail]:
    """The newest mails, as the development mailbox shows them. For the platform's actor "mail"; others see none."""
    rows = (await tx.session.scalars(select(MailRow).order_by(MailRow.created_at.desc()).limit(limit))).all()
    return await _read(tx, rows, url)


async def get_mail(tx: Tx, mail_id: UUID, url: str) -> Mail:
    """One mail, with `url` (no slash at its end) as the address of this installation.

    Raises:
        NotFound: there is none, or its recipient's data has been erased.
    """
    row = await tx.session.get(MailRow, mail_id)
    mails = await _read(tx, [row] if row else [], url)
    if not mails:
        raise NotFound("mail")
    return mails[0]


async def _read(tx: Tx, rows: Sequence[MailRow], url: str) -> list[Mail]:
    result = []
    for row in rows:
        to, subject, body = await tx.vault.open_many((row.subject_id, s) for s in (row.to_sealed, row.subject_sealed, row.body_sealed))
        if to is None or subject is None or body is None:
            continue
        body = body.replace("{url}", url)
        result.append(Mail(row.id, row.subject_id, row.kind, to, subject, body, row.created_at, row.sent_at, row.attempts, row.failure))
    return result


async def note_opened(tx: Tx, mail_id: UUID) -> None:
    """Keep when a mail was first opened. For the platform's actor "mail"; whether the recipient allows it is the caller's to ask."""
    await tx.session.execute(update(MailRow).where(MailRow.id == mail_id, MailRow.opened_at.is_(None)).values(opened_at=now()))


async def recipient_of(tx: Tx, mail_id: UUID) -> UUID | None:
    """Whose key seals a mail; None for one that is gone. For the platform's actor "mail"."""
    found: UUID | None = await tx.session.scalar(select(MailRow.subject_id).where(MailRow.id == mail_id))
    return found


async def was_mailed(tx: Tx, subject_id: UUID, kind: str) -> bool:
    """Whether a mail of that kind stands, sent or waiting, about that subject; mails stand for a week. For the actor "mail"."""
    there = select(MailRow.id).where(MailRow.subject_id == subject_id, MailRow.kind == kind).limit(1)
    return await tx.session.scalar(there) is not None
