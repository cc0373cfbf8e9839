"""Which companies may do what at a household: given scope by scope, dated, and taken back in one step."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from lineset import accounts
from lineset.accounts import SCOPES, CompanyView, Grant, Household, Principal
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, LinesetError, NotFound
from lineset.privacy import Purpose

from ..common.coming import go
from ..common.edge import Ask, edge, form_text
from ..common.reader import Reader
from ..common.refusals import said
from .own import EMPTY, account_page, household_of, owner_of_account


class Holder(msgspec.Struct, frozen=True):
    """A company with what it may do now. `until` is the last day as an ISO date, or empty; `gone` is how much of the time is over, in %."""

    company: CompanyView
    scopes: frozenset[str]
    since: datetime | None = None
    by: str = ""
    until: str = ""
    error: str = ""
    until_words: str = ""
    gone: float = 0.0


class Ended(msgspec.Struct, frozen=True):
    """Something that a company was allowed and no longer is."""

    company: str
    scope: str
    since: datetime
    until: datetime


@get("/account/access")
async def first_access(request: Ask) -> Response[Any]:
    """Access to the person's first household."""
    who, reader = await owner_of_account(request)
    if who.households:
        return go(f"/account/access/{who.households[0].id}")
    return account_page(request, "no_household", who, reader, "access", form=EMPTY)


@get("/account/access/{household_id:uuid}")
async def access_page(request: Ask, household_id: UUID) -> Response[Any]:
    """Who has access; `find` looks for a company to give it to."""
    who, reader = await owner_of_account(request)
    return await _show(request, who, reader, household_id)


@post("/account/access/{household_id:uuid}/{company_id:uuid}")
async def save(request: Ask, household_id: UUID, company_id: UUID) -> Response[Any]:
    """What the company may do from now on: each scope with a yes or a no, and a last day if there is one."""
    who, reader = await owner_of_account(request)
    form = await request.form()
    household_of(who, household_id)
    wanted = frozenset(scope for scope in SCOPES if form_text(form, scope) == "yes")
    until = form_text(form, "until")
    try:
        if wanted and "view" not in wanted:
            raise Invalid("needs_view", reader.gettext("Each of the others needs the first: say yes to it too, or no to all."))
        ends_at = _end_of_day(reader, until)
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            held = {g.scope for g in await accounts.list_grants(tx, household_id) if g.company_id == company_id}
            if gone := held - wanted:
                await accounts.revoke_access(tx, household_id, company_id, gone)
            if wanted:
                await accounts.grant_access(tx, household_id, company_id, wanted, ends_at)
    except (NotFound, Denied):
        raise
    except LinesetError as error:
        return await _show(request, who, reader, household_id, {company_id: (wanted, until, said(reader, error))}, int(error.status))
    return go(f"/account/access/{household_id}?done={'given' if wanted else 'taken'}")


@post("/account/access/{household_id:uuid}/{company_id:uuid}/take-back")
async def take_back(request: Ask, household_id: UUID, company_id: UUID) -> Response[Any]:
    """Take everything back from a company. It holds at once."""
    who, _ = await owner_of_account(request)
    household_of(who, household_id)
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        await accounts.revoke_access(tx, household_id, company_id)
    return go(f"/account/access/{household_id}?done=taken")


Typed = Mapping[UUID, tuple[frozenset[str], str, str]]


async def _show(
    request: Ask, who: Principal, reader: Reader, household_id: UUID, typed: Typed | None = None, status: int = 200
) -> Response[Any]:
    household, typed, words = household_of(who, household_id), typed or {}, request.query_params.get("find", "").strip()
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        grants = await accounts.list_grants(tx, household_id, ended=True)
        found = await accounts.find_companies(tx, words) if words else []
        live = _live(grants)
        companies = {id_: await accounts.get_company(tx, id_) for id_ in dict.fromkeys([g.company_id for g in live] + list(typed))}
    holders = [_holder(reader, companies[id_], [g for g in live if g.company_id == id_], typed.get(id_)) for id_ in companies]
    others = [Holder(company, frozenset()) for company in found if company.id not in companies]
    return account_page(
        request,
        "access",
        who,
        reader,
        "access",
        status=status,
        household=household,
        households=who.households,
        owner=_owns(household),
        holders=holders,
        holding=len({g.company_id for g in live}),
        found=others,
        already=[c.name for c in found if c.id in companies],
        words=words,
        ended=_ended(grants),
        scopes=SCOPES,
        today=reader.local(now()).date().isoformat(),
        now=now(),
    )


def _owns(household: Household) -> bool:
    return household.role == "owner"


def _live(grants: Iterable[Grant]) -> list[Grant]:
    moment = now()
    return [g for g in grants if g.revoked_at is None and (g.ends_at is None or g.ends_at > moment)]


def _holder(reader: Reader, company: CompanyView, grants: list[Grant], typed: tuple[frozenset[str], str, str] | None) -> Holder:
    since = min((g.granted_at for g in grants), default=None)
    by = grants[-1].granted_by if grants else ""
    ends = max((g.ends_at for g in grants if g.ends_at is not None), default=None)
    words = reader.date(ends - timedelta(seconds=1)) if ends else ""
    scopes, until, error = typed or (frozenset(g.scope for g in grants), _last_day(reader, ends), "")
    return Holder(company, scopes, since, by, until, error, words, _gone(since, ends))


def _gone(since: datetime | None, ends: datetime | None) -> float:
    """How much of the time has passed, in %; of a time without an end, a third is drawn."""
    if since is None or ends is None or ends <= since:
        return 33.0
    return round(100 * min(1.0, (now() - since) / (ends - since)), 1)


def _ended(grants: Iterable[Grant]) -> list[Ended]:
    moment = now()
    ends = ((g, min(t for t in (g.revoked_at, g.ends_at) if t is not None)) for g in grants if g.revoked_at or g.ends_at)
    return sorted((Ended(g.company, g.scope, g.granted_at, end) for g, end in ends if end <= moment), key=lambda e: e.until, reverse=True)


def _last_day(reader: Reader, ends_at: datetime | None) -> str:
    return reader.local(ends_at - timedelta(seconds=1)).date().isoformat() if ends_at else ""


def _end_of_day(reader: Reader, text: str) -> datetime | None:
    """The moment at which the day ends in the reader's zone; None for no day."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), reader.zone)
    except (ValueError, OverflowError) as error:
        raise Invalid("bad_date", reader.gettext("Give the last day as a date, such as 2027-03-31, or leave it empty.")) from error


ROUTES = (first_access, access_page, save, take_back)
