"""What comes due: trends that wild days can't bend, days until a limit that come true as often as they say, parts by use and age."""

from datetime import date
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.diagnostics.days import Days
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.drift import dues, trend, until
from lineset.diagnostics.samples import HOUR_S, Floats
from scipy.stats import theilslopes

TODAY = 20_500


def test_slopes_are_those_of_the_library() -> None:
    rng = np.random.default_rng(2)
    values = 0.05 * np.arange(60) + rng.normal(0, 0.5, (5, 60))
    values[rng.random(values.shape) < 0.2] = np.nan
    found = trend(values)
    for row, slope in zip(values, found.slope, strict=True):
        known = ~np.isnan(row)
        assert slope == pytest.approx(theilslopes(row[known], np.arange(60)[known])[0])


def test_DIA_06_a_fifth_of_wild_days_leaves_the_forecast_where_it_was() -> None:
    rng = np.random.default_rng(4)
    values = 10 + 0.1 * np.arange(60) + rng.normal(0, 0.2, (40, 60))
    wild = np.where(rng.random(values.shape) < 0.2, 100.0, values)
    sound, _ = until(trend(values), np.full(40, 20.0))
    bent, _ = until(trend(wild), np.full(40, 20.0))
    assert np.median(np.abs(bent - sound)) < 5
    assert np.median(sound) == pytest.approx(41, abs=2)


def test_DIA_06_four_in_five_limits_are_met_within_the_span_told() -> None:
    """With days that resemble their neighbours as real ones do."""
    rng = np.random.default_rng(7)
    noise = rng.normal(0, 1, (600, 60))
    for day in range(1, 60):
        noise[:, day] = 0.4 * noise[:, day - 1] + np.sqrt(1 - 0.16) * noise[:, day]
    slope = rng.uniform(0.05, 0.2, (600, 1))
    true_level = slope * 59
    days, doubt = until(trend(slope * np.arange(60) + 0.6 * noise), np.full(600, 15.0))
    truth = ((15.0 - true_level) / slope)[:, 0]
    told = ~np.isnan(days)
    assert told.mean() > 0.9
    within = np.abs(days - truth)[told] <= doubt[told]
    assert 0.70 < within.mean() < 0.93


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_nothing_is_foretold_of_noise_or_of_too_few_days(seed: int, gaps: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (20, 60))
    values[rng.random(values.shape) < gaps] = np.nan
    days, _ = until(trend(values), np.full(20, 50.0))
    assert (days[~np.isnan(days)] > 60).all()
    few = np.isfinite(values).sum(axis=1) < 14
    assert np.isnan(days[few]).all()


def history(sums: dict[str, Floats], **about: object) -> Days:
    """One machine's last days."""
    count = len(next(iter(sums.values())))
    machine = Machine(id=str(UUID(int=9)), type="heat_pump_air_air", **about)  # type: ignore[arg-type]
    return Days([machine], np.zeros(count, np.int64), TODAY - np.arange(count)[::-1], sums)


def test_DIA_06_a_filter_by_its_run_time_since_it_was_changed() -> None:
    used = np.arange(60) * 8.0 * HOUR_S
    used[30:] -= used[30]  # changed 29 days ago
    (due,) = dues(history({"wear.filter_s.max": used + np.random.default_rng(1).uniform(0, HOUR_S, 60)}), TODAY)
    assert due.part == "filter"
    assert due.reason == "filter_run_time"
    assert due.days == pytest.approx((500 - 29 * 8) / 8, abs=1.5)
    assert due.doubt_days < 4
    assert due.figures["limit"] == 500 * HOUR_S


def test_DIA_06_a_coil_by_its_approach_and_a_filter_that_is_past_its_limit() -> None:
    rng = np.random.default_rng(3)
    seconds = np.full(60, 3600.0)
    approach = ((0.04 * np.arange(60) + rng.normal(0, 0.15, 60)) * seconds).astype(np.float64)
    drop = ((60 + 1.5 * np.arange(60) + rng.normal(0, 2, 60)) * seconds).astype(np.float64)
    name = "residual.cooling.condensing_over_sink"
    found = dues(history({f"{name}.x": approach, f"{name}.s": seconds, "wear.filter_drop.x": drop, "wear.filter_drop.s": seconds}), TODAY)
    coil, filter_ = (next(due for due in found if due.part == part) for part in ("coil", "filter"))
    assert coil.days == pytest.approx((4.0 - 0.04 * 59) / 0.04, abs=8)
    assert filter_.days == 0.0 or filter_.days < 6


def test_DIA_06_service_by_run_hours_or_the_calendar() -> None:
    run = ((2400 * HOUR_S) + np.arange(60) * 10 * HOUR_S - 590 * HOUR_S).astype(np.float64)
    (by_hours,) = dues(history({"wear.run_s.max": run}, installed=date(2025, 12, 20)), TODAY)
    assert (by_hours.part, by_hours.reason) == ("service", "run_time")
    assert by_hours.days == pytest.approx(10, abs=1)
    still = history({"wear.run_s.max": np.zeros(60)}, installed=date(1970, 1, 1))
    (by_age,) = dues(still, 365 * 56 + 300)
    assert by_age.days == pytest.approx(65)
