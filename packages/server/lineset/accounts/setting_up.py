"""Setting up: the first operator by a one-time link, and accounts made by the platform itself (a demo's, say).

No password exists that somebody did not choose or that was not made at random on this machine.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select

from lineset.accounts.agents import Browser
from lineset.accounts.checks import check_language, check_time_zone, check_units, clean_email, clean_line
from lineset.accounts.entry import SignedIn, forget_unverified, make_household, make_person, open_session
from lineset.accounts.links import find_link, make_link, use_link
from lineset.accounts.model import MembershipRow, OneTimeTokenRow, OrganisationRow, PersonRow
from lineset.accounts.passwords import check_password, hash_password
from lineset.accounts.throttle import SECURITY, Counter, admit
from lineset.kit.clock import now
from lineset.kit.errors import Conflict
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System, Tx

SETUP = Context(System("setup"), Purpose.ACCOUNT)


@dataclass(frozen=True, slots=True)
class MadeAccount:
    """A confirmed person; `household_id` is None where no household was asked for."""

    person_id: UUID
    household_id: UUID | None


async def operator_link(tx: Tx) -> str | None:
    """The path of a fresh link with which the operator is set up, or None once there is one; earlier links end. For `System("setup")`."""
    if await _operator_id(tx) is not None:
        return None
    await tx.session.execute(delete(OneTimeTokenRow).where(OneTimeTokenRow.kind == "operator"))
    return f"/operator?token={await make_link(tx, 'operator')}"


async def set_up_operator(
    door: Door, token: str, *, name: str, email: str, password: str, browser: Browser, language: str = "en"
) -> SignedIn:
    """Make the operator's organisation with its first person, by the link from the terminal, and sign in.

    Raises:
        Invalid: the link is dead or a field can't be used.
        Conflict: there is an operator already, or the address has an account.
        TooMany: too many tries from this network.
    """
    await admit(door, Counter("operator from", browser.network, 20))
    async with door.open(SETUP) as tx:
        await find_link(tx, "operator", token)
    account = await _prepare(name, email, password, language)
    async with door.open(SETUP) as tx:
        await use_link(tx, await find_link(tx, "operator", token))
        if await _operator_id(tx) is not None:
            raise Conflict("operator_exists", "This installation has an operator already.")
        person_id = await _insert(tx, account)
        company_id = new_id()
        await tx.session.execute(insert(OrganisationRow).values(id=company_id, kind="operator", name="Operator", created_at=now()))
        await add_staff(tx, company_id, person_id, "operator")
    async with door.open(SECURITY) as tx:
        return await open_session(tx, person_id, browser)


async def make_account(
    door: Door,
    *,
    name: str,
    email: str,
    password: str,
    household: str = "",
    business: bool = False,
    language: str = "en",
    units: str = "us",
    time_zone: str | None = None,
) -> MadeAccount:
    """Make a confirmed person, with a household where its name is given, without any mail.

    Raises:
        Invalid: a field can't be used.
        Conflict: the address has an account.
    """
    account = await _prepare(name, email, password, language, units, time_zone)
    async with door.open(SETUP) as tx:
        person_id = await _insert(tx, account)
        household_id = await make_household(tx, household, person_id, business=business) if household else None
    return MadeAccount(person_id, household_id)


async def add_staff(tx: Tx, company_id: UUID, person_id: UUID, role: str) -> None:
    """Let somebody work at a company; for `System("setup")`."""
    row = insert(MembershipRow).values(person_id=person_id, organisation_id=company_id, role=role, started_at=now())
    await tx.session.execute(row)


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    email: str
    password_hash: str
    values: dict[str, str | None]


async def _prepare(name: str, email: str, password: str, language: str, units: str = "us", time_zone: str | None = None) -> _Account:
    name, email = clean_line(name, "name", what="your name"), clean_email(email)
    check_password(password, email)
    values = {"language": check_language(language), "units": check_units(units), "time_zone": check_time_zone(time_zone)}
    return _Account(name, email, await hash_password(password), values)


async def _insert(tx: Tx, account: _Account) -> UUID:
    digest = tx.vault.email_digest(account.email)
    known = await tx.session.scalar(select(PersonRow).where(PersonRow.email_digest == digest).with_for_update())
    if known is not None and known.status != "unverified":
        raise Conflict("has_account", "This address has an account already. Use another.")
    if known is not None:
        await forget_unverified(tx, known.id)
    return await make_person(tx, account.name, account.email, account.password_hash, status="active", **account.values)


async def _operator_id(tx: Tx) -> UUID | None:
    return await tx.session.scalar(select(OrganisationRow.id).where(OrganisationRow.kind == "operator"))
