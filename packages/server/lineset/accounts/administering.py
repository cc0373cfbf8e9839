"""What a contractor does at an account that it administers: each deed needs a scope of its own, is logged and told to the owners by mail.

The company never learns a password: it starts a new one, and the member who gets the link completes it.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from lineset.accounts.entry import ACCOUNT
from lineset.accounts.grants import company_acting
from lineset.accounts.households import lock_member, update_member
from lineset.accounts.links import make_link
from lineset.accounts.model import HouseholdRow, OrganisationRow, PersonRow
from lineset.accounts.notices import find_reader, tell, tell_owners
from lineset.accounts.throttle import Counter, admit
from lineset.accounts.words import deed_words
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.privacy import Context, Door, Purpose, Tx, acting

DEEDS = {"reset": "reset", "pause": "members", "resume": "members", "end": "members"}
"""What can be done about a member, and the scope that each needs."""
_LOGGED = {"reset": "start_reset", "members": "suspend_member"}


async def administer(door: Door, context: Context, household: UUID, person: UUID, deed: str) -> None:
    """Do this about a member of a household, as staff of a company that was given the scope for it. Owners are told by mail.

    `deed`: "reset" mails the member a link for choosing a new password; "pause" and "resume" stop and give back their access to the
    household, "end" ends it.

    Raises:
        Invalid: no such deed.
        NotFound: no such household or member for the asker.
        Denied: the household has not let the asker's company do this, or it is about an owner's place.
        Conflict: the account is closed or not confirmed.
        TooMany: three resets were started for this member within the hour.
    """
    if deed not in DEEDS:
        raise Invalid("bad_deed", f"Choose one of these: {', '.join(DEEDS)}.", "do")
    scope = DEEDS[deed]
    with acting(_LOGGED[scope]):
        async with door.open(Context(context.actor, Purpose.SERVICE, household)) as tx:
            if await tx.session.get(HouseholdRow, household) is None:
                raise NotFound("household")
            company_id = await company_acting(tx, household, scope)
            company = await tx.session.get(OrganisationRow, company_id) if company_id is not None else None
            if company is None:
                raise Denied("not_granted", "The household has not let your company do this. An owner can, on the page Access.")
            name = company.name
    if deed == "reset":
        await admit(door, Counter("reset started for", str(person), 3))
    async with door.open(ACCOUNT) as tx:
        role = await lock_member(tx, household, person)
        if deed != "reset" and role == "owner":
            raise Denied("owners_place", "Only an owner decides about an owner's place in the household.")
        await _DO[deed](tx, household, person)
        await _tell(tx, context.person, household, person, name, deed)


async def _reset(tx: Tx, household: UUID, person: UUID) -> None:  # noqa: ARG001 - as the others
    row = await tx.session.get(PersonRow, person)
    if row is None or row.status not in {"active", "suspended"}:
        raise Conflict("no_account", "This member has no confirmed account, so there is no password to renew.")
    await tell(tx, person, "reset", token=await make_link(tx, "reset", person_id=person))


async def _pause(tx: Tx, household: UUID, person: UUID) -> None:
    await update_member(tx, household, person, suspended_at=now())


async def _resume(tx: Tx, household: UUID, person: UUID) -> None:
    await update_member(tx, household, person, suspended_at=None)


async def _end(tx: Tx, household: UUID, person: UUID) -> None:
    await update_member(tx, household, person, ended_at=now())


_DO: dict[str, Callable[[Tx, UUID, UUID], Awaitable[None]]] = {"reset": _reset, "pause": _pause, "resume": _resume, "end": _end}


async def _tell(tx: Tx, staff: UUID, household: UUID, person: UUID, company: str, deed: str) -> None:
    who, member = await find_reader(tx, staff), await find_reader(tx, person)
    await tell_owners(
        tx,
        household,
        "administered",
        who=who.name if who is not None else "",
        company=company,
        member=member.name if member is not None else "",
        deed=lambda reader: deed_words(deed, reader.language),
    )
