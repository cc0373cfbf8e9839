"""Invitations into households and companies: a link by mail, that works once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from lineset.accounts.agents import Browser
from lineset.accounts.checks import check_language, check_time_zone, check_units, clean_email, clean_line
from lineset.accounts.entry import ACCOUNT, SignedIn, forget_unverified, keep_receipts, make_person, open_session
from lineset.accounts.households import owners_only
from lineset.accounts.links import find_link, make_link, use_link
from lineset.accounts.model import (
    COMPANY_ROLES,
    HOUSEHOLD_ROLES,
    STAFF_ROLES,
    HouseholdMemberRow,
    HouseholdRow,
    MembershipRow,
    OneTimeTokenRow,
    OrganisationRow,
    PersonRow,
)
from lineset.accounts.notices import find_reader, tell_owners, write_to_stranger
from lineset.accounts.passwords import check_password, hash_password
from lineset.accounts.throttle import SECURITY, Counter, admit
from lineset.accounts.words import role_word
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.privacy import Door, System, Tx, policy

_OPEN_INVITATIONS = 100
"""At most so many open invitations of one household or company, so that nobody mails the world through us."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as its page shows it. `into` is the household's or company's name; `known` whether `email` has an account."""

    kind: str  # household or company
    into: str
    inviter: str
    role: str
    email: str
    known: bool


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that waits for its answer."""

    id: UUID
    email: str
    role: str
    expires_at: datetime


async def invite_member(tx: Tx, household_id: UUID, email: str, role: str = "member") -> None:
    """Invite somebody into a household by mail, as an owner.

    Raises:
        Invalid: no e-mail address or no such role.
        NotFound: there is no such household for the asker.
        Denied: the asker is not an owner.
        Conflict: too many open invitations.
    """
    email = clean_email(email)
    if role not in HOUSEHOLD_ROLES:
        raise _bad_role(HOUSEHOLD_ROLES)
    row = await owners_only(tx, household_id)
    await _replace_open(tx, OneTimeTokenRow.household_id == household_id, email)
    reader = await find_reader(tx, tx.context.person)
    language, inviter = (reader.language, reader.name) if reader else ("en", "")
    token = await make_link(tx, "invite", invited_by=tx.context.person, household_id=household_id, role=role, email=email)
    household = await tx.vault.open(household_id, row.name_sealed) or ""
    words = {"inviter": inviter, "household": household, "role": role_word(role, language), "token": token}
    await write_to_stranger(tx, household_id, email, "household_invite", language, **words)


async def invite_to_company(tx: Tx, company_id: UUID, email: str, role: str) -> None:
    """Invite somebody to work at a company by mail, as its manager or as the operator.

    Raises:
        Invalid: no e-mail address, or companies of this kind have no such role.
        NotFound: there is no such company.
        Denied: the asker does not manage it.
        Conflict: too many open invitations.
    """
    email = clean_email(email)
    company = await tx.session.get(OrganisationRow, company_id, populate_existing=True)
    if company is None:
        raise NotFound("company")
    check_role(company.kind, role)
    person_id = None if isinstance(tx.context.actor, System) else tx.context.person
    await _may_invite(tx, company, person_id)
    await _replace_open(tx, OneTimeTokenRow.organisation_id == company_id, email)
    reader = await find_reader(tx, person_id) if person_id else None
    language, inviter = (reader.language, reader.name) if reader else ("en", company.name)
    token = await make_link(tx, "invite", invited_by=person_id, organisation_id=company_id, role=role, email=email)
    words = {"inviter": inviter, "company": company.name, "role": role_word(role, language), "token": token}
    await write_to_stranger(tx, company_id, email, "company_invite", language, **words)


async def list_invitations(tx: Tx, owner_id: UUID) -> list[OpenInvitation]:
    """Open invitations of a household or company, newest first, as far as the asker may see them."""
    rows = (await tx.session.scalars(_open_of(owner_id).order_by(OneTimeTokenRow.id.desc()))).all()
    return [OpenInvitation(r.id, await tx.vault.open(owner_id, r.email_sealed) or "", r.role or "", r.expires_at) for r in rows]


async def withdraw_invitation(tx: Tx, invitation_id: UUID) -> None:
    """Take an open invitation back. Raises NotFound where there is none that the asker may take back."""
    gone = await tx.session.execute(
        delete(OneTimeTokenRow).where(OneTimeTokenRow.id == invitation_id, OneTimeTokenRow.kind == "invite").returning(OneTimeTokenRow.id)
    )
    if gone.one_or_none() is None:
        raise NotFound("invitation")


async def read_invitation(door: Door, token: str, browser: Browser) -> Invitation:
    """What somebody with the link is invited to.

    Raises:
        Invalid: the link is dead.
        TooMany: too many tries from this network.
    """
    await admit(door, Counter("invitation from", browser.network, 40))
    async with door.open(ACCOUNT) as tx:
        link = await find_link(tx, "invite", token)
        owner_id = link.household_id or link.organisation_id
        assert owner_id is not None  # noqa: S101 - an invitation is into one of the two
        email = await tx.vault.open(owner_id, link.email_sealed) or ""
        inviter = await find_reader(tx, link.invited_by) if link.invited_by else None
        status = await tx.session.scalar(select(PersonRow.status).where(PersonRow.email_digest == link.email_digest))
        kind = "household" if link.household_id else "company"
        known = status is not None and status != "unverified"
        return Invitation(kind, await _into(tx, link), inviter.name if inviter else "", link.role or "", email, known)


async def accept_invitation(door: Door, token: str, person_id: UUID) -> None:
    """Accept as a signed-in person, whatever address their account has: whoever holds the link was meant.

    Raises:
        Invalid: the link is dead.
        Conflict: the person belongs there already.
    """
    async with door.open(ACCOUNT) as tx:
        link = await find_link(tx, "invite", token)
        await use_link(tx, link)
        await _join(tx, link, person_id)


async def accept_as_new(
    door: Door,
    token: str,
    *,
    name: str,
    password: str,
    browser: Browser,
    language: str = "en",
    units: str = "us",
    time_zone: str | None = None,
    texts: Mapping[UUID, policy.Act] | None = None,
) -> SignedIn:
    """Accept as somebody without an account: makes one for the address that was invited, confirmed by the link, and signs in.

    `texts`: the versions of policy and terms that were shown, and what was done with each; they leave receipts.

    Raises:
        Invalid: the link is dead or a field can't be used.
        Conflict: the address has an account: sign in, then accept.
        TooMany: too many tries from this network.
    """
    await admit(door, Counter("invitation from", browser.network, 40))
    name = clean_line(name, "name", what="your name")
    values = {"language": check_language(language), "units": check_units(units), "time_zone": check_time_zone(time_zone)}
    async with door.open(ACCOUNT) as tx:
        email = await _invited_address(tx, await find_link(tx, "invite", token))
    check_password(password, email)
    password_hash = await hash_password(password)
    async with door.open(ACCOUNT) as tx:
        link = await find_link(tx, "invite", token)
        await use_link(tx, link)
        known = await tx.session.scalar(select(PersonRow).where(PersonRow.email_digest == link.email_digest).with_for_update())
        if known is not None and known.status != "unverified":
            raise Conflict("has_account", "This address has an account. Sign in, then open the link again.")
        if known is not None:
            await forget_unverified(tx, known.id)
        person_id = await make_person(tx, name, email, password_hash, status="active", **values)
        await keep_receipts(tx, person_id, texts or {}, language)
        await _join(tx, link, person_id)
    async with door.open(SECURITY) as tx:
        return await open_session(tx, person_id, browser)


def check_role(kind: str, role: str) -> str:
    """Raises Invalid unless companies of that kind have the role."""
    roles = STAFF_ROLES if kind == "operator" else COMPANY_ROLES
    if role not in roles:
        raise _bad_role(roles)
    return role


def _bad_role(roles: tuple[str, ...]) -> Invalid:
    return Invalid("bad_role", f"Choose one of these roles: {', '.join(roles)}.", "role")


def _open_of(owner_id: UUID) -> Select[OneTimeTokenRow]:
    return select(OneTimeTokenRow).where(
        or_(OneTimeTokenRow.household_id == owner_id, OneTimeTokenRow.organisation_id == owner_id),
        OneTimeTokenRow.kind == "invite",
        OneTimeTokenRow.used_at.is_(None),
        OneTimeTokenRow.expires_at > now(),
    )


async def _replace_open(tx: Tx, of: ColumnElement[bool], email: str) -> None:
    """End an earlier open invitation of the same address, and refuse one too many."""
    live = (of, OneTimeTokenRow.kind == "invite", OneTimeTokenRow.used_at.is_(None))
    await tx.session.execute(delete(OneTimeTokenRow).where(*live, OneTimeTokenRow.email_digest == tx.vault.email_digest(email)))
    count = await tx.session.scalar(select(func.count()).select_from(OneTimeTokenRow).where(*live, OneTimeTokenRow.expires_at > now()))
    if (count or 0) >= _OPEN_INVITATIONS:
        raise Conflict("too_many_invitations", f"{_OPEN_INVITATIONS} invitations are open. Withdraw some first.")


async def _may_invite(tx: Tx, company: OrganisationRow, person_id: UUID | None) -> None:
    if person_id is None:
        return
    mine = select(MembershipRow.role, MembershipRow.organisation_id).where(
        MembershipRow.person_id == person_id, MembershipRow.ended_at.is_(None), MembershipRow.role.in_(("manager", "operator"))
    )
    if not any(role == "operator" or at == company.id for role, at in (await tx.session.execute(mine))):
        raise Denied("managers_only", "Only a manager of the company can do this.")


async def _invited_address(tx: Tx, link: OneTimeTokenRow) -> str:
    owner_id = link.household_id or link.organisation_id
    address = await tx.vault.open(owner_id, link.email_sealed) if owner_id else None
    if address is None:
        raise Invalid("dead_link", "This invitation is no longer there. Ask for a new one.", "token")
    return address


async def _into(tx: Tx, link: OneTimeTokenRow) -> str:
    if link.household_id is not None:
        household = await tx.session.get(HouseholdRow, link.household_id)
        return (await tx.vault.open(link.household_id, household.name_sealed) if household else None) or ""
    company = await tx.session.get(OrganisationRow, link.organisation_id)
    return company.name if company else ""


async def _join(tx: Tx, link: OneTimeTokenRow, person_id: UUID) -> None:
    if link.household_id is not None:
        row = insert(HouseholdMemberRow).values(person_id=person_id, household_id=link.household_id, role=link.role, started_at=now())
        keys, ended = ["person_id", "household_id"], HouseholdMemberRow.ended_at
    else:
        row = insert(MembershipRow).values(person_id=person_id, organisation_id=link.organisation_id, role=link.role, started_at=now())
        keys, ended = ["person_id", "organisation_id"], MembershipRow.ended_at
    again = {"role": row.excluded.role, "started_at": row.excluded.started_at, "ended_at": None}
    joined = await tx.session.execute(
        row.on_conflict_do_update(index_elements=keys, set_=again, where=ended.is_not(None)).returning(row.table.c.person_id)
    )
    if joined.one_or_none() is None:
        raise Conflict("already_there", "You belong there already.")
    if link.household_id is not None:
        await _tell_of_member(tx, link, person_id)


async def _tell_of_member(tx: Tx, link: OneTimeTokenRow, person_id: UUID) -> None:
    joined, role = await find_reader(tx, person_id), link.role or ""
    assert link.household_id is not None  # noqa: S101 - the caller has looked
    await tell_owners(
        tx,
        link.household_id,
        "member_joined",
        who=joined.name if joined else "",
        household=await _into(tx, link),
        role=lambda reader: role_word(role, reader.language),
    )
