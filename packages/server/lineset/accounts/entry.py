"""The way in: sign up, confirm the address, sign in, choose a new password.

These open transactions of their own instead of taking one: a failed try must stay written down although the call fails, and no
transaction stays open while a password is hashed. Nothing here tells whether an address has an account, except to who reads its mail.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, insert, select, update

from lineset.accounts.agents import Browser, describe_agent
from lineset.accounts.checks import check_birth_year, check_language, check_time_zone, check_units, clean_email, clean_line
from lineset.accounts.links import end_links, find_link, make_link, use_link
from lineset.accounts.model import ApiTokenRow, HouseholdMemberRow, HouseholdRow, PersonRow, SessionRow
from lineset.accounts.notices import tell
from lineset.accounts.passwords import check_password, hash_password, outdated, verify_password
from lineset.accounts.people import NewContact, add_contacts
from lineset.accounts.throttle import SECURITY, Counter, admit, forgive
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System, Tx, policy

SESSION_LIFE = timedelta(days=30)
LEAST_S = 0.3
"""Signing up and asking for a reset take at least so long, so that the time tells nobody who has an account."""
ACCOUNT = Context(System("authentication"), Purpose.ACCOUNT)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `token` goes into the cookie and is kept nowhere else."""

    token: str
    person_id: UUID
    session_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Signer:
    """What a sign-in needs to know of a person."""

    id: UUID
    status: str
    language: str
    password_hash: str | None


async def sign_up(
    door: Door,
    *,
    name: str,
    email: str,
    password: str,
    browser: Browser,
    language: str = "en",
    units: str = "us",
    time_zone: str | None = None,
    household: str = "",
    contacts: tuple[NewContact, ...] = (),
    birth_year: int | None = None,
    gender: str = "",
    texts: Mapping[UUID, policy.Act] | None = None,
) -> None:
    """Make an unconfirmed person with a household of their own and mail the link that confirms the address.

    The answer is the same for an address that has an account: its owner gets another mail instead, and nothing changes. Signing up
    again before confirming replaces the earlier sign-up. `texts`: the versions of policy and terms that were shown, and what was done with
    each; they leave receipts.

    Raises:
        Invalid: a field can't be used; `field` names it.
        TooMany: too many sign-ups from this network or for this address.
    """
    name = clean_line(name, "name", what="your name")
    email = clean_email(email)
    check_password(password, email)
    values = {
        "language": check_language(language),
        "units": check_units(units),
        "time_zone": check_time_zone(time_zone),
        "birth_year": check_birth_year(birth_year),
    }
    household = clean_line(household or name, "household", what="a name for the household")
    gender = clean_line(gender, "gender", what="the gender", most=40, least=0)
    await admit(door, Counter("mail to", email, 5), Counter("sign-up from", browser.network, 20))
    password_hash = await hash_password(password)
    async with _evenly(), door.open(ACCOUNT) as tx:
        known = await tx.session.scalar(select(PersonRow).where(PersonRow.email_digest == tx.vault.email_digest(email)).with_for_update())
        if known is not None and known.status != "unverified":
            if known.status != "closed":
                await tell(tx, known.id, "already")
            return
        if known is not None:
            await forget_unverified(tx, known.id)
        person_id = await make_person(tx, name, email, password_hash, status="unverified", **values)
        await make_household(tx, household, person_id)
        if gender:
            gender_sealed = await tx.vault.seal(person_id, gender)
            await tx.session.execute(update(PersonRow).where(PersonRow.id == person_id).values(gender_sealed=gender_sealed))
        await add_contacts(tx, person_id, contacts)
        await keep_receipts(tx, person_id, texts or {}, language)
        await _send_verification(tx, person_id, email)


async def verify(door: Door, token: str, password: str, browser: Browser) -> SignedIn:
    """Confirm the address by the mailed link and the password chosen at sign-up, and sign in.

    The password is asked for so that nobody can sign up with another's address and have its owner confirm it by a click.

    Raises:
        Invalid: the link is dead, or the password is not the one of this sign-up.
        TooMany: too many tries.
    """
    await admit(door, Counter("verify from", browser.network, 20), Counter("verify with", token[:64], 5))
    async with door.open(ACCOUNT) as tx:
        link = await find_link(tx, "verify", token)
        kept = await tx.session.scalar(select(PersonRow.password_hash).where(PersonRow.id == link.person_id))
    if not await verify_password(kept, password):
        raise Invalid(
            "wrong_password", "This is not the password that you chose when signing up. If you forgot it, sign up again.", "password"
        )
    async with door.open(ACCOUNT) as tx:
        link = await find_link(tx, "verify", token)
        await use_link(tx, link)
        done = await tx.session.execute(
            update(PersonRow)
            .where(PersonRow.id == link.person_id, PersonRow.status == "unverified", PersonRow.password_hash == kept)
            .values(status="active", verified_at=now())
            .returning(PersonRow.id)
        )
        person_id = done.scalar_one_or_none()
        if person_id is None:
            raise Invalid("dead_link", "This link has been used already, or its time is over. Ask for a new one.", "token")
    async with door.open(SECURITY) as tx:
        return await open_session(tx, person_id, browser)


