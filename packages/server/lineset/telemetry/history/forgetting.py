"""Erasing single points: what told of people (occupancy, places) in homes that have switched that off, from every tier.

Readers do not show it from the moment of the no (`telemetry.telling`). The rows around it stay. What a hold keeps stays until it ends.
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

import polars as pl
import structlog
from lineset_contract.points import POINTS, consent_for
from sqlalchemy import text

from lineset.privacy import held_households
from lineset.telemetry.history.columns import KEYS, MORE
from lineset.telemetry.history.desk import Desk
from lineset.telemetry.history.erasing import rewrite_hot
from lineset.telemetry.history.manifest import HISTORY, Change, Part, Tier, parts

log = structlog.get_logger(__name__)
_TIERS: tuple[Tier, ...] = ("raw", "hour", "day")
_AT_ONCE = 64
_STORED = text(
    "SELECT n.household_id, n.series_id, s.point, s.kind = 'counter', s.slot, 'gateway:' || e.gateway_id"
    " FROM tenures n JOIN slots s USING (equipment_id) LEFT JOIN equipment e ON e.id = n.equipment_id AND e.household_id = n.household_id"
)
_AGREED = text("SELECT subject, detail FROM access.agreed(:purpose)")

Places = Mapping[tuple[bool, int], list[int]]
"""Series by where a point stands in their rows: in the counters or not, and the slot."""


async def forget(desk: Desk) -> dict[str, int]:
    """Erase every stored point that tells of what its home has not switched on; how many hot rows and files changed.

    A yes to older terms keeps what was stored on it. Does nothing, and rewrites nothing, where nothing is found.
    """
    unwanted, places = await _unwanted(desk)
    if not unwanted:
        return {}
    done = {"hot": await _from_hot(desk, places)}
    for tier in _TIERS:
        done[tier] = await _from_files(desk, tier, unwanted)
    if done["hot"]:
        await rewrite_hot(desk)
    if any(done[tier] for tier in _TIERS):
        await desk.tidy()
    if any(done.values()):
        log.info("points_forgotten", series=len(unwanted), **done)
    return done


async def _unwanted(desk: Desk) -> tuple[dict[int, set[str]], dict[tuple[bool, int], list[int]]]:
    """Points by series that are to go, and the same by place in the hot rows."""
    points: dict[int, set[str]] = {}
    places: dict[tuple[bool, int], list[int]] = {}
    async with desk.door.open(HISTORY) as tx:
        telling = [row for row in (await tx.session.execute(_STORED)).all() if consent_for(row[2])]
        if not telling:
            return points, places
        held = await held_households(tx)
        agreed: set[tuple[UUID, str, str]] = set()
        for purpose in ("presence", "location"):
            agreed |= {(subject, purpose, detail) for subject, detail in await tx.session.execute(_AGREED, {"purpose": purpose})}
    for household, series, point, counter, slot, gateway in telling:
        purpose = consent_for(point)
        if household in held or (household, purpose, gateway if purpose == "location" else "") in agreed:
            continue
        points.setdefault(series, set()).add(point)
        places.setdefault((counter, slot), []).append(series)
    return points, places


async def _from_hot(desk: Desk, places: Places) -> int:
    count = 0
    async with desk.door.open(HISTORY) as tx:
        for (counter, slot), series in places.items():
            column, at = ("totals" if counter else "reals"), slot + 1
            there = f"series_id = ANY(:series) AND {column}[{at}] <> 'NaN'"
            for table in ("frames", "late_frames"):
                gone = await tx.session.execute(
                    text(f"UPDATE {table} SET {column}[{at}] = 'NaN' WHERE {there}"),  # noqa: S608 - names and numbers of ours
                    {"series": series},
                )
                count += gone.rowcount  # type: ignore[attr-defined]
            times = "total_times" if counter else "real_times"
            newest = text(f"UPDATE latest SET {column}[{at}] = 'NaN', {times}[{at}] = 0 WHERE {there}")  # noqa: S608 - as above
            count += (await tx.session.execute(newest, {"series": series})).rowcount  # type: ignore[attr-defined]
    return count


async def _from_files(desk: Desk, tier: Tier, unwanted: Mapping[int, Collection[str]]) -> int:
    async with desk.door.open(HISTORY) as tx:
        files = await parts(tx, tier, date.min, date.max, list(unwanted))
    changed = 0
    for start in range(0, len(files), _AT_ONCE):
        change = Change(desk.door)
        for part in files[start : start + _AT_ONCE]:
            changed += await _without(desk, change, part, unwanted)
        await desk.commit(change)
    return changed


async def _without(desk: Desk, change: Change, part: Part, unwanted: Mapping[int, Collection[str]]) -> int:
    def read() -> tuple[pl.DataFrame, pl.DataFrame]:
        rows = desk.lake.collect(desk.lake.scan([part.path]))
        return rows, cleaned(rows, unwanted)

    before, after = await asyncio.to_thread(read)
    if after.equals(before):
        return 0
    where = {"period": part.period, "keep_days": part.keep_days, "modulus": part.modulus, "remainder": part.remainder}
    new = [await asyncio.to_thread(lambda: desk.lake.write(part.tier, after, **where))] if after.height else []  # type: ignore[arg-type]
    change.swap([part], new)
    return 1


def cleaned(rows: pl.DataFrame, unwanted: Mapping[int, Collection[str]]) -> pl.DataFrame:
    """Raw readings or sums without these points of these series. Rows and columns of which nothing is left go."""
    mine = {name: [s for s, points in unwanted.items() if name in points] for name in {p for points in unwanted.values() for p in points}}
    if "point" in rows.columns:  # sums: one row a point
        gone = pl.any_horizontal(
            *((pl.col("point").cast(pl.String) == name) & pl.col("series").is_in(series) for name, series in mine.items())
        )
        return rows.filter(~gone)
    catalogued = [name for name in mine if name in rows.columns and name in POINTS]
    rows = rows.with_columns(pl.when(~pl.col("series").is_in(mine[name])).then(pl.col(name)).alias(name) for name in catalogued)
    if MORE in rows.columns and any(name not in POINTS for name in mine):
        made = [
            None if pairs is None else [p for p in pairs if series not in mine.get(p["point"], ())]
            for series, pairs in zip(rows["series"].to_list(), rows[MORE].to_list(), strict=True)
        ]
        rows = rows.with_columns(pl.Series(MORE, [pairs or None for pairs in made], rows[MORE].dtype))
    rows = rows.drop(name for name in catalogued if rows[name].null_count() == rows.height)
    values = [name for name in rows.columns if name not in KEYS]
    return rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in values)) if values else rows.clear()
