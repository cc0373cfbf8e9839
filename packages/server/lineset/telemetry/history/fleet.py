"""Readings of many machines as columns of numbers, from all tiers: what diagnosis works on."""

import asyncio
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl
from lineset_contract.points import POINTS
from numpy.typing import NDArray
from sqlalchemy import text

from lineset.privacy import Tx
from lineset.telemetry.history.columns import raw_schema
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import Moved, parts
from lineset.telemetry.history.reading import scan

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Frames:
    """Rows of readings sorted by series and time: `series` (rows,), `t` (rows,) in s since 1970 UTC, and by catalogued point (rows,) in
    the catalogue's units, NaN where nothing was measured. Points that none of the rows has are left out."""

    series: NDArray[np.int64]
    t: NDArray[np.float64]
    points: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.t)


async def frames(tx: Tx, series: Collection[int], start: datetime, end: datetime) -> Frames:
    """Raw readings of these series from `start` until before `end`, from the hot tables, late frames and history.

    Points that tell of people are never among them. For actors of the platform that the tables of measurements name.
    """
    asked = text("SELECT DISTINCT s.point FROM slots s JOIN tenures n USING (equipment_id) WHERE n.series_id = ANY(:series) AND s.known")
    points = [p for p in await tx.session.scalars(asked, {"series": list(series)}) if p in POINTS and not POINTS[p].consent]
    for attempt in range(_TRIES):
        if tx.storage is None or not points:
            break
        lazy, lake = await scan(tx, sorted(points), start, end, series), Lake(tx.storage)
        try:
            found = await asyncio.to_thread(lambda lazy=lazy, lake=lake: lake.collect(lazy).sort("series", "t"))  # type: ignore[misc]
        except Moved:
            if attempt == _TRIES - 1:
                raise
        else:
            return _columns(found)
    return _columns(pl.DataFrame(schema=raw_schema([])))


def _columns(found: pl.DataFrame) -> Frames:
    names = [n for n in found.columns if n in POINTS and found[n].null_count() < found.height]
    values = {n: found[n].cast(pl.Float64).fill_null(math.nan).to_numpy() for n in names}
    seconds = found["t"].dt.epoch("us").to_numpy().astype(np.float64) / 1e6
    return Frames(found["series"].cast(pl.Int64).to_numpy(), seconds, values)


async def span(tx: Tx, series: Collection[int]) -> tuple[datetime, datetime] | None:
    """The first and the last moment between which there are raw readings of these series, to the day where they are in files; None for
    none. For the same actors as `frames`."""
    hot = text(
        "SELECT min(low), max(high) FROM (SELECT min(t) AS low, max(t) AS high FROM frames WHERE series_id = ANY(:series)"
        " UNION ALL SELECT min(t), max(t) FROM late_frames WHERE series_id = ANY(:series)) AS ends"
    )
    low, high = (await tx.session.execute(hot, {"series": list(series)})).one()
    days = [p.period for p in await parts(tx, "raw", date.min, date.max, series)]
    ends = [m for m in (low, high) if m is not None]
    if days:
        ends += [datetime.combine(min(days), time(), UTC), datetime.combine(max(days), time(), UTC) + timedelta(days=1)]
    return (min(ends), max(ends)) if ends else None
