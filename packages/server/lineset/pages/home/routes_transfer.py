"""Handlers that hand a site, or one of its machines, over to another household: an owner offers it by mail, and may take that back."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from lineset import sites
from lineset.kit.errors import Denied, LinesetError, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Tx
from lineset.privacy.rights import may

from ..common.area import Place
from ..common.coming import go
from ..common.edge import Ask, edge, form_text, home_context, page
from ..common.forms import Form
from ..common.refusals import refused
from .area import place_in

WHOLE = "site"


class OfferLine(msgspec.Struct, frozen=True):
    """An offer that waits for its answer."""

    id: str
    what: str
    to: str
    until: str


@get("/home/{site:str}/transfer")
async def look(request: Ask, site: str) -> Response[Any]:
    """What can be handed over, and the offers that wait."""
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        await _owners_only(tx, place)
        return await _page(request, tx, place, Form(values={"what": WHOLE}))


@post("/home/{site:str}/transfer", status_code=200)
async def offer(request: Ask, site: str) -> Response[Any]:
    """Mail an offer of the site or of one machine."""
    who, context = await home_context(request)
    form = await request.form()
    values = {"what": form_text(form, "what"), "email": form_text(form, "email").strip()}
    door = edge(request).door
    async with door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        await _owners_only(tx, place)
    try:
        async with door.open(context) as tx:
            if values["what"] == WHOLE:
                await sites.offer_site(tx, place.site.id, values["email"])
            else:
                await sites.offer_equipment(tx, place.machine(values["what"]).id, values["email"])
    except NotFound:
        raise
    except LinesetError as error:
        async with door.open(context) as tx:
            return await _page(request, tx, place, refused(place.reader, error, values), int(error.status))
    return go(f"{place.base}/transfer?done=offered")


@post("/home/{site:str}/transfer/{offer_id:str}/withdraw", status_code=200)
async def withdraw(request: Ask, site: str, offer_id: str) -> Response[Any]:
    """Take an offer back; its link ends."""
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        await _owners_only(tx, place)
        wanted = parse_id(offer_id)
        if wanted is None or wanted not in {o.id for o in await _offers_here(tx, place)}:
            raise NotFound("offer")
        await sites.withdraw_offer(tx, wanted)
    return go(f"{place.base}/transfer?done=withdrawn")


async def _owners_only(tx: Tx, place: Place) -> None:
    if not await may(tx, place.site.household_id, "owner"):
        raise Denied("owners_only", "Only an owner of the household can hand this over.")


async def _offers_here(tx: Tx, place: Place) -> list[sites.Offer]:
    """The household's offers of this site and of its machines."""
    machines: set[UUID | None] = {m.id for m in place.site.equipment}
    found = await sites.list_offers(tx, place.site.household_id)
    return [o for o in found if o.site_id == place.site.id or (o.equipment_id is not None and o.equipment_id in machines)]


async def _page(request: Ask, tx: Tx, place: Place, form: Form, status: int = 200) -> Response[Any]:
    offers = await _offers_here(tx, place)
    machines = [(str(m.id), m.name) for m in place.site.equipment if m.retired_at is None]
    return page(
        request,
        "home/transfer.html",
        place.reader,
        place.who,
        status=status,
        form=form,
        whole=WHOLE,
        machines=machines,
        offers=[OfferLine(str(o.id), o.what, o.to, place.reader.date(o.expires_at)) for o in offers],
        done=request.query_params.get("done", ""),
        **place.layout,
    )


HANDLERS = [look, offer, withdraw]
