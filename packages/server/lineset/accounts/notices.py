"""Mails to people about their own accounts and households, in their language."""

from uuid import UUID

from babel.dates import format_datetime, get_timezone
from sqlalchemy import select

from lineset.accounts.model import HouseholdMemberRow, PersonRow
from lineset.accounts.words import mail_words
from lineset.kit.clock import now
from lineset.messaging import queue_mail
from lineset.privacy import Tx


async def tell(tx: Tx, person_id: UUID, kind: str, **values: str) -> None:
    """Mail that person the words of `kind`; their name and the present time are filled in besides `values`."""
    row = (
        await tx.session.execute(
            select(PersonRow.email_sealed, PersonRow.name_sealed, PersonRow.language, PersonRow.time_zone).where(PersonRow.id == person_id)
        )
    ).one()
    address = await tx.vault.open(person_id, row.email_sealed)
    if address is None:
        return  # their key has been destroyed: there is nobody to write to
    name = await tx.vault.open(person_id, row.name_sealed) or ""
    when = format_datetime(now(), "d MMMM y HH:mm zzz", tzinfo=get_timezone(row.time_zone or "UTC"), locale=row.language)
    subject, body = mail_words(kind, row.language, **{"name": name, "when": when, **values})
    await queue_mail(tx, person_id, address, kind, subject, body)


async def tell_owners(tx: Tx, household_id: UUID, kind: str, **values: str) -> None:
    """Mail the owners of a household."""
    owners = select(HouseholdMemberRow.person_id).where(
        HouseholdMemberRow.household_id == household_id,
        HouseholdMemberRow.role == "owner",
        HouseholdMemberRow.ended_at.is_(None),
    )
    for person_id in (await tx.session.scalars(owners)).all():
        await tell(tx, person_id, kind, **values)
