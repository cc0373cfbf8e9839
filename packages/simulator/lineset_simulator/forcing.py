"""What drives a home from outside, step by step: weather, sun through its windows, people, hot-water draws, schedule.

Weather and people are worked out on a grid of five minutes and read between its lines, by history and by the live home
alike, so that both see the same outdoors.
"""

from typing import NamedTuple

import numpy as np

from . import sun
from .chance import Floats, key, normal
from .occupancy import Life
from .spec import HomeSpec
from .weather import Weather

GRID_S = 300.0
_WEATHERS: dict[tuple[str, float, float, float, int], Weather] = {}


class Drive(NamedTuple):
    """What drives a home at the ends of some steps, an array each: degC, kg/kg, 0 to 1, m/s, W/m2 on facades, degC of
    mains water, people, waking share of loads, litres drawn in the step, whether comfort is wanted, local hour."""

    outdoor: Floats
    ratio: Floats
    humidity: Floats
    wind: Floats
    south: Floats
    east: Floats
    west: Floats
    mains: Floats
    people: Floats
    awake: Floats
    drawn: Floats
    comfort: Floats
    hour: Floats


class Grid(NamedTuple):
    """Columns of a stretch of the grid; `first` is its first line's number, since 1970."""

    first: int
    columns: Floats
    comfort: Floats
    hours: Floats


def weather_of(spec: HomeSpec) -> Weather:
    """The weather of the home's town, one object for all homes that share it."""
    place = (spec.climate, spec.latitude, spec.longitude, spec.altitude, spec.weather_seed)
    if place not in _WEATHERS:
        _WEATHERS[place] = Weather(*place)
    return _WEATHERS[place]


class Forcing:
    """The drive of one home."""

    def __init__(self, spec: HomeSpec) -> None:
        self.spec = spec
        self.weather = weather_of(spec)
        self.life = Life(spec.occupancy, spec.residents, spec.tz, spec.seed)
        self._grid: Grid | None = None

    def drive(self, start: float, dt: float, count: int) -> Drive:
        """The drive of `count` steps of `dt` s from `start` (s since 1970 UTC), each at its end."""
        times = start + dt * np.arange(1, count + 1)
        grid = self._stretch(start, float(times[-1]))
        position = times / GRID_S - grid.first
        line = np.minimum(position.astype(np.int64), grid.columns.shape[1] - 2)
        share = position - line
        between = grid.columns[:, line] * (1.0 - share) + grid.columns[:, line + 1] * share
        drawn = self.life.drawn(np.concatenate([[start], times]))
        hours = np.mod(grid.hours[line] + share * (GRID_S / 3600.0), 24.0)
        return Drive._make([*between, drawn, grid.comfort[line], hours])

    def _stretch(self, start: float, end: float) -> Grid:
        first, last = int(start // GRID_S), int(end // GRID_S) + 1
        grid = self._grid
        if grid is not None and grid.first <= first and last < grid.first + grid.columns.shape[1]:
            return grid
        # short stretches are asked for live, step by step: look two hours ahead
        grid = self._grid = self._filled(first, max(last, first + 24))
        return grid

    def _filled(self, first: int, last: int) -> Grid:
        times = np.arange(first, last + 1, dtype=np.float64) * GRID_S
        sky = self.weather.grid(first, last, GRID_S)
        people, awake = self.life.present(times)
        steps = np.arange(first, last + 1)
        # what people switch on changes every half hour
        busy = awake * np.clip(1.0 + 0.35 * normal(key(self.spec.seed, "busy"), steps // 6), 0.2, 2.5)
        hours, comfort = self.life.schedule(times)
        columns = (sky.dry_bulb, sky.ratio, sky.humidity, sky.wind, sky.south, sky.east, sky.west, self._mains(times), people, busy)
        return Grid(first, np.stack(columns), comfort, hours)

    def _mains(self, times: Floats) -> Floats:
        """Cold water (degC): the year's mean with a damped season that lags five weeks behind the air."""
        climate = self.weather.climate
        summer = -np.cos(sun.year_angle(times) - 0.33 - 0.6)
        return np.asarray(np.clip(climate.mean + 1.5 + 0.45 * climate.season * summer, 4.0, 28.0))
