"""Asking the ledger and writing to it: what holds today, who answered what and when, giving and taking back."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text

from lineset.kit.clock import now
from lineset.kit.database import Base
from lineset.kit.errors import Denied, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.privacy.consent.choices import CHOICES, LANGUAGES, Choice, choice_of
from lineset.privacy.consent.model import HouseholdReceiptRow, PersonReceiptRow
from lineset.privacy.consent.receipt import JURISDICTION, SCHEMA_VERSION, Consent, Receipt, fold, policy_digest, state
from lineset.privacy.declare import Table
from lineset.privacy.door import Tx
from lineset.privacy.rights import may
from lineset.privacy.vocabulary import PURPOSES, Purpose, Subject

CHANNELS = ("page", "app", "api", "mail", "signal")
"""Where an answer can be given: our pages, the installed app, a program, a link in a mail, a signal of the browser."""
MOST_STEPS, MOST_STEP = 10, 80
CHANGED = "consent"
"""What is announced on the bus after an answer: `consent.{subject}`."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('lineset.consent'), hashtext(:subject))")
_CONSENTED = text("SELECT access.consented(:subject, :purpose, :detail)")


async def consented(tx: Tx, subject: UUID, purpose: Purpose, detail: str = "") -> bool:
    """Whether the household or person has said yes to today's terms. Asked of the database at this moment, in any context.

    False for a purpose that consent does not concern, and for subjects that are not the asker's to know of.
    """
    return bool(await tx.session.scalar(_CONSENTED, {"subject": subject, "purpose": purpose.value, "detail": detail}))


async def consents(tx: Tx, subject: UUID, language: str = "en") -> list[Consent]:
    """What holds today: one entry for each switch of a household or person, and for each site, device or recipient that was ever asked
    about. `subject` is a household, or the acting person's own id. For the purpose of rights.
    """
    kind = _kind(tx, subject)
    known = fold(await receipts(tx, subject), now(), language)
    plain = {(c.key, c.detail_kind): c for c in CHOICES.values() if c.subject is kind and c.bare}
    unanswered = [state(choice, at[1], None, now(), language) for at, choice in plain.items() if at not in known]
    order = list(CHOICES)
    return sorted([*known.values(), *unanswered], key=lambda c: (order.index(c.choice.key), c.detail))


async def consent_of(tx: Tx, subject: UUID, purpose: Purpose, detail: str = "", language: str = "en") -> Consent:
    """What holds today for one choice and thing. For the purpose of rights. Raises Invalid where there is no such choice."""
    choice = choice_of(purpose, detail)
    return state(choice, detail, await _last(tx, subject, choice, detail), now(), language)


async def receipts(tx: Tx, subject: UUID) -> list[Receipt]:
    """Every answer of a household, or of the acting person, oldest first. For the purpose of rights."""
    row = _row(_kind(tx, subject))
    found = await tx.session.scalars(select(row).where(_owner(row) == subject).order_by(row.number))
    return [_receipt(r) for r in found]


async def give(
    tx: Tx, subject: UUID, purpose: Purpose, detail: str = "", *, channel: str, language: str, steps: Sequence[str], wording: str = ""
) -> Receipt:
    """Say yes, for a household or for oneself; the receipt. A yes that holds already is not written twice.

    `detail` names what exactly: "site:{id}", "gateway:{id}", "session:{id}", a recipient's key, or nothing. `steps`: what the person
    pressed, in order. `wording`: what stood there beyond the declared words, such as a recipient's name and fields. Context: a person,
    for the purpose of rights.

    Raises:
        Invalid: no such choice, or `channel`, `language` or `steps` that can't be evidence.
        Denied: the context is not a person's for the purpose of rights, or a guest asks.
        NotFound: no such household for the asker.
    """
    return await _answer(tx, subject, choice_of(purpose, detail), detail, True, channel, language, steps, wording)


async def withdraw(
    tx: Tx, subject: UUID, purpose: Purpose, detail: str = "", *, channel: str, language: str, steps: Sequence[str], wording: str = ""
) -> Receipt:
    """Take a yes back, or say no where nobody ever said yes; the receipt. As `give`, and with no more to do than there.

    What was stored on that yes alone is deleted in this transaction; what lies outside these tables, by the job "privacy.withdrawn".
    """
    return await _answer(tx, subject, choice_of(purpose, detail), detail, False, channel, language, steps, wording)


async def _answer(
    tx: Tx, subject: UUID, choice: Choice, detail: str, given: bool, channel: str, language: str, steps: Sequence[str], wording: str
) -> Receipt:
    by = await _check(tx, subject, choice, channel, language, steps)
    await tx.session.execute(_LOCK, {"subject": str(subject)})
    last = await _last(tx, subject, choice, detail)
    if last is not None and last.given is given and (not given or last.terms == choice.terms):
        return last
    receipt = await _write(tx, subject, choice, detail, given, channel, language, steps, wording, by)
    tx.announce(f"{CHANGED}.{subject}")
    if not given:
        await _forget(tx, subject, choice, detail)
        if last is not None:
            await defer(tx.session, "privacy.withdrawn", subject=str(subject), purpose=choice.purpose.value, detail=detail)
    return receipt


