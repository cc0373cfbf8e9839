"""Suspending: somebody can't get in or change anything from afar for a while, and nothing of theirs is lost.

Sign-ins, tokens and open pages stop working within two seconds (`principals.CACHE_S`) and work again when the suspension is lifted. The
devices at home are told nothing: what they measure is taken as before, and their machines keep heating by their own limits and schedule.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update

from lineset.accounts.checks import clean_email, clean_line
from lineset.accounts.entry import ACCOUNT
from lineset.accounts.households import keep_an_owner, lock_member, update_member
from lineset.accounts.model import PersonRow, SuspensionRow
from lineset.accounts.notices import find_reader, tell
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Person, Purpose, Tx

MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class Suspension:
    """A suspension of an account; `ended_at` None: it lasts."""

    id: UUID
    person_id: UUID
    reason: str
    by: UUID | None
    at: datetime
    ended_at: datetime | None


async def suspend_account(door: Door, acting: UUID, email: str, reason: str) -> UUID:
    """Suspend the account with that e-mail address, as the operator's staff; the suspension's id. Its person is told the reason by mail.

    Raises:
        Denied: the asker is not of the operator's staff that may (operator, security), or means their own account.
        Invalid: no address or no reason.
        NotFound: no such account can be suspended.
    """
    email = clean_email(email)
    reason = clean_line(reason, "reason", what="the reason", most=MOST_REASON)
    await _require_staff(door, acting)
    async with door.open(ACCOUNT) as tx:
        known = PersonRow.email_digest == tx.vault.email_digest(email), PersonRow.status == "active"
        person = await tx.session.scalar(select(PersonRow.id).where(*known).with_for_update())
        if person is None:
            raise NotFound("active account")
        if person == acting:
            raise Denied("own_account", "You can't suspend your own account.")
        await tx.session.execute(update(PersonRow).where(PersonRow.id == person).values(status="suspended"))
        row = SuspensionRow(id=new_id(), person_id=person, reason=reason, by_person=acting, at=now())
        tx.session.add(row)
        await tell(tx, person, "suspended", reason=reason)
        await tx.session.flush()
        return row.id


async def lift_suspension(door: Door, acting: UUID, suspension: UUID) -> None:
    """Let somebody in again, as the operator's staff: everything is as it was. Its person is told by mail.

    Raises:
        Denied: the asker is not of the operator's staff that may.
        NotFound: no such suspension lasts.
    """
    await _require_staff(door, acting)
    async with door.open(ACCOUNT) as tx:
        lasting = SuspensionRow.id == suspension, SuspensionRow.ended_at.is_(None)
        ended = update(SuspensionRow).where(*lasting).values(ended_at=now()).returning(SuspensionRow.person_id)
        person = (await tx.session.execute(ended)).scalar_one_or_none()
        if person is None:
            raise NotFound("suspension")
        more = select(SuspensionRow.id).where(SuspensionRow.person_id == person, SuspensionRow.ended_at.is_(None)).limit(1)
        if await tx.session.scalar(more) is None:
            mine = PersonRow.id == person, PersonRow.status == "suspended"
            await tx.session.execute(update(PersonRow).where(*mine).values(status="active"))
            if await find_reader(tx, person) is not None:
                await tell(tx, person, "suspension_lifted")


async def list_suspensions(tx: Tx) -> list[Suspension]:
    """The suspensions that the asker may see, newest first."""
    rows = await tx.session.scalars(select(SuspensionRow).order_by(SuspensionRow.at.desc()).limit(200))
    return [Suspension(r.id, r.person_id, r.reason, r.by_person, r.at, r.ended_at) for r in rows]


async def suspend_member(tx: Tx, household_id: UUID, person_id: UUID) -> None:
    """Pause somebody's membership of a household, as an owner: they see and change nothing there until it is resumed.

    Raises:
        NotFound, Denied: no such member, or the asker is not an owner.
        Conflict: a household keeps an owner who can act; or one means oneself.
    """
    role = await lock_member(tx, household_id, person_id)
    if person_id == tx.context.person:
        raise Conflict("own_membership", "You can't pause your own membership. Leave the household instead.")
    if role == "owner":
        await keep_an_owner(tx, household_id, person_id)
    await update_member(tx, household_id, person_id, suspended_at=now())


async def resume_member(tx: Tx, household_id: UUID, person_id: UUID) -> None:
    """Give somebody their place in a household back, as an owner. Raises NotFound or Denied as `suspend_member`."""
    await lock_member(tx, household_id, person_id)
    await update_member(tx, household_id, person_id, suspended_at=None)


async def _require_staff(door: Door, acting: UUID) -> None:
    async with door.open(Context(Person(acting), Purpose.ADMINISTER)) as tx:
        if not await tx.session.scalar(text("SELECT access.staff('operator', 'security')")):
            raise Denied("operator_needed", "Only the operator's staff for operation or security can do this.")
