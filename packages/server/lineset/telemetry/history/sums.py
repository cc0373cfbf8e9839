"""Hourly and daily sums of readings. Pure functions over frames, the same for closed days and for what is still hot.

A value holds from its reading until the next one of the same point, if that comes within `MAX_HOLD` (or three usual steps of that point,
up to an hour); before a longer silence it holds for no time, so that nothing is claimed of a gap. Hours and days begin by the clock of the
site: an hour of Adelaide begins at half past by UTC, and a local day has 23 or 25 hours when the clocks change.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from lineset_contract.points import POINTS

from lineset.telemetry.history.columns import INTEGRATED, KEYS, MORE, SUMS, TIME

MIN_HOLD = timedelta(minutes=15)
MAX_HOLD = timedelta(hours=1)
_HOUR_US = 3_600_000_000
_POINT = pl.Categorical()


def hours(readings: pl.DataFrame, zones: Mapping[int, str], before: pl.DataFrame | None = None) -> pl.DataFrame:
    """Hourly sums (columns `SUMS`, sorted by series, point and time) of raw readings by point (columns `series`, `t` and points).

    `zones`: the time zone of each series' site; UTC where none is given. `before`: readings that were summed up already and only say what
    the first ones follow; how long they hold is new.
    """
    long = _long(readings).with_columns(pl.lit(value=True).alias("new"))
    if before is not None and before.height and long.height:
        long = pl.concat([_long(before).with_columns(pl.lit(value=False).alias("new")), long]).sort("point", "series", "t")
    if not long.height:
        return pl.DataFrame(schema=SUMS)
    zone = pl.DataFrame({"series": list(zones), "zone": list(zones.values())}, schema={"series": pl.Int32, "zone": pl.String})
    held = _holding(long).join(zone, on="series", how="left").with_columns(pl.col("zone").fill_null("UTC"))
    placed = [_split(part) for part in held.partition_by("zone")]
    summed = _read(pl.concat([own for own, _ in placed]), pl.concat([over for _, over in placed]))
    counters = [name for name, point in POINTS.items() if point.kind == "counter"]
    integrated = [name for name, point in POINTS.items() if point.kind == "real" and point.unit in INTEGRATED]
    total = (
        pl.when(pl.col("point").is_in(counters)).then(pl.col("increase")).when(pl.col("point").is_in(integrated)).then(pl.col("integral"))
    )
    plain = pl.col("code").is_null()
    return (
        summed.with_columns(
            total.alias("total"),
            pl.when(plain).then(None).otherwise(pl.col("starts")).alias("starts"),
            *(pl.when(plain).then(pl.col(name)).alias(name) for name in ("low", "high", "mean", "last")),
        )
        .rename({"bin": "t"})
        .select(*(pl.col(name).cast(kind) for name, kind in SUMS.items()))
        .sort("series", "point", "t", "code")
    )


def days(hourly: pl.DataFrame, zones: Mapping[int, str]) -> pl.DataFrame:
    """Daily sums, by the local calendar of each series' site, of hourly ones."""
    if not hourly.height:
        return pl.DataFrame(schema=SUMS)
    zone = pl.DataFrame({"series": list(zones), "zone": list(zones.values())}, schema={"series": pl.Int32, "zone": pl.String})
    known = hourly.join(zone, on="series", how="left").with_columns(pl.col("zone").fill_null("UTC"))
    placed = pl.concat([_by_day(part) for part in known.partition_by("zone")])
    return joined(placed.drop("t").rename({"bin": "t"}))


def joined(rows: pl.DataFrame) -> pl.DataFrame:
    """Sums of one period made one: several rows of the same series, point, time and state, given in order of time, as one row."""
    count = pl.col("count")
    return (
        rows.group_by("series", "point", "t", "code", maintain_order=True)
        .agg(
            pl.col("low").min(),
            pl.col("high").max(),
            pl.when(pl.col("mean").count() > 0)
            .then((pl.col("mean").cast(pl.Float64) * count).sum() / count.filter(pl.col("mean").is_not_null()).sum())
            .alias("mean"),
            pl.col("last").drop_nulls().last(),
            pl.col("last_t").max(),
            count.sum(),
            pl.when(pl.col("starts").count() > 0).then(pl.col("starts").sum()).alias("starts"),
            pl.col("seconds").sum(),
            pl.when(pl.col("total").count() > 0).then(pl.col("total").sum()).alias("total"),
        )
        .select(*(pl.col(name).cast(kind) for name, kind in SUMS.items()))
        .sort("series", "point", "t", "code")
    )