async def _check(tx: Tx, subject: UUID, choice: Choice, channel: str, language: str, steps: Sequence[str]) -> UUID:
    """Who answers. Raises as `give`."""
    by = tx.context.person
    if tx.context.purpose is not Purpose.RIGHTS:
        raise Denied("wrong_purpose", "A yes or no is given for the purpose of rights, and for no other.")
    if channel not in CHANNELS:
        raise Invalid("bad_channel", f"An answer comes by one of: {', '.join(CHANNELS)}.", "channel")
    if language not in LANGUAGES:
        raise Invalid("bad_language", f"A choice has words in: {', '.join(LANGUAGES)}.", "language")
    if not 1 <= len(steps) <= MOST_STEPS or any(not s.strip() or len(s) > MOST_STEP for s in steps):
        raise Invalid("bad_steps", f"Name 1 to {MOST_STEPS} steps of at most {MOST_STEP} characters each.", "steps")
    if choice.subject is Subject.PERSON:
        if subject != by:
            raise Denied("own_choice", "Only the person themselves can answer this.")
    elif not await may(tx, subject, "view"):
        raise NotFound("household")
    elif not await may(tx, subject, "people"):
        raise Denied("no_guests", "Guests can't answer for the household. Ask an owner or member.")
    return by


async def _write(
    tx: Tx,
    subject: UUID,
    choice: Choice,
    detail: str,
    given: bool,
    channel: str,
    language: str,
    steps: Sequence[str],
    wording: str,
    by: UUID,
) -> Receipt:
    words = "\n".join(filter(None, (choice.said(language).whole, wording)))
    recipients = (detail,) if choice.detail_kind == "recipient" else choice.recipients
    values: dict[str, Any] = {
        "id": new_id(),
        "schema_version": SCHEMA_VERSION,
        "choice": choice.key,
        "purpose": choice.purpose.value,
        "detail": detail,
        "given": given,
        "at": now(),
        "basis": PURPOSES[choice.purpose].basis,
        "controller": await tx.session.scalar(text("SELECT access.operator()")) or "",
        "jurisdiction": JURISDICTION,
        "data": list(choice.data),
        "recipients": list(recipients),
        "kept": choice.kept,
        "terms": choice.terms,
        "policy": policy_digest(),
        "wording": words,
        "wording_digest": hashlib.sha256(words.encode()).hexdigest(),
        "language": language,
        "channel": channel,
        "steps": list(steps),
    }
    if choice.subject is Subject.PERSON:
        mine = insert(PersonReceiptRow).values(person_id=subject, **values).returning(PersonReceiptRow)
        return _receipt((await tx.session.scalars(mine)).one())
    ours = insert(HouseholdReceiptRow).values(household_id=subject, by_person=by, **values).returning(HouseholdReceiptRow)
    return _receipt((await tx.session.scalars(ours)).one())


async def _last(tx: Tx, subject: UUID, choice: Choice, detail: str) -> Receipt | None:
    row = _row(choice.subject)
    asked = select(row).where(_owner(row) == subject, row.purpose == choice.purpose.value, row.detail == detail)
    found = (await tx.session.scalars(asked.order_by(row.number.desc()).limit(1))).one_or_none()
    return None if found is None else _receipt(found)


async def _forget(tx: Tx, subject: UUID, choice: Choice, detail: str) -> None:
    """Delete the subject's rows, about this thing, of every table that rests on this purpose alone."""
    for sql in Base.metadata.sorted_tables:
        declared = sql.info["declared"]
        if isinstance(declared, Table) and declared.rests_on == {choice.purpose} and declared.subject is choice.subject:
            mine = sql.columns[declared.path] == subject
            about = text(f"({declared.detail or chr(39) * 2}) = :detail").bindparams(detail=detail)  # the declaration's own SQL
            await tx.session.execute(delete(sql).where(mine, about))


def _kind(tx: Tx, subject: UUID) -> Subject:
    return Subject.PERSON if str(tx.context.actor) == str(subject) else Subject.HOUSEHOLD


def _row(subject: Subject) -> Any:
    return PersonReceiptRow if subject is Subject.PERSON else HouseholdReceiptRow


def _owner(row: Any) -> Any:
    return row.person_id if row is PersonReceiptRow else row.household_id


def _receipt(r: HouseholdReceiptRow | PersonReceiptRow) -> Receipt:
    subject, by = (r.person_id, r.person_id) if isinstance(r, PersonReceiptRow) else (r.household_id, r.by_person)
    at: datetime = r.at
    return Receipt(
        id=r.id,
        number=r.number,
        subject=subject,
        by=by,
        choice=r.choice,
        purpose=Purpose(r.purpose),
        detail=r.detail,
        given=r.given,
        at=at,
        controller=r.controller,
        data=tuple(r.data),
        recipients=tuple(r.recipients),
        kept=r.kept,
        terms=r.terms,
        policy=r.policy,
        wording=r.wording,
        wording_digest=r.wording_digest,
        language=r.language,
        channel=r.channel,
        steps=tuple(r.steps),
        basis=r.basis,
        jurisdiction=r.jurisdiction,
        schema_version=r.schema_version,
    )