async def sign_in(door: Door, email: str, password: str, browser: Browser) -> SignedIn:
    """Sign in with e-mail and password.

    Raises:
        Denied: `wrong_sign_in`, the two don't fit; `unverified`, they do but the address is not confirmed (the link is mailed again);
            `suspended`.
        TooMany: too many failed tries for this address or from this network.
    """
    email = clean_email(email)
    async with door.open(SECURITY) as tx:
        person = await _find_signer(tx, email)
        trusted = await _came_before(tx, person.id if person else new_id(), browser)
    # A network from which this person has signed in before is not held up by guesses that others make elsewhere.
    pair = Counter("sign-in of", f"{email} {browser.network}", 6)
    counters = [pair, Counter("sign-in from", browser.network, 30)]
    counters += [] if trusted else [Counter("sign-in of", email, 12)]
    await admit(door, *counters)
    right = await verify_password(person.password_hash if person else None, password)
    if person is None or not right or person.status == "closed":
        raise Denied("wrong_sign_in", "E-mail address and password do not fit. Check both, or choose a new password.")
    if person.status == "suspended":
        raise Denied("suspended", "This account is suspended. Write to whoever runs this installation.")
    if person.status == "unverified":
        await _remind(door, person.id, email)
        raise Denied("unverified", "Confirm your e-mail address first: the link is on its way to you again.")
    rehashed = await hash_password(password) if person.password_hash and outdated(person.password_hash) else None
    async with door.open(SECURITY) as tx:
        await forgive(tx, *(c for c in counters if c.kind == "sign-in of"))
        if rehashed:
            await tx.session.execute(
                update(PersonRow)
                .where(PersonRow.id == person.id, PersonRow.password_hash == person.password_hash)
                .values(password_hash=rehashed)
            )
        await _notice_new_browser(tx, person.id, browser)
        return await open_session(tx, person.id, browser)


async def ask_reset(door: Door, email: str, browser: Browser) -> None:
    """Mail a link for choosing a new password, if the address has a confirmed account. The answer is the same if not.

    Raises:
        Invalid: no e-mail address.
        TooMany: too many requests from this network or for this address.
    """
    email = clean_email(email)
    await admit(door, Counter("mail to", email, 5), Counter("reset from", browser.network, 20))
    async with _evenly(), door.open(ACCOUNT) as tx:
        person = await _find_signer(tx, email)
        if person is None or person.status not in {"active", "suspended"}:
            return
        await tell(tx, person.id, "reset", token=await make_link(tx, "reset", person_id=person.id))


async def reset_password(door: Door, token: str, password: str, browser: Browser) -> None:
    """Choose a new password by the mailed link; signs out everywhere and revokes personal tokens.

    Raises:
        Invalid: the link is dead or the password is refused.
        TooMany: too many tries from this network.
    """
    await admit(door, Counter("reset from", browser.network, 20))
    async with door.open(ACCOUNT) as tx:
        link = await find_link(tx, "reset", token)
        row = await tx.session.get(PersonRow, link.person_id)
        email = await tx.vault.open(row.id, row.email_sealed) if row else None
    check_password(password, email or "")
    password_hash = await hash_password(password)
    async with door.open(SECURITY) as tx:
        link = await find_link(tx, "reset", token)
        await use_link(tx, link)
        person_id = link.person_id
        if person_id is None:
            raise Invalid("dead_link", "This link has been used already, or its time is over. Ask for a new one.", "token")
        await tx.session.execute(update(PersonRow).where(PersonRow.id == person_id).values(password_hash=password_hash))
        await end_sessions(tx, person_id)
        await tx.session.execute(
            update(ApiTokenRow).where(ApiTokenRow.person_id == person_id, ApiTokenRow.revoked_at.is_(None)).values(revoked_at=now())
        )
        await end_links(tx, person_id, "reset", "email")
        await tell(tx, person_id, "password_changed")


async def open_session(tx: Tx, person_id: UUID, browser: Browser) -> SignedIn:
    """A new session of that person; the transaction acts as authentication, for security."""
    moment = now()
    fresh = SignedIn(secrets.token_urlsafe(32), person_id, new_id(), moment + SESSION_LIFE)
    await tx.session.execute(
        insert(SessionRow).values(
            id=fresh.session_id,
            digest=session_digest(tx, fresh.token),
            person_id=person_id,
            created_at=moment,
            last_seen_at=moment,
            expires_at=fresh.expires_at,
            address=browser.address[:64] or None,
            agent=browser.kept_agent,
        )
    )
    return fresh


