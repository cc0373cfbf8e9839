"""What a forecast knows of an hour, as columns of a regression."""

import numpy as np

from lineset.diagnostics.samples import Floats, Ints

HEATING_BASE, COOLING_BASE = 15.0, 19.0
"""Outdoor temperatures (degC) below and above which homes usually need heat and cold; the regression weighs them for each machine."""
HARMONICS = 3

PRIOR = {"week": 0.65, "month": 0.2, "last": 0.15}
"""What is believed of an hour before its machine has said anything: mostly the mean of this hour over the last week."""
OUTDOOR_PRIOR = {"week": 0.4, "last": 0.6}

Columns = dict[str, Floats]
"""Columns of a regression by name, each (machines, days, 24): what is known at a day's end of each hour of a day to come."""


def load_columns(load: Floats, expected: Floats, outdoor: Floats, first_day: int, lead: int) -> Columns:
    """The columns for each hour `lead` days (1 or 2) after each day.

    `load` (machines, days, 24) without gaps, in units of its usual size; `outdoor` in degC without gaps and `expected`, the outdoor
    temperature expected of the hours to forecast, of the same shape; `first_day`: the local day of the first, as days since 1970.
    """
    days, hour = load.shape[1], np.arange(24)
    week = trailing(load, 7)
    flat = load.reshape(len(load), -1)
    back = 7 - lead
    change = (load - week).mean(axis=2, keepdims=True)
    tail = (load - week)[:, :, 20:].mean(axis=2, keepdims=True)
    warmer = (expected.mean(axis=2, keepdims=True) - trailing(outdoor, 7).mean(axis=2, keepdims=True)) / 10.0
    columns = {
        "one": np.ones(1),
        "week": week,
        "month": trailing(load, 28),
        "last": load,
        "around": (0.25 * _shifted(flat, 1) + 0.5 * flat + 0.25 * _shifted(flat, -1)).reshape(load.shape),
        "same_weekday": np.concatenate([week[:, :back], load[:, : max(days - back, 0)]], axis=1)[:, :days],
        "change": change,
        "scaled": week * change,
        "tail": tail * np.exp(-hour / 6.0),
        "temperature": (expected - 15.0) / 10.0,
        "heating": np.maximum(HEATING_BASE - expected, 0.0) / 10.0,
        "cooling": np.maximum(expected - COOLING_BASE, 0.0) / 10.0,
        "warmer": warmer,
        "scaled_by_warmer": week * warmer,
        "unusual": (expected - trailing(outdoor, 7)) / 10.0,
        "heating_before": np.maximum(HEATING_BASE - outdoor, 0.0) / 10.0,
        "cooling_before": np.maximum(outdoor - COOLING_BASE, 0.0) / 10.0,
        "before": (outdoor - 15.0) / 10.0,
        "turning": (expected - outdoor).mean(axis=2, keepdims=True) / 10.0,
    } | _waves(hour, HARMONICS)
    weekend = _weekend(first_day + np.arange(days) + lead)
    columns |= {"weekend": weekend} | {f"weekend_{name}": weekend * wave for name, wave in _waves(hour, 1).items()}
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


def _weekend(day: Ints) -> Floats:
    """1 on Saturdays and Sundays: (1, days, 1). Day 0 of 1970 was a Thursday, and Monday is weekday 0."""
    return ((day + 3) % 7 >= 5).astype(float)[None, :, None]


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


def _shifted(values: Floats, by: int) -> Floats:
    moved = np.roll(values, by, axis=1)
    edge = 0 if by > 0 else -1
    moved[:, edge] = values[:, edge]
    return moved
