"""Reading history: raw readings, and sums, of the series that a query under row-level security has returned."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from lineset_contract.points import POINTS
from numpy.typing import NDArray

from lineset.kit.storage import Storage
from lineset.privacy import Tx
from lineset.telemetry.history.columns import KEYS, MORE, SUMS, raw_schema
from lineset.telemetry.history.hot import read_hot
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import Part, Tier, parts

HOUR_S, DAY_S = 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Axis:
    """Values of some points on one axis: `t` in seconds since 1970, ascending, and for each point values of the same length, NaN where
    there is none. `states`: for a code point, spans (start, end, code)."""

    t: NDArray[np.float64]
    values: list[NDArray[np.float64]]
    states: list[tuple[float, float, int]]


def raw(storage: Storage, files: Sequence[Part], series: Sequence[int], names: Sequence[str], since: datetime, until: datetime) -> Axis:
    """Raw readings from `since` until before `until`. Blocks.

    Raises:
        Moved: a file is gone; ask for the manifest again.
    """
    lake = Lake(storage)
    span = pl.col("t").is_between(since, until, closed="left") & pl.col("series").is_in(list(series))
    lazy = lake.scan([p.path for p in files], raw_schema(names)).filter(span)
    found = lake.collect(lazy.select("t", *(_column(name) for name in names))).sort("t")
    return Axis(_seconds(found["t"]), [_numbers(found[name]) for name in names], [])


def summed(
    storage: Storage, files: Sequence[Part], series: Sequence[int], names: Sequence[str], since: datetime, until: datetime, lanes: str = ""
) -> Axis:
    """Hourly or daily sums as two values each: the lowest and the highest, at a quarter and at three quarters of the time. Blocks.

    A code point has the code that lasted longest; `lanes` names one whose states come as spans as long as they lasted in that hour or
    day, one after the other from its start.

    Raises:
        Moved: a file is gone; ask for the manifest again.
    """
    lake = Lake(storage)
    wanted = [*dict.fromkeys([*names, *([lanes] if lanes else [])])]
    span = pl.col("t").is_between(since, until, closed="left") & pl.col("series").is_in(list(series)) & pl.col("point").is_in(wanted)
    columns = ["point", "t", "code", "low", "high", "last", "seconds"]
    found = lake.collect(lake.scan([p.path for p in files]).filter(span).select(columns))
    length = DAY_S if files and files[0].tier == "day" else HOUR_S
    starts = np.unique(_seconds(found["t"]))
    t = np.repeat(starts, 2) + np.tile([0.25, 0.75], len(starts)) * length
    values = []
    for name in names:
        mine = found.filter(pl.col("point") == name)
        values.append(_extremes(mine, starts, name))
    states = _spans(found.filter(pl.col("point") == lanes)) if lanes else []
    return Axis(t, values, states)


def _extremes(mine: pl.DataFrame, starts: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    out = np.full(2 * len(starts), np.nan)
    point = POINTS.get(name)
    if point is not None and point.kind == "code":
        mine = mine.sort("seconds").group_by("t", maintain_order=True).last().with_columns(pl.col("code").cast(pl.Float64).alias("low"))
        mine = mine.with_columns(pl.col("low").alias("high"))
    place = np.searchsorted(starts, _seconds(mine["t"]))
    out[2 * place], out[2 * place + 1] = _numbers(mine["low"]), _numbers(mine["high"])
    return out


def _spans(states: pl.DataFrame) -> list[tuple[float, float, int]]:
    spans = []
    at: dict[float, float] = {}
    for t, code, seconds in zip(_seconds(states["t"]).tolist(), states["code"].to_list(), states["seconds"].to_list(), strict=True):
        if code is None or not seconds:
            continue
        start = at.get(t, t)
        spans.append((start, start + seconds, int(code)))
        at[t] = start + seconds
    return sorted(spans)


def _column(name: str) -> pl.Expr:
    if name in POINTS:
        return pl.col(name)
    inside = pl.element().struct.field("value").filter(pl.element().struct.field("point") == name)
    return pl.col(MORE).list.eval(inside).list.first().alias(name)


def _seconds(t: pl.Series) -> NDArray[np.float64]:
    return t.dt.epoch("us").to_numpy().astype(np.float64) / 1e6


def _numbers(values: pl.Series) -> NDArray[np.float64]:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


async def rows_of(tx: Tx, lake: Lake, tier: Tier, series: Sequence[int], since: datetime, until: datetime) -> pl.DataFrame:
    """Rows of the hourly or daily sums (columns `SUMS`) of these series.

    Raises:
        Moved: a file is gone; ask again.
    """
    return (await rows_and_days(tx, lake, tier, series, since, until))[0]


async def rows_and_days(
    tx: Tx, lake: Lake, tier: Tier, series: Sequence[int], since: datetime, until: datetime
) -> tuple[pl.DataFrame, set[date]]:
    """As `rows_of`, and the days (UTC) whose readings these sums have, whether or not they still are in the hot rows too."""
    first = since.date().replace(day=1) if tier == "hour" else since.date().replace(month=1, day=1)
    found = await parts(tx, (tier, "raw"), first, until.date(), series)
    files = [p.path for p in found if p.tier == tier]
    days = {p.period for p in found if p.tier == "raw"}
    if not files:
        return pl.DataFrame(schema=SUMS), days
    span = pl.col("t").is_between(since, until, closed="left") & pl.col("series").is_in(list(series))
    return await asyncio.to_thread(lambda: lake.collect(lake.scan(files).filter(span))), days


async def scan(tx: Tx, points: Sequence[str], since: datetime, until: datetime, series: Collection[int] | None = None) -> pl.LazyFrame:
    """Raw readings of the whole fleet, or of these series (columns `series`, `t` and these catalogued points), from all tiers, sorted
    within each file.

    For the platform's own actors that the measurements name. The frame's files may be rewritten while it waits: collect it soon, and ask
    again when it raises that a file is gone.

    Raises:
        ValueError: a point that the catalogue does not know.
    """
    if unknown := [p for p in points if p not in POINTS]:
        raise ValueError(f"not in the catalogue: {unknown}")
    if tx.storage is None:
        raise ValueError("no storage of history here")
    lake, schema = Lake(tx.storage), raw_schema(points)
    hot = [await read_hot(tx, table, since, until, series=series) for table in ("frames", "late_frames")]
    files = await parts(tx, "raw", since.date(), until.date(), series)
    hot_days = {day for frame in hot for day in frame["t"].dt.date().unique()}
    twice = [frame.select(*_typed(frame, schema)).lazy() for frame in hot if frame.height]
    window = pl.col("t").is_between(since, until, closed="left")
    if series is not None:
        window &= pl.col("series").is_in(list(series))
    alone, beside = ([p.path for p in files if (p.period in hot_days) == overlap] for overlap in (False, True))
    once = [lake.scan(alone, schema).filter(window)] if alone else [pl.DataFrame(schema=schema).lazy()]
    if beside:
        twice.insert(0, lake.scan(beside, schema).filter(window))  # first, since what history has stays
    if len(twice) == 1:  # one table has a moment of a machine once
        once += twice
    elif twice:
        values = [name for name in schema if name not in KEYS]
        once.append(pl.concat(twice).group_by("series", "t", maintain_order=True).agg(*(pl.col(v).drop_nulls().first() for v in values)))
    return pl.concat(once)


def _typed(frame: pl.DataFrame, schema: Mapping[str, Any]) -> list[pl.Expr]:
    return [pl.col(name) if name in frame.columns else pl.lit(None, kind).alias(name) for name, kind in schema.items()]
