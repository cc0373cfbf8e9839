"""Staff at a home: for a stated reason, for an hour at most, told to its owners in the same moment, and logged whatever it looks at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, insert, select, update

from lineset.accounts.checks import clean_email, clean_line
from lineset.accounts.model import HouseholdMemberRow, MembershipRow, OrganisationRow, PersonRow
from lineset.accounts.notices import find_reader, tell_owners
from lineset.accounts.throttle import SECURITY, Counter, admit
from lineset.accounts.words import role_word
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, NotFound
from lineset.kit.ids import new_id, parse_id
from lineset.privacy import Context, Door, Person, Purpose, Tx, acting
from lineset.privacy.audit.model import MOST_MINUTES, StaffAccessRow

STAFF_LOOKS = ("support", "security", "privacy_officer")
"""Roles of staff that may open a home; what each sees then stands in `access.staff_scopes`."""
MINUTES = (15, 30, MOST_MINUTES)
_MOST_AN_HOUR = 20


@dataclass(frozen=True, slots=True)
class StaffAccess:
    """One access of staff to a home. `ended_at` is set once it is over, by itself or before."""

    id: UUID
    person_id: UUID
    household_id: UUID
    role: str
    reason: str
    ticket: str
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None


def clean_reason(reason: str) -> str:
    """Why staff looks, in 10 to 300 characters on one line. Raises Invalid."""
    return clean_line(reason, "reason", what="the reason", most=300, least=10)


async def find_home(door: Door, words: str) -> UUID:
    """The household to which an id of a site, machine, gateway or household, or an e-mail address, belongs; for staff that opens it next.

    Raises:
        Invalid: neither an id nor an address, or the address belongs to people of several households.
        NotFound: there is none.
    """
    words = words.strip()
    thing = parse_id(words)
    async with door.open(SECURITY) as tx:
        if thing is not None:
            found = await tx.session.scalar(select(func.access.find_home(thing)))
            households = [found] if found is not None else []
        else:
            digest = tx.vault.email_digest(clean_email(words, "find"))
            wanted = (
                select(HouseholdMemberRow.household_id)
                .join(PersonRow, PersonRow.id == HouseholdMemberRow.person_id)
                .where(PersonRow.email_digest == digest, HouseholdMemberRow.ended_at.is_(None))
            )
            households = list(await tx.session.scalars(wanted))
    if not households:
        raise NotFound("home")
    if len(households) > 1:
        raise Invalid("several_homes", "This person belongs to several households. Give the id of the site or gateway.", "find")
    return UUID(str(households[0]))


async def open_home(
    door: Door, context: Context, household: UUID, *, role: str, reason: str, ticket: str = "", minutes: int = MINUTES[0]
) -> UUID:
    """Let the acting member of staff look at this household for some minutes, and mail its owners who, why and until when; the access's id.

    Raises:
        Invalid: no reason, or not so many minutes.
        Denied: the person does not hold that role at the operator, or the role opens no homes.
        NotFound: there is no such household.
        TooMany: more than 20 were opened within the hour.
    """
    values = {
        "reason": clean_reason(reason),
        "ticket": clean_line(ticket, "ticket", what="the ticket", most=60, least=0),
    }
    if not 1 <= minutes <= MOST_MINUTES:
        raise Invalid("bad_minutes", f"Give a number from 1 to {MOST_MINUTES}.", "minutes")
    person = context.person
    await admit(door, Counter("homes opened by", str(person), _MOST_AN_HOUR))
    moment = now()
    access, until = new_id(), moment + timedelta(minutes=minutes)
    async with door.open(SECURITY) as tx:
        if role not in STAFF_LOOKS or role not in await _roles(tx, person):
            raise Denied("no_look", "Your role does not open homes. Support, security and privacy officers do.")
        if await tx.session.scalar(select(func.access.find_home(household))) != household:
            raise NotFound("home")
        row = {"id": access, "person_id": person, "household_id": household, "role": role, "starts_at": moment, "ends_at": until}
        await tx.session.execute(insert(StaffAccessRow).values(**row, **values))
        who = await find_reader(tx, person)
        await tell_owners(
            tx,
            household,
            "staff_opened",
            who=who.name if who is not None else "",
            role=lambda reader: role_word(role, reader.language),
            reason=values["reason"],
            until=lambda reader: reader.time(until),
        )
    with acting("open_home"):
        async with door.open(Context(Person(person), Purpose.SUPPORT, household)):
            pass  # the entry of the access log is made by opening
    return access


async def end_home(tx: Tx, access: UUID) -> None:
    """End an access before its time, as whoever opened it. Raises NotFound."""
    own = StaffAccessRow.id == access, StaffAccessRow.person_id == tx.context.person, StaffAccessRow.ended_at.is_(None)
    ended = await tx.session.execute(
        update(StaffAccessRow).where(*own, StaffAccessRow.ends_at > now()).values(ended_at=now()).returning(StaffAccessRow.id)
    )
    if ended.one_or_none() is None:
        raise NotFound("open home")


async def list_staff_accesses(tx: Tx, *, household: UUID | None = None, limit: int = 100) -> list[StaffAccess]:
    """Accesses of staff that the asker may know of, newest first: staff its own, a household those to it, officers all."""
    wanted = select(StaffAccessRow).order_by(StaffAccessRow.starts_at.desc()).limit(min(limit, 1000))
    if household is not None:
        wanted = wanted.where(StaffAccessRow.household_id == household)
    return [_view(row) for row in await tx.session.scalars(wanted)]


def _view(row: StaffAccessRow) -> StaffAccess:
    over = row.ended_at or (row.ends_at if row.ends_at <= now() else None)
    ids = (row.id, row.person_id, row.household_id)
    return StaffAccess(*ids, row.role, row.reason, row.ticket, row.starts_at, row.ends_at, over)


async def _roles(tx: Tx, person: UUID) -> set[str]:
    held = (
        select(MembershipRow.role)
        .join(OrganisationRow, OrganisationRow.id == MembershipRow.organisation_id)
        .where(MembershipRow.person_id == person, MembershipRow.ended_at.is_(None), OrganisationRow.kind == "operator")
    )
    return set(await tx.session.scalars(held))
