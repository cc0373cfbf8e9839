"""Handlers of one machine: its page, its commands, and the form that adds, changes or retires it."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from lineset_contract.profiles import PROFILES
from litestar import Response, Router, get, post

from lineset import control, gateways, sites
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, LinesetError
from lineset.kit.ids import parse_id
from lineset.privacy import Door, Tx
from lineset.privacy.rights import may
from lineset.sites import NewEquipment

from ..area import Area, Place, area_of
from ..charting import chart_part
from ..coming import go
from ..edge import Ask, edge, form_text, page
from ..forms import Form
from ..load import machines_of, order_of
from ..machine_page import MachinePage, machine_page
from ..people import Names
from ..plate import type_name
from ..quantity import word
from ..reader import Reader
from ..refusals import refused, said
from ..typed import plain_number, typed_number
from .findings import health_of

COMMAND_LIFE_S = 600.0
BTU_PER_HOUR = 0.29307107  # W, International Table
MOST_ORDERS = 12


async def view_of(
    tx: Tx,
    place: Place,
    machine: sites.Equipment,
    names: Names,
    query: Any,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> MachinePage:
    """A machine's page for this reader; `query` has the parameters of its chart, None for a page that shows none."""
    moment = now()
    shown = (await machines_of(tx, [machine], moment))[0]
    orders = [order_of(view, names.sender(place.reader, view), place.reader) for view in await control.history(tx, machine.id, MOST_ORDERS)]
    allowed = machine.retired_at is None and machine.gateway_id is not None and await may(tx, machine.household_id, "control")
    return machine_page(
        place.reader,
        shown,
        await chart_part(tx, place.reader, machine, query, moment) if shown.seen is not None and query is not None else None,
        orders,
        await control.allowed(tx, machine.id) if allowed else {},
        moment,
        may_command=allowed,
        health=await health_of(tx, place, machine, names) if query is not None else None,
        typed=typed,
        errors=errors,
    )


