"""Handlers that erase a machine with all that it measured: a page that says exactly what goes and what stays, and the deed."""

from typing import Any

from litestar import Response, Router, get, post

from lineset import telemetry
from lineset.kit.errors import Denied, Invalid
from lineset.privacy import Tx
from lineset.privacy.rights import may

from ..area import Area, Place, area_of
from ..coming import go
from ..edge import Ask, edge, form_text, page
from ..forms import Form
from ..refusals import refused


async def _page(request: Ask, tx: Tx, place: Place, machine: str, form: Form, status: int) -> Response[Any]:
    found = place.machine(machine)
    if not await may(tx, found.household_id, "owner"):
        raise Denied("owners_only", "Only an owner of the household can erase a machine.")
    points = len(await telemetry.points(tx, found.id))
    return page(
        request,
        "common/erase_machine.html",
        place.reader,
        place.who,
        status=status,
        form=form,
        machine=found,
        points=points,
        since=place.reader.date(found.owned_since) if found.owned_since is not None else "",
        **place.layout,
    )


@get("/{machine:str}/erase")
async def ask(request: Ask, site: str, machine: str) -> Response[Any]:
    """What goes, what stays, and a field for the machine's name."""
    area = area_of(request)
    who, context = await area.enter(request)
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        return await _page(request, tx, place, machine, Form(values={}), 200)


@post("/{machine:str}/erase", status_code=200)
async def erase(request: Ask, site: str, machine: str) -> Response[Any]:
    """Erase it, once its name was typed."""
    area = area_of(request)
    who, context = await area.enter(request)
    typed = form_text(await request.form(), "name").strip()
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        found = place.machine(machine)
        if typed.casefold() != found.name.casefold():
            wrong = Invalid("wrong_name", f"Type the machine's name, {found.name}, to erase it.", "name")
            return await _page(request, tx, place, machine, refused(place.reader, wrong, {"name": typed}), 422)
        await telemetry.erase_machine(tx, found.id)
    return go(place.base)


def erasing_routes(area: Area) -> Router:
    """The routes that erase machines of a site in this area."""
    return Router(f"{area.prefix}/machines", route_handlers=[ask, erase], opt={"area": area}, include_in_schema=False)
