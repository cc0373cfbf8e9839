"""The readings of one machine over one stretch, from every tier, as a table that people can use."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import polars as pl
from lineset_contract.points import POINTS
from psycopg import AsyncConnection, sql

from lineset.kit.errors import NotFound
from lineset.kit.storage import Storage
from lineset.privacy import Tx
from lineset.telemetry import ranges
from lineset.telemetry.exports.plan import Detail, closed_until
from lineset.telemetry.history import sums
from lineset.telemetry.history.columns import INTEGRATED, KEYS, MORE, SUMS, raw_schema
from lineset.telemetry.history.desk import merge
from lineset.telemetry.history.hot import by_point, parse, slots_of
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import Moved, Part, Tier
from lineset.telemetry.history.reading import rows_of

_TRIES = 5
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_UTC = pl.Datetime("us", "UTC")
_MASS = {"W": "J", "kg/s": "kg"}

SUM_COLUMNS: dict[str, Any] = {
    "time": _UTC,
    "point": pl.String,
    "unit": pl.String,
    "state": pl.String,
    **{name: SUMS[name] for name in ("low", "high", "mean", "last", "count", "starts", "seconds", "total")},
    "total_unit": pl.String,
}
"""Columns of hourly and daily sums."""


def raw_columns(points: Sequence[str]) -> dict[str, Any]:
    """Columns of single readings: the time, then each point; codes as words."""
    return {"time": _UTC, **{name: _type(name) for name in points}}


def unit_of(point: str) -> str:
    """The unit of a point; empty for codes and for points that the catalogue does not know."""
    known = POINTS.get(point)
    return "" if known is None or known.kind == "code" else known.unit


def _type(point: str) -> Any:
    known = POINTS.get(point)
    if known is None:
        return pl.Float32
    return {"real": pl.Float32, "counter": pl.Float64, "code": pl.String}[known.kind]


async def table(
    tx: Tx, equipment: UUID, series: Sequence[int], points: Sequence[str], zone: str, since: datetime, until: datetime, detail: Detail
) -> pl.DataFrame:
    """One machine's readings, or its sums, from `since` until before `until`, in order of time.

    Columns are `raw_columns(points)` or `SUM_COLUMNS`. `series`: those that were promised; all must still be the asker's to see.

    Raises:
        NotFound: one of the series is not shared with the asker any more.
        Moved: history was rewritten again and again meanwhile.
    """
    for attempt in range(_TRIES):
        try:
            if detail == "raw":
                return _readable(await rows(tx, equipment, series, points, since, until), points)
            return _told(await _sums(tx, equipment, series, points, zone, since, until, detail))
        except Moved:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError


async def rows(tx: Tx, equipment: UUID, series: Sequence[int], points: Sequence[str], since: datetime, until: datetime) -> pl.DataFrame:
    """Frames of one machine as columns by point (`series`, `t`, points, `more`), what is not kept any more left out.

    Hot rows are read before the manifest, so that nothing is missed; what is in both counts once, as history has it.

    Raises:
        NotFound: one of the series is not shared with the asker any more.
        Moved: a file is gone; ask again.
    """
    owned = await ranges.tenures(tx, equipment, since)
    if not set(series) <= set(owned.series):
        raise NotFound("machine")
    first = max(since, owned.raw_from)
    if first >= until:
        return pl.DataFrame(schema=KEYS)
    hot = await _hot(tx, series, first, until)
    files = await ranges.files_of(tx, "raw", series, first, until)
    if not files or tx.storage is None:
        return hot
    past = await asyncio.to_thread(_past, tx.storage, files, series, points, first, until)
    return merge(past, hot)


def _past(
    storage: Storage, files: Sequence[Part], series: Sequence[int], points: Sequence[str], since: datetime, until: datetime
) -> pl.DataFrame:
    lake = Lake(storage)
    mine = pl.col("t").is_between(since, until, closed="left") & pl.col("series").is_in(list(series))
    return lake.collect(lake.scan([p.path for p in files], raw_schema(points)).filter(mine))


async def _hot(tx: Tx, series: Sequence[int], since: datetime, until: datetime) -> pl.DataFrame:
    raw = cast("AsyncConnection", (await (await tx.session.connection()).get_raw_connection()).driver_connection)
    query = sql.SQL(
        "COPY (SELECT series_id, t, reals, coalesce(totals, '{{}}') FROM access.read_frames({}, {}, {})) TO STDOUT (FORMAT BINARY)"
    ).format(sql.Literal(list(series)), sql.Literal(since), sql.Literal(until))
    buffer = bytearray()
    async with raw.cursor() as cursor, cursor.copy(query) as copy:
        async for piece in copy:
            buffer += piece
    found = by_point(parse(memoryview(buffer)), await slots_of(tx, list(series)))
    twice = found.height and found.select(pl.struct("series", "t").is_duplicated().any()).item()
    return merge(found, found) if twice else found


def _readable(found: pl.DataFrame, points: Sequence[str]) -> pl.DataFrame:
    """Columns `raw_columns(points)`: codes as words, unknown points as columns of their own."""
    columns = [pl.col("t").alias("time")]
    for name in points:
        point = POINTS.get(name)
        if point is None and MORE in found.columns:
            inside = pl.element().filter(pl.element().struct.field("point") == name).struct.field("value")
            columns.append(pl.col(MORE).list.eval(inside).list.first().alias(name))
        elif name not in found.columns:
            columns.append(pl.lit(None, _type(name)).alias(name))
        elif point is not None and point.kind == "code":
            columns.append(_words(name, pl.col(name)).alias(name))
        else:
            columns.append(pl.col(name).cast(_type(name)))
    return found.sort("t").select(columns)


def _words(point: str, code: pl.Expr) -> pl.Expr:
    """The words of a point's codes; a code that the catalogue does not know stays a number."""
    words = {number: word for word, number in POINTS[point].codes.items()}
    number = code.cast(pl.Int32)
    return number.replace_strict(words, default=number.cast(pl.String), return_dtype=pl.String)


