"""What a forecast knows of an hour, as columns of a regression."""

import numpy as np

from lineset.diagnostics.samples import Flags, Floats, Ints

HEATING_BASE, COOLING_BASE = 15.0, 19.0
"""Outdoor temperatures (degC) below and above which homes usually need heat and cold; the regression weighs them for each machine."""
FADING = 0.8
"""Weight of a workday against the next one, and of a weekend's day against the next one."""
SUCH_DAYS = 16

PRIOR = {"week": 0.65, "month": 0.2, "last": 0.15}
"""What is believed of an hour before its machine has said anything: mostly the mean of this hour over the last week."""
OUTDOOR_PRIOR = {"week": 0.4, "last": 0.6}

Columns = dict[str, Floats]
"""Columns of a regression by name, each (machines, days, 24): what is known at a day's end of each hour of a day to come."""


def load_columns(load: Floats, expected: Floats, outdoor: Floats, first: int, lead: int) -> Columns:
    """The columns for each hour `lead` days (1 or 2) after each day.

    `load` (machines, days, 24) without gaps, in units of its usual size; `outdoor` in degC without gaps and `expected`, the outdoor
    temperature expected of the hours to forecast, of the same shape; `first`: the local hour of the first, since 1970.
    """
    hour = np.arange(24)
    week = trailing(load, 7)
    alike = of_such_days(first, load, lead)
    tail = (load - week)[:, :, 20:].mean(axis=2, keepdims=True)
    # against the weather of the days that `alike` is the mean of
    warmer = (expected - of_such_days(first, outdoor, lead)).mean(axis=2, keepdims=True) / 10.0
    columns = {
        "one": np.ones(1),
        "week": week,
        "month": trailing(load, 28),
        "last": load,
        "alike": alike,
        "middle": middle_of_such_days(first, load, lead),
        "scaled_by_warmer": alike * warmer,
        "warmer": warmer,
        "tail": tail * np.exp(-hour / 6.0),
        "unusual": (expected - trailing(outdoor, 7)) / 10.0,
        "heating": np.maximum(HEATING_BASE - expected, 0.0) / 10.0,
        "cooling": np.maximum(expected - COOLING_BASE, 0.0) / 10.0,
    }
    return {name: np.broadcast_to(values, load.shape) for name, values in columns.items()}


def outdoor_columns(outdoor: Floats) -> Columns:
    """The columns from which the outdoor temperature of coming hours is told where no weather service tells it.

    `outdoor` (machines, days, 24) in degC without gaps. Yesterday and the last week persist; what this evening is
    unlike them fades over hours and over days."""
    hour = np.arange(24)
    week = trailing(outdoor, 7)
    odd = outdoor - week
    evening, now = odd[:, :, 18:].mean(axis=2, keepdims=True), odd[:, :, 22:].mean(axis=2, keepdims=True)
    day = odd.mean(axis=2, keepdims=True)
    before = np.concatenate([day[:, :1], day[:, :-1]], axis=1)
    columns = {
        "one": np.ones(1),
        "week": week / 10.0,
        "last": outdoor / 10.0,
        "day": day / 10.0,
        "before": before / 10.0,
        "evening": evening / 10.0,
        "evening_fading": evening * np.exp(-hour / 24.0) / 10.0,
        "now_fading": now * np.exp(-hour / 6.0) / 10.0,
        "drift": (week - trailing(outdoor, 28)).mean(axis=2, keepdims=True) / 10.0,
    } | _waves(hour, 2)
    return {name: np.broadcast_to(values, outdoor.shape) for name, values in columns.items()}


def _waves(hour: Ints, count: int) -> Columns:
    angle = {n: 2 * np.pi * n * hour / 24 for n in range(1, count + 1)}
    return {f"{name}{n}": wave(x) for n, x in angle.items() for name, wave in (("sin", np.sin), ("cos", np.cos))}


def _weekend(day: Ints) -> Flags:
    """Whether days (since 1970) are Saturdays or Sundays. Day 0 of 1970 was a Thursday, and Monday is weekday 0."""
    return (day + 3) % 7 >= 5


def of_such_days(first: int, values: Floats, lead: int) -> Floats:
    """At each day's end the mean of each hour over the days so far that were workdays, or weekends, as the hour `lead` days later is; the
    last of them counts most (`FADING`). (machines, days, 24), as `values`, whose first is the local hour `first` (since 1970)."""
    days = values.shape[1]
    ends = _weekend((first + np.arange(24 * (days + lead))) // 24).reshape(-1, 24)
    work, rest = (np.full((len(values), 24), np.nan) for _ in range(2))
    out = np.empty_like(values)
    for day in range(days):
        today = values[:, day]
        work = np.where(ends[day], work, np.where(np.isnan(work), today, FADING * work + (1.0 - FADING) * today))
        rest = np.where(ends[day], np.where(np.isnan(rest), today, FADING * rest + (1.0 - FADING) * today), rest)
        wanted, other = np.where(ends[day + lead], rest, work), np.where(ends[day + lead], work, rest)
        out[:, day] = np.where(np.isnan(wanted), other, wanted)
    return out


def middle_of_such_days(first: int, values: Floats, lead: int) -> Floats:
    """As `of_such_days`, the median of the last `SUCH_DAYS` of them: what is most often so, whatever a few days were."""
    days = values.shape[1]
    ends = _weekend((first + np.arange(24 * (days + lead))) // 24).reshape(-1, 24)
    out = np.empty_like(values)
    for hours in (slice(0, 24 - first % 24), slice(24 - first % 24, 24)):  # before midnight and after it
        if hours.start == 24:
            continue
        kind = ends[:, hours.start]
        for day in range(days):
            such = np.flatnonzero(kind[: day + 1] == kind[day + lead])[-SUCH_DAYS:]
            out[:, day, hours] = np.median(values[:, such, hours], axis=1) if len(such) else values[:, day, hours]
    return out


def trailing(values: Floats, days: int) -> Floats:
    """The mean of each hour over the last `days` days, fewer at the beginning: (machines, days, 24)."""
    total = np.cumsum(values, axis=1)
    earlier = np.concatenate([np.zeros_like(total[:, :days]), total[:, :-days]], axis=1)[:, : values.shape[1]]
    count = np.minimum(np.arange(1, values.shape[1] + 1), days)
    return np.asarray((total - earlier) / count[None, :, None])


def filled(values: Floats) -> Floats:
    """Gaps filled with the hour's mean over the days before, else the machine's mean, else 0: (machines, days, 24)."""
    known = ~np.isnan(values)
    total, count = np.cumsum(np.where(known, values, 0.0), axis=1), np.cumsum(known, axis=1)
    everything = np.where(known, values, 0.0).sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
    usual = np.where(count > 0, total / np.maximum(count, 1), everything[:, None, None])
    return np.where(known, values, usual)
