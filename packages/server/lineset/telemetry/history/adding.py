"""Adding up what history and the hot rows have of a machine, as one table of sums."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import text

from lineset.kit.errors import NotFound
from lineset.privacy import Tx
from lineset.telemetry import ranges
from lineset.telemetry.history import reading
from lineset.telemetry.history import sums as summing
from lineset.telemetry.history.columns import SUMS
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import Moved
from lineset.telemetry.slots import points_of

_TRIES = 5


async def table(
    tx: Tx, equipment: UUID, names: Sequence[str], start: datetime, end: datetime, step: Literal["hour", "day"]
) -> pl.DataFrame:
    """The sums (columns `SUMS`, `series` always 0) of each local hour or day that begins from `start` until before `end`, by time.

    Raises:
        NotFound: no such machine for the asker.
    """
    owned = await ranges.tenures(tx, equipment, start)
    zone = await _zone(tx, equipment)
    slots = {p.name: p for p in (await points_of(tx, [equipment])).get(equipment, [])}
    since, until = summing.local_day(start, zone)[0], summing.local_day(end, zone)[1]
    for attempt in range(_TRIES):
        t, columns = await ranges.read_hot_of(tx, owned.series, [slots.get(n) for n in names], since, until)
        past, closed = pl.DataFrame(schema=SUMS), set[date]()
        try:
            if tx.storage is not None:
                early = min(since, _moment(t)) - timedelta(days=2) if len(t) else since
                past, closed = await reading.rows_and_days(tx, Lake(tx.storage), step, owned.series, early, until)
            break
        except Moved:
            if attempt == _TRIES - 1:
                raise

    def add_up() -> pl.DataFrame:
        hot = pl.DataFrame({"series": pl.Series([0] * len(t), dtype=pl.Int32), "t": pl.Series(t * 1e6).cast(pl.Int64)})
        hot = hot.with_columns(pl.col("t").cast(SUMS["t"]), *(pl.Series(n, c).fill_nan(None) for n, c in zip(names, columns, strict=True)))
        hot = hot.filter(~pl.col("t").dt.date().is_in(list(closed)))  # a day that is just closed, and what came late for one
        fresh = summing.hours(hot, {0: zone}, _before(past.filter(pl.col("point").is_in(list(names))), hot))
        if step == "day":
            fresh = summing.days(fresh, {0: zone})
        both = pl.concat([past.filter(pl.col("point").is_in(list(names))).select(SUMS.keys()), fresh])
        one = both.with_columns(pl.lit(0, pl.Int32).alias("series")).sort("t", "last_t")
        return summing.joined(one).filter(pl.col("t").is_between(start, end, closed="left")).sort("t", "point", "code")

    return await asyncio.to_thread(add_up)


def _before(past: pl.DataFrame, hot: pl.DataFrame) -> pl.DataFrame | None:
    """The last counters and states that history has from before the first hot row, as readings."""
    first = hot["t"].min()
    if first is None:
        return None
    known = past.with_columns(pl.coalesce("last", pl.col("code").cast(pl.Float64)).alias("value"))
    known = known.filter(pl.col("last_t") < first, pl.col("value").is_not_null()).sort("last_t")
    if not known.height:
        return None
    last = known.group_by("point").last().select(pl.lit(0, pl.Int32).alias("series"), "point", pl.col("last_t").alias("t"), "value")
    return last.pivot(on="point", index=["series", "t"], values="value", aggregate_function="first")


def _moment(t: NDArray[np.float64]) -> datetime:
    return datetime.fromtimestamp(float(t[0]), UTC)


async def _zone(tx: Tx, equipment: UUID) -> str:
    zone = await tx.session.scalar(
        text("SELECT s.time_zone FROM equipment e JOIN sites s ON s.id = e.site_id WHERE e.id = :id"), {"id": equipment}
    )
    if zone is None:
        raise NotFound("machine")
    return str(zone)
