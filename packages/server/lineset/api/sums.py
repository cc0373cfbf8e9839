"""Adding up: hourly and daily sums of a machine, and how well it was measured."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from lineset_contract.points import POINTS
from lineset_contract.profiles import profile
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from lineset import sites, telemetry
from lineset.api.edge import Caller, Desk, id_of
from lineset.api.things import moment_of
from lineset.kit.clock import now


class Sum(msgspec.Struct, frozen=True):
    """One point over one hour or day of the site's clock that began at `t` (seconds since 1970).

    `state` and `starts` are there for states only: one entry for each, `seconds` being how long it lasted. `total` is the integral over
    time (W gives J, kg/s gives kg) or what a counter rose by, resets counted.
    """

    t: float
    state: str | None
    low: float | None
    high: float | None
    mean: float | None
    last: float | None
    readings: int
    seconds: float
    starts: int | None
    total: float | None


class Sums(msgspec.Struct, frozen=True):
    """Sums of a machine by point."""

    equipment: UUID
    start: datetime
    end: datetime
    step: str
    units: dict[str, str]
    sums: dict[str, list[Sum]]


class PointQuality(msgspec.Struct, frozen=True):
    """How well a point was measured: readings, share of the time with a value (0 to 1), longest silence in s."""

    readings: int
    share: float
    longest_gap_s: float


class QualityOfMachine(msgspec.Struct, frozen=True):
    """How well each point of a machine was measured over a span."""

    equipment: UUID
    start: datetime
    end: datetime
    points: dict[str, PointQuality]


Start = Annotated[str | None, QueryParameter(description="ISO 8601 with a time zone; without it 7 days before the end")]
End = Annotated[str | None, QueryParameter(description="ISO 8601 with a time zone; without it now")]


@get("/equipment/{equipment_id:str}/sums", summary="Hourly or daily sums of a machine")
async def get_sums(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    equipment_id: FromPath[str],
    points: Annotated[str | None, QueryParameter(description="Names of points, separated by commas; else the type's headlines")] = None,
    start: Start = None,
    end: End = None,
    step: Annotated[Literal["hour", "day"], QueryParameter(description="hour or day, by the clock of the site")] = "hour",
) -> Sums:
    """Lowest, highest, mean, last, time covered, time by state, integrals of power and rise of counters. They outlive single readings."""
    since, until = _span(start, end)
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.get_equipment(tx, id_of(equipment_id, "machine"))
        names = [n.strip() for n in points.split(",")] if points else list(profile(found.type).headlines)
        names = list(dict.fromkeys(n for n in names if n))
        rows = await telemetry.sums(tx, found.id, names, since, until, step)
    by_point: dict[str, list[Sum]] = {name: [] for name in names}
    for r in rows:
        state = None if r.code is None else (POINTS[r.point].word(float(r.code)) if r.point in POINTS else None) or str(r.code)
        by_point[r.point].append(Sum(r.t, state, r.low, r.high, r.mean, r.last, r.count, r.seconds, r.starts, r.total))
    return Sums(found.id, since, until, step, {n: POINTS[n].unit if n in POINTS else "" for n in names}, by_point)


@get("/equipment/{equipment_id:str}/quality", summary="How well a machine was measured")
async def get_quality(
    caller: NamedDependency[Caller], desk: NamedDependency[Desk], equipment_id: FromPath[str], start: Start = None, end: End = None
) -> QualityOfMachine:
    """For each point the number of readings, the share of the time with a value, and the longest silence."""
    since, until = _span(start, end)
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.get_equipment(tx, id_of(equipment_id, "machine"))
        known = await telemetry.quality(tx, found.id, since, until)
    points = {name: PointQuality(q.readings, round(q.share, 4), round(q.longest_gap_s, 1)) for name, q in known.items()}
    return QualityOfMachine(found.id, since, until, points)


def _span(start: str | None, end: str | None) -> tuple[datetime, datetime]:
    until = moment_of(end, "end") if end else now()
    return (moment_of(start, "start") if start else until - timedelta(days=7)), until
