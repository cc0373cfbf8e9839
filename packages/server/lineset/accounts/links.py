"""Links that work once. The link carries a random token; the database keeps a keyed digest of it."""

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, select, update

from lineset.accounts.model import OneTimeTokenRow
from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.kit.ids import new_id
from lineset.privacy import Tx

LIVES = {
    "verify": timedelta(days=2),
    "reset": timedelta(hours=1),
    "email": timedelta(hours=24),
    "invite": timedelta(days=7),
    "operator": timedelta(days=7),
}


def link_digest(tx: Tx, token: str) -> bytes:
    """The keyed digest under which a token is found."""
    return tx.vault.text_digest("link", token)


async def make_link(
    tx: Tx,
    kind: str,
    *,
    person_id: UUID | None = None,
    invited_by: UUID | None = None,
    household_id: UUID | None = None,
    organisation_id: UUID | None = None,
    role: str | None = None,
    email: str | None = None,
) -> str:
    """A new one-time token of that kind; earlier ones of the same kind for the same person end."""
    if person_id is not None:
        await end_links(tx, person_id, kind)
    token = secrets.token_urlsafe(32)
    subject = person_id or household_id or organisation_id
    await tx.session.execute(
        insert(OneTimeTokenRow).values(
            id=new_id(),
            digest=link_digest(tx, token),
            kind=kind,
            person_id=person_id,
            invited_by=invited_by,
            household_id=household_id,
            organisation_id=organisation_id,
            role=role,
            email_digest=tx.vault.email_digest(email) if email else None,
            email_sealed=await tx.vault.seal(subject, email) if email and subject else None,
            expires_at=now() + LIVES[kind],
        )
    )
    return token


async def find_link(tx: Tx, kind: str, token: str) -> OneTimeTokenRow:
    """The live link of that kind, locked until the transaction's end.

    Raises:
        Invalid: it never was, was used, or has ended; which of these is not told.
    """
    found = await tx.session.scalar(
        select(OneTimeTokenRow)
        .where(
            OneTimeTokenRow.digest == link_digest(tx, token),
            OneTimeTokenRow.kind == kind,
            OneTimeTokenRow.used_at.is_(None),
            OneTimeTokenRow.expires_at > now(),
        )
        .with_for_update()
    )
    if found is None:
        raise Invalid("dead_link", "This link has been used already, or its time is over. Ask for a new one.", "token")
    return found


async def use_link(tx: Tx, link: OneTimeTokenRow) -> None:
    """Mark the link as used; it works no second time."""
    await tx.session.execute(update(OneTimeTokenRow).where(OneTimeTokenRow.id == link.id).values(used_at=now()))


async def end_links(tx: Tx, person_id: UUID, *kinds: str) -> None:
    """End a person's unused links of these kinds."""
    await tx.session.execute(
        update(OneTimeTokenRow)
        .where(OneTimeTokenRow.person_id == person_id, OneTimeTokenRow.kind.in_(kinds), OneTimeTokenRow.used_at.is_(None))
        .values(used_at=now())
    )
