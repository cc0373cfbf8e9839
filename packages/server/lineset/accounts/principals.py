"""Who asks: a session's cookie or a program's token turned into a principal."""

import secrets
import string
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update

from lineset.accounts.agents import describe_agent
from lineset.accounts.checks import clean_line
from lineset.accounts.entry import end_sessions, session_digest
from lineset.accounts.model import ApiTokenRow, HouseholdMemberRow, HouseholdRow, MembershipRow, OrganisationRow, PersonRow, SessionRow
from lineset.accounts.throttle import SECURITY
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Person, Purpose, Tx

CACHE_S = 2.0
_TOUCH = timedelta(minutes=1)
_BASE62 = string.ascii_letters + string.digits
MOST_TOKENS = 50


@dataclass(frozen=True, slots=True)
class Household:
    """A household of the principal, with the role held there: owner, member or guest."""

    id: UUID
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Company:
    """A contractor at which the principal works, as manager, dispatcher or technician."""

    id: UUID
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person. `session_id` is None for a program's token; `staff` holds roles at the operator."""

    person_id: UUID
    session_id: UUID | None
    name: str
    language: str
    units: str
    time_zone: str | None
    households: tuple[Household, ...]
    companies: tuple[Company, ...]
    staff: tuple[str, ...]

    def acts(self, purpose: Purpose, subject: UUID | frozenset[UUID] | None = None, reason: str = "") -> Context:
        """The context in which this person opens the door; `subject` and `reason` as there."""
        return Context(Person(self.person_id), purpose, subject, reason)


@dataclass(frozen=True, slots=True)
class SessionView:
    """A browser or app in which a person is signed in."""

    id: UUID
    browser: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class TokenView:
    """A personal token for programs; its text was shown once, when it was made."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Authenticator:
    """Turns tokens into principals: one transaction, remembered for two seconds, so that what is taken back ends within that time."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._known: dict[str, tuple[float, Principal | None]] = {}

    async def session(self, token: str) -> Principal | None:
        """The principal of a session's cookie, or None: unknown, ended, or the account is not active."""
        return await self._remembered("s" + token, token, self._by_session) if token else None

    async def bearer(self, token: str) -> Principal | None:
        """The principal of a program's token (`ls_` and 32 characters), or None."""
        if not token.startswith("ls_") or len(token) != 35:
            return None
        return await self._remembered("b" + token, token, self._by_token)

    def forget(self, person_id: UUID) -> None:
        """Ask the database again at this person's next request, after something about them changed."""
        self._known = {k: v for k, v in self._known.items() if v[1] is None or v[1].person_id != person_id}

    async def _remembered(self, key: str, token: str, find: Any) -> Principal | None:
        key = key[:128]
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found: Principal | None = await find(token[:128])
        if len(self._known) > 20_000:
            self._known.clear()
        self._known[key] = (time.monotonic() + CACHE_S, found)
        return found

    async def _by_session(self, token: str) -> Principal | None:
        async with self._door.open(SECURITY) as tx:
            wanted = _principal(SessionRow.id, SessionRow.last_seen_at).join_from(
                PersonRow, SessionRow, SessionRow.person_id == PersonRow.id
            )
            live = SessionRow.digest == session_digest(tx, token), SessionRow.expires_at > now()
            row = (await tx.session.execute(wanted.where(*live))).one_or_none()
            if row is None:
                return None
            if row.last_seen_at < now() - _TOUCH:
                await tx.session.execute(update(SessionRow).where(SessionRow.id == row[0]).values(last_seen_at=now()))
            return await _read(tx, row, row[0])

    async def _by_token(self, token: str) -> Principal | None:
        async with self._door.open(SECURITY) as tx:
            wanted = _principal(ApiTokenRow.id, ApiTokenRow.last_used_at).join_from(
                PersonRow, ApiTokenRow, ApiTokenRow.person_id == PersonRow.id
            )
            live = ApiTokenRow.digest == tx.vault.text_digest("api", token), ApiTokenRow.revoked_at.is_(None)
            row = (await tx.session.execute(wanted.where(*live))).one_or_none()
            if row is None:
                return None
            if row.last_used_at is None or row.last_used_at < now() - _TOUCH:
                await tx.session.execute(update(ApiTokenRow).where(ApiTokenRow.id == row[0]).values(last_used_at=now()))
            return await _read(tx, row, None)


