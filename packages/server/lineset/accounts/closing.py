"""Closing accounts for good: nobody signs in with them any more, and nobody is let in by them. Their data goes by an erasure."""

import contextlib
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from lineset.accounts.entry import end_sessions
from lineset.accounts.model import (
    AccessGrantRow,
    ApiTokenRow,
    HouseholdMemberRow,
    MembershipRow,
    OneTimeTokenRow,
    PersonRow,
)
from lineset.accounts.notices import tell
from lineset.kit.clock import now
from lineset.privacy import Tx, Unsealable


async def close_accounts(tx: Tx, people: Collection[UUID], households: Collection[UUID], number: UUID) -> None:
    """End everything by which these people get in and act, and everything by which others get into these households.

    Each person is told by mail, which is the last one; `number` is that of the erasure.

    Sign-ins, tokens and live pages end within two seconds of the commit. Nothing is deleted, and no machine is told anything. For the
    platform's actor that erases.
    """
    moment = now()
    for person in people:
        await end_sessions(tx, person)
        if await tx.session.scalar(select(PersonRow.id).where(PersonRow.id == person, PersonRow.status == "active")) is not None:
            with contextlib.suppress(Unsealable):  # an address that nobody can read is no reason to keep the rest
                await tell(tx, person, "erasure_begun", number=str(number))
    tokens = ApiTokenRow.person_id.in_(people), ApiTokenRow.revoked_at.is_(None)
    await tx.session.execute(update(ApiTokenRow).where(*tokens).values(revoked_at=moment))
    await tx.session.execute(update(PersonRow).where(PersonRow.id.in_(people)).values(status="closed", password_hash=None))
    work = MembershipRow.person_id.in_(people), MembershipRow.ended_at.is_(None)
    await tx.session.execute(update(MembershipRow).where(*work).values(ended_at=moment))
    lives = or_(HouseholdMemberRow.person_id.in_(people), HouseholdMemberRow.household_id.in_(households))
    await tx.session.execute(update(HouseholdMemberRow).where(lives, HouseholdMemberRow.ended_at.is_(None)).values(ended_at=moment))
    let_in = AccessGrantRow.household_id.in_(households), AccessGrantRow.revoked_at.is_(None)
    await tx.session.execute(update(AccessGrantRow).where(*let_in).values(revoked_at=moment))
    links = or_(OneTimeTokenRow.person_id.in_(people), OneTimeTokenRow.invited_by.in_(people), OneTimeTokenRow.household_id.in_(households))
    await tx.session.execute(delete(OneTimeTokenRow).where(links))
