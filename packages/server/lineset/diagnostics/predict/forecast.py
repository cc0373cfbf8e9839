"""Run time and energy of the next two days, hour by hour, with the limits within which four in five outcomes lie.

Each machine has a model of its own: ridge regression of an hour's load on the same hour of its own past days, of workdays or of weekends as
it is, and on the outdoor temperature expected, which also moves the day as a whole; shrunk towards the mean of the last week (Hoerl and
Kennard, Technometrics 12(1), 1970; a Gaussian prior with another mean than zero). As contributions of days add up, every past day is
forecast by what was known before it at no cost but a solve: a rolling-origin back-test (Tashman, International Journal of Forecasting 16,
2000). Its pairs of forecast and outcome make the median and the limits: outcomes of the hours with the nearest forecasts, a split-conformal
estimate (Lei et al., JASA 113, 2018, section 2) in bins by forecast. So a load that is nothing most hours has a median of nothing, and no
form of distribution is assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import starmap
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from lineset.diagnostics.predict.design import OUTDOOR_PRIOR, PRIOR, Columns, filled, load_columns, outdoor_columns
from lineset.diagnostics.predict.loads import Loads
from lineset.diagnostics.samples import HOUR_S, Flags, Floats, Ints
from lineset.diagnostics.views import Forecast

HISTORY_DAYS = 56
"""How many days a model learns from; older ones tell of another season."""
HORIZON = 48
FORGETTING = 0.99
"""Weight of a day against the one after it: half after ten weeks."""
RIDGE = 4.0
"""Weight of the prior in hours of ordinary load."""
LEAST_DAYS = 7
JUDGED_DAYS = 14
LEARNING_DAYS = 3
PAIR_DAYS = 42
"""So many of the last days tell how far forecasts are off: earlier ones were made of little."""
BINS = (20, 8, 3)
"""Numbers of bins, for many, fewer and few pairs."""
PAIRS = 81
LIMITS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Forecasts as arrays: `run_s` and `energy_kwh` (machines, 48, 3) with the lower limit, median and upper limit, NaN where there is too
    little to tell. Of the back-test over the last two weeks: `error_kwh` and `naive_kwh` (machines,), mean absolute errors an hour of the
    forecast for the first day and of yesterday's load, and `covered` (machines,), the share of outcomes within the limits. They are of
    energy, or where none is known of run time in hours."""

    run_s: Floats
    energy_kwh: Floats
    error_kwh: Floats
    naive_kwh: Floats
    covered: Floats
    error_h: Floats
    naive_h: Floats

    @property
    def skill(self) -> Floats:
        """By how much the forecast's error is smaller than that of yesterday's load (machines,); NaN where that is unknown."""
        error, naive = np.where(np.isnan(self.error_kwh), (self.error_h, self.naive_h), (self.error_kwh, self.naive_kwh))
        return np.asarray(1.0 - np.divide(error, naive, out=np.full(len(error), np.nan), where=np.nan_to_num(naive) > 0))


def outlook(loads: Loads) -> Outlook:
    """Forecast all machines of these loads; some tens of milliseconds each. At least `LEAST_DAYS` days of hours are needed."""
    run, run_error, run_naive, run_covered = _target(loads, loads.run_s, HOUR_S)
    energy, error, naive, covered = _target(loads, loads.energy_kwh, np.inf)
    return Outlook(
        run,
        energy,
        error,
        naive,
        np.where(np.isnan(covered), run_covered, covered),
        run_error / HOUR_S,
        run_naive / HOUR_S,
    )


def forecast(loads: Loads) -> list[Forecast]:
    """Forecasts of machines whose ids are UUIDs; a machine that has too few days yet has none."""
    found = outlook(loads)
    origin = (loads.first + loads.run_s.shape[1]) * HOUR_S
    skill = found.skill
    result = []
    for n, machine in enumerate(loads.machines):
        run, energy = _rows(found.run_s[n]), _rows(found.energy_kwh[n])
        if run or energy:
            start = datetime.fromtimestamp(origin, UTC).replace(tzinfo=ZoneInfo(machine.time_zone)).astimezone(UTC)
            result.append(Forecast(UUID(machine.id), start, run, energy, _number(skill[n]), _number(found.error_kwh[n])))
    return result