def _principal(*first: Any) -> Select[Any]:
    """One statement for the person with households and companies, after the columns `first`."""
    name = func.encode(HouseholdRow.name_sealed, "hex")
    households = (
        select(func.jsonb_agg(func.jsonb_build_array(HouseholdRow.id, HouseholdMemberRow.role, name)))
        .select_from(HouseholdMemberRow)
        .join(HouseholdRow, HouseholdRow.id == HouseholdMemberRow.household_id)
        .where(
            HouseholdMemberRow.person_id == PersonRow.id, HouseholdMemberRow.ended_at.is_(None), HouseholdMemberRow.suspended_at.is_(None)
        )
        .scalar_subquery()
    )
    companies = (
        select(func.jsonb_agg(func.jsonb_build_array(OrganisationRow.id, MembershipRow.role, OrganisationRow.name, OrganisationRow.kind)))
        .select_from(MembershipRow)
        .join(OrganisationRow, OrganisationRow.id == MembershipRow.organisation_id)
        .where(MembershipRow.person_id == PersonRow.id, MembershipRow.ended_at.is_(None))
        .scalar_subquery()
    )
    columns = (PersonRow.id, PersonRow.name_sealed, PersonRow.language, PersonRow.units, PersonRow.time_zone)
    return select(*first, *columns, households.label("households"), companies.label("companies")).where(PersonRow.status == "active")


async def _read(tx: Tx, row: Any, session_id: UUID | None) -> Principal:
    person_id: UUID = row[2]
    households = []
    for text_id, role, sealed in row.households or ():
        household_id = UUID(text_id)
        name = await tx.vault.open(household_id, bytes.fromhex(sealed))
        households.append(Household(household_id, name or "", role))
    companies = [(UUID(i), role, name, kind) for i, role, name, kind in row.companies or ()]
    return Principal(
        person_id,
        session_id,
        await tx.vault.open(person_id, row.name_sealed) or "",
        row.language,
        row.units,
        row.time_zone,
        tuple(sorted(households, key=lambda h: h.name.casefold())),
        tuple(Company(i, name, role) for i, role, name, kind in companies if kind == "contractor"),
        tuple(role for _, role, _, kind in companies if kind == "operator"),
    )


async def list_sessions(tx: Tx, current: UUID | None = None) -> list[SessionView]:
    """The acting person's live sessions, newest first; for the purpose of security."""
    live = select(SessionRow).where(SessionRow.person_id == tx.context.person, SessionRow.expires_at > now())
    rows = (await tx.session.scalars(live.order_by(SessionRow.last_seen_at.desc()))).all()
    return [_view(row, current) for row in rows]


def _view(row: SessionRow, current: UUID | None) -> SessionView:
    browser = describe_agent(row.agent)
    return SessionView(row.id, browser, row.address or "", row.created_at, row.last_seen_at, row.expires_at, row.id == current)


async def sign_out(tx: Tx, session_id: UUID) -> None:
    """End one of the acting person's sessions.

    Raises:
        NotFound: it is not the person's, or has ended.
    """
    ended = await tx.session.execute(
        update(SessionRow)
        .where(SessionRow.id == session_id, SessionRow.person_id == tx.context.person, SessionRow.expires_at > now())
        .values(expires_at=now())
        .returning(SessionRow.id)
    )
    if ended.one_or_none() is None:
        raise NotFound("session")


async def sign_out_everywhere(tx: Tx, keep: UUID | None = None) -> None:
    """End all of the acting person's sessions, but for `keep`."""
    await end_sessions(tx, tx.context.person, keep=keep)


async def make_token(tx: Tx, name: str) -> str:
    """A personal token for programs, `ls_` and 32 characters of base 62 (190 bits), shown this once.

    Raises:
        Invalid: no name, or 50 tokens exist.
    """
    name = clean_line(name, "name", what="a name for the token", most=60)
    if len(await list_tokens(tx)) >= MOST_TOKENS:
        raise Invalid("too_many_tokens", f"You have {MOST_TOKENS} tokens already. Revoke one first.")
    return await insert_token(tx, tx.context.person, name)


async def insert_token(tx: Tx, person_id: UUID, name: str) -> str:
    """A token for that person; for setting up, and for `make_token`."""
    token = "ls_" + "".join(secrets.choice(_BASE62) for _ in range(32))
    digest = tx.vault.text_digest("api", token)
    await tx.session.execute(insert(ApiTokenRow).values(id=new_id(), person_id=person_id, digest=digest, name=name, created_at=now()))
    return token


async def list_tokens(tx: Tx) -> list[TokenView]:
    """The acting person's live tokens, newest first."""
    live = select(ApiTokenRow).where(ApiTokenRow.person_id == tx.context.person, ApiTokenRow.revoked_at.is_(None))
    rows = (await tx.session.scalars(live.order_by(ApiTokenRow.id.desc()))).all()
    return [TokenView(r.id, r.name, r.created_at, r.last_used_at) for r in rows]


async def revoke_token(tx: Tx, token_id: UUID) -> None:
    """Revoke one of the acting person's tokens.

    Raises:
        NotFound: it is not the person's, or is revoked already.
    """
    revoked = await tx.session.execute(
        update(ApiTokenRow)
        .where(ApiTokenRow.id == token_id, ApiTokenRow.person_id == tx.context.person, ApiTokenRow.revoked_at.is_(None))
        .values(revoked_at=now())
        .returning(ApiTokenRow.id)
    )
    if revoked.one_or_none() is None:
        raise NotFound("token")
