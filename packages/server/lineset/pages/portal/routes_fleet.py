"""Handlers of the contractor's list of sites."""

from datetime import timedelta
from typing import Any

from litestar import Response, get

from lineset import sites, telemetry
from lineset.kit.clock import now
from lineset.kit.ids import parse_id
from lineset.privacy import Purpose, Tx

from ..common.draw import Spark, spark
from ..common.edge import Ask, edge, page, portal_context, reader_of
from .fleet import SORTS, Query, fleet_view
from .gather import gather
from .ranking import rank

MOST_SPARKS = 24
_BUCKETS = 48
_SHOWS = ("all", "urgent", "silent")


@get("/portal")
async def fleet(request: Ask, q: str = "", sort: str = "urgency", show: str = "all", after: int = 0) -> Response[str]:
    """Every site, the one that needs somebody first on top; further rows alone for a script that asks."""
    who, context = await portal_context(request)
    reader = reader_of(request, who, clock24=True)
    query = Query(q[:80].strip(), sort if sort in SORTS else "urgency", show if show in _SHOWS else "all", max(0, after))
    moment = now()
    async with edge(request).door.open(context) as tx:
        homes = await gather(tx, who)
    view = fleet_view(reader, rank(homes, moment), query, moment)
    part = bool(request.headers.get("hx-request")) and query.after > 0
    return page(request, "portal/rows.html" if part else "portal/fleet.html", reader, who, live=True, fleet=view)


@get("/portal/trends")
async def trends(request: Ask, equipment: str = "") -> dict[str, Spark]:
    """Sparks of the last day for machines in sight, by id; those that are not shared are left out."""
    who, _ = await portal_context(request)
    ids = [id_ for part in equipment.split(",")[:MOST_SPARKS] if (id_ := parse_id(part)) is not None]
    drawn: dict[str, Spark] = {}
    async with edge(request).door.open(who.acts(Purpose.SERVICE, frozenset(ids))) as tx:
        visible = await sites.households_of(tx, ids)
        for id_ in ids:
            if id_ in visible:
                drawn[str(id_)] = await _spark(tx, id_)
    return drawn


async def _spark(tx: Tx, equipment: Any) -> Spark:
    """The last day of a machine's room against its set point, or of its tank, in K."""
    end = now()
    start = end - timedelta(days=1)
    names = ["room_temperature", "heating_setpoint", "cooling_setpoint", "tank_top_temperature", "hot_water_setpoint"]
    found = await telemetry.series(tx, equipment, names, start, end, _BUCKETS, modes=True)

    def trace(name: str) -> list[tuple[float, float]]:
        return [(t, v) for t, v in zip(found.t, found.values[name], strict=True) if v is not None]

    room = trace("room_temperature")
    cools = bool(found.modes) and found.modes[-1][2] == "cooling"
    if room:
        target = trace("cooling_setpoint" if cools else "heating_setpoint") or trace("cooling_setpoint")
    else:
        room, target = trace("tank_top_temperature"), trace("hot_water_setpoint")
    return spark(room, target, start.timestamp(), end.timestamp(), gap=2700.0, least=3.0)


HANDLERS = [fleet, trends]
