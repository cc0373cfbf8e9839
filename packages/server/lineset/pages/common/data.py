"""What pages fetch after they are there: the live stream, and series for charts."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lineset_contract.points import POINTS
from litestar import Response, Router, get
from litestar.response import Stream

from lineset import sites, telemetry
from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Context, Purpose

from .edge import Ask, edge, require

MOST_MACHINES = 100
ALLOWED = (Purpose.OPERATE, Purpose.SERVICE)


def _contexts(who: Principal) -> list[Context]:
    """Under which purposes this person may look at machines: as one of a household, and as a contractor's staff."""
    purposes = [p for p, has in zip(ALLOWED, (who.households, who.companies), strict=True) if has]
    return [who.acts(p) for p in purposes]


async def _visible(request: Ask, who: Principal, wanted: set[UUID]) -> dict[UUID, UUID]:
    """The household of each wanted machine that this person may see now."""
    found: dict[UUID, UUID] = {}
    for context in _contexts(who):
        async with edge(request).door.open(context) as tx:
            found |= await sites.households_of(tx, wanted)
    return found


@get("/live")
async def live_stream(request: Ask, equipment: str = "") -> Stream:
    """Server-sent events with new values of these machines (ids with commas between), as long as the person may see them."""
    who = await require(request)
    ids = {i for part in equipment.split(",")[:MOST_MACHINES] if (i := parse_id(part)) is not None}
    visible = await _visible(request, who, ids)
    if not visible:
        raise NotFound("machine")

    async def may_look() -> bool:
        edge_ = edge(request)
        now_ = await edge_.authenticator.session(request.cookies.get("ls_session", ""))
        return now_ is not None and set(await _visible(request, now_, set(visible))) == set(visible)

    async def events() -> AsyncIterator[str]:
        async for event in edge(request).hub.events(frozenset(visible), frozenset(visible.values()), may_look):
            yield event

    return Stream(events(), media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"})


@get("/charts/{equipment:str}")
async def chart(request: Ask, equipment: str, points: str, start: datetime, end: datetime, buckets: int = 400) -> dict[str, Any]:
    """Series of one machine on one axis, with the spans of its modes."""
    who = await require(request)
    id_ = parse_id(equipment)
    if id_ is None:
        raise NotFound("machine")
    names = [p for p in points.split(",") if p]
    if not names:
        raise Invalid("bad_points", "Name the points to chart.", "points")
    for context in _contexts(who):
        async with edge(request).door.open(context) as tx:
            if id_ not in await sites.households_of(tx, {id_}):
                continue
            found = await telemetry.series(tx, id_, names, start, end, buckets, modes=True)
            return {"t": found.t, "series": found.values, "modes": found.modes}
    raise NotFound("machine")


@get("/charts/{equipment:str}/csv")
async def chart_csv(request: Ask, equipment: str, points: str, hours: int = 24) -> Response[bytes]:
    """The same series as a table: one row a time, times in UTC, values in the catalogue's units, empty where nothing was read."""
    end = now()
    found = await chart.fn(request, equipment, points, end - timedelta(hours=min(max(hours, 1), 400 * 24)), end, 2000)
    names = list(found["series"])
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["time", *(f"{name} [{POINTS[name].unit}]" if name in POINTS else name for name in names)])
    for index, t in enumerate(found["t"]):
        values = [found["series"][name][index] for name in names]
        if any(value is not None for value in values):
            writer.writerow([datetime.fromtimestamp(t, UTC).isoformat(timespec="seconds"), *("" if v is None else v for v in values)])
    headers = {"content-disposition": f'attachment; filename="{equipment}.csv"', "cache-control": "private, no-store"}
    return Response(table.getvalue().encode(), media_type="text/csv; charset=utf-8", headers=headers)


def data_routes() -> Router:
    """The router of both."""
    return Router("/", route_handlers=[live_stream, chart, chart_csv], include_in_schema=False)