def local_day(moment: datetime, zone: str) -> tuple[datetime, datetime]:
    """Start and end, in UTC, of the local calendar day in which a moment falls: 23, 24 or 25 hours apart."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _by_day(hourly: pl.DataFrame) -> pl.DataFrame:
    """With the start of the local calendar day of each hour as `bin`. By the calendar of Python, which knows which of two midnights is the
    first where clocks go back at midnight."""
    zone = hourly["zone"][0]
    dated = hourly.with_columns(pl.col("t").dt.convert_time_zone(zone).dt.date().alias("date"))
    dates = dated["date"].unique().to_list()
    starts = pl.DataFrame({"date": dates, "bin": [_midnight(day, zone) for day in dates]}, schema={"date": pl.Date, "bin": TIME})
    return dated.join(starts, on="date", how="left").drop("date")


def _long(readings: pl.DataFrame) -> pl.DataFrame:
    """One row a measured value: series, point, t, value; by point, series and time."""
    named = [name for name in readings.columns if name not in KEYS and name != MORE]
    parts = [
        readings.select("series", pl.lit(name, _POINT).alias("point"), "t", pl.col(name).cast(pl.Float64).alias("value")).drop_nulls(
            "value"
        )
        for name in named
    ]
    if MORE in readings.columns:
        more = readings.select("series", "t", pl.col(MORE)).explode(MORE, empty_as_null=True, keep_nulls=True).drop_nulls(MORE).unnest(MORE)
        if more.height:
            parts.append(
                more.select("series", pl.col("point").cast(_POINT), "t", pl.col("value").cast(pl.Float64)).sort("point", "series", "t")
            )
    if not parts:
        return pl.DataFrame(schema={"series": pl.Int32, "point": _POINT, "t": TIME, "value": pl.Float64})
    return pl.concat(parts)


def _holding(long: pl.DataFrame) -> pl.DataFrame:
    """With each value: for how long it holds (`hold`, microseconds), whether a state was entered, by how much a counter rose."""
    codes = [name for name, point in POINTS.items() if point.kind == "code"]
    same = (pl.col("series") == pl.col("series").shift(-1)) & (pl.col("point") == pl.col("point").shift(-1))
    after = (pl.col("series") == pl.col("series").shift(1)) & (pl.col("point") == pl.col("point").shift(1))
    step = (pl.col("t").shift(-1) - pl.col("t")).dt.total_microseconds()
    before = pl.col("value").shift(1)
    limit = (pl.col("step").median().over("series", "point") * 3).clip(
        MIN_HOLD // timedelta(microseconds=1), MAX_HOLD // timedelta(microseconds=1)
    )
    rise = pl.col("value") - before
    return (
        long.with_columns(
            pl.when(same).then(step).alias("step"),
            (after & (before != pl.col("value"))).fill_null(value=False).alias("entered"),
            # A counter that falls has begun again at 0, so that all it shows is new.
            pl.when(after).then(pl.when(rise >= 0).then(rise).otherwise(pl.col("value"))).otherwise(0.0).alias("rise"),
            pl.when(pl.col("point").is_in(codes)).then(pl.col("value").cast(pl.Int16)).alias("code"),
        )
        .with_columns(pl.when(pl.col("step") <= limit).then(pl.col("step")).otherwise(0).fill_null(0).alias("hold"))
        .drop("step")
    )


def _split(held: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each value's holding time shared out to the local hours that it touches: its own, and the next where it reaches over."""
    placed = held.with_columns(_local_hour(held["zone"][0]).alias("bin")).drop("zone")
    left = _HOUR_US - (pl.col("t") - pl.col("bin")).dt.total_microseconds()
    shared = placed.with_columns(pl.min_horizontal(pl.col("hold"), left).alias("share"))
    own, known = shared.filter("new"), shared.filter(~pl.col("new"), pl.col("share") > 0)
    over = placed.filter(pl.col("hold") > left).select(
        "series", "point", "code", "value", (pl.col("hold") - left).alias("share"), (pl.col("bin") + pl.duration(hours=1)).alias("bin")
    )
    return own, pl.concat([over, known.select(over.columns)])


def _read(own: pl.DataFrame, over: pl.DataFrame) -> pl.DataFrame:
    """The sums of each hour: of the readings in it (`own`), and of what reaches over into it (`over`)."""
    keys = ["series", "point", "bin", "code"]
    held = ((pl.col("share").sum() / 1e6).alias("seconds"), (pl.col("value") * pl.col("share") / 1e6).sum().alias("integral"))
    value = pl.col("value")
    readings = own.group_by(keys).agg(
        value.min().alias("low"),
        value.max().alias("high"),
        value.mean().alias("mean"),
        value.last().alias("last"),
        pl.col("t").last().alias("last_t"),
        pl.len().alias("count"),
        pl.col("entered").sum().alias("starts"),
        pl.col("rise").sum().alias("increase"),
        *held,
    )
    rest = over.group_by(keys).agg(*held)
    late = rest.join(readings, on=keys, how="anti", nulls_equal=True).with_columns(
        pl.lit(0, pl.UInt32).alias("count"), pl.lit(0, pl.UInt32).alias("starts"), pl.lit(0.0).alias("increase")
    )
    joined = readings.join(rest, on=keys, how="left", nulls_equal=True, suffix="_over").with_columns(
        *(pl.col(name) + pl.col(f"{name}_over").fill_null(0.0) for name in ("seconds", "integral"))
    )
    return pl.concat([joined.drop("seconds_over", "integral_over"), late], how="diagonal")


def _local_hour(zone: str) -> pl.Expr:
    """The start of the local hour of `t`, as an instant."""
    offset = _offset(zone)
    local = pl.col("t").cast(pl.Int64) + offset
    return (local - local % _HOUR_US - offset).cast(TIME)


def _offset(zone: str) -> pl.Expr:
    """Microseconds by which the clocks of the zone are ahead of UTC at `t`."""
    there = pl.col("t").dt.convert_time_zone(zone)
    return (there.dt.base_utc_offset() + there.dt.dst_offset()).dt.total_microseconds()
