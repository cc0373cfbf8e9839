"""What a household lets a company do: given by an owner, scope by scope, with or without an end, and taken back at any time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from lineset.accounts.households import owners_only
from lineset.accounts.model import NEEDS, SCOPES, AccessGrantRow, HouseholdRow, MembershipRow, OrganisationRow, PersonRow
from lineset.accounts.notices import find_reader, tell_owners
from lineset.accounts.words import open_end, scope_words
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Person, Tx


@dataclass(frozen=True, slots=True)
class Grant:
    """One scope that a company holds at a household."""

    id: UUID
    household_id: UUID
    company_id: UUID
    company: str
    scope: str
    granted_at: datetime
    granted_by: str
    ends_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """A household as the company sees it to which it gave access, with the scopes that the company holds."""

    household_id: UUID
    name: str
    business: bool
    scopes: frozenset[str]


async def grant_access(tx: Tx, household_id: UUID, company_id: UUID, scopes: Iterable[str], ends_at: datetime | None = None) -> None:
    """Let a contractor do these things, as an owner; "view" comes with any of them, and what stands in `NEEDS`. Owners are told by mail.

    A scope that the company holds already takes the new end.

    Raises:
        Invalid: no such scope, no such contractor, or an end in the past.
        NotFound: there is no such household for the asker.
        Denied: the asker is not an owner.
    """
    wanted = {"view", *scopes}
    wanted |= {NEEDS[scope] for scope in wanted & set(NEEDS)}
    if unknown := wanted - set(SCOPES):
        raise Invalid("bad_scope", f"{', '.join(sorted(unknown))}: choose from {', '.join(SCOPES)}.", "scopes")
    moment = now()
    if ends_at is not None and ends_at <= moment:
        raise Invalid("past_end", "Access can't end in the past.", "ends_at")
    company = await tx.session.get(OrganisationRow, company_id)
    if company is None or company.kind != "contractor":
        raise Invalid("no_company", "Choose a contractor.", "company")
    await owners_only(tx, household_id)
    held = {row.scope: row for row in await _live(tx, household_id, company_id)}
    fresh = [s for s in SCOPES if s in wanted and not (s in held and held[s].ends_at == ends_at)]
    await _close(tx, [held[s].id for s in fresh if s in held])
    person_id = tx.context.actor.id if isinstance(tx.context.actor, Person) else None
    for scope in fresh:
        await tx.session.execute(
            insert(AccessGrantRow).values(
                id=new_id(),
                household_id=household_id,
                organisation_id=company_id,
                scope=scope,
                granted_by=person_id,
                granted_at=moment,
                ends_at=ends_at,
            )
        )
    if fresh:
        await _tell(tx, household_id, "access_granted", company.name, fresh, ends_at)


async def revoke_access(tx: Tx, household_id: UUID, company_id: UUID, scopes: Iterable[str] | None = None) -> None:
    """Take scopes back, as an owner; all of them when none is named or "view" is among them. It holds at once. Owners are told by mail.

    Raises:
        NotFound: there is no such household for the asker, or the company holds none of these there.
        Denied: the asker is not an owner.
    """
    await owners_only(tx, household_id)
    named = set(SCOPES if scopes is None else scopes)
    named |= {scope for scope, other in NEEDS.items() if other in named}
    gone = [row for row in await _live(tx, household_id, company_id) if "view" in named or row.scope in named]
    if not gone:
        raise NotFound("access")
    await _close(tx, [row.id for row in gone])
    company = await tx.session.get(OrganisationRow, company_id)
    await _tell(tx, household_id, "access_revoked", company.name if company else "", [row.scope for row in gone], None)


async def list_grants(tx: Tx, household_id: UUID, *, ended: bool = False) -> list[Grant]:
    """What a household lets companies do, newest first; with what ended in the last two years if `ended`."""
    wanted = (
        select(AccessGrantRow, OrganisationRow.name, PersonRow.name_sealed)
        .join(OrganisationRow, OrganisationRow.id == AccessGrantRow.organisation_id)
        .outerjoin(PersonRow, PersonRow.id == AccessGrantRow.granted_by)
        .where(AccessGrantRow.household_id == household_id)
        .order_by(AccessGrantRow.id.desc())
    )
    if not ended:
        wanted = wanted.where(_now_live())
    result = []
    for row, company, sealed in await tx.session.execute(wanted):
        by = await tx.vault.open(row.granted_by, sealed) if row.granted_by else None
        ids = (row.id, row.household_id, row.organisation_id)
        result.append(Grant(*ids, company, row.scope, row.granted_at, by or "", row.ends_at, row.revoked_at))
    return result


async def list_clients(tx: Tx, company_id: UUID) -> list[Client]:
    """The households that let this company see them, by name, for its staff and the purpose of service."""
    found = await tx.session.execute(
        select(HouseholdRow.id, HouseholdRow.name_sealed, HouseholdRow.business, func.array_agg(AccessGrantRow.scope))
        .join(AccessGrantRow, AccessGrantRow.household_id == HouseholdRow.id)
        .where(AccessGrantRow.organisation_id == company_id, _now_live())
        .group_by(HouseholdRow.id)
    )
    rows = found.all()
    names = await tx.vault.open_many((household_id, sealed) for household_id, sealed, _, _ in rows)
    clients = [Client(row[0], name or "", row[2], frozenset(row[3])) for row, name in zip(rows, names, strict=True)]
    return sorted(clients, key=lambda c: (c.name.casefold(), c.household_id))


async def company_acting(tx: Tx, household_id: UUID, scope: str) -> UUID | None:
    """The company for which the acting person uses that scope of that household: the one that has held it longest; None without one."""
    held = (
        select(AccessGrantRow.organisation_id)
        .join(MembershipRow, MembershipRow.organisation_id == AccessGrantRow.organisation_id)
        .where(MembershipRow.person_id == tx.context.person, MembershipRow.ended_at.is_(None))
        .where(AccessGrantRow.household_id == household_id, AccessGrantRow.scope == scope, _now_live())
    )
    return (await tx.session.scalars(held.order_by(AccessGrantRow.granted_at).limit(1))).first()


def _now_live() -> ColumnElement[bool]:
    return AccessGrantRow.revoked_at.is_(None) & or_(AccessGrantRow.ends_at.is_(None), AccessGrantRow.ends_at > now())


async def _live(tx: Tx, household_id: UUID, company_id: UUID) -> list[AccessGrantRow]:
    """The grants that are not taken back, locked; those past their end too, since they still stand in the way of new ones."""
    rows = await tx.session.scalars(
        select(AccessGrantRow)
        .where(
            AccessGrantRow.household_id == household_id,
            AccessGrantRow.organisation_id == company_id,
            AccessGrantRow.revoked_at.is_(None),
        )
        .with_for_update()
    )
    return list(rows)


async def _close(tx: Tx, ids: list[UUID]) -> None:
    """End these now, or when they had ended by themselves."""
    ended = func.least(AccessGrantRow.ends_at, now())
    await tx.session.execute(update(AccessGrantRow).where(AccessGrantRow.id.in_(ids)).values(revoked_at=ended))


async def _tell(tx: Tx, household_id: UUID, kind: str, company: str, scopes: list[str], until: datetime | None) -> None:
    household = await tx.session.get(HouseholdRow, household_id)
    actor = tx.context.actor
    who = await find_reader(tx, actor.id) if isinstance(actor, Person) else None
    if who is None or household is None:
        return  # set up by the platform itself: there is nobody to tell of their own doing
    await tell_owners(
        tx,
        household_id,
        kind,
        who=who.name,
        company=company,
        household=await tx.vault.open(household_id, household.name_sealed) or "",
        scopes=lambda reader: scope_words(scopes, reader.language),
        until=lambda reader: reader.time(until) if until else open_end(reader.language),
    )
