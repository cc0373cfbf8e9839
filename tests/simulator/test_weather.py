"""Weather: the same at any time for the same seed, and like weather."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset_simulator import sun
from lineset_simulator.weather import CLIMATES, Weather

from .homes import PLACES, moment

DAY = 86400.0


def weather(climate: str, seed: int = 3) -> Weather:
    latitude, longitude, altitude, _ = PLACES[climate]
    return Weather(climate, latitude, longitude, altitude, seed)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(CLIMATES)), st.integers(0, 2**31), st.floats(0.9e9, 2.4e9), st.integers(1, 400))
def test_a_moment_has_the_same_weather_however_it_is_asked_for(climate: str, seed: int, t: float, count: int) -> None:
    made = weather(climate, seed)
    together = made.at(t + 300.0 * np.arange(count, dtype=np.float64))
    alone = made.at(np.array([t + 300.0 * (count - 1)]))
    for whole, single in zip(together, alone, strict=True):
        assert whole[-1] == pytest.approx(single[0], abs=1e-9)


@pytest.mark.parametrize("climate", sorted(CLIMATES))
def test_a_year_is_like_a_year(climate: str) -> None:
    sky = weather(climate).at(moment(1, 1, 0) + 600.0 * np.arange(365.0 * 144.0))
    month = np.arange(len(sky.dry_bulb)) // (30 * 144)
    winter, summer = sky.dry_bulb[month == 0].mean(), sky.dry_bulb[month == 6].mean()
    assert 6.0 < summer - winter < 32.0
    assert -35.0 < sky.dry_bulb.min() < 12.0
    assert 26.0 < sky.dry_bulb.max() < 48.0
    assert 0.05 < sky.humidity.min() <= sky.humidity.max() <= 0.99
    assert 0.0 <= sky.cloud.min() <= sky.cloud.max() <= 1.0
    assert 0.0 < sky.wind.mean() < 6.0
    assert sky.wind.max() < 30.0
    assert 700.0 < sky.ground.max() < 1100.0
    # the warmest hour follows noon, the coldest comes before sunrise
    by_hour = sky.dry_bulb.reshape(-1, 144).mean(axis=0)
    longitude = PLACES[climate][1]
    assert 13.5 < (by_hour.argmax() / 6.0 + longitude / 15.0) % 24.0 < 17.5


def test_seeds_and_climates_differ_and_unknown_ones_are_named() -> None:
    times = moment(3) + 3600.0 * np.arange(48.0)
    assert np.abs(weather("cold", 1).at(times).dry_bulb - weather("cold", 2).at(times).dry_bulb).max() > 1.0
    with pytest.raises(ValueError, match="use one of: cold"):
        Weather("lunar", 0.0, 0.0, 0.0, 1)


def test_the_sun_stands_where_almanacs_say() -> None:
    # Bend, Oregon: solstices of 2026; the noon height is 90 - latitude +- 23.44 degrees
    for month, day, height in ((6, 21, 69.4), (12, 21, 22.5)):
        times = moment(month, day, 0) + 60.0 * np.arange(1440.0) + 8 * 3600.0
        top = np.degrees(np.arcsin(sun.position(times, 44.06, -121.31).sine_height.max()))
        assert top == pytest.approx(height, abs=0.3)
    # sunrise at the equator at an equinox is at 6 h of true solar time
    found = sun.position(moment(3, 20, 0) + 60.0 * np.arange(1440.0), 0.0, 0.0)
    rise = found.solar_hour[np.flatnonzero((found.sine_height[:-1] < 0) & (found.sine_height[1:] >= 0))[0]]
    assert rise == pytest.approx(6.0, abs=0.1)
