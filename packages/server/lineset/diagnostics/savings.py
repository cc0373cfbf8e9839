"""What a repair or a change saved: by a home's own response to the weather, and beside comparison homes; each with its uncertainty.

Whole-building regression is IPMVP's option C and ASHRAE Guideline 14-2014, section 4.3. Where the uncertainty is larger than what
Guideline 14 allows, the answer is "can't tell" with the reason, never a number alone.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lineset.diagnostics.changepoint import PARAMETERS, Response, fit
from lineset.diagnostics.samples import Floats, Ints

Why = Literal["few_days", "unlike_weather", "poor_fit", "too_uncertain", "few_homes", ""]
CONFIDENCE = 0.90
MOST_CV = 0.60
"""Beyond this scatter of single days about the baseline a daily model explains too little to stand for "what it would have been". Monthly
models of Guideline 14 (section 4.3.2.4) are held to 0.25 to 0.30; a day of one machine scatters about twice as much as its month."""
MOST_UNCERTAINTY = 1.0
"""The half-width of the interval over the saving: from here on the interval holds zero. Guideline 14 asks for 0.5 at 68 % confidence, which
is 0.82 at 90 %; both are told, and what lies between them is a saving, with its wide interval."""
FEWEST_BASELINE, FEWEST_REPORTED = 30, 14
MOST_BEYOND = 0.2
"""The share of reported days that may be colder or warmer than any day of the baseline, by more than `BEYOND_K`."""
BEYOND_K = 3.0
FEWEST_HOMES = 11
"""Comparison homes; the same floor as for every figure about a group."""


@dataclass(frozen=True, slots=True)
class Savings:
    """What was saved over the reported days. Energies in kWh; `expected` is what the baseline would have used in the same weather, `saved`
    that less `used` (below 0: used more), `doubt` the half-width of the interval that holds the truth with `CONFIDENCE`. `certain` is False
    where one can't tell, and `why` says why. `baseline` is the model of the days before, None without one."""

    expected: float
    used: float
    saved: float
    doubt: float
    certain: bool
    why: Why
    baseline_days: int
    reported_days: int
    baseline: Response | None = None

    @property
    def share(self) -> float:
        """Saved over expected; 0 where nothing was expected."""
        return self.saved / self.expected if self.expected > 0 else 0.0

    @property
    def share_doubt(self) -> float:
        """The half-width of the interval, over expected."""
        return self.doubt / self.expected if self.expected > 0 else 0.0


def savings(before_outdoor: Floats, before_kwh: Floats, after_outdoor: Floats, after_kwh: Floats) -> Savings:
    """Savings by the weather response of the days before. Daily mean outdoor temperature in degC and energy in kWh a day, in the order of
    time, each pair of equal length; days with NaN in either are left out."""
    t0, e0 = _known(before_outdoor, before_kwh)
    t1, e1 = _known(after_outdoor, after_kwh)
    used = float(e1.sum())
    if len(e0) < FEWEST_BASELINE or len(e1) < FEWEST_REPORTED:
        nan = float("nan")
        return Savings(nan, used, nan, nan, certain=False, why="few_days", baseline_days=len(e0), reported_days=len(e1))
    model = fit(t0, e0)
    expected = float(model.predict(t1).sum())
    saved = expected - used
    doubt = uncertainty(model, len(e1)) * expected
    beyond = float(np.mean((t1 < t0.min() - BEYOND_K) | (t1 > t0.max() + BEYOND_K)))
    why: Why = ""
    if beyond > MOST_BEYOND:
        why = "unlike_weather"
    elif model.cv > MOST_CV:
        why = "poor_fit"
    elif doubt > MOST_UNCERTAINTY * abs(saved):
        why = "too_uncertain"
    return Savings(expected, used, saved, doubt, not why, why, len(e0), len(e1), model)


def uncertainty(model: Response, reported: int, confidence: float = CONFIDENCE) -> float:
    """The half-width of the interval of the expected energy of `reported` days, over that energy (so that divided by the saved share it is
    Guideline 14's fractional savings uncertainty).

    ASHRAE Guideline 14-2014, equation 4-8 (Reddy and Claridge 2000), with the polynomial for daily data of Sun and Baltazar (2013) in the
    place of 1.26: t (aM^2 + bM + c) CV sqrt((n / n') (1 + 2 / n') / m), where n' = n (1 - rho) / (1 + rho) counts the independent days
    of the baseline, m the reported days and M their months.
    """
    independent = max(model.days * (1.0 - model.rho) / (1.0 + model.rho), PARAMETERS[model.kind] + 1.0)
    months = reported / 30.4
    factor = -0.00024 * months**2 + 0.03535 * months + 1.00286
    t = quantile(confidence, independent - PARAMETERS[model.kind])
    return t * factor * model.cv * float(np.sqrt(model.days / independent * (1.0 + 2.0 / independent) / reported))


