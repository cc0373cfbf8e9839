"""Handlers of the machines of a home."""

from typing import Any

from litestar import Response, get, post

from lineset.kit.clock import now
from lineset.privacy.rights import may

from ..common.charting import chart_part
from ..common.coming import go
from ..common.edge import Ask, edge, home_context, page
from ..common.flows.machines import command, view_of
from ..common.load import machines_of
from ..common.machine_page import lines
from ..common.people import names_of
from .area import place_in


@get("/home/{site:str}/machines")
async def machines(request: Ask, site: str) -> Response[Any]:
    """What stands in this home."""
    who, context = await home_context(request)
    moment = now()
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        found = await machines_of(tx, [m for m in place.site.equipment if m.retired_at is None], moment)
        may_change = await may(tx, place.site.household_id, "equipment")
    shown = lines(place.reader, found, moment)
    retired = [m.name for m in place.site.equipment if m.retired_at is not None]
    return page(
        request, "home/machines.html", place.reader, who, live=True, machines=shown, retired=retired, may_change=may_change, **place.layout
    )


@get("/home/{site:str}/machines/{machine:str}")
async def machine_(request: Ask, site: str, machine: str) -> Response[Any]:
    """One machine."""
    return await _page(request, site, machine, "home/machine.html")


@get("/home/{site:str}/machines/{machine:str}/orders")
async def orders(request: Ask, site: str, machine: str) -> Response[Any]:
    """Its last commands alone, for a script that asks."""
    return await _page(request, site, machine, "common/orders_part.html")


@get("/home/{site:str}/machines/{machine:str}/chart")
async def chart(request: Ask, site: str, machine: str) -> Response[Any]:
    """Its chart alone, for a script that asks for other points."""
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        part = await chart_part(tx, place.reader, place.machine(machine), request.query_params, now())
    here = f"{place.base}/machines/{machine}"
    return page(request, "common/chart_part.html", place.reader, who, status=422 if part.problem else 200, part=part, here=here)


@post("/home/{site:str}/machines/{machine:str}/commands", status_code=200)
async def send(request: Ask, site: str, machine: str) -> Response[Any]:
    """Send a command; a refusal shows at its field."""
    who, context = await home_context(request)
    form = await request.form()
    door = edge(request).door
    async with door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
    typed, errors = await command(door, place, place.machine(machine), form)
    if errors:
        return await _page(request, site, machine, "home/machine.html", typed, errors)
    return go(f"{place.base}/machines/{machine}")


async def _page(
    request: Ask,
    site: str,
    machine: str,
    template: str,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        names = await names_of(request, who, place.site.household_id)
        query = request.query_params if template == "home/machine.html" else None
        view = await view_of(tx, place, place.machine(machine), names, query, typed=typed, errors=errors)
        may_change = await may(tx, place.site.household_id, "equipment")
    here = f"{place.base}/machines/{machine}"
    status = 422 if errors or (view.chart is not None and view.chart.problem) else 200
    return page(request, template, place.reader, who, status=status, live=True, e=view, here=here, may_change=may_change, **place.layout)


HANDLERS = [machines, machine_, orders, chart, send]
