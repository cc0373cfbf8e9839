"""What has reached its time leaves history: whole files of a class of keeping, and what a household chose to keep for less.

A hold stops it: what it covers moves to the held files, and leaves them when the hold ends.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import polars as pl
import structlog
from sqlalchemy import text

from lineset.privacy import held_households, record_retention
from lineset.telemetry.history.closing import keep_days
from lineset.telemetry.history.desk import Desk, merge
from lineset.telemetry.history.erasing import erase_files, held_series, hold
from lineset.telemetry.history.manifest import HISTORY, Change, Part, all_parts, parts

log = structlog.get_logger(__name__)


async def retire(desk: Desk, today: date | None = None) -> dict[str, int]:
    """Delete every file whose time is over, and held readings whose hold has ended; how many files by tier."""
    today = today or datetime.now(UTC).date()
    kept = await held_series(desk)
    gone = {"raw": 0, "hour": 0, "day": 0}
    async with desk.door.open(HISTORY) as tx:
        raw = [p for p in await all_parts(tx, "raw") if p.over <= today]
        sums = [p for tier in ("hour", "day") for p in await all_parts(tx, tier) if p.over <= today]
    for part in raw:
        change = Change(desk.door)
        if any(part.holds(s) for s in kept):
            mine = await asyncio.to_thread(desk.read, [part], pl.col("series").is_in(list(kept)))
            await hold(desk, change, part.period, mine)
        change.swap([part], [])
        await desk.commit(change)
        gone["raw"] += 1
    if sums:
        change = Change(desk.door)
        change.swap(sums, [])
        await desk.commit(change)
        for part in sums:
            gone[part.tier] += 1
    gone["held"] = await _end_holds(desk)
    if any(gone.values()):
        await desk.tidy()
    async with desk.door.open(HISTORY) as tx:
        await record_retention(tx, "deleted", {f"history/{tier}/**": count for tier, count in gone.items()})
    log.info("history_retired", **gone)
    return gone


async def _end_holds(desk: Desk) -> int:
    """Erase held readings of series that no hold covers any more; how many files changed."""
    async with desk.door.open(HISTORY) as tx:
        files = await all_parts(tx, "held")
    if not files:
        return 0
    there = await asyncio.to_thread(lambda: desk.read(files)["series"].unique().to_list())
    return await erase_files(desk, "held", [s for s in there if s not in await still_held(desk)])


async def still_held(desk: Desk) -> set[int]:
    """Series that a hold covers: of machines that are there, and of those that were erased while it lasted."""
    held = await held_series(desk)
    async with desk.door.open(HISTORY) as tx:
        households = list(await held_households(tx))
        rows = await tx.session.execute(
            text("SELECT unnest(series) FROM series_erasures WHERE household_id = ANY(:held)"), {"held": households}
        )
        return held | set(rows.scalars())


async def keep_less(desk: Desk, household: UUID) -> int:
    """Bring what there is of a household's raw readings to its own choice of keeping; how many files changed.

    Days beyond the choice are erased (or held); the rest moves to files of that class, which go as a whole when their time comes.
    """
    async with desk.door.open(HISTORY) as tx:
        rows = await tx.session.execute(text("SELECT series_id FROM tenures WHERE household_id = :id"), {"id": household})
        series = list(rows.scalars())
        chosen = await keep_days(tx, series)
        held = household in await held_households(tx)
        files = [p for p in await parts(tx, "raw", date.min, date.max, series) if p.keep_days not in set(chosen.values())]
    if not series:
        return 0
    days = next(iter(chosen.values()))
    over = datetime.now(UTC).date() - timedelta(days=days)
    changed = await erase_files(desk, "raw", series, keep=set(series) if held else None, until=over)
    for part in files:
        if part.period > over:
            change = Change(desk.door)
            changed += await _move(desk, change, part, series, days)
            await desk.commit(change)
    await desk.tidy("raw", "held")
    return changed


async def _move(desk: Desk, change: Change, part: Part, series: Sequence[int], days: int) -> int:
    """Move readings of these series from a file to the one of the same bucket that is kept for `days`."""
    rows = await asyncio.to_thread(desk.read, [part])
    mine = pl.col("series").is_in(list(series))
    if not rows.filter(mine).height:
        return 0
    target = [p for p in await change.parts("raw", part.period, part.period) if p.keep_days == days and p.remainder == part.remainder]
    before = await asyncio.to_thread(desk.read, target)
    where = {"period": part.period, "modulus": part.modulus, "remainder": part.remainder}
    whole = await asyncio.to_thread(merge, before, rows.filter(mine))
    new = [await asyncio.to_thread(lambda: desk.lake.write("raw", whole, keep_days=days, **where))]  # type: ignore[arg-type]
    rest = rows.filter(~mine)
    if rest.height:
        new.append(await asyncio.to_thread(lambda: desk.lake.write("raw", rest, keep_days=part.keep_days, **where)))  # type: ignore[arg-type]
    change.swap([part, *target], new)
    return 1
