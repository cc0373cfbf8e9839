"""Mails to people about their own accounts, households and companies, in their language."""

from collections.abc import Callable, Mapping
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
    units: str = "us"

    def time(self, moment: datetime) -> str:
        """A moment in words, in the reader's zone."""
        return format_datetime(moment, "d MMMM y HH:mm zzz", tzinfo=get_timezone(self.time_zone or "UTC"), locale=self.language)


async def find_reader(tx: Tx, person_id: UUID) -> Reader | None:
    """How that person is written to, or None: no such person, or the key is destroyed."""
    row = await tx.session.get(PersonRow, person_id)
    if row is None:
        return None
    name, email = await tx.vault.open_many([(person_id, row.name_sealed), (person_id, row.email_sealed)])
    return Reader(name or "", email, row.language, row.time_zone, row.units) if email else None


async def active_people(tx: Tx) -> list[UUID]:
    """Everybody whose account is active, as far as the actor sees them; for the platform's actor "mail" all."""
    return list((await tx.session.scalars(select(PersonRow.id).where(PersonRow.status == "active").order_by(PersonRow.id))).all())


async def tell(tx: Tx, person_id: UUID, kind: str, **values: str | Callable[[Reader], str]) -> None:
    """Mail that person the words of `kind`; their name and the present time are filled in besides `values`.

    A value that depends on the reader's language is given as a function of the reader.
    """
    await write_to(tx, person_id, None, kind, **values)


async def tell_copy_ready(tx: Tx, person_id: UUID, until: datetime) -> None:
    """Mail that person that the copy of their data is there until that time."""
    await tell(tx, person_id, "copy_ready", until=lambda reader: reader.time(until))


async def write_to(tx: Tx, person_id: UUID, address: str | None, kind: str, **values: str | Callable[[Reader], str]) -> None:
    """As `tell`, to another address of that person, such as one to be confirmed."""
    reader = await find_reader(tx, person_id)
    if reader is not None:
        subject, body = _words(kind, reader, values)
        await queue_mail(tx, person_id, address or reader.email, kind, subject, body)


async def write_to_stranger(tx: Tx, owner_id: UUID, address: str, kind: str, language: str, **values: str) -> None:
    """Mail an address that may belong to nobody here; sealed under the household or company that invites."""
    subject, body = mail_words(kind, language, **values)
    await queue_mail(tx, owner_id, address, kind, subject, body)


async def tell_owners(tx: Tx, household_id: UUID, kind: str, **values: str | Callable[[Reader], str]) -> None:
    """Mail the owners of a household the words of `kind`."""
    await write_to_owners(tx, household_id, kind, lambda reader: _words(kind, reader, values))


async def write_to_owners(tx: Tx, household_id: UUID, kind: str, words: Callable[[Reader], tuple[str, str]]) -> None:
    """Mail the owners of a household what `words` makes of each reader: subject line and text."""
    owners = select(HouseholdMemberRow.person_id).where(
        HouseholdMemberRow.household_id == household_id,
        HouseholdMemberRow.role == "owner",
        HouseholdMemberRow.ended_at.is_(None),
    )
    for person_id in (await tx.session.scalars(owners)).all():
        reader = await find_reader(tx, person_id)
        if reader is not None:
            subject, body = words(reader)
            await queue_mail(tx, person_id, reader.email, kind, subject, body)


def _words(kind: str, reader: Reader, values: Mapping[str, str | Callable[[Reader], str]]) -> tuple[str, str]:
    texts = {name: value if isinstance(value, str) else value(reader) for name, value in values.items()}
    return mail_words(kind, reader.language, **{"name": reader.name, "when": reader.time(now()), **texts})