async def command(door: Door, place: Place, machine: sites.Equipment, form: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Send what the form asks for; what was typed and what is wrong with it, by setting, where it was not sent."""
    setting, name, text = form_text(form, "setting"), form_text(form, "command"), form_text(form, "value")
    profile = PROFILES.get(machine.type)
    known = profile.settings.get(setting) if profile is not None else None
    try:
        value: float | str = text if known is not None and known.choices else typed_number(place.reader, machine.type, setting, text)
        args: dict[str, float | str] = {_value_name(machine.type, name): value}
        if name == "set_setpoint":
            args["setting"] = setting
        async with door.open(place.context) as tx:
            made = await control.request(tx, machine.id, name, args, COMMAND_LIFE_S)
    except LinesetError as error:
        return {setting: text}, {setting: said(place.reader, error)}
    if made.refusal is not None:
        return {setting: text}, {setting: made.refusal.sentence(place.reader.language)}
    return {}, {}


def _value_name(machine_type: str, command_name: str) -> str:
    spec = PROFILES[machine_type].commands.get(command_name) if machine_type in PROFILES else None
    return next((name for name, arg in spec.args.items() if arg.kind == "value"), "value") if spec is not None else "value"


# -- the form ------------------------------------------------------------------------------------------------------------


def _types(reader: Reader) -> list[tuple[str, str]]:
    return sorted(((name, type_name(reader, name)) for name in PROFILES), key=lambda pair: pair[1].casefold())


def _fuels(reader: Reader) -> list[tuple[str, str]]:
    words = {
        "": reader.gettext("As usual for the type"),
        "electricity": reader.gettext("Electricity"),
        "natural_gas": reader.gettext("Natural gas"),
        "propane": reader.gettext("Propane"),
        "oil": reader.gettext("Oil"),
        "biomass": reader.gettext("Wood, pellets"),
    }
    return list(words.items())


def _capacity_unit(reader: Reader) -> tuple[str, float]:
    return ("Btu/h", BTU_PER_HOUR) if reader.units == "us" else ("kW", 1000.0)


def _values(reader: Reader, machine: sites.Equipment) -> dict[str, str]:
    _, watts = _capacity_unit(reader)
    return {
        "name": machine.name,
        "type": machine.type,
        "make": machine.make,
        "model": machine.model,
        "serial_number": machine.serial_number,
        "capacity_w": "" if machine.capacity_w is None else f"{machine.capacity_w / watts:.6g}",
        "fuel": machine.fuel,
        "refrigerant": machine.refrigerant,
        "installer": machine.installer,
        "place": machine.place,
        "installed_on": machine.installed_on.isoformat() if machine.installed_on else "",
        "zone": str(machine.zone_id or ""),
        "gateway": str(machine.gateway_id or ""),
        "local_name": machine.local_name,
    }


def _new(reader: Reader, form: Mapping[str, str], limits: Mapping[str, list[float]]) -> NewEquipment:
    """What the form says. Raises Invalid for a capacity or a date that can't be read."""
    _, watts = _capacity_unit(reader)
    capacity = form["capacity_w"]
    try:
        installed = date.fromisoformat(form["installed_on"]) if form["installed_on"] else None
    except ValueError as error:
        raise Invalid("bad_date", reader.gettext("Give the day as year-month-day, such as 2019-10-12."), "installed_on") from error
    return NewEquipment(
        name=form["name"],
        type=form["type"],
        local_name=form["local_name"],
        make=form["make"],
        model=form["model"],
        serial_number=form["serial_number"],
        capacity_w=plain_number(reader, capacity, "capacity_w") * watts if capacity else None,
        fuel=form["fuel"],
        refrigerant=form["refrigerant"],
        installer=form["installer"],
        place=form["place"],
        installed_on=installed,
        limits=limits,
    )


_PLATE = ("make", "model", "serial_number", "capacity_w", "fuel", "refrigerant", "installed_on", "installer")
_FIELDS = ("name", "type", *_PLATE, "place", "zone", "gateway", "local_name")


async def _form_page(
    request: Ask, tx: Tx, place: Place, form: Form, action: str, machine: sites.Equipment | None, status: int
) -> Response[Any]:
    reader = place.reader
    fed_by = [(str(g.id), g.name) for g in await gateways.list_gateways(tx, place.site.id) if g.state != "revoked"]
    return page(
        request,
        "common/machine_form.html",
        reader,
        place.who,
        status=status,
        form=form,
        action=action,
        machine=machine,
        may_erase=machine is not None and await may(tx, machine.household_id, "owner"),
        types=_types(reader),
        fuels=_fuels(reader),
        capacity_unit=_capacity_unit(reader)[0],
        zones=[("", reader.gettext("The whole site")), *((str(z.id), z.name) for z in place.site.zones)],
        gateways=[("", reader.gettext("None yet")), *fed_by],
        word=lambda code: word(reader, code),
        **place.layout,
    )


async def _save(tx: Tx, place: Place, values: Mapping[str, str], machine: sites.Equipment | None) -> UUID:
    """Add or change the machine, and say which gateway feeds it. Raises LinesetError."""
    zone = parse_id(values["zone"]) if values["zone"] else None
    gateway = parse_id(values["gateway"]) if values["gateway"] else None
    new = _new(place.reader, values, machine.limits if machine is not None else {})
    if machine is None:
        if gateway is None:
            return await sites.add_equipment(tx, place.site.id, new, zone_id=zone)
        id_ = await sites.add_equipment(tx, place.site.id, new, zone_id=zone)
        await gateways.attach_machine(tx, gateway, id_, new.local_name)
        return id_
    await sites.change_equipment(tx, machine.id, new, zone_id=zone)
    if gateway is None and machine.gateway_id is not None:
        await sites.attach_equipment(tx, machine.id, None)
    elif gateway is not None and gateway != machine.gateway_id:
        await gateways.attach_machine(tx, gateway, machine.id, new.local_name)
    return machine.id


@get("/new")
async def new(request: Ask, site: str) -> Response[Any]:
    """An empty form, or one filled from what a gateway found."""
    area = area_of(request)
    who, context = await area.enter(request)
    query = request.query_params
    given = {name: str(query[name])[:80] for name in _FIELDS if name in query}
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        form = Form(values={"type": "heat_pump_air_air"} | given)
        return await _form_page(request, tx, place, form, f"{place.base}/machines/new", None, 200)


@post("/new", status_code=200)
async def add(request: Ask, site: str) -> Response[Any]:
    """Add the machine."""
    return await _submit(request, site, None)


@get("/{machine:str}/edit")
async def change(request: Ask, site: str, machine: str) -> Response[Any]:
    """What is known of a machine, to be corrected."""
    area = area_of(request)
    who, context = await area.enter(request)
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        found = place.machine(machine)
        action = f"{place.base}/machines/{machine}/edit"
        return await _form_page(request, tx, place, Form(values=_values(place.reader, found)), action, found, 200)


@post("/{machine:str}/edit", status_code=200)
async def save(request: Ask, site: str, machine: str) -> Response[Any]:
    """Keep the corrections."""
    return await _submit(request, site, machine)


@post("/{machine:str}/retire", status_code=200)
async def retire(request: Ask, site: str, machine: str) -> Response[Any]:
    """Take the machine out of use; its history stays."""
    area = area_of(request)
    who, context = await area.enter(request)
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        await sites.retire_equipment(tx, place.machine(machine).id)
    return go(place.base)


async def _submit(request: Ask, site: str, machine: str | None) -> Response[Any]:
    area = area_of(request)
    who, context = await area.enter(request)
    data = await request.form()
    values = {name: form_text(data, name).strip() for name in _FIELDS}
    door = edge(request).door
    async with door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        found = place.machine(machine) if machine is not None else None
    values["type"] = found.type if found is not None else values["type"]
    try:
        async with door.open(context) as tx:
            id_ = await _save(tx, place, values, found)
    except LinesetError as error:
        action = f"{place.base}/machines/{machine}/edit" if machine is not None else f"{place.base}/machines/new"
        async with door.open(context) as tx:
            return await _form_page(request, tx, place, refused(place.reader, error, values), action, found, int(error.status))
    return go(area.machine(site, str(id_)))


def form_routes(area: Area) -> Router:
    """The routes that add, change and retire machines of a site in this area."""
    return Router(f"{area.prefix}/machines", route_handlers=[new, add, change, save, retire], opt={"area": area}, include_in_schema=False)
