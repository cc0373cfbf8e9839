"""How a machine ran, by days, months, seasons or years, on a page of its own; home app and portal mount it each in its own frame."""

from datetime import timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from litestar import Response, Router, get

from lineset import diagnostics
from lineset.kit.clock import now

from ..area import Area, area_of, machine_id
from ..edge import Ask, edge, page
from ..performed import DAYS, By, performed


@get("/machines/{machine:str}/performance")
async def performance(request: Ask, site: str, machine: str) -> Response[Any]:
    """The figures of each span; `by` says which, and what is no span gives months."""
    area = area_of(request)
    who, context = await area.enter(request)
    asked = request.query_params.get("by", "month")
    by: By = next((known for known in get_args(By) if known == asked), "month")
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        shown = place.machine(machine_id(machine))
        today = now().astimezone(ZoneInfo(place.site.time_zone)).date()
        first = today - timedelta(days=DAYS[by])
        ran = await diagnostics.performance_of(tx, [shown.id], first, today + timedelta(days=1), by)
    view = performed(place.reader, by, ran.get(shown.id, []), today)
    back = area.machine(site, machine)
    return page(request, "common/performance.html", place.reader, place.who, v=view, machine=shown, back=back, **place.layout)


def performance_routes(area: Area) -> Router:
    """The router of it for one area."""
    return Router(area.prefix, route_handlers=[performance], opt={"area": area}, include_in_schema=False)
