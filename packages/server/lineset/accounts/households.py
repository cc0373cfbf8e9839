"""Households: their people, and their name."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from lineset.accounts.checks import clean_line
from lineset.accounts.entry import ACCOUNT, make_household
from lineset.accounts.model import HOUSEHOLD_ROLES, HouseholdMemberRow, HouseholdRow, PersonRow
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.privacy import Door, Tx
from lineset.privacy.changes import note_household
from lineset.privacy.rights import may


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to a household or company. Name and address are empty where the asker may not see them. `paused`: sees and
    changes nothing there for now."""

    person_id: UUID
    name: str
    email: str
    role: str
    since: datetime
    paused: bool = False


async def create_household(door: Door, person_id: UUID, name: str, *, business: bool = False) -> UUID:
    """One more household or business of that person, who becomes its owner; its id.

    Raises:
        Invalid: no name.
    """
    async with door.open(ACCOUNT) as tx:
        return await make_household(tx, name, person_id, business=business)


async def rename_household(tx: Tx, household_id: UUID, name: str) -> None:
    """Change a household's name, as an owner or member.

    Raises:
        Invalid: no name.
        NotFound: there is no such household for the asker, or the asker is a guest there.
    """
    name = clean_line(name, "household", what="a name for the household")
    sealed = await tx.vault.seal(household_id, name)
    before = await tx.session.scalar(select(HouseholdRow.name_sealed).where(HouseholdRow.id == household_id))
    changed = update(HouseholdRow).where(HouseholdRow.id == household_id).values(name_sealed=sealed).returning(HouseholdRow.id)
    if (await tx.session.execute(changed)).one_or_none() is None:
        raise NotFound("household")
    await note_household(tx, household_id, {"household.name": (await tx.vault.open(household_id, before) or "", name)})


async def list_members(tx: Tx, household_id: UUID) -> list[Member]:
    """The people of a household, owners first. Raises NotFound where the asker may not see them."""
    found = await tx.session.execute(
        select(
            HouseholdMemberRow.person_id,
            PersonRow.name_sealed,
            PersonRow.email_sealed,
            HouseholdMemberRow.role,
            HouseholdMemberRow.started_at,
            HouseholdMemberRow.suspended_at.is_not(None),
        )
        .outerjoin(PersonRow, PersonRow.id == HouseholdMemberRow.person_id)
        .where(HouseholdMemberRow.household_id == household_id, HouseholdMemberRow.ended_at.is_(None))
    )
    members = [
        Member(person_id, await tx.vault.open(person_id, name) or "", await tx.vault.open(person_id, email) or "", role, since, paused)
        for person_id, name, email, role, since, paused in found
    ]
    if not members:
        raise NotFound("household")
    return sorted(members, key=lambda m: (HOUSEHOLD_ROLES.index(m.role), m.name.casefold()))


async def change_member_role(tx: Tx, household_id: UUID, person_id: UUID, role: str) -> None:
    """Give a member another role, as an owner.

    Raises:
        Invalid: no such role.
        NotFound, Denied: no such member, or the asker is not an owner.
        Conflict: a household keeps at least one owner.
    """
    if role not in HOUSEHOLD_ROLES:
        raise Invalid("bad_role", f"Choose one of these roles: {', '.join(HOUSEHOLD_ROLES)}.", "role")
    present = await lock_member(tx, household_id, person_id)
    if present == "owner" and role != "owner":
        await keep_an_owner(tx, household_id, person_id)
    await update_member(tx, household_id, person_id, role=role)


async def remove_member(tx: Tx, household_id: UUID, person_id: UUID) -> None:
    """End somebody's membership, as an owner (an owner may remove oneself while another remains).

    Raises:
        NotFound, Denied, Conflict: as `change_member_role`.
    """
    if await lock_member(tx, household_id, person_id) == "owner":
        await keep_an_owner(tx, household_id, person_id)
    await update_member(tx, household_id, person_id, ended_at=now())


async def leave_household(door: Door, person_id: UUID, household_id: UUID) -> None:
    """End one's own membership, in whatever role.

    Raises:
        NotFound: the person does not belong to it.
        Conflict: the last owner can't leave: make somebody else an owner first.
    """
    async with door.open(ACCOUNT) as tx:
        await remove_member(tx, household_id, person_id)


async def owners_only(tx: Tx, household_id: UUID) -> HouseholdRow:
    """The household. Raises NotFound unless the actor may know of it, Denied unless an owner acts or the platform itself."""
    row = await tx.session.get(HouseholdRow, household_id, populate_existing=True)
    if row is None:
        raise NotFound("household")
    if not await may(tx, household_id, "owner"):
        raise Denied("owners_only", "Only an owner of the household can do this.")
    return row


async def lock_member(tx: Tx, household_id: UUID, person_id: UUID) -> str:
    """The member's role. Changes of a household's members wait for each other, so that two owners can't both leave."""
    await owners_only(tx, household_id)
    await tx.session.execute(select(HouseholdRow.id).where(HouseholdRow.id == household_id).with_for_update())
    role = await tx.session.scalar(
        select(HouseholdMemberRow.role).where(
            HouseholdMemberRow.household_id == household_id,
            HouseholdMemberRow.person_id == person_id,
            HouseholdMemberRow.ended_at.is_(None),
        )
    )
    if role is None:
        raise NotFound("member")
    return role


async def keep_an_owner(tx: Tx, household_id: UUID, leaving: UUID) -> None:
    """Raises Conflict unless somebody else is an owner who can act."""
    others = select(HouseholdMemberRow.person_id).where(
        HouseholdMemberRow.household_id == household_id,
        HouseholdMemberRow.person_id != leaving,
        HouseholdMemberRow.role == "owner",
        HouseholdMemberRow.ended_at.is_(None),
        HouseholdMemberRow.suspended_at.is_(None),
    )
    if (await tx.session.scalars(others)).first() is None:
        raise Conflict("last_owner", "A household keeps at least one owner. Make somebody else an owner first.")


async def update_member(tx: Tx, household_id: UUID, person_id: UUID, **values: object) -> None:
    """Change a member's row."""
    mine = HouseholdMemberRow.household_id == household_id, HouseholdMemberRow.person_id == person_id
    await tx.session.execute(update(HouseholdMemberRow).where(*mine).values(**values))
