"""A site or machine that another household hands over, opened by the link of its mail."""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response, get, post

from lineset import accounts, sites
from lineset.accounts import Counter, Principal
from lineset.kit.errors import LinesetError, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Purpose

from ..common.coming import browser_of, go
from ..common.edge import Ask, edge, form_text, page, principal, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from .dead_links import dead_link, is_dead

TRIES = 60
"""Links that one network may open in a row before it has to wait."""


class Places(msgspec.Struct, frozen=True):
    """Where the signed-in person may take it: households they own, and for a machine the sites of these."""

    households: tuple[tuple[str, str], ...]
    sites: tuple[tuple[str, str], ...]


@get("/transfer")
async def transfer_page(request: Ask) -> Response[Any]:
    """What the link offers; with a form for whoever is signed in."""
    return await _show(request, request.query_params.get("token", ""), None)


@post("/transfer", status_code=200)
async def accept(request: Ask) -> Response[Any]:
    """Take it into one of one's own households."""
    form = await request.form()
    token = form_text(form, "token")
    values = {name: form_text(form, name).strip() for name in ("household", "site", "name")}
    who = await principal(request)
    if who is None:
        return go(_sign_in(token))
    try:
        return go(await _take(request, who, token, values))
    except LinesetError as error:
        if is_dead(error):
            return await dead_link(request, error)
        return await _show(request, token, refused(reader_of(request, who), error, values), int(error.status))


async def _take(request: Ask, who: Principal, token: str, values: dict[str, str]) -> str:
    """Accept the offer; the address of what is now one's own."""
    door = edge(request).door
    offer = await _read(request, token)
    if offer.site_id is not None:
        household = parse_id(values["household"])
        if household is None:
            raise NotFound("household")
        return f"/home/{await sites.accept_site(door, token, who.person_id, household, values['name'])}"
    site = parse_id(values["site"])
    if site is None:
        raise NotFound("site")
    return f"/home/{site}/machines/{await sites.accept_equipment(door, token, who.person_id, site)}"


async def _read(request: Ask, token: str) -> sites.Offer:
    door = edge(request).door
    await accounts.admit(door, Counter("transfer from", browser_of(request).network, TRIES))
    return await sites.read_offer(door, token)


async def _show(request: Ask, token: str, form: Form | None, status: int = 200) -> Response[Any]:
    who = await principal(request)
    reader = reader_of(request, who)
    try:
        offer = await _read(request, token)
    except LinesetError as error:
        if is_dead(error):
            return await dead_link(request, error)
        raise
    places = await _places(request, who) if who is not None else Places((), ())
    first = {"household": places.households[0][0]} if places.households else {}
    kept = dict(form.values) if form is not None else {"name": offer.what if offer.site_id else "", **first}
    return page(
        request,
        "public/transfer.html",
        reader,
        who,
        status=status,
        form=Form(kept, form.errors, form.problem, form.advice) if form is not None else Form(kept),
        offer=offer,
        whole=offer.site_id is not None,
        until=reader.date(offer.expires_at),
        places=places,
        token=token,
        sign_in=_sign_in(token),
    )


async def _places(request: Ask, who: Principal) -> Places:
    owned = {h.id: h.name for h in who.households if h.role == "owner"}
    async with edge(request).door.open(who.acts(Purpose.OPERATE)) as tx:
        found = await sites.list_sites(tx, with_equipment=False)
    return Places(
        tuple((str(i), name) for i, name in owned.items()),
        tuple((str(s.id), s.name) for s in found if s.household_id in owned),
    )


def _sign_in(token: str) -> str:
    return f"/sign-in?next={quote(f'/transfer?token={token}', safe='')}"


ROUTES = (transfer_page, accept)
