"""Hourly loads of machines on the clocks of their sites: what forecasts learn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import HOUR_S, Flags, Floats, Samples

RUNNING = ("s.heating", "s.cooling", "s.hot_water", "s.defrost")
"""States in which a machine runs. Backup heat runs beside them or, where it is all there is, is their state."""
ENERGY = ("kwh.electric", "kwh.gas")
LEAST_COVERED_S = HOUR_S / 2


@dataclass(frozen=True, slots=True)
class Loads:
    """Whole hours of machines. `first`: the local hour of column 0, as hours since 1970 on the site's clock; the last column is the
    hour before the origin of a forecast. `run_s` (s), `energy_kwh` (kWh of electricity and gas) and `outdoor` (degC), each of
    shape (machines, hours), NaN where unknown. `ahead` (machines, 48): a weather service's outdoor temperatures of the
    hours to come, where there is one."""

    machines: Sequence[Machine]
    first: int
    run_s: Floats
    energy_kwh: Floats
    outdoor: Floats
    ahead: Floats | None = None

    def __len__(self) -> int:
        return len(self.machines)


def hour_loads(features: Mapping[str, Floats]) -> tuple[Floats, Floats, Floats]:
    """Run time (s), energy (kWh) and mean outdoor temperature (degC) of hours from their features, each (hours,).

    An hour of which at least half is covered by readings counts as whole, in proportion; the others are NaN.
    """
    covered = features["s.covered"]
    whole = np.where(covered >= LEAST_COVERED_S, HOUR_S / np.maximum(covered, 1.0), np.nan)
    nothing = np.full(len(covered), np.nan)
    outdoor = features.get("outdoor.x", nothing), features.get("outdoor.s", nothing)
    mean = np.divide(outdoor[0], outdoor[1], out=nothing.copy(), where=np.nan_to_num(outdoor[1]) > 0)
    return np.minimum(_together(features, RUNNING, nothing) * whole, HOUR_S), _together(features, ENERGY, nothing) * whole, mean


def loads_by_day(samples: Samples, features: Mapping[str, Floats], wanted: Flags) -> dict[tuple[int, int], Floats]:
    """The wanted hours (hours,) as days: by machine's index and day (since 1970), (24, 3) of `hour_loads`, NaN where nothing is known. Of
    an hour that comes twice (when clocks go back) the last stands."""
    if "s.covered" not in features:
        return {}
    mine = np.flatnonzero(wanted)
    keys = np.stack((samples.hour_machine[mine], samples.hour_day[mine]), axis=1)
    first = np.flatnonzero(np.r_[True, (np.diff(keys, axis=0) != 0).any(axis=1)]) if len(mine) else mine
    days = np.full((len(first), 24, 3), np.nan)
    place = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(mine))))
    days[place, samples.hour_clock[mine]] = np.stack(hour_loads(features), axis=1)[mine]
    return {(machine, day): each for (machine, day), each in zip(keys[first].tolist(), days, strict=True)}


def of_days(machines: Sequence[Machine], hours: Mapping[tuple[int, int], Floats], origin: int, days: int) -> Loads:
    """The grid of the last `days` before the local hour `origin` (since 1970) from days as `loads_by_day` gives them."""
    first = origin - 24 * days
    since = first // 24
    grid = np.full((len(machines), days + 1, 24, 3), np.nan)
    for (machine, day), values in hours.items():
        if since <= day <= since + days:
            grid[machine, day - since] = values
    flat = grid.reshape(len(machines), -1, 3)[:, first - 24 * since : origin - 24 * since]
    return Loads(machines, first, flat[..., 0], flat[..., 1], flat[..., 2])


def _together(features: Mapping[str, Floats], names: Sequence[str], nothing: Floats) -> Floats:
    there = [features[name] for name in names if name in features]
    if not there:
        return nothing
    known = np.logical_or.reduce([~np.isnan(values) for values in there])
    return np.where(known, np.sum([np.nan_to_num(values) for values in there], axis=0), np.nan)
