"""What every change of history works with, and the steps that all of them share."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl
from sqlalchemy import text

from lineset.privacy import Door
from lineset.telemetry.history import delta
from lineset.telemetry.history.columns import KEYS, MORE
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import HISTORY, TIERS, Change, Holder, Part, Tier, all_parts

SERIES_A_FILE = 16
"""How many series share one file of a day: few enough that erasing one rewrites little, enough that a year has few files."""
MOST_FILES = 4096


@dataclass(frozen=True, slots=True)
class Desk:
    """Who changes history holds its lock (`holder`), reads and writes rows through the door, and files in the lake."""

    door: Door
    lake: Lake
    holder: Holder

    async def commit(self, change: Change) -> None:
        """Make a change count that touches nothing but files."""
        async with self.door.open(HISTORY) as tx:
            await change.commit(tx, self.holder)

    async def publish(self, *tiers: Tier) -> None:
        """Bring the Delta log of these tiers (none named: of all) to what the manifest says."""
        for tier in tiers or TIERS:
            async with self.door.open(HISTORY) as tx:
                named = await all_parts(tx, tier)
            await asyncio.to_thread(delta.publish, self.lake.storage, tier, named)

    async def tidy(self, *tiers: Tier) -> None:
        """Publish, then delete the files that nobody names any more, and the log's past."""
        await self.publish(*tiers)
        for tier in tiers or TIERS:
            await asyncio.to_thread(delta.vacuum, self.lake.storage, tier)

    async def zones(self, series: Collection[int]) -> dict[int, str]:
        """The time zone of each series' site."""
        async with self.door.open(HISTORY) as tx:
            rows = await tx.session.execute(
                text(
                    "SELECT n.series_id, s.time_zone FROM tenures n JOIN equipment e ON e.id = n.equipment_id"
                    " JOIN sites s ON s.id = e.site_id WHERE n.series_id = ANY(:series)"
                ),
                {"series": list(series)},
            )
            return dict(rows.all())

    def read(self, parts: Collection[Part], only: pl.Expr | None = None) -> pl.DataFrame:
        """Rows of these files with all the columns that they have. Blocks."""
        frames = []
        for part in parts:
            lazy = self.lake.scan([part.path])
            frames.append(self.lake.collect(lazy if only is None else lazy.filter(only)))
        return pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema=KEYS)


def modulus_for(parts: Collection[Part], series: int) -> int:
    """Into how many files the series of one period are dealt: as the period has it already, or a power of two by their number."""
    if parts:
        return next(iter(parts)).modulus
    wanted = 1
    while wanted * SERIES_A_FILE < series and wanted < MOST_FILES:
        wanted *= 2
    return wanted


def merge(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Raw readings of both, one row a series and time; where both have a value of a point, the first one stays.

    Sorted by series and time.
    """
    if not first.height or not second.height:
        return (first if first.height else second).sort("series", "t")
    both = pl.concat([first, second], how="diagonal")
    values = [name for name in both.columns if name not in KEYS and name != MORE]
    picked = [pl.col(name).drop_nulls().first() for name in values]
    if MORE in both.columns:
        picked.append(pl.col(MORE).drop_nulls().explode(empty_as_null=False))
    merged = both.group_by("series", "t", maintain_order=True).agg(picked)
    if MORE in both.columns:
        merged = merged.with_columns(_first_of_each(merged[MORE]))
    return merged.sort("series", "t")


def _first_of_each(more: pl.Series) -> pl.Series:
    """Of lists of (point, value), the first value of each point; null where there is none."""
    rows = [None if not pairs else list({p["point"]: p for p in reversed(pairs)}.values()) for pairs in more.to_list()]
    return pl.Series(MORE, rows, more.dtype)


def conflicts(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Where both have a different value of the same point at the same time: series, t, point."""
    shared = [name for name in second.columns if name in first.columns and name not in KEYS and name != MORE]
    joined = second.join(first.select("series", "t", *shared), on=["series", "t"], suffix="_first")
    found = [
        joined.filter((pl.col(name) != pl.col(f"{name}_first")).fill_null(value=False)).select("series", "t", pl.lit(name).alias("point"))
        for name in shared
    ]
    return pl.concat(found) if found else pl.DataFrame(schema={**KEYS, "point": pl.String})
