"""The one way out: whatever goes to another party passes here, or does not go.

Each way of carrying (`smtp.py`) wants a `Permit`, and only `Egress.send` makes one, after the ledger's row has been committed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from lineset.kit.clock import now
from lineset.kit.errors import Denied
from lineset.privacy.door import Context, Door, Person, Tx
from lineset.privacy.egress.model import AgreementRow, DisclosureRow, OptOutRow, RecipientRow
from lineset.privacy.egress.processors import PROCESSORS
from lineset.privacy.vocabulary import PURPOSES, Purpose

T = TypeVar("T")
AsksConsent = Callable[[Tx, UUID, Purpose, str], Awaitable[bool]]
"""Whether that person or household has said yes to the purpose in this detail, such as one recipient."""
SIGNALLED = frozenset({Purpose.SHARE, Purpose.OFFERS, Purpose.ANALYTICS})
"""What Global Privacy Control and Do Not Track stop, for the person whose browser sends them."""


class NotAllowed(Denied):
    """The register does not allow this flow; nothing left. `code` says why."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to leave, in words of the register: `fields` are categories of data, `what` a short code such as "mail:verify".

    `id` names the disclosure: a further try with the same id is the same disclosure. `subject`: the person or household it is about.
    """

    id: UUID
    recipient: str
    purpose: Purpose
    fields: tuple[str, ...]
    subject: UUID
    what: str
    records: int = 1


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one parcel to one recipient. Only `Egress.send` makes one."""

    parcel: Parcel
    agreement: UUID


class Egress:
    """Lets parcels out by the register. Without `consented`, what needs a household's yes never leaves."""

    def __init__(self, door: Door, consented: AsksConsent | None = None) -> None:
        self._door = door
        self._consented = consented

    async def send(self, context: Context, parcel: Parcel, carry: Callable[[Permit], Awaitable[T]]) -> T:
        """Write the disclosure down, then have it carried; what `carry` returns.

        The ledger's row is committed before anything leaves, so a process that dies meanwhile leaves "begun" behind and never a secret.

        Raises:
            NotAllowed: unknown or ended recipient, no agreement in force, a sale, a field or purpose beyond the agreement, no consent.
            Denied: the context may not do this.
        """
        if context.purpose is not parcel.purpose:
            raise NotAllowed(
                "wrong_purpose", f"What is sent for {parcel.purpose.value!r} can't be sent in the name of {context.purpose.value!r}."
            )
        async with self._door.open(context) as tx:
            permit = await self._admit(tx, parcel)
        try:
            result = await carry(permit)
        except Exception:
            await self._note(context, parcel, "refused")
            raise
        await self._note(context, parcel, "taken")
        return result

    async def _admit(self, tx: Tx, parcel: Parcel) -> Permit:
        recipient = await tx.session.scalar(select(RecipientRow).where(RecipientRow.key == parcel.recipient))
        if recipient is None:
            raise NotAllowed("unknown_recipient", f"The register has no entry {parcel.recipient!r}. Fill it in in the console.")
        if recipient.ended_at is not None:
            raise NotAllowed("ended_recipient", f"The entry {parcel.recipient!r} has ended.")
        agreement = await _agreement_for(tx, recipient, parcel)
        if recipient.consent or PURPOSES[parcel.purpose].consent:
            await self._require_consent(tx, parcel)
        row = {
            "id": parcel.id,
            "subject_id": parcel.subject,
            "recipient_id": recipient.id,
            "recipient": recipient.name,
            "agreement_id": agreement.id,
            "purpose": parcel.purpose.value,
            "fields": list(parcel.fields),
            "what": parcel.what[:80],
            "records": parcel.records,
            "at": now(),
            "outcome": "begun",
        }
        await tx.session.execute(insert(DisclosureRow).values(**row).on_conflict_do_nothing(index_elements=["id"]))
        return Permit(parcel, agreement.id)

    async def _require_consent(self, tx: Tx, parcel: Parcel) -> None:
        detail = parcel.recipient if parcel.purpose is Purpose.SHARE else ""
        if self._consented is None or not await self._consented(tx, parcel.subject, parcel.purpose, detail):
            raise NotAllowed("no_consent", f"Nobody has agreed that {parcel.recipient!r} receives this.")
        if parcel.purpose in SIGNALLED:
            actor = tx.context.actor
            people = {parcel.subject, actor.id if isinstance(actor, Person) else parcel.subject}
            signal = select(OptOutRow.signal).where(OptOutRow.person_id.in_(people)).limit(1)
            if await tx.session.scalar(signal) is not None:
                raise NotAllowed("opted_out", "A browser of this person says that nothing may be passed on.")

    async def _note(self, context: Context, parcel: Parcel, outcome: str) -> None:
        """What became of it. A parcel that once arrived stays "taken", whatever a further try says."""
        async with self._door.open(context) as tx:
            open_row = DisclosureRow.id == parcel.id, DisclosureRow.outcome != "taken"
            await tx.session.execute(update(DisclosureRow).where(*open_row).values(outcome=outcome))


async def _agreement_for(tx: Tx, recipient: RecipientRow, parcel: Parcel) -> AgreementRow:
    """The newest agreement that covers the parcel whole.

    Raises:
        NotAllowed: none does; says what is missing.
    """
    built_in = PROCESSORS.get(recipient.key)
    if built_in is not None and not (set(parcel.fields) <= set(built_in.fields) and parcel.purpose in built_in.purposes):
        raise NotAllowed("beyond_entry", f"{recipient.key!r} never gets this, whatever was agreed.")
    found = await tx.session.scalars(
        select(AgreementRow).where(AgreementRow.recipient_id == recipient.id).order_by(AgreementRow.starts_at.desc())
    )
    at = now()
    running = [row for row in found if _runs(row, at)]
    if not running:
        raise NotAllowed("no_agreement", f"No agreement with {recipient.key!r} is in force.")
    if any(row.consideration != "none" for row in running):
        raise NotAllowed("sale", f"{recipient.key!r} gives something in return for personal data. That is a sale, and nothing is sold.")
    bound = [row for row in running if row.confidentiality and row.security]
    if not bound:
        raise NotAllowed("terms_missing", f"{recipient.key!r} has not agreed to keep data confidential and secure.")
    for row in bound:
        if set(parcel.fields) <= set(row.fields) and parcel.purpose.value in row.purposes:
            return row
    raise NotAllowed("beyond_agreement", f"No agreement with {recipient.key!r} covers these fields for {parcel.purpose.value!r}.")


def _runs(row: AgreementRow, at: datetime) -> bool:
    return row.starts_at <= at and all(at < end for end in (row.ends_at, row.ended_at) if end is not None)
