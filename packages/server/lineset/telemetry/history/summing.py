"""Keeping the hourly and daily sums true to the raw readings that they were made of."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl
from lineset_contract.points import POINTS

from lineset.telemetry.history import sums
from lineset.telemetry.history.columns import KEYS, SUMS
from lineset.telemetry.history.desk import Desk, modulus_for
from lineset.telemetry.history.manifest import Change, Part, Tier
from lineset.telemetry.model import ROLLUP_DAYS

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_COUNTERS = [name for name, point in POINTS.items() if point.kind == "counter"]


def period_of(tier: Tier, day: date) -> date:
    """The first day of the period whose sums share a file: a month of hours, a year of days."""
    return day.replace(day=1) if tier == "hour" else day.replace(month=1, day=1)


async def sum_up(desk: Desk, change: Change, series: Collection[int], since: date, through: date, fleet: int) -> None:
    """Make the sums of these series anew for the days (UTC) from `since` through `through`, as part of the change.

    Also for the hour before, since a value read in it may hold over midnight. A counter's rise over a silence counts where it is read
    next, so the next hour that there is beyond those days is made anew as well. `fleet`: how many series there are in all.
    """
    zones = await desk.zones(series)
    first, last = midnight(since), midnight(through) + DAY
    later = await _next_hours(desk, change, series, last)
    await _sum_span(desk, change, set(series), zones, (first, last), fleet)
    for day in sorted({t.date() for t in later.values()}):
        members = {s for s, t in later.items() if t.date() == day}
        await _sum_span(desk, change, members, zones, (midnight(day), midnight(day) + DAY), fleet)


async def _sum_span(
    desk: Desk, change: Change, series: set[int], zones: Mapping[int, str], span: tuple[datetime, datetime], fleet: int
) -> None:
    opened, last = span[0] - HOUR, span[1]
    raw = await change.parts("raw", (opened - HOUR).date(), last.date(), series)
    carried = await _carried(desk, change, series, opened - HOUR)
    mine = pl.col("series").is_in(list(series))

    def by_hour() -> pl.DataFrame:
        readings = desk.read(raw, mine & pl.col("t").is_between(opened - HOUR, last + HOUR, closed="left"))
        known = pl.concat([carried, readings], how="diagonal").sort("series", "t")
        return sums.hours(known, zones).filter(pl.col("t").is_between(opened, last, closed="left"))

    await _put(desk, change, "hour", await asyncio.to_thread(by_hour), dict.fromkeys(series, opened), last, fleet)
    starts = {s: sums.local_day(opened, zones.get(s, "UTC"))[0] for s in series}
    since, until = min(starts.values()), last + DAY + HOUR
    parts = await change.parts("hour", period_of("hour", since.date()), until.date(), series)

    def by_day() -> pl.DataFrame:
        hourly = desk.read(parts, mine & pl.col("t").is_between(since, until, closed="left"))
        daily = sums.days(hourly.select(SUMS.keys()) if hourly.height else pl.DataFrame(schema=SUMS), zones)
        return daily.join(_frame(starts), on="series").filter(pl.col("t") >= pl.col("from"), pl.col("t") < last).drop("from")

    await _put(desk, change, "day", await asyncio.to_thread(by_day), starts, last, fleet)


async def _put(
    desk: Desk, change: Change, tier: Tier, made: pl.DataFrame, starts: Mapping[int, datetime], until: datetime, fleet: int
) -> None:
    """Put sums in the place of those of the same series, for each from its own start until before `until`."""
    first = period_of(tier, min(starts.values()).date())
    old = await change.parts(tier, first, until.date())
    periods = {p.period for p in old} | {period_of(tier, day) for day in made["t"].dt.date().unique()}
    for period in sorted(periods):
        there = [p for p in old if p.period == period]
        modulus = modulus_for(there, fleet)
        new = made.filter(pl.col("t").dt.date().map_elements(lambda d: period_of(tier, d), pl.Date) == period) if made.height else made
        for remainder in sorted({s % modulus for s in starts}):
            before = [p for p in there if p.remainder == remainder]
            share = new.filter(pl.col("series") % modulus == remainder)
            whole = await asyncio.to_thread(_beside, desk, before, share, starts, until)
            if whole.height:
                keep = {"period": period, "keep_days": ROLLUP_DAYS, "modulus": modulus, "remainder": remainder}
                change.swap(before, [await asyncio.to_thread(lambda w=whole, k=keep: desk.lake.write(tier, w, **k))])  # type: ignore[misc]
            else:
                change.swap(before, [])


def _beside(desk: Desk, before: list[Part], new: pl.DataFrame, starts: Mapping[int, datetime], until: datetime) -> pl.DataFrame:
    """The new sums beside what the file had of other series and times."""
    if not before:
        return new
    kept = desk.read(before).join(_frame(starts), on="series", how="left")
    stale = (pl.col("t") >= pl.col("from")) & (pl.col("t") < until)
    kept = kept.filter(~stale.fill_null(value=False)).select(SUMS.keys())
    return pl.concat([kept, new]).sort("series", "point", "t", "code")


def _frame(starts: Mapping[int, datetime]) -> pl.DataFrame:
    return pl.DataFrame({"series": list(starts), "from": list(starts.values())}, schema={"series": pl.Int32, "from": KEYS["t"]})


async def _carried(desk: Desk, change: Change, series: Collection[int], before: datetime) -> pl.DataFrame:
    """The last reading of each counter before a time, as raw readings: what the next one has risen from.

    Looked for in the hours of that month and the one before; a counter that was silent for longer begins anew.
    """
    month = period_of("hour", before.date())
    parts = await change.parts("hour", period_of("hour", month - DAY), month, series)
    mine = (
        pl.col("series").is_in(list(series)) & pl.col("point").is_in(_COUNTERS) & (pl.col("last_t") < before) & pl.col("last").is_not_null()
    )

    def work() -> pl.DataFrame:
        found = desk.read(parts, mine)
        if not found.height:
            return pl.DataFrame(schema=KEYS)
        last = found.sort("last_t").group_by("series", "point").last()
        return last.select("series", "point", pl.col("last_t").alias("t"), "last").pivot(
            on="point", index=["series", "t"], values="last", aggregate_function="first"
        )

    return await asyncio.to_thread(work)


async def _next_hours(desk: Desk, change: Change, series: Collection[int], after: datetime) -> dict[int, datetime]:
    """For each series that has counters, the first hour with sums from `after` on, within the next month; those without have no entry."""
    parts = await change.parts("hour", period_of("hour", after.date()), period_of("hour", (after + 31 * DAY).date()), series)
    mine = pl.col("series").is_in(list(series)) & pl.col("point").is_in(_COUNTERS) & (pl.col("t") >= after) & (pl.col("count") > 0)

    def work() -> dict[int, datetime]:
        found = desk.read(parts, mine)
        if not found.height:
            return {}
        first = found.group_by("series").agg(pl.col("t").min())
        return dict(zip(first["series"].to_list(), first["t"].to_list(), strict=True))

    return await asyncio.to_thread(work) if parts else {}


def midnight(day: date) -> datetime:
    """The start of a day of UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
