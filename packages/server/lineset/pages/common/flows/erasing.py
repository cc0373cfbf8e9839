"""The way from a machine's form to the page that says what goes with it; the deed itself is done there, under "Your data"."""

from typing import Any

from litestar import Response, Router, get

from lineset.kit.errors import Denied
from lineset.privacy.rights import may

from ..area import Area, area_of
from ..coming import go
from ..edge import Ask, edge


@get("/{machine:str}/erase")
async def ask(request: Ask, site: str, machine: str) -> Response[Any]:
    """On to what goes and what stays, for an owner of the household."""
    area = area_of(request)
    who, context = await area.enter(request)
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        found = place.machine(machine)
        if not await may(tx, found.household_id, "owner"):
            raise Denied("owners_only", "Only an owner of the household can erase a machine.")
    return go(f"/home/{place.site.id}/privacy/delete/machine/{found.id}")


def erasing_routes(area: Area) -> Router:
    """The route that leads an owner from a machine in this area to its deletion."""
    return Router(f"{area.prefix}/machines", route_handlers=[ask], opt={"area": area}, include_in_schema=False)
