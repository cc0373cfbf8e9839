"""The thermal model: the exact step, homes found again from their own records, and fits that stay within what homes are."""

import numpy as np
import pytest
from lineset.diagnostics.predict.thermal import HIGH, LOW, USUAL, Records, clear_sky, fit, step_matrices
from lineset.diagnostics.samples import Floats

STEP = 1800.0
ZEROS = np.zeros(4)


def parameters(rie: float, rea: float, ci: float, ce: float) -> Floats:
    return np.concatenate([np.log([rie, rea, ci, ce, 4.0, 1.0]), [300.0], ZEROS])


def lived_in(days: int, seed: int = 1, rie: float = 1e-3, rea: float = 6e-3, ci: float = 8e6, ce: float = 6e7) -> Records:
    """A home with a night set-back and people who come and go, read with noise."""
    rng = np.random.default_rng(seed)
    hours: Floats = np.mod(np.arange(days * 48, dtype=np.float64) / 2, 24)
    outdoor = 3 + 4 * np.sin(2 * np.pi * (hours - 9) / 24) + np.repeat(rng.normal(0, 3, days), 48)
    first, second = step_matrices(parameters(rie, rea, ci, ce), STEP)
    state, room, heat = np.array([20.0, 16.0, 0.0]), [], []
    for hour, outside in zip(hours.tolist(), outdoor.tolist(), strict=True):
        wanted = 21 if 6 <= hour < 22 else 18
        heat.append(min(max((wanted - state[0]) * 3000 + 2500, 0), 9000))
        room.append(state[0])
        state = first @ state + second @ np.array([heat[-1] + 300 + rng.normal(0, 100), outside])
    return Records(STEP, np.array(room) + rng.normal(0, 0.1, len(room)), outdoor, np.array(heat), np.zeros(len(room)), hours)


def test_the_step_is_that_of_many_small_ones() -> None:
    one, driven = step_matrices(parameters(1e-3, 6e-3, 8e6, 6e7), STEP)
    small, little = step_matrices(parameters(1e-3, 6e-3, 8e6, 6e7), STEP / 60)
    state, inputs = np.array([21.0, 15.0, 100.0]), np.array([2000.0, -3.0])
    walked = state
    for _ in range(60):
        walked = small @ walked + little @ inputs
    assert one @ state + driven @ inputs == pytest.approx(walked)


def test_a_home_left_alone_ends_where_its_losses_meet_its_gains() -> None:
    first, second = step_matrices(parameters(1e-3, 6e-3, 8e6, 6e7), 86_400.0 * 365)
    assert (first @ np.array([20.0, 20.0, 0.0]) + second @ np.array([700.0, 5.0]))[0] == pytest.approx(5.0 + 700.0 * 7e-3)


def test_DIA_04_a_home_is_found_again_and_forecast_within_half_a_kelvin() -> None:
    found = fit(lived_in(14))
    assert found is not None
    assert found.error_k < 0.3
    assert found.loss_w_per_k == pytest.approx(1 / 7e-3, rel=0.08)
    assert found.time_constants_h[1] == pytest.approx(115, rel=0.25)
    assert (found.deviation[:2] < 0.5).all()


def test_records_that_tell_nothing_leave_the_home_within_bounds() -> None:
    """A room that never moves, without heat, and one that jumps wildly: unbounded fits run away on both."""
    rng = np.random.default_rng(8)
    count = 5 * 48
    hours: Floats = np.mod(np.arange(count, dtype=np.float64) / 2, 24)
    for room in (np.full(count, 20.0), rng.normal(20, 6, count)):
        found = fit(Records(STEP, room, np.full(count, 8.0), np.zeros(count), np.zeros(count), hours))
        assert found is not None
        assert (found.parameters[:6] >= LOW - 1e-9).all()
        assert (found.parameters[:6] <= HIGH + 1e-9).all()
        assert np.isfinite(found.deviation).all()
        assert abs(found.parameters[4] - USUAL[4]) < 0.1  # no sun was told, so the window stays what was believed


def test_gaps_are_borne_and_few_days_refused() -> None:
    records = lived_in(8, seed=5)
    room = np.where(np.random.default_rng(1).random(len(records.room)) < 0.3, np.nan, records.room)
    found = fit(Records(STEP, room, records.outdoor, records.heat, records.sun, records.hour))
    assert found is not None
    assert found.error_k < 0.5
    assert fit(lived_in(4)) is None


def test_the_clear_sky_at_noon_and_at_night() -> None:
    """Equinox at the equator: the sun stands in the zenith, 1098 exp(-0.057) W/m2 (Haurwitz)."""
    noon = 1_742_472_000.0  # 20 March 2025, 12:00 UTC
    assert clear_sky(np.array([noon, noon - 43_200.0]), 0.0, 0.0) == pytest.approx([1098 * np.exp(-0.057), 0.0], rel=0.01)
    assert clear_sky(np.array([noon]), 60.0, 0.0)[0] < 600
