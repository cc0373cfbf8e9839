"""Synthetic weather of a place: any moment of any year, always the same for the same seed.

It is not a forecast nor a record of a real place. Season and day are harmonics, fronts are red noise (`chance.red_noise`),
so a cold spell lasts days, and cloud, wind, humidity and temperature move together as they do outdoors.
"""

from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np

from . import air, sun
from .chance import Floats, key, red_noise

_HOUR = 3600.0


class Climate(msgspec.Struct, frozen=True):
    """A climate in a dozen numbers. Temperatures in degC and K; `dry` is how far the dew point lies below the mean of
    the day (K, winter and summer); `swing` the half range of a clear day; `front` the spread of fronts (K)."""

    mean: float
    season: float
    swing: tuple[float, float]
    front: tuple[float, float]
    dry: tuple[float, float]
    cloud: tuple[float, float]
    wind: float


CLIMATES: dict[str, Climate] = {
    "cold": Climate(6.0, 13.5, (5.0, 8.0), (5.0, 3.0), (2.4, 8.0), (0.55, 0.35), 3.4),
    "mixed": Climate(13.5, 11.5, (5.0, 6.5), (5.0, 2.6), (4.0, 4.5), (0.50, 0.42), 3.0),
    "marine": Climate(11.6, 7.6, (2.8, 6.2), (2.8, 2.4), (2.0, 5.0), (0.75, 0.35), 2.8),
    "hot": Climate(21.0, 10.5, (7.5, 7.5), (3.0, 1.8), (11.0, 14.0), (0.25, 0.22), 2.6),
}


class Sky(NamedTuple):
    """Weather at some moments: dry bulb (degC), humidity ratio (kg/kg), relative humidity (0 to 1), cloud (0 to 1),
    wind (m/s), global irradiance (W/m2) and that on facades to the south, east and west (W/m2)."""

    dry_bulb: Floats
    ratio: Floats
    humidity: Floats
    cloud: Floats
    wind: Floats
    ground: Floats
    south: Floats
    east: Floats
    west: Floats


class Weather:
    """The weather of one place. `latitude` and `longitude` in degrees, `altitude` in m."""

    def __init__(self, climate: str, latitude: float, longitude: float, altitude: float, seed: int) -> None:
        if climate not in CLIMATES:
            raise ValueError(f"no climate named {climate!r}; use one of: {', '.join(CLIMATES)}")
        self.climate = CLIMATES[climate]
        self.latitude, self.longitude, self.seed = latitude, longitude, seed
        self.pressure = air.pressure_at(altitude)
        self.grid = lru_cache(maxsize=16)(self._grid)

    def _grid(self, first: int, last: int, step: float) -> Sky:
        """Weather at the multiples of `step` s from `first` to `last`; kept, because the homes of a town ask alike."""
        return self.at(np.arange(first, last + 1, dtype=np.float64) * step)

    def _red(self, name: str, times: Floats, knot_h: float, memory_h: float) -> Floats:
        return red_noise(key(self.seed, "weather", name), times, knot_h * _HOUR, memory_h * _HOUR)

    def at(self, times: Floats) -> Sky:
        """Weather at `times` (s since 1970, UTC; any shape of one dimension, at least one)."""
        c = self.climate
        where = sun.position(times, self.latitude, self.longitude)
        # 0 in deep winter (20 January), 1 in high summer; the southern half of the earth is half a year away
        shift = 0.0 if self.latitude >= 0 else np.pi
        summer = 0.5 - 0.5 * np.cos(sun.year_angle(times) - 0.33 + shift)

        def between(pair: tuple[float, float]) -> Floats:
            return np.asarray(pair[0] + (pair[1] - pair[0]) * summer)

        overcast = self._red("cloud", times, 3.0, 14.0)
        passing = self._red("passing", times, 0.25, 0.6)
        # a front that clouds the sky in winter also warms it; in summer it cools
        front = 0.9 * self._red("front", times, 3.0, 40.0) + 0.44 * overcast * (0.5 - summer) * 2.0
        level = np.log(between(c.cloud) / (1.0 - between(c.cloud)))
        cloud = 1.0 / (1.0 + np.exp(-(level + 1.6 * overcast + 0.5 * passing)))
        hour = np.pi / 12.0 * (where.solar_hour - 15.0)
        # a second harmonic makes the morning rise quicker than the evening fall
        day = np.cos(hour) + 0.18 * np.cos(2.0 * hour + 0.8)
        of_day = between(c.swing) * (1.15 - 0.75 * cloud)
        middle = c.mean - c.season * (1.0 - 2.0 * summer) + between(c.front) * front
        dry_bulb = middle + of_day * day + 0.25 * passing
        moist = self._red("moist", times, 3.0, 30.0)
        dew = middle - between(c.dry) + 2.2 * moist + 3.0 * (cloud - 0.5)
        humidity = np.clip(air.saturation_pressure(dew) / air.saturation_pressure(dry_bulb), 0.06, 0.99)
        gust = 0.8 * self._red("wind", times, 2.0, 9.0) + 0.45 * self._red("gust", times, 0.2, 0.3)
        wind = c.wind * np.exp(0.5 * gust) * (0.85 + 0.15 * day)
        ground = sun.horizontal(where, cloud)
        return Sky(
            dry_bulb,
            np.asarray(air.ratio_of(dry_bulb, humidity, self.pressure)),
            humidity,
            cloud,
            wind,
            ground,
            sun.facade(where, ground, 0.0),
            sun.facade(where, ground, -90.0),
            sun.facade(where, ground, 90.0),
        )
