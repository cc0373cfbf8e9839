"""Savings: the weather response is found again, the interval holds the truth as often as it says, and doubt is told as doubt."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.diagnostics import changepoint, savings
from lineset.diagnostics.samples import Floats


def weather(days: int, *, middle: float = 11.0, seed: int = 0, start: int = 0) -> Floats:
    """Daily means of a temperate place: the season, and fronts that last some days."""
    random = np.random.default_rng(seed)
    fronts = np.zeros(days)
    for day in range(1, days):
        fronts[day] = 0.7 * fronts[day - 1] + random.normal(0.0, 2.2)
    return middle - 12.0 * np.cos((np.arange(days) + start) / 365.0 * 2 * math.pi) + fronts


def used(outdoor: Floats, kwh: tuple[float, float, float, float, float]) -> Floats:
    base, heating, below, cooling, above = kwh
    return base + heating * np.maximum(below - outdoor, 0.0) + cooling * np.maximum(outdoor - above, 0.0)


@settings(max_examples=12, deadline=None)
@given(
    base=st.floats(1.0, 15.0),
    heating=st.floats(0.5, 4.0),
    below=st.floats(9.0, 14.0),
    cooling=st.floats(0.5, 4.0),
    apart=st.floats(2.0, 4.0),
)
def test_a_response_without_noise_is_found_again(base: float, heating: float, below: float, cooling: float, apart: float) -> None:
    outdoor = weather(365)
    energy = used(outdoor, (base, heating, below, cooling, below + apart))
    found = changepoint.fit(outdoor, energy)
    assert found.kind == "5P"
    assert np.abs(found.predict(outdoor) - energy).max() < 0.03 * energy.mean()
    assert found.heating_below == pytest.approx(below, abs=0.5)
    assert found.cooling_above == pytest.approx(below + apart, abs=0.5)
    assert found.heating == pytest.approx(heating, rel=0.08)
    assert found.cooling == pytest.approx(cooling, rel=0.08)


@pytest.mark.parametrize(
    ("kind", "kwh"),
    [("3PH", (5.0, 2.0, 15.0, 0.0, 40.0)), ("3PC", (5.0, 0.0, -40.0, 3.0, 19.0)), ("mean", (8.0, 0.0, 0.0, 0.0, 40.0))],
)
def test_the_simplest_sufficient_kind_is_chosen(kind: str, kwh: tuple[float, float, float, float, float]) -> None:
    outdoor = weather(365, seed=3)
    noisy = used(outdoor, kwh) + np.random.default_rng(4).normal(0.0, 0.8, 365)
    assert changepoint.fit(outdoor, noisy).kind == kind


@settings(max_examples=8, deadline=None)
@given(scale=st.floats(0.1, 50.0), shift=st.floats(-8.0, 8.0))
def test_units_and_origin_of_the_data_do_not_change_what_is_found(scale: float, shift: float) -> None:
    outdoor = weather(200, seed=5)
    energy = used(outdoor, (6.0, 1.5, 14.0, 0.0, 40.0)) + np.random.default_rng(6).normal(0.0, 1.0, 200)
    one, other = changepoint.fit(outdoor, energy), changepoint.fit(outdoor + shift, energy * scale)
    assert other.kind == one.kind
    assert other.cv == pytest.approx(one.cv, rel=1e-3)
    assert other.heating == pytest.approx(one.heating * scale, rel=0.02)


def test_REP_01_uncertainty_is_that_of_guideline_14_worked_by_hand() -> None:
    """A year of daily baseline at CV 20 %, lag-1 autocorrelation 0.5, reported over 91 days; t from the table (1.6577 at 118 df).

    n' = 365 x 0.5 / 1.5 = 121.67; M = 3: a M^2 + b M + c = -0.00216 + 0.10605 + 1.00286 = 1.10675; sqrt(3 x (1 + 2 / 121.67) / 91.2).
    """
    model = changepoint.Response("3PH", 5.0, 1.0, 15.0, 0.0, math.nan, 2.0, 0.20, 0.9, 0.5, 365)
    by_hand = 1.6577 * 1.10675 * 0.20 * math.sqrt(3.0 * (1.0 + 2.0 / 121.6667) / 91.2)
    assert savings.uncertainty(model, 91) == pytest.approx(by_hand, rel=3e-3)
    assert by_hand == pytest.approx(0.0671, abs=2e-4)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held, truth = 0, 0.15
    for seed in range(60):
        random = np.random.default_rng(seed)
        before, after = weather(365, seed=seed), weather(120, seed=seed + 1000)
        kwh = (6.0, 1.6, 15.0, 0.9, 21.0)
        found = savings.savings(
            before, used(before, kwh) + random.normal(0.0, 3.0, 365), after, used(after, kwh) * (1 - truth) + random.normal(0.0, 3.0, 120)
        )
        assert found.certain
        held += abs(found.saved - truth * used(after, kwh).sum()) <= found.doubt
    assert 0.78 <= held / 60 <= 0.99


def test_nothing_saved_is_rarely_called_a_saving() -> None:
    called = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        before, after = weather(365, seed=seed), weather(60, seed=seed + 500)
        kwh = (6.0, 1.6, 15.0, 0.0, 40.0)
        found = savings.savings(
            before, used(before, kwh) + random.normal(0.0, 4.0, 365), after, used(after, kwh) + random.normal(0.0, 4.0, 60)
        )
        called += found.certain
        assert found.certain or found.why == "too_uncertain"
    assert called / 40 < 0.2


def test_one_says_why_one_cannot_tell() -> None:
    year = weather(365)
    kwh = used(year, (5.0, 2.0, 15.0, 0.0, 40.0))
    summer = year > 18
    assert savings.savings(year[:20], kwh[:20], year[:60], kwh[:60]).why == "few_days"
    assert savings.savings(year[summer], kwh[summer], year[~summer], kwh[~summer]).why == "unlike_weather"
    chance = np.random.default_rng(1).lognormal(1.0, 1.2, 365)
    assert savings.savings(year, chance, year[:90], chance[:90]).why == "poor_fit"
    gone = np.where(np.arange(365) % 2, np.nan, kwh)
    assert savings.savings(year, gone, year[:60], kwh[:60] * 0.8).baseline_days == 183


def test_comparison_homes_take_away_what_happened_to_all() -> None:
    random = np.random.default_rng(9)
    others = random.normal(-0.10, 0.03, 40)  # all used 10 % less: a mild spring, or a price
    nothing = savings.beside(-0.11, others, 890.0)
    assert (nothing.certain, nothing.why) == (False, "too_uncertain")
    repaired = savings.beside(-0.30, others, 740.0)
    assert repaired.certain
    assert repaired.share == pytest.approx(1 - math.exp(-0.20), abs=0.02)
    assert savings.beside(-0.30, others[:10], 740.0).why == "few_homes"
    assert savings.beside(math.nan, others, 740.0).why == "few_days"


def test_matching_takes_the_homes_most_like_this_one() -> None:
    random = np.random.default_rng(2)
    like, unlike = random.normal([5.0, 2.0], 0.2, (20, 2)), random.normal([15.0, 6.0], 0.2, (40, 2))
    chosen = savings.matched(np.array([5.0, math.nan]), np.vstack([unlike, like]), 20)
    assert set(chosen.tolist()) == set(range(40, 60))
