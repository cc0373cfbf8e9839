"""Handlers of one site and one machine of the portal, and of adding a site for a household."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import control, gateways, sites, telemetry
from lineset.kit.clock import now
from lineset.kit.errors import LinesetError, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Tx

from ..common.area import Place, machine_id
from ..common.charting import chart_part
from ..common.coming import go
from ..common.edge import Ask, edge, form_text, page, portal_context, reader_of
from ..common.flows.gateways import DAY
from ..common.flows.machines import command, view_of
from ..common.flows.sites import ZONES, create, read_form, site_kinds
from ..common.forms import Form
from ..common.gateway_view import RefusedLine, gateway_lines, refused_line
from ..common.load import machines_of, order_of
from ..common.machine_page import lines
from ..common.orders import OrderLine, order_line
from ..common.people import Names, colleagues_of
from ..common.refusals import refused
from ..common.trouble_view import TROUBLES, trouble_lines
from .area import clients_of, place_in

MOST_REFUSALS = 12
MOST_ORDERS = 12


@get("/portal/sites/{site:str}")
async def site_(request: Ask, site: str) -> Response[Any]:
    """A site: its machines, gateways, what was refused, what was asked of it, and what the household shares."""
    who, context = await portal_context(request)
    moment = now()
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        live = [m for m in place.site.equipment if m.retired_at is None]
        machines = lines(place.reader, await machines_of(tx, live, moment), moment)
        found = await gateways.list_gateways(tx, place.site.id)
        ids = [g.id for g in found]
        counts = await telemetry.refusal_counts(tx, ids, moment - DAY)
        refusals = await telemetry.refusals(tx, ids, MOST_REFUSALS) if ids else []
        orders = await _orders(tx, place, live, await colleagues_of(request, who))
        troubles = await gateways.troubles(tx, gateways=ids, kinds=TROUBLES, limit=MOST_REFUSALS)
    names = {m.id: m.name for m in place.site.equipment} | ({g.id: g.name for g in found} if len(found) > 1 else {})
    shown: tuple[RefusedLine, ...] = tuple(refused_line(place.reader, r, moment) for r in refusals)
    return page(
        request,
        "portal/site.html",
        place.reader,
        who,
        live=True,
        machines=machines,
        gateways=gateway_lines(place.reader, found, place.site.equipment, counts, moment),
        refused=shown,
        troubles=trouble_lines(place.reader, troubles, names, moment),
        orders=orders,
        rooms=place.site.zones,
        address=place.site.address.line,
        local_time=place.reader.clock(moment),
        **place.layout,
    )


async def _orders(tx: Tx, place: Place, machines: list[sites.Equipment], names: Names) -> list[tuple[str, OrderLine]]:
    """The newest commands of all machines of the site, each with its machine's name."""
    found = [(m, view) for m in machines for view in await control.history(tx, m.id, MOST_ORDERS)]
    found.sort(key=lambda pair: pair[1].created_at, reverse=True)
    moment = now()
    return [
        (m.name, order_line(place.reader, order_of(view, names.sender(place.reader, view), place.reader), m.type, moment))
        for m, view in found[:MOST_ORDERS]
    ]


@get("/portal/equipment/{machine:str}")
async def machine_(request: Ask, machine: str) -> Response[Any]:
    """One machine."""
    return await _machine(request, machine, "portal/equipment.html")


@get("/portal/equipment/{machine:str}/orders")
async def orders_(request: Ask, machine: str) -> Response[Any]:
    """Its last commands alone, for a script that asks."""
    return await _machine(request, machine, "common/orders_part.html")


@get("/portal/equipment/{machine:str}/chart")
async def chart(request: Ask, machine: str) -> Response[Any]:
    """Its chart alone, for a script that asks for other points."""
    who, context = await portal_context(request)
    async with edge(request).door.open(context) as tx:
        found = await sites.get_equipment(tx, machine_id(machine))
        place = await place_in(request, tx, who, context, str(found.site_id))
        part = await chart_part(tx, place.reader, found, request.query_params, now())
    here = f"/portal/equipment/{machine}"
    return page(request, "common/chart_part.html", place.reader, who, status=422 if part.problem else 200, part=part, here=here)


@post("/portal/equipment/{machine:str}/commands", status_code=200)
async def send(request: Ask, machine: str) -> Response[Any]:
    """Send a command; a refusal shows at its field."""
    who, context = await portal_context(request)
    form = await request.form()
    door = edge(request).door
    async with door.open(context) as tx:
        found = await sites.get_equipment(tx, machine_id(machine))
        place = await place_in(request, tx, who, context, str(found.site_id))
    typed, errors = await command(door, place, found, form)
    if errors:
        return await _machine(request, machine, "portal/equipment.html", typed, errors)
    return go(f"/portal/equipment/{machine}")


async def _machine(
    request: Ask, machine: str, template: str, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> Response[Any]:
    who, context = await portal_context(request)
    async with edge(request).door.open(context) as tx:
        found = await sites.get_equipment(tx, machine_id(machine))
        place = await place_in(request, tx, who, context, str(found.site_id))
        query = request.query_params if template == "portal/equipment.html" else None
        view = await view_of(tx, place, found, await colleagues_of(request, who), query, typed=typed, errors=errors)
    here = f"/portal/equipment/{machine}"
    status = 422 if errors or (view.chart is not None and view.chart.problem) else 200
    return page(request, template, place.reader, who, status=status, live=True, e=view, here=here, **place.layout)


@get("/portal/sites/new")
async def new(request: Ask) -> Response[Any]:
    """The form that adds a site to a household which lets the company change its equipment."""
    who, _ = await portal_context(request)
    return await _form(request, Form(values={"time_zone": who.time_zone or "", "kind": "residential"}))


@post("/portal/sites/new", status_code=200)
async def add(request: Ask) -> Response[Any]:
    """Add the site."""
    who, context = await portal_context(request)
    data = await request.form()
    values = read_form(data) | {"household": form_text(data, "household")}
    household = parse_id(values["household"])
    if household is None:
        raise NotFound("household")
    try:
        async with edge(request).door.open(context) as tx:
            made: UUID = await create(tx, household, values)
    except LinesetError as error:
        return await _form(request, refused(reader_of(request, who), error, values), int(error.status))
    return go(f"/portal/sites/{made}")


async def _form(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, context = await portal_context(request)
    reader = reader_of(request, who, clock24=True)
    async with edge(request).door.open(context) as tx:
        shared = await clients_of(tx, who)
    households = sorted(((key, s.name) for key, s in shared.items() if "equipment" in s.scopes), key=lambda pair: pair[1].casefold())
    return page(
        request,
        "portal/site_new.html",
        reader,
        who,
        status=status,
        form=form,
        households=households,
        kinds=site_kinds(reader),
        time_zones=ZONES,
    )


HANDLERS = [site_, machine_, orders_, chart, send, new, add]
