"""Closing days: what was measured on a day leaves the hot tables for history, and late frames follow into their own day.

Killed at any point and run again, it loses and doubles nothing: a day's partition goes only after the manifest names its files, and what
is in both is one row to every reader, since readers merge by series and time and look at the hot rows first.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl
import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy import Tx
from lineset.telemetry.history.desk import Desk, conflicts, merge, modulus_for
from lineset.telemetry.history.hot import read_hot
from lineset.telemetry.history.manifest import HISTORY, Change, Part, parts
from lineset.telemetry.history.summing import DAY, midnight, sum_up
from lineset.telemetry.model import RAW_DAYS

HOT_DAYS = 2
"""Whole days before today that stay hot: late frames of a short outage still find their day open."""
_DROP_TRIES = 20
_CHANGED_TRIES = 5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Closed:
    """What one run did: days closed, rows written, late rows merged, values that a late frame had otherwise than history."""

    days: int = 0
    rows: int = 0
    late: int = 0
    conflicts: int = 0


async def close_due(desk: Desk, today: date | None = None) -> Closed:
    """Close every day that is due, oldest first, then merge what came late."""
    today = today or datetime.now(UTC).date()
    async with desk.door.open(HISTORY) as tx:
        days = [d for d in (await tx.session.execute(text("SELECT access.days()"))).scalars() if d < today - HOT_DAYS * DAY]
    rows = 0
    for day in days:
        rows += await close_day(desk, day)
    merged, fights = await merge_late(desk)
    if rows or merged:
        await desk.tidy()
    return Closed(len(days), rows, merged, fights)


async def close_day(desk: Desk, day: date) -> int:
    """Close one day (UTC) and all before it; how many rows it had."""
    since, until = midnight(day), midnight(day) + DAY
    await _move_boundary(desk, until)
    async with desk.door.open(HISTORY) as tx:
        series = list(
            (
                await tx.session.execute(
                    text("SELECT DISTINCT series_id FROM frames WHERE t >= :since AND t < :until ORDER BY 1"),
                    {"since": since, "until": until},
                )
            ).scalars()
        )
        keep = await keep_days(tx, series)
    change = Change(desk.door)
    there = await change.parts("raw", day, day)
    modulus = modulus_for(there, len(series))
    rows = 0
    for remainder in range(modulus):
        members = [s for s in series if s % modulus == remainder]
        if not members:
            continue
        async with desk.door.open(HISTORY) as tx:
            readings = await read_hot(tx, "frames", since, until, modulus, remainder)
        await _join(desk, change, there, readings, day, modulus, remainder, keep)
        await sum_up(desk, change, members, day, day, len(series))
        rows += readings.height
    if rows:
        await desk.commit(change)
    await _drop(desk, day)
    log.info("day_closed", day=day.isoformat(), rows=rows, series=len(series))
    return rows


async def _join(
    desk: Desk, change: Change, there: Sequence[Part], readings: pl.DataFrame, day: date, modulus: int, remainder: int, keep: dict[int, int]
) -> int:
    """Put readings of one bucket into the day's files, each series into that of its own time of keeping; how many conflicts there were."""
    found = 0
    for days in sorted(set(keep.values())):
        mine = [s for s, kept in keep.items() if kept == days and s % modulus == remainder]
        part = readings.filter(pl.col("series").is_in(mine))
        if not part.height:
            continue
        old = [p for p in there if p.remainder == remainder and p.keep_days == days]
        before = await asyncio.to_thread(desk.read, old)
        found += conflicts(before, part).height if before.height else 0
        whole = await asyncio.to_thread(merge, before, part)
        where = {"period": day, "keep_days": days, "modulus": modulus, "remainder": remainder}
        change.swap(old, [await asyncio.to_thread(lambda w=whole, at=where: desk.lake.write("raw", w, **at))])  # type: ignore[misc]
    return found


async def keep_days(tx: Tx, series: Sequence[int]) -> dict[int, int]:
    """For how many days the raw readings of each series are kept: the household's choice, or the platform's time."""
    rows = await tx.session.execute(
        text(
            "SELECT n.series_id, least(k.raw_days, :most) FROM tenures n LEFT JOIN keeping k USING (household_id)"
            " WHERE n.series_id = ANY(:s)"
        ),
        {"s": list(series), "most": RAW_DAYS},
    )
    chosen: dict[int, int] = dict(rows.all())
    return {s: chosen.get(s) or RAW_DAYS for s in series}