def quantile(confidence: float, freedom: float) -> float:
    """Student's t between whose two values `confidence` (0 to 1) of the distribution lies."""
    from scipy.special import stdtrit  # noqa: PLC0415 - a web process that draws no report has no use for it

    return float(stdtrit(freedom, 0.5 + confidence / 2.0))


def _known(outdoor: Floats, kwh: Floats) -> tuple[Floats, Floats]:
    there = np.isfinite(outdoor) & np.isfinite(kwh)
    return outdoor[there], kwh[there]


def change(before_outdoor: Floats, before_kwh: Floats, after_outdoor: Floats, after_kwh: Floats) -> float:
    """By how much a home's energy changed at the same weather: ln(used / expected) over the days after; NaN where one can't say."""
    return change_of(savings(before_outdoor, before_kwh, after_outdoor, after_kwh))


def change_of(found: Savings) -> float:
    """By how much the energy changed at the same weather: ln(used / expected); NaN where one can't say."""
    if found.why in ("few_days", "unlike_weather", "poor_fit") or found.expected <= 0 or found.used <= 0:
        return float("nan")
    return float(np.log(found.used / found.expected))


def matched(mine: Floats, others: Floats, most: int = 50) -> Ints:
    """The indices of the homes most like this one before: the nearest by their responses, each column scaled by its spread.

    `mine` (features,), `others` (homes, features): base load, slopes, change points … of the baseline. A feature that this home lacks does
    not count; one that only the other lacks counts as a spread apart.
    """
    known = np.isfinite(mine)
    there = np.where(np.isfinite(others), others, np.nan)[:, known]
    spread = np.nanstd(there, axis=0)
    apart = np.nan_to_num((there - mine[known]) / np.where(spread > 0, spread, 1.0), nan=1.0)
    return np.argsort((apart**2).sum(axis=1), kind="stable")[:most].astype(np.int64)


def beside(own: float, others: Floats, used: float, days: tuple[int, int] = (0, 0)) -> Savings:
    """Savings as the difference of differences: the home's own change less that of comparison homes over the same days.

    `own` and `others` (homes,) are changes as `change` gives them, `used` in kWh, `days` of baseline and report. Whatever happened to all
    homes alike (a price, a holiday, a fault of the weather correction) cancels. The scatter of the others about their mean says how far a
    home changes for no reason, so the interval is that of one more home: t s sqrt(1 + 1/k) (two-sample difference in differences with one
    treated home; Conley and Taber 2011).
    """
    peers = others[np.isfinite(others)]
    nan = float("nan")
    if len(peers) < FEWEST_HOMES:
        return Savings(nan, used, nan, nan, certain=False, why="few_homes", baseline_days=days[0], reported_days=days[1])
    return beside_mean(own, float(peers.mean()), float(peers.std(ddof=1)), len(peers), used, days)


def beside_mean(own: float, mean: float, deviation: float, homes: int, used: float, days: tuple[int, int] = (0, 0)) -> Savings:
    """As `beside`, where of the other homes only the mean of their changes, its standard deviation and their number are known. A number
    that is rounded down widens the interval."""
    nan = float("nan")
    if not np.isfinite(own):
        return Savings(nan, used, nan, nan, certain=False, why="few_days", baseline_days=days[0], reported_days=days[1])
    effect = own - mean
    spread = deviation * float(np.sqrt(1.0 + 1.0 / homes))
    half = quantile(CONFIDENCE, homes - 1.0) * spread
    otherwise = used / float(np.exp(effect))  # what it would have used, had it changed as the others did
    low, high = (used / float(np.exp(effect + side)) for side in (half, -half))
    saved, doubt = otherwise - used, (high - low) / 2.0
    why: Why = "" if abs(effect) > half else "too_uncertain"
    return Savings(otherwise, used, saved, doubt, not why, why, *days)
