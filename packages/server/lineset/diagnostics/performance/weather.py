"""Energy against the weather: what a degree-day costs, and what is used whatever the weather."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lineset.diagnostics.features.weather import COOLING_BASES_C, HEATING_BASES_C
from lineset.diagnostics.performance.table import BELOW_ZERO, NO_SPREAD, NOT_MEASURED, TOO_LITTLE, Column, Spans, column, reasons
from lineset.diagnostics.rows import Flags, Floats

DAY_S = 86_400.0
LEAST_DAYS = 10
COVERED_S = 0.8 * DAY_S
"""Days of which less is known (s) do not tell a day's energy."""
LEAST_SPREAD = 1.0
"""Standard deviation of the daily degree-days (K d) below which energy is not told apart from base load."""


def normalised(spans: Spans) -> Mapping[str, Column]:
    """`energy_per_hdd`, `energy_per_cdd` (kWh per K d), `base_load` (kWh a day); `degree_days_heating`, `degree_days_cooling` (K d, of 15
    and 22 degC).

    Ordinary least squares of daily energy (electricity and gas) on daily degree-days, with the base temperature of `HEATING_BASES_C` and
    `COOLING_BASES_C` that fits best: the variable-base degree-day method (Fels, PRISM, Energy and Buildings 9 (1986) 5; ASHRAE
    Fundamentals, chapter 19). Doubt: standard errors of the coefficients. Absent with fewer than `LEAST_DAYS` whole days, or in weather
    that hardly differed.
    """
    days = spans.days

    def daily(name: str) -> Floats:
        found = days.sums.get(name)
        return np.full(len(days.day), np.nan) if found is None else found

    electric, gas = daily("kwh.electric"), daily("kwh.gas")
    energy = np.where(np.isnan(electric) & np.isnan(gas), np.nan, np.nan_to_num(electric) + np.nan_to_num(gas))
    energy = np.where(np.nan_to_num(daily("s.covered")) >= COVERED_S, energy, np.nan)
    found: dict[str, Column] = {}
    best: _Fit | None = None
    heats = ~spans.family("air_conditioner", "chiller", "thermostat") & (np.nan_to_num(spans.sum("s.heating")) > 0.0)
    cools = spans.family("air_conditioner", "chiller", "heat_pump", "ventilation") & (np.nan_to_num(spans.sum("s.cooling")) > 0.0)
    for heating in HEATING_BASES_C:
        for cooling in COOLING_BASES_C:
            cold = np.where(heats[spans.row], daily(f"hdd.{heating}") / DAY_S, 0.0)
            warm = np.where(cools[spans.row], daily(f"cdd.{cooling}") / DAY_S, 0.0)
            best = _better(best, _fit(spans, energy, cold, warm))
    if best is None:
        return found
    measured = ~np.isnan(spans.sum("kwh.electric")) | ~np.isnan(spans.sum("kwh.gas"))
    blind = ~measured | np.isnan(spans.sum("outdoor.s"))
    uses = heats | cools
    for n, (name, unit, mine) in enumerate(
        (("base_load", "kWh/d", uses), ("energy_per_hdd", "kWh/K/d", heats), ("energy_per_cdd", "kWh/K/d", cools))
    ):
        flat = (best.spread[:, 0] < LEAST_SPREAD) & (best.spread[:, 1] < LEAST_SPREAD) if n == 0 else best.spread[:, n - 1] < LEAST_SPREAD
        below = best.factors[:, n] < -best.doubts[:, n]
        odd = reasons((blind, NOT_MEASURED), (best.count < LEAST_DAYS, TOO_LITTLE), (flat, NO_SPREAD), (below, BELOW_ZERO))
        found[name] = column(unit, best.factors[:, n], doubt=best.doubts[:, n], basis="regression", why=odd, applies=mine)
    for name, feature, mine in (("degree_days_heating", "hdd.15", heats), ("degree_days_cooling", "cdd.22", cools)):
        found[name] = column("K d", spans.sum(feature) / DAY_S, applies=mine)
    return found


class _Fit:
    """Least squares of every row at once: `factors` and `doubts` (rows, 3) of [1, heating, cooling], `rss` (rows,), `count` of days."""

    def __init__(self, factors: Floats, doubts: Floats, rss: Floats, count: Floats, spread: Floats) -> None:
        self.factors, self.doubts, self.rss, self.count, self.spread = factors, doubts, rss, count, spread


def _fit(spans: Spans, energy: Floats, cold: Floats, warm: Floats) -> _Fit:
    there = np.isfinite(energy) & np.isfinite(cold) & np.isfinite(warm)
    row, y = spans.row[there], energy[there]
    x = np.stack([np.ones(len(y)), cold[there], warm[there]], axis=1)
    rows = len(spans)

    def summed(values: Floats) -> Floats:
        return np.bincount(row, weights=values, minlength=rows).astype(np.float64)

    gram = np.stack([summed(x[:, i] * x[:, j]) for i in range(3) for j in range(3)], axis=1).reshape(rows, 3, 3)
    right = np.stack([summed(x[:, i] * y) for i in range(3)], axis=1)
    count = gram[:, 0, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = gram[:, 0, 1:] / count[:, None]
        spread = np.sqrt(np.maximum(np.stack([gram[:, i + 1, i + 1] / count - means[:, i] ** 2 for i in range(2)], axis=1), 0.0))
    spread = np.nan_to_num(spread)
    used = np.concatenate([np.ones((rows, 1), bool), spread > 1e-6], axis=1)
    factors, inverse = _solved(gram, right, used)
    rss = np.maximum(summed(y * y) - np.einsum("ri,ri->r", factors, right), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = rss / np.maximum(count - used.sum(axis=1), 1.0)
        doubts = np.sqrt(np.einsum("rii->ri", inverse) * variance[:, None])
    return _Fit(factors, doubts, rss, count, spread)


def _solved(gram: Floats, right: Floats, used: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Normal equations with the unused unknowns held at 0."""
    pairs: Flags = used[:, :, None] & used[:, None, :]
    held = np.where(pairs, gram, 0.0) + np.where(used, 0.0, 1.0)[:, :, None] * np.eye(3)
    held[:, 0, 0] = np.maximum(held[:, 0, 0], 1.0)
    inverse = np.linalg.pinv(held, hermitian=True)
    factors = np.einsum("rij,rj->ri", inverse, np.where(used, right, 0.0))
    return factors, np.where(pairs, inverse, 0.0)


def _better(one: _Fit | None, other: _Fit) -> _Fit:
    """The fit with the smaller residual, row by row."""
    if one is None:
        return other
    wins = other.rss < one.rss
    pick = wins[:, None]
    return _Fit(
        np.where(pick, other.factors, one.factors),
        np.where(pick, other.doubts, one.doubts),
        np.where(wins, other.rss, one.rss),
        np.where(wins, other.count, one.count),
        np.where(pick, other.spread, one.spread),
    )
