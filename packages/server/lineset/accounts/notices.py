"""Mails to people about their own accounts, households and companies, in their language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from babel.dates import format_datetime, get_timezone
from sqlalchemy import select

from lineset.accounts.model import HouseholdMemberRow, PersonRow
from lineset.accounts.words import mail_words
from lineset.kit.clock import now
from lineset.messaging import queue_mail
from lineset.privacy import Tx


@dataclass(frozen=True, slots=True)
class Reader:
    """How somebody is written to."""

    name: str
    email: str
    language: str
    time_zone: str | None

    def time(self, moment: datetime) -> str:
        """A moment in words, in the reader's zone."""
        return format_datetime(moment, "d MMMM y HH:mm zzz", tzinfo=get_timezone(self.time_zone or "UTC"), locale=self.language)


async def find_reader(tx: Tx, person_id: UUID) -> Reader | None:
    """How that person is written to, or None: no such person, or the key is destroyed."""
    row = await tx.session.get(PersonRow, person_id)
    if row is None:
        return None
    name, email = await tx.vault.open_many([(person_id, row.name_sealed), (person_id, row.email_sealed)])
    return Reader(name or "", email, row.language, row.time_zone) if email else None


async def tell(tx: Tx, person_id: UUID, kind: str, **values: str | Callable[[Reader], str]) -> None:
    """Mail that person the words of `kind`; their name and the present time are filled in besides `values`.

    A value that depends on the reader's language is given as a function of the reader.
    """
    reader = await find_reader(tx, person_id)
    if reader is not None:
        await _write(tx, person_id, reader, reader.email, kind, values)


async def write_to(tx: Tx, person_id: UUID, address: str, kind: str, **values: str) -> None:
    """As `tell`, to another address of that person, such as one to be confirmed."""
    reader = await find_reader(tx, person_id)
    if reader is not None:
        await _write(tx, person_id, reader, address, kind, dict(values))


async def write_to_stranger(tx: Tx, owner_id: UUID, address: str, kind: str, language: str, **values: str) -> None:
    """Mail an address that may belong to nobody here; sealed under the household or company that invites."""
    subject, body = mail_words(kind, language, **values)
    await queue_mail(tx, owner_id, address, kind, subject, body)


async def tell_owners(tx: Tx, household_id: UUID, kind: str, **values: str | Callable[[Reader], str]) -> None:
    """Mail the owners of a household."""
    owners = select(HouseholdMemberRow.person_id).where(
        HouseholdMemberRow.household_id == household_id,
        HouseholdMemberRow.role == "owner",
        HouseholdMemberRow.ended_at.is_(None),
    )
    for person_id in (await tx.session.scalars(owners)).all():
        await tell(tx, person_id, kind, **values)


async def _write(
    tx: Tx, person_id: UUID, reader: Reader, address: str, kind: str, values: dict[str, str | Callable[[Reader], str]]
) -> None:
    texts = {name: value if isinstance(value, str) else value(reader) for name, value in values.items()}
    subject, body = mail_words(kind, reader.language, **{"name": reader.name, "when": reader.time(now()), **texts})
    await queue_mail(tx, person_id, address, kind, subject, body)