async def _sums(
    tx: Tx, equipment: UUID, series: Sequence[int], points: Sequence[str], zone: str, since: datetime, until: datetime, detail: Detail
) -> pl.DataFrame:
    """Sums (columns `SUMS`) whose hour or day begins in the span: of closed days as they are kept, of open ones made from the readings."""
    owned = await ranges.tenures(tx, equipment, since)
    if not set(series) <= set(owned.series):
        raise NotFound("machine")
    closed = await closed_until(tx)
    zones = dict.fromkeys(series, zone)
    # The hour before midnight is made anew, since a value may hold into it; for days, the local one in which that hour lies.
    fresh = closed - _HOUR if detail == "hour" else sums.local_day(closed - _HOUR, zone)[0]
    kept = await _kept(tx, detail, series, since, min(until, fresh))
    if until <= fresh:
        return kept
    begin = max(fresh, sums.local_day(since, zone)[0] if detail == "day" else since - _HOUR)
    readings = await rows(tx, equipment, series, points, begin - _DAY, until + _HOUR)
    made = await asyncio.to_thread(sums.hours, readings, zones)
    if detail == "day":
        hourly = await _kept(tx, "hour", series, begin, min(until, closed - _HOUR))
        made = made.filter(pl.col("t") >= max(begin, closed - _HOUR))
        made = sums.days(pl.concat([hourly, made]), zones)
    made = made.filter(pl.col("t").is_between(max(since, fresh), until, closed="left"))
    whole = pl.concat([kept, made])
    if len(series) > 1:  # an owner who gave the machine away and got it back within one hour or day
        whole = sums.joined(whole.sort("series", "t").with_columns(pl.lit(series[0], pl.Int32).alias("series")))
    return whole


async def _kept(tx: Tx, tier: Tier, series: Sequence[int], since: datetime, until: datetime) -> pl.DataFrame:
    if tx.storage is None or since >= until:
        return pl.DataFrame(schema=SUMS)
    return (await rows_of(tx, Lake(tx.storage), tier, series, since, until)).select(
        *(pl.col(name).cast(kind) for name, kind in SUMS.items())
    )


def _told(found: pl.DataFrame) -> pl.DataFrame:
    """Columns `SUM_COLUMNS`: codes as words, units beside the numbers."""
    if not found.height:
        return pl.DataFrame(schema=SUM_COLUMNS)
    names = found["point"].unique().to_list()
    units = {name: unit_of(name) for name in names}
    totals = {name: _MASS[unit] if unit in INTEGRATED else unit for name, unit in units.items()}
    states = [
        pl.when(pl.col("point") == name).then(_words(name, pl.col("code"))) for name in names if name in POINTS and POINTS[name].codes
    ]
    return (
        found.with_columns(
            pl.col("t").alias("time"),
            pl.col("point").replace_strict(units, return_dtype=pl.String).alias("unit"),
            pl.coalesce(*states, pl.lit(None, pl.String)).alias("state"),
            pl.when(pl.col("total").is_not_null()).then(pl.col("point").replace_strict(totals, return_dtype=pl.String)).alias("total_unit"),
        )
        .select(SUM_COLUMNS.keys())
        .sort("time", "point", "state")
    )


async def counted(storage: Storage, files: Sequence[Part], series: Sequence[int], since: datetime, until: datetime) -> int:
    """About how many frames these series have on closed days: for each day, the count of its most frequent point.

    No files, or files that were rewritten meanwhile, count as none: the number is an estimate.
    """

    def work() -> int:
        lake = Lake(storage)
        mine = pl.col("series").is_in(list(series)) & pl.col("t").is_between(since - _DAY, until, closed="left")
        try:
            found = lake.collect(lake.scan([p.path for p in files]).filter(mine).select("series", "t", "point", "count"))
        except Moved:
            return 0
        by_day = found.group_by("series", "t", "point").agg(pl.col("count").sum()).group_by("series", "t").agg(pl.col("count").max())
        inside = pl.min_horizontal(pl.col("t") + _DAY, pl.lit(until)) - pl.max_horizontal("t", pl.lit(since))
        share = (inside.dt.total_seconds() / _DAY.total_seconds()).clip(0.0, 1.0)
        return int(by_day.select((pl.col("count") * share).sum()).item())

    return await asyncio.to_thread(work)
