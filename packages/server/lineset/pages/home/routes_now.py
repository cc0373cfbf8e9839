"""Handlers of the first page of the home app."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from lineset import control, diagnostics, sites
from lineset.kit.clock import now
from lineset.kit.errors import LinesetError, NotFound
from lineset.privacy import Tx

from ..common.area import Place, machine_id
from ..common.edge import Ask, edge, form_text, home_context, page
from ..common.facts import Machine, Order, Site
from ..common.findings import act_by, finding_view
from ..common.load import day_of, machines_of, order_of
from ..common.people import Names, names_of
from ..common.refusals import said
from ..common.typed import typed_number
from .area import place_in, role_at
from .now import Now, main_machine, now_view, setting_of

COMMAND_LIFE_S = 600.0
NEWS_S = 180.0  # a settled command is shown beside the stepper for this long


@get("/home")
async def start(request: Ask) -> Response[Any]:
    """The first of the person's sites, or the step that makes one."""
    who, context = await home_context(request)
    if not who.households:
        raise NotFound("page")
    async with edge(request).door.open(context) as tx:
        mine = await sites.list_sites(tx, with_equipment=False)
    return Redirect(f"/home/{mine[0].id}" if mine else "/home/sites/new", status_code=303)


@get("/home/{site:str}")
async def now_page(request: Ask, site: str) -> Response[str]:
    """Is it comfortable, what does the equipment do and why; only the part that changes for a script that asks."""
    return await _answer(request, site)


@post("/home/{site:str}/setpoint", status_code=200)
async def set_point(request: Ask, site: str) -> Response[Any]:
    """A new set point for one of the site's machines, in the reader's own unit."""
    form = await request.form()
    who, context = await home_context(request)
    door = edge(request).door
    async with door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
    machine, setting = place.machine(machine_id(form_text(form, "equipment"))), form_text(form, "setting")
    try:
        value = typed_number(place.reader, machine.type, setting, form_text(form, "value"))
        async with door.open(context) as tx:
            await control.request(tx, machine.id, "set_setpoint", {"setting": setting, "value": value}, COMMAND_LIFE_S)
    except LinesetError as error:
        return await _answer(request, site, said(place.reader, error))
    if request.headers.get("hx-request"):
        return await _answer(request, site)
    return Redirect(f"/home/{site}", status_code=303)


async def _answer(request: Ask, site: str, problem: str = "") -> Response[str]:
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        view = await _view(request, tx, place)
    part = bool(request.headers.get("hx-request"))
    status = 422 if problem and not part else 200
    template = "home/now_part.html" if part else "home/now.html"
    return page(request, template, place.reader, who, status=status, live=True, now=view, problem=problem, base=place.base)


async def _view(request: Ask, tx: Tx, place: Place) -> Now:
    moment = now()
    machines = await machines_of(tx, [m for m in place.site.equipment if m.retired_at is None], moment)
    names = await names_of(request, place.who, place.site.household_id)
    shared = sorted({grant.company for grant in names.grants if grant.scope == "view"})
    site, mine = place.layout["site"], place.layout["sites"]
    assert isinstance(site, Site)  # noqa: S101 - this area's own layout
    main = main_machine(machines)
    if main is None:
        return now_view(place.reader, site, mine, (), None, None, None, shared, moment)
    id_, setting = UUID(main.id), setting_of(main)
    points = [p for p in ("room_temperature", setting, "outdoor_temperature") if p]
    day = await day_of(tx, id_, points, moment) if main.seen is not None else None
    limits = (await control.allowed(tx, id_)).get(setting) if role_at(place) != "guest" else None
    order = await _last_order(tx, place, main, setting, names)
    called = {m.id: m.name for m in machines}
    found = sorted(await diagnostics.list_findings(tx, site=place.site.id, open_only=True), key=act_by)
    return now_view(
        place.reader,
        site,
        mine,
        machines,
        day,
        order,
        limits,
        shared,
        moment,
        findings=[finding_view(place.reader, f, called.get(str(f.equipment), ""), moment) for f in found],
        advice=len(await diagnostics.list_advice(tx, site=place.site.id)),
    )


async def _last_order(tx: Tx, place: Place, main: Machine, setting: str, names: Names) -> Order | None:
    """The newest command for the setting, while it is news: open, or settled a moment ago."""
    for view in await control.history(tx, UUID(main.id), 10):
        if view.args.get("setting") == setting:
            if view.final and (now() - view.changed_at).total_seconds() > NEWS_S:
                return None
            return order_of(view, names.sender(place.reader, view), place.reader)
    return None


HANDLERS = [start, now_page, set_point]