def _rows(values: Floats) -> tuple[tuple[float, float, float], ...]:
    return () if np.isnan(values).any() else tuple(starmap(_as_told, values.tolist()))


def _as_told(low: float, median: float, high: float) -> tuple[float, float, float]:
    return round(median, 4), round(low, 4), round(high, 4)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _target(loads: Loads, values: Floats, most: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Forecasts of one quantity (machines, 48, 3) and, over the last days, its error, yesterday's error and the share within limits."""
    days = min(values.shape[1] // 24, HISTORY_DAYS)
    shape = (len(loads), days, 24)
    out = np.full((len(loads), HORIZON, 3), np.nan)
    error, naive, covered = (np.full(len(loads), np.nan) for _ in range(3))
    known = np.zeros(len(loads), bool) if days < LEAST_DAYS else (~np.isnan(values[:, -24 * days :])).sum(axis=1) >= 24 * LEAST_DAYS
    if not known.any():
        return out, error, naive, covered
    shape = (int(known.sum()), days, 24)
    truth = values[known, -24 * days :].reshape(shape)
    size = np.maximum(np.nanmean(np.abs(truth), axis=(1, 2)), 1e-9)[:, None, None]
    outdoor = filled(loads.outdoor[known, -24 * days :].reshape(shape))
    first = loads.first + values.shape[1] - 24 * days
    load = filled(truth) / size
    for lead in (1, 2):
        expected = _expected(loads, outdoor, known, lead)
        forecasts = _rolling(load_columns(load, expected, outdoor, first, lead), truth / size, lead, PRIOR)
        limits = _limits(forecasts[:, :-lead], truth[:, lead:] / size, forecasts[:, -1])
        out[known, 24 * (lead - 1) : 24 * lead] = np.clip(limits * size[..., None][:, 0], 0.0, most)
        if lead == 1:
            error[known], naive[known], covered[known] = _judged(forecasts, truth / size, size[:, 0, 0], most)
    return out, error, naive, covered


def _expected(loads: Loads, outdoor: Floats, known: Flags, lead: int) -> Floats:
    """The outdoor temperature (degC) expected at each day's end of the hours `lead` days later: (machines, days, 24).

    By the weather service where there is one: then what came of past days stands for what it had said of them.
    """
    own = _rolling(outdoor_columns(outdoor), outdoor / 10.0, lead, OUTDOOR_PRIOR) * 10.0
    own = np.where(np.isnan(own), outdoor, own)
    if loads.ahead is None:
        return own
    coming = loads.ahead[known].reshape(len(outdoor), 2, 24)
    whole = np.concatenate([outdoor, np.where(np.isnan(coming), own[:, -1:], coming)], axis=1)
    return whole[:, lead : outdoor.shape[1] + lead]


def _rolling(named: Columns, truth: Floats, lead: int, believed: Mapping[str, float]) -> Floats:
    """For each day the forecast of the day `lead` days later, by a model of what was known at its end: (machines, days, 24)."""
    columns = np.stack(list(named.values()), axis=3)
    prior = np.array([believed.get(name, 0.0) for name in named])
    machines, days, _, width = columns.shape
    missing = truth[:, lead:] - columns[:, :-lead] @ prior
    weight = ~np.isnan(missing)
    rows = columns[:, :-lead] * weight[..., None]
    squares = np.swapaxes(rows, 2, 3) @ rows
    products = (np.swapaxes(rows, 2, 3) @ np.nan_to_num(missing)[..., None])[..., 0]
    matrix = np.broadcast_to(RIDGE * np.eye(width), (machines, width, width)).copy()
    vector = np.zeros((machines, width))
    out = np.full((machines, days, 24), np.nan)
    for day in range(days):
        if day >= lead:
            matrix = FORGETTING * matrix + (1 - FORGETTING) * RIDGE * np.eye(width) + squares[:, day - lead]
            vector = FORGETTING * vector + products[:, day - lead]
        if day >= LEARNING_DAYS:
            found = np.linalg.solve(matrix, vector[..., None])[..., 0]
            out[:, day] = (columns[:, day] @ (prior + found)[..., None])[..., 0]
    return out


def _limits(past: Floats, outcome: Floats, forecasts: Floats) -> Floats:
    """Median and limits (machines, hours, 3) of what came of past forecasts (machines, days, 24) near each of these (machines, hours)."""
    x, y = (values[:, -PAIR_DAYS:].reshape(len(past), -1) for values in (past, outcome))
    x = np.where(np.isnan(x) | np.isnan(y), np.inf, x)
    order = np.argsort(x, axis=1)
    count = np.isfinite(x).sum(axis=1)
    result = np.full((*forecasts.shape, 3), np.nan)
    for bins, least in zip(BINS, (*(24 * bins for bins in BINS[1:]), 0), strict=True):
        mine = np.isnan(result[:, 0, 0]) & (count >= max(least, 1))
        if mine.any():
            result[mine] = _binned(x[mine], y[mine], order[mine], count[mine], forecasts[mine], bins)
    return result


def _binned(x: Floats, y: Floats, order: Ints, count: Ints, forecasts: Floats, bins: int) -> Floats:
    """As `_limits`, in so many bins, each as wide as two of their distances; of each the same number of pairs is looked at."""
    centre = np.linspace(1.0 / bins, 1.0 - 1.0 / bins, bins)
    share = centre[:, None] + (np.arange(PAIRS) + 0.5) / PAIRS * (2.0 / bins) - 1.0 / bins
    place = (share.ravel() * count[:, None]).astype(np.int64)
    taken = np.take_along_axis(order, place, axis=1)
    centres = np.take_along_axis(x, taken, axis=1).reshape(-1, bins, PAIRS).mean(axis=2)
    outcomes = np.sort(np.take_along_axis(y, taken, axis=1).reshape(-1, bins, PAIRS), axis=2)
    found = [outcomes[:, :, round(limit * (PAIRS - 1))] for limit in LIMITS]
    return np.stack([_between(centres, values, forecasts) for values in found], axis=2)


def _between(x: Floats, y: Floats, at: Floats) -> Floats:
    """Linear interpolation row by row: nodes `x`, `y` (machines, nodes), wanted `at` (machines, hours). Beyond the ends as the last slope
    of one to one says, so that an hour such as none before is still forecast higher or lower than those."""
    if x.shape[1] == 1:
        return np.asarray(y + at - x)
    upper = np.clip((x[:, None, :] < at[..., None]).sum(axis=2), 1, x.shape[1] - 1)
    x0, x1, y0, y1 = (np.take_along_axis(v, upper - step, axis=1) for v in (x, y) for step in (1, 0))
    inside = np.clip(at, x[:, :1], x[:, -1:])
    share = np.divide(inside - x0, x1 - x0, out=np.zeros_like(at), where=x1 > x0)
    return np.asarray(y0 + np.clip(share, 0.0, 1.0) * (y1 - y0) + at - inside)


def _judged(forecasts: Floats, truth: Floats, size: Floats, most: float) -> tuple[Floats, Floats, Floats]:
    """Mean absolute error an hour of each machine's forecasts for the next day, of yesterday's load on the same hours, and the share of
    outcomes within the limits, each (machines,); limits come from the days before each one alone."""
    days = truth.shape[1]
    errors, naive, within = [], [], []
    for day in range(max(LEARNING_DAYS + 4, days - 1 - JUDGED_DAYS), days - 1):
        limits = np.clip(_limits(forecasts[:, :day], truth[:, 1 : day + 1], forecasts[:, day]), 0.0, most / size[:, None, None])
        came, before = truth[:, day + 1], truth[:, day]
        both = np.isnan(came) | np.isnan(before)
        errors.append(np.where(both, np.nan, np.abs(limits[..., 1] - came)))
        naive.append(np.where(both, np.nan, np.abs(before - came)))
        within.append(np.where(np.isnan(came), np.nan, (came >= limits[..., 0] - 1e-9) & (came <= limits[..., 2] + 1e-9)))
    nothing = np.full((len(truth), 1), np.nan)
    return _mean([*errors, nothing]) * size, _mean([*naive, nothing]) * size, _mean([*within, nothing])


def _mean(parts: list[Floats]) -> Floats:
    every = np.concatenate(parts, axis=1)
    count = (~np.isnan(every)).sum(axis=1)
    return np.where(count > 0, np.nansum(every, axis=1) / np.maximum(count, 1), np.nan)
