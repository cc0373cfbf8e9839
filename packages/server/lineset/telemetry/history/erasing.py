"""Erasing series for real: from the hot tables, their indexes and the write-ahead log, from every file of history, and from its log.

Rows are deleted first, so that no reader sees them; then whatever still has their bytes is written anew without them. Each step can be
done again, so an erasure goes on where a process died. What a hold keeps is moved to the held files before it goes from the others.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl
import structlog
from sqlalchemy import text

from lineset.privacy import held_households, rewrite_tables
from lineset.telemetry.history.closing import merge_late
from lineset.telemetry.history.columns import KEYS
from lineset.telemetry.history.desk import Desk, merge
from lineset.telemetry.history.hot import read_hot
from lineset.telemetry.history.manifest import HISTORY, TIERS, Change, Part, Tier, parts

log = structlog.get_logger(__name__)
_AT_ONCE = 64
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_REST = 1.0
"""After each file it rests for as long as that took: an erasure has days, and others look at their charts meanwhile."""
HELD_DAYS = 36_500
_HOT = ("frames", "late_frames")


async def erase(desk: Desk, series: Sequence[int], keep: set[int]) -> dict[str, int]:
    """Erase these series from every tier of measurements; how many rows and files by tier. Raw readings of those in `keep` are held."""
    if keep:
        await _hold_hot(desk, keep)
    done = {"hot": await _erase_hot(desk, series)}
    done |= await erase_history(desk, series, keep)
    await rewrite_hot(desk)
    log.info("series_erased", series=len(series), held=len(keep), **done)
    return done


async def erase_history(desk: Desk, series: Sequence[int], keep: set[int]) -> dict[str, int]:
    """Erase these series from the files of history and the files from storage; how many files were written anew, by tier."""
    done: dict[str, int] = {}
    for tier in TIERS:
        if tier != "held":
            done[tier] = await erase_files(desk, tier, series, keep=keep)
    await desk.tidy()
    return done


async def held_series(desk: Desk, series: Sequence[int] | None = None) -> set[int]:
    """Those of the series (None: of all) whose household is under a hold."""
    async with desk.door.open(HISTORY) as tx:
        households = await held_households(tx)
        if not households:
            return set()
        rows = await tx.session.execute(text("SELECT series_id FROM tenures WHERE household_id = ANY(:held)"), {"held": list(households)})
        found = set(rows.scalars())
    return found if series is None else found & set(series)


async def erase_files(
    desk: Desk, tier: Tier, series: Sequence[int], *, keep: set[int] | None = None, since: date = date.min, until: date = date.max
) -> int:
    """Write the files of a tier anew without these series, for periods from `since` through `until`; how many files changed.

    Raw readings of the series in `keep` go to the held files.
    """
    async with desk.door.open(HISTORY) as tx:
        files = await parts(tx, tier, since, until, series)
    changed = 0
    for start in range(0, len(files), _AT_ONCE):
        change = Change(desk.door)
        for part in files[start : start + _AT_ONCE]:
            began = time.perf_counter()
            changed += await _without(desk, change, part, series, keep or set())
            await asyncio.sleep(_REST * (time.perf_counter() - began))
        await desk.commit(change)
    return changed


async def _without(desk: Desk, change: Change, part: Part, series: Sequence[int], keep: set[int]) -> int:
    gone = pl.col("series").is_in(list(series))

    def split() -> tuple[pl.DataFrame, pl.DataFrame]:
        rows = desk.lake.collect(desk.lake.scan([part.path]))
        return rows.filter(~gone), rows.filter(gone)

    rest, taken = await asyncio.to_thread(split)
    if not taken.height:
        return 0
    if part.tier == "raw" and keep:
        await hold(desk, change, part.period, taken.filter(pl.col("series").is_in(list(keep))))
    where = {"period": part.period, "keep_days": part.keep_days, "modulus": part.modulus, "remainder": part.remainder}
    new = [await asyncio.to_thread(lambda: desk.lake.write(part.tier, rest, **where))] if rest.height else []  # type: ignore[arg-type]
    change.swap([part], new)
    return 1


async def hold(desk: Desk, change: Change, period: date, rows: pl.DataFrame) -> None:
    """Add raw readings of a day to the held ones."""
    if not rows.height:
        return
    old = await change.parts("held", period, period)
    before = await asyncio.to_thread(desk.read, old)
    whole = await asyncio.to_thread(merge, before, rows.select(*KEYS, pl.exclude(*KEYS)))
    new = await asyncio.to_thread(lambda: desk.lake.write("held", whole, period=period, keep_days=HELD_DAYS, modulus=1, remainder=0))
    change.swap(old, [new])


async def _hold_hot(desk: Desk, series: set[int]) -> None:
    """Copy the hot rows of these series to the held files."""
    await merge_late(desk)
    for table in _HOT:
        async with desk.door.open(HISTORY) as tx:
            rows = await read_hot(tx, table, *_ALWAYS)
        mine = rows.filter(pl.col("series").is_in(list(series))).with_columns(pl.col("t").dt.date().alias("day"))
        change = Change(desk.door)
        for day in mine.partition_by("day"):
            await hold(desk, change, day["day"][0], day.drop("day"))
        await desk.commit(change)


async def _erase_hot(desk: Desk, series: Sequence[int]) -> int:
    async with desk.door.open(HISTORY) as tx:
        count = 0
        for table in (*_HOT, "latest"):
            gone = await tx.session.execute(text(f"DELETE FROM {table} WHERE series_id = ANY(:series)"), {"series": list(series)})  # noqa: S608
            count += gone.rowcount  # type: ignore[attr-defined]
        over = "DELETE FROM tenures WHERE series_id = ANY(:series) AND erased_at IS NOT NULL"
        await tx.session.execute(text(over), {"series": list(series)})
        # which points a machine had goes with the last of its owners' series
        await tx.session.execute(text("DELETE FROM slots WHERE equipment_id NOT IN (SELECT equipment_id FROM tenures)"))
        return count


async def rewrite_hot(desk: Desk) -> None:
    """Write the hot tables anew without what was deleted from them, and move the write-ahead log on until it has none of it either."""
    async with desk.door.open(HISTORY) as tx:
        days = [f"frames_{day:%Y%m%d}" for day in (await tx.session.execute(text("SELECT access.days()"))).scalars()]
    await rewrite_tables(desk.door, HISTORY, (*days, "late_frames", "latest"))