async def end_sessions(tx: Tx, person_id: UUID, *, keep: UUID | None = None) -> None:
    """Sign the person out everywhere, but for the session `keep`. The rows stay for their time, so that known browsers stay known."""
    ended = update(SessionRow).where(SessionRow.person_id == person_id, SessionRow.expires_at > now())
    await tx.session.execute((ended if keep is None else ended.where(SessionRow.id != keep)).values(expires_at=now()))


def session_digest(tx: Tx, token: str) -> bytes:
    """The keyed digest under which a session's token is found."""
    return tx.vault.text_digest("session", token)


async def keep_receipts(tx: Tx, person_id: UUID, texts: Mapping[UUID, policy.Act], language: str) -> None:
    """Write down which texts a new person accepted or saw when signing up."""
    for version, what in texts.items():
        await policy.acknowledge(tx, person_id, version, what, language=language, channel="sign-up")


async def make_person(tx: Tx, name: str, email: str, password_hash: str, *, status: str, **values: object) -> UUID:
    """A new person with sealed name and address; checked values only."""
    person_id = new_id()
    await tx.session.execute(
        insert(PersonRow).values(
            id=person_id,
            email_digest=tx.vault.email_digest(email),
            email_sealed=await tx.vault.seal(person_id, email),
            name_sealed=await tx.vault.seal(person_id, name),
            password_hash=password_hash,
            status=status,
            created_at=now(),
            verified_at=now() if status == "active" else None,
            **values,
        )
    )
    return person_id


async def make_household(tx: Tx, name: str, owner_id: UUID | None = None, *, business: bool = False) -> UUID:
    """A new household; its id. Without an owner it waits for one: history was imported before its people signed up.

    For the platform's own actors "authentication", "setup" and "import".

    Raises:
        Invalid: no name.
    """
    household_id = new_id()
    name_sealed = await tx.vault.seal(household_id, clean_line(name, "household", what="a name for the household"))
    await tx.session.execute(insert(HouseholdRow).values(id=household_id, name_sealed=name_sealed, business=business, created_at=now()))
    if owner_id is not None:
        await tx.session.execute(
            insert(HouseholdMemberRow).values(person_id=owner_id, household_id=household_id, role="owner", started_at=now())
        )
    return household_id


async def forget_unverified(tx: Tx, person_id: UUID) -> None:
    """Remove somebody who never confirmed the address, with the household made at sign-up, and destroy their keys."""
    own = select(HouseholdMemberRow.household_id).where(HouseholdMemberRow.person_id == person_id)
    households = (await tx.session.scalars(own)).all()
    await tx.session.execute(delete(HouseholdRow).where(HouseholdRow.id.in_(households)))
    await tx.session.execute(delete(PersonRow).where(PersonRow.id == person_id, PersonRow.status == "unverified"))

    async def destroy_keys() -> None:
        for subject in (person_id, *households):
            await tx.vault.destroy(subject)

    tx.after_commit(destroy_keys)


@asynccontextmanager
async def _evenly() -> AsyncIterator[None]:
    end = asyncio.get_running_loop().time() + LEAST_S
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, end - asyncio.get_running_loop().time()))


async def _find_signer(tx: Tx, email: str) -> _Signer | None:
    found = await tx.session.execute(
        select(PersonRow.id, PersonRow.status, PersonRow.language, PersonRow.password_hash).where(
            PersonRow.email_digest == tx.vault.email_digest(email)
        )
    )
    row = found.one_or_none()
    return _Signer(*row) if row else None


async def _send_verification(tx: Tx, person_id: UUID, email: str) -> None:
    await tell(tx, person_id, "verify", token=await make_link(tx, "verify", person_id=person_id, email=email))


async def _remind(door: Door, person_id: UUID, email: str) -> None:
    await admit(door, Counter("mail to", email, 5))
    async with door.open(ACCOUNT) as tx:
        await _send_verification(tx, person_id, email)


async def _came_before(tx: Tx, person_id: UUID, browser: Browser) -> bool:
    known = select(exists().where(SessionRow.person_id == person_id, SessionRow.address == browser.address[:64]))
    return bool(await tx.session.scalar(known))


async def _notice_new_browser(tx: Tx, person_id: UUID, browser: Browser) -> None:
    """Tell the person by mail unless an earlier session used a browser of that name, or there is no earlier one to compare with."""
    agents = (await tx.session.scalars(select(SessionRow.agent).where(SessionRow.person_id == person_id))).all()
    described = describe_agent(browser.kept_agent)
    if agents and described not in {describe_agent(a) for a in agents}:
        await tell(tx, person_id, "new_browser", agent=described)
