"""What pages fetch after they are there: the live stream, and series for charts."""

from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from litestar import Response, Router, get
from litestar.response import Stream

from lineset import sites
from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Context, Purpose, note_action

from .chart_answer import Answer, answer_of
from .charted import BUCKETS
from .charting import Charted, charted, compared
from .edge import Ask, edge, page, reader_of, require
from .figures import csv_of, table
from .ranges import stamp
from .reader import Reader

H24 = 24
MOST_MACHINES = 100
ALLOWED = (Purpose.OPERATE, Purpose.SERVICE, Purpose.SUPPORT)


def _contexts(who: Principal, machines: Iterable[UUID]) -> list[Context]:
    """Under which purposes this person may look at these machines: as one of a household, as a contractor's staff, as ours."""
    purposes = [p for p, has in zip(ALLOWED, (who.households, who.companies, who.staff), strict=True) if has]
    return [who.acts(p, frozenset(machines)) for p in purposes]


async def _visible(request: Ask, who: Principal, wanted: set[UUID]) -> dict[UUID, UUID]:
    """The household of each wanted machine that this person may see now."""
    found: dict[UUID, UUID] = {}
    for context in _contexts(who, wanted):
        async with edge(request).door.open(context) as tx:
            found |= await sites.households_of(tx, wanted)
    return found


@get("/live")
async def live_stream(request: Ask, equipment: str = "") -> Stream:
    """Server-sent events with new values of these machines (ids with commas between), as long as the person may see them."""
    who = await require(request)
    ids = {i for part in equipment.split(",")[:MOST_MACHINES] if (i := parse_id(part)) is not None}
    if len(ids) == 1:
        note_action("look_machine")  # else a list of many
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


async def _charted(request: Ask, equipment: str, clock: int, buckets: int) -> tuple[Reader, Charted]:
    """What the address asks of this machine, under the first purpose that lets the person see it."""
    who = await require(request)
    id_ = parse_id(equipment)
    if id_ is None:
        raise NotFound("machine")
    for context in _contexts(who, [id_]):
        async with edge(request).door.open(context) as tx:
            if id_ not in await sites.households_of(tx, {id_}):
                continue
            machine = await sites.get_equipment(tx, id_)
            zone = (await sites.get_site(tx, machine.site_id)).time_zone
            reader = reader_of(request, who, zone=zone, clock24=True if clock == H24 else None)
            return reader, await charted(tx, reader, machine, request.query_params, now(), buckets)
    raise NotFound("machine")


@get("/charts/{equipment:str}")
async def chart(request: Ask, equipment: str, buckets: int = BUCKETS, clock: int = 0) -> Answer:
    """Series of one machine over a stretch of time, with its modes, states and faults. The parameters are those of the page's address."""
    reader, found = await _charted(request, equipment, clock, buckets)
    return answer_of(reader, found, now())


@get("/charts/{equipment:str}/table")
async def chart_table(request: Ask, equipment: str, clock: int = 0) -> Response[str]:
    """The same figures as a table to read."""
    reader, found = await _charted(request, equipment, clock, BUCKETS)
    figures = table(reader, found.day, found.wanted, found.codes, compared(reader, found.view))
    return page(request, "common/chart_table.html", reader, await require(request), scripts=False, table=figures)


@get("/charts/{equipment:str}/csv")
async def chart_csv(request: Ask, equipment: str, buckets: int = BUCKETS) -> Response[bytes]:
    """The same figures as a file: times on the site's clock with their offset, values in the person's units."""
    reader, found = await _charted(request, equipment, 0, buckets)
    text = csv_of(reader, found.day, found.wanted, found.codes, compared(reader, found.view))
    name = f"{equipment}_{stamp(found.view.start)}_{stamp(found.view.end)}.csv".replace(":", "")
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
    return Response(text.encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


def data_routes() -> Router:
    """The router of all of them."""
    return Router("/", route_handlers=[live_stream, chart, chart_table, chart_csv], include_in_schema=False)