async def merge_late(desk: Desk) -> tuple[int, int]:
    """Merge late frames into their days; how many rows, and in how many values they differed from what was there (which stays)."""
    async with desk.door.open(HISTORY) as tx:
        rows = await tx.session.execute(
            text(
                "SELECT (t AT TIME ZONE 'UTC')::date AS day, array_agg(DISTINCT series_id) FROM late_frames"
                " WHERE t < access.closed_until() GROUP BY 1 ORDER BY 1"
            )
        )
        waiting = [(day, list(series)) for day, series in rows]
    merged = fights = 0
    for day, series in waiting:
        async with desk.door.open(HISTORY) as tx:
            there = await _raw_of(tx, day)
        modulus = modulus_for(there, len(series))
        for remainder in sorted({s % modulus for s in series}):
            for _ in range(_CHANGED_TRIES):
                done = await _merge_bucket(desk, day, modulus, remainder)
                if done is not None:
                    merged, fights = merged + done[0], fights + done[1]
                    break
    return merged, fights


async def _merge_bucket(desk: Desk, day: date, modulus: int, remainder: int) -> tuple[int, int] | None:
    """Merge one bucket's late rows; None, with nothing changed, where new ones came meanwhile."""
    bucket = {"since": midnight(day), "until": midnight(day) + DAY, "m": modulus, "r": remainder}
    where = "t >= :since AND t < :until AND series_id % :m = :r"
    mark = "count(*), coalesce(bit_xor(hashtextextended(series_id || '|' || t || '|' || reals::text || coalesce(totals::text, ''), 0)), 0)"
    async with desk.door.open(HISTORY) as tx:
        # The mark first, then the rows: what comes in between makes the mark differ at the end, and nothing is taken.
        before = (await tx.session.execute(text(f"SELECT {mark} FROM late_frames WHERE {where}"), bucket)).one()  # noqa: S608
        readings = await read_hot(tx, "late_frames", bucket["since"], bucket["until"], modulus, remainder)  # type: ignore[arg-type]
        members = readings["series"].unique().to_list()
        keep = await keep_days(tx, members)
        there = await _raw_of(tx, day)
    change = Change(desk.door)
    fights = await _join(desk, change, there, readings, day, modulus, remainder, keep)
    if members:
        await sum_up(desk, change, members, day, day, modulus)
    try:
        async with desk.door.open(HISTORY) as tx:
            taken = await tx.session.execute(
                text(f"WITH gone AS (DELETE FROM late_frames WHERE {where} RETURNING *) SELECT {mark} FROM gone"),  # noqa: S608
                bucket,
            )
            _same(before, taken.one())
            await change.commit(tx, desk.holder)
    except _Changed:
        return None
    return readings.height, fights


class _Changed(Exception):
    """Late rows came while they were being merged."""


def _same(before: object, after: object) -> None:
    if before != after:
        raise _Changed


async def _raw_of(tx: Tx, day: date) -> list[Part]:
    return await parts(tx, "raw", day, day)


async def _move_boundary(desk: Desk, until: datetime) -> None:
    """From here on, what is older than `until` is late. Waits for the writers that began before."""
    async with desk.door.open(HISTORY) as tx:
        await tx.session.execute(text("SELECT pg_advisory_xact_lock(hashtext('lineset.closing'))"))
        await tx.session.execute(
            text("INSERT INTO closings (id, closed_before, closed_at) SELECT :id, :until, :now WHERE access.closed_until() < :until"),
            {"id": new_id(), "until": until, "now": now()},
        )


async def _drop(desk: Desk, day: date) -> None:
    """Remove the day's partition; readers that hold it are waited for in short turns, so that nobody queues behind."""
    for attempt in range(_DROP_TRIES):
        try:
            async with desk.door.open(HISTORY) as tx:
                await tx.session.execute(text("SELECT access.drop_day(:day)"), {"day": day})
        except DBAPIError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable) or attempt == _DROP_TRIES - 1:
                raise
            await asyncio.sleep(0.2)
        else:
            return
