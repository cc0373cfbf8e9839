"""Reading: who one is, sites, machines, their newest values and series."""

import re
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from lineset_contract.points import POINTS
from lineset_contract.profiles import profile
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from lineset import control, gateways, sites, telemetry
from lineset.api import shapes
from lineset.api.edge import PATH, Caller, Desk, id_of
from lineset.kit.clock import now
from lineset.kit.errors import Invalid

MAX_SITES = 5_000
_LOST_PLUS = re.compile(r"(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) (\d{2}:?\d{2})$")


@get("/me", summary="Whose token this is")
async def get_me(caller: NamedDependency[Caller]) -> shapes.Me:
    """The person whose token it is, with households and companies, and the purpose for which this request was made."""
    return shapes.me(caller.who, caller.context.purpose.value)


@get("/sites", summary="Sites")
async def get_sites(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_SITES, description="How many at most")] = 1_000,
    after: Annotated[str | None, QueryParameter(description="The id of the last site of the page before")] = None,
) -> Response[list[shapes.Site]]:
    """Every site that is shared with the asker, by name. Where there are more, the header `Link` names the next page."""
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.list_sites(tx)
    if after is not None:
        last = id_of(after, "site")
        found = found[next((n + 1 for n, s in enumerate(found) if s.id == last), len(found)) :]
    page = found[:limit]
    headers = {"link": f'<{PATH}/sites?limit={limit}&after={page[-1].id}>; rel="next"'} if len(found) > limit else {}
    return Response([shapes.site(s) for s in page], headers=headers)


@get("/sites/{site_id:str}", summary="A site")
async def get_site(caller: NamedDependency[Caller], desk: NamedDependency[Desk], site_id: FromPath[str]) -> shapes.SiteDetail:
    """One site with zones, machines and gateways."""
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.get_site(tx, id_of(site_id, "site"))
        return shapes.site_detail(found, await gateways.list_gateways(tx, found.id))


@get("/equipment/{equipment_id:str}", summary="A machine")
async def get_equipment(caller: NamedDependency[Caller], desk: NamedDependency[Desk], equipment_id: FromPath[str]) -> shapes.MachineDetail:
    """One machine: what it is, its link, what it understands, and how far its settings may go."""
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.get_equipment(tx, id_of(equipment_id, "machine"))
        allowed = await control.allowed(tx, found.id)
        links = await gateways.links(tx, [found.gateway_id]) if found.gateway_id is not None else {}
        points = await telemetry.points(tx, found.id)
    link, kind = links.get(found.gateway_id) if found.gateway_id is not None else None, profile(found.type)
    ranges = {n: shapes.Range(b.low, b.high, kind.settings[n].unit, b.low_whose, b.high_whose) for n, b in allowed.items()}
    return shapes.MachineDetail(
        id=found.id,
        site=found.site_id,
        household=found.household_id,
        zone=found.zone_id,
        type=found.type,
        name=found.name,
        local_name=found.local_name,
        make=found.make,
        model=found.model,
        serial_number=found.serial_number,
        capacity_w=found.capacity_w,
        fuel=found.fuel,
        refrigerant=found.refrigerant,
        place=found.place,
        installed_on=found.installed_on,
        installer=found.installer,
        gateway=found.gateway_id,
        online=link is not None and link.up,
        last_seen_at=None if link is None else link.last_seen_at,
        owned_since=found.owned_since,
        retired_at=found.retired_at,
        points=[p.name for p in points],
        commands=list(kind.commands),
        allowed=ranges,
    )


@get("/equipment/{equipment_id:str}/latest", summary="Newest values of a machine")
async def get_latest(caller: NamedDependency[Caller], desk: NamedDependency[Desk], equipment_id: FromPath[str]) -> shapes.Latest:
    """The newest value of each point, with the time at which it was measured."""
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.get_equipment(tx, id_of(equipment_id, "machine"))
        return shapes.latest(found.id, (await telemetry.latest(tx, [found.id])).get(found.id))


@get("/equipment/{equipment_id:str}/series", summary="Values of a machine over a span")
async def get_series(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    equipment_id: FromPath[str],
    points: Annotated[str | None, QueryParameter(description="Names of points, separated by commas; else the type's headlines")] = None,
    start: Annotated[str | None, QueryParameter(description="ISO 8601 with a time zone; without it 24 hours before the end")] = None,
    end: Annotated[str | None, QueryParameter(description="ISO 8601 with a time zone; without it now")] = None,
    buckets: Annotated[int, QueryParameter(description="From 2 to 2,000; two values in each keep every peak")] = 400,
) -> shapes.Series:
    """Points on one axis of times, downsampled so that no peak is lost."""
    until = moment_of(end, "end") if end else now()
    since = moment_of(start, "start") if start else until - timedelta(days=1)
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.get_equipment(tx, id_of(equipment_id, "machine"))
        names = [n.strip() for n in points.split(",")] if points else list(profile(found.type).headlines)
        names = list(dict.fromkeys(n for n in names if n))
        series = await telemetry.series(tx, found.id, names, since, until, buckets)
    units = {n: POINTS[n].unit if n in POINTS else "" for n in names}
    return shapes.Series(found.id, since, until, units, series.t, series.values, series.step)


def moment_of(text: str, field: str) -> datetime:
    """A moment with its zone. A plus that was sent as it is arrives as a space. Raises Invalid."""
    try:
        found = msgspec.convert(_LOST_PLUS.sub(r"\1+\2", text.strip()), datetime, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid("bad_time", f"{field} is no time. Write it as 2026-01-31T18:00:00Z.", field) from error
    if found.tzinfo is None:
        raise Invalid("bad_time", f"{field} has no time zone. Write it as 2026-01-31T18:00:00Z.", field)
    return found
