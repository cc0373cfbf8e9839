"""Handlers of downloads of the measurements that households share with the person's company."""

from typing import Any

from litestar import Response, get, post
from litestar.response import Stream

from lineset import sites
from lineset.kit.errors import NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Purpose

from ..common.edge import Ask, edge, form_text, portal_context, reader_of
from ..common.flows import exports


async def _frame(request: Ask, chosen: str = "") -> exports.Frame:
    """Downloads of all sites, or of the site or machine that is chosen, and what stands beside it."""
    who, context = await portal_context(request)
    reader = reader_of(request, who, clock24=True)
    chosen = chosen or str(request.query_params.get("of", ""))
    kind, _, text = chosen.partition(":")
    id_ = parse_id(text)
    choices, crumb = [("all:", reader.gettext("All sites"))], [("/portal", reader.gettext("Sites"))]
    if id_ is not None and kind in ("site", "machine"):
        context = who.acts(Purpose.SERVICE, id_)
        async with edge(request).door.open(context) as tx:
            site = await sites.get_site(tx, id_ if kind == "site" else (await sites.get_equipment(tx, id_)).site_id)
        beside = [(f"site:{site.id}", reader.gettext("All machines of %(name)s", name=site.name))]
        beside += [(f"machine:{m.id}", m.name) for m in site.equipment]
        choices = beside + choices
        crumb.append((f"/portal/sites/{site.id}", site.name))
    elif kind not in ("", "all"):
        raise NotFound("page")
    layout = {"layout": "portal/frame.html", "tab": "sites", "crumb": crumb}
    return exports.Frame(who, context, reader, "/portal/data", layout, choices)


@get("/portal/data")
async def data(request: Ask) -> Response[Any]:
    """Choose what to download, and see what there is."""
    return await exports.show(request, await _frame(request))


@post("/portal/data", status_code=200)
async def make(request: Ask) -> Response[Any]:
    """Begin a download."""
    form = await request.form()
    return await exports.start(request, await _frame(request, form_text(form, "of")), form)


@get("/portal/data/list")
async def listed(request: Ask) -> Response[Any]:
    """The list alone."""
    return await exports.list_part(request, await _frame(request))


@get("/portal/data/now")
async def now_(request: Ask) -> Response[Any] | Stream:
    """A small one at once."""
    return await exports.take_now(request, await _frame(request))


@get("/portal/data/{export:str}/file")
async def file_(request: Ask, export: str) -> Response[Any] | Stream:
    """A finished file."""
    return await exports.take(request, await _frame(request), export)


@post("/portal/data/{export:str}/cancel", status_code=200)
async def cancel(request: Ask, export: str) -> Response[Any]:
    """Stop making it."""
    return await exports.cancel(request, await _frame(request), export)


@post("/portal/data/{export:str}/delete", status_code=200)
async def remove(request: Ask, export: str) -> Response[Any]:
    """Delete it."""
    return await exports.remove(request, await _frame(request), export)


HANDLERS = [data, make, listed, now_, file_, cancel, remove]
