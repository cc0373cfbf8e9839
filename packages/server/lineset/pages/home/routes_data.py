"""Handlers of downloads of a home's measurements."""

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect, Stream

from lineset import sites

from ..common.edge import Ask, edge, home_context
from ..common.flows import exports
from .area import place_in


async def _frame(request: Ask, site: str) -> exports.Frame:
    """Downloads of this home: each of its machines, all of it, or all of one's homes."""
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        more = len(await sites.list_sites(tx, with_equipment=False)) > 1
    reader = place.reader
    choices = [(f"site:{place.site.id}", reader.gettext("All machines of %(name)s", name=place.site.name))]
    choices += [(f"machine:{m.id}", m.name) for m in place.site.equipment]
    if more:
        choices.append(("all:", reader.gettext("All my homes")))
    crumb = [(f"{place.base}/machines", reader.gettext("Machines"))]
    return exports.Frame(who, context, place.reader, f"{place.base}/data", {**place.layout, "crumb": crumb}, choices)


@get("/home/data")
async def start(request: Ask) -> Response[Any]:
    """The downloads of the first of one's homes, where mails lead to."""
    _, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        mine = await sites.list_sites(tx, with_equipment=False)
    return Redirect(f"/home/{mine[0].id}/data" if mine else "/home", status_code=303)


@get("/home/{site:str}/data")
async def data(request: Ask, site: str) -> Response[Any]:
    """Choose what to download, and see what there is."""
    return await exports.show(request, await _frame(request, site))


@post("/home/{site:str}/data", status_code=200)
async def make(request: Ask, site: str) -> Response[Any]:
    """Begin a download."""
    return await exports.start(request, await _frame(request, site), await request.form())


@get("/home/{site:str}/data/list")
async def listed(request: Ask, site: str) -> Response[Any]:
    """The list alone."""
    return await exports.list_part(request, await _frame(request, site))


@get("/home/{site:str}/data/now")
async def now_(request: Ask, site: str) -> Response[Any] | Stream:
    """A small one at once."""
    return await exports.take_now(request, await _frame(request, site))


@get("/home/{site:str}/data/{export:str}/file")
async def file_(request: Ask, site: str, export: str) -> Response[Any] | Stream:
    """A finished file."""
    return await exports.take(request, await _frame(request, site), export)


@post("/home/{site:str}/data/{export:str}/cancel", status_code=200)
async def cancel(request: Ask, site: str, export: str) -> Response[Any]:
    """Stop making it."""
    return await exports.cancel(request, await _frame(request, site), export)


@post("/home/{site:str}/data/{export:str}/delete", status_code=200)
async def remove(request: Ask, site: str, export: str) -> Response[Any]:
    """Delete it."""
    return await exports.remove(request, await _frame(request, site), export)


HANDLERS = [start, data, make, listed, now_, file_, cancel, remove]
