"""Hourly and daily sums are what a plain reckoning says: by local hours and days, over clock changes, resets and silences."""

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.telemetry.history import sums
from lineset.telemetry.history.columns import raw_schema

ZONES = ("UTC", "America/New_York", "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia")
STARTS = (
    datetime(2026, 3, 8, 3, tzinfo=UTC),  # clocks go forward in New York and Havana
    datetime(2026, 11, 1, 2, tzinfo=UTC),  # back in New York; in Havana at midnight
    datetime(2026, 10, 3, 12, tzinfo=UTC),  # by half an hour on Lord Howe
    datetime(2026, 6, 15, tzinfo=UTC),
)
POINTS = ("electric_power", "operating_mode", "electric_energy", "room_temperature", "mystery")
Rows = list[tuple[float, float | None, int | None, float | None]]

steps = st.lists(
    st.tuples(st.sampled_from([10, 60, 300, 1500, 4000, 9000]), st.floats(0, 5000), st.integers(0, 3), st.floats(0, 30)),
    min_size=1,
    max_size=60,
)


def rows_of(start: datetime, made: list[tuple[int, float, int, float]]) -> list[tuple[datetime, float, int, float]]:
    """Times, power, mode and a counter that now and then begins again."""
    t, counter, rows = start, 0.0, []
    for step, power, mode, rise in made:
        t += timedelta(seconds=step)
        counter = rise if rise > 29 else counter + rise
        rows.append((t, power, mode, counter))
    return rows


def frame_of(rows: list[tuple[datetime, float, int, float]]) -> pl.DataFrame:
    data = {
        "series": [1] * len(rows),
        "t": [r[0] for r in rows],
        "electric_power": [r[1] for r in rows],
        "operating_mode": [r[2] for r in rows],
        "electric_energy": [r[3] for r in rows],
    }
    return pl.DataFrame(data, schema=raw_schema(["electric_power", "operating_mode", "electric_energy"]))


def local_hour(t: datetime, zone: str) -> datetime:
    offset = t.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    local = t.replace(tzinfo=None) + offset
    return (local.replace(minute=0, second=0, microsecond=0) - offset).replace(tzinfo=UTC)


def hold_limit(rows: list[tuple[datetime, float, int, float]]) -> float:
    gaps = sorted((b[0] - a[0]).total_seconds() for a, b in pairwise(rows))
    if not gaps:
        return 0.0
    middle = len(gaps) // 2
    median = gaps[middle] if len(gaps) % 2 else (gaps[middle - 1] + gaps[middle]) / 2
    return min(max(3 * median, 900.0), 3600.0)


def reckon(rows: list[tuple[datetime, float, int, float]], zone: str) -> dict[str, dict[Any, float]]:
    """The same by a loop over readings and pieces of time."""
    limit = hold_limit(rows)
    found: dict[str, dict[Any, float]] = {name: defaultdict(float) for name in ("seconds", "energy", "rise", "count", "mode")}
    for n, (t, power, mode, counter) in enumerate(rows):
        bin_ = local_hour(t, zone)
        found["count"][bin_] += 1
        if n:
            before = rows[n - 1][3]
            found["rise"][bin_] += counter - before if counter >= before else counter
        end = rows[n + 1][0] if n + 1 < len(rows) else t
        if (end - t).total_seconds() > limit:
            continue
        at = t
        while at < end:
            until = min(end, bin_ + timedelta(hours=1))
            length = (until - at).total_seconds()
            found["seconds"][bin_] += length
            found["energy"][bin_] += power * length
            found["mode"][bin_, mode] += length
            at, bin_ = until, bin_ + timedelta(hours=1)
    return found


def near(a: dict[Any, float], b: dict[Any, float]) -> None:
    keys = {k for k, v in a.items() if v} | {k for k, v in b.items() if v}
    for key in keys:
        assert math.isclose(a.get(key, 0.0), b.get(key, 0.0), rel_tol=1e-4, abs_tol=1e-2), (key, a.get(key), b.get(key))


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(STARTS), steps, st.sampled_from(ZONES))
def test_TEL_05_hourly_sums_are_what_a_plain_reckoning_says(start: datetime, made: list[tuple[int, float, int, float]], zone: str) -> None:
    rows = rows_of(start, made)
    hourly = sums.hours(frame_of(rows), {1: zone})
    plain = reckon(rows, zone)

    def column(point: str, name: str) -> dict[Any, float]:
        mine = hourly.filter(pl.col("point") == point, pl.col("code").is_null())
        return {t: v or 0.0 for t, v in mine.select("t", name).rows()}

    near(column("electric_power", "seconds"), plain["seconds"])
    near(column("electric_power", "total"), plain["energy"])
    near(column("electric_energy", "total"), plain["rise"])
    near({t: float(v) for t, v in column("electric_power", "count").items()}, plain["count"])
    modes = hourly.filter(pl.col("point") == "operating_mode").select("t", "code", "seconds")
    near({(t, code): s for t, code, s in modes.rows()}, plain["mode"])
    power = hourly.filter(pl.col("point") == "electric_power", pl.col("count") > 0)
    assert power["low"].min() == min(pl.Series([r[1] for r in rows], dtype=pl.Float32))
    assert power["high"].max() == max(pl.Series([r[1] for r in rows], dtype=pl.Float32))


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(STARTS), steps, st.sampled_from(ZONES))
def test_TEL_05_days_follow_the_calendar_of_the_site_and_lose_nothing(
    start: datetime, made: list[tuple[int, float, int, float]], zone: str
) -> None:
    hourly = sums.hours(frame_of(rows_of(start, made)), {1: zone})
    daily = sums.days(hourly, {1: zone})
    for t in daily["t"].unique():
        local = t.astimezone(ZoneInfo(zone))
        first, after = sums.local_day(t, zone)
        assert t == first
        assert (after - first) in [timedelta(hours=h) for h in (23, 23.5, 24, 24.5, 25)]
        assert local.date() != (t - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date()
    for name in ("count", "seconds", "total", "starts"):
        whole, parts = hourly[name].sum() or 0, daily[name].sum() or 0
        assert math.isclose(float(whole), float(parts), rel_tol=1e-4, abs_tol=1e-2)
    assert daily["high"].max() == hourly["high"].max()


def test_TEL_05_a_day_of_the_clock_change_has_23_or_25_hours() -> None:
    zone = "America/New_York"
    for day, hours in ((datetime(2026, 3, 8, 12, tzinfo=UTC), 23), (datetime(2026, 11, 1, 12, tzinfo=UTC), 25)):
        first, after = sums.local_day(day, zone)
        every = [first + timedelta(minutes=m) for m in range(int((after - first).total_seconds() // 60) + 60)]
        rows = [(t, 1000.0, 1, float(n)) for n, t in enumerate(every)]
        daily = sums.days(sums.hours(frame_of(rows), {1: zone}), {1: zone})
        power = daily.filter(pl.col("point") == "electric_power", pl.col("t") == first)
        assert power["seconds"].to_list() == [hours * 3600.0]
        assert power["total"].to_list() == [hours * 3_600_000.0]  # 1 kW for that many hours, in J
