"""Hourly loads of machines on the clocks of their sites: what forecasts learn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import HOUR_S, Floats, Ints

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


def _together(features: Mapping[str, Floats], names: Sequence[str], nothing: Floats) -> Floats:
    there = [features[name] for name in names if name in features]
    if not there:
        return nothing
    known = np.logical_or.reduce([~np.isnan(values) for values in there])
    return np.where(known, np.sum([np.nan_to_num(values) for values in there], axis=0), np.nan)


def gridded(
    machines: Sequence[Machine], machine: Ints, hour: Ints, run_s: Floats, energy_kwh: Floats, outdoor: Floats, origin: int, days: int
) -> Loads:
    """Hours in any order as a grid of the last `days` before the local hour `origin`. `machine` (hours,): index into `machines`; `hour`
    (hours,): local hours since 1970. Of an hour that comes twice (when clocks go back) the last stands."""
    first = origin - 24 * days
    mine = (hour >= first) & (hour < origin)
    place = machine[mine], hour[mine] - first

    def grid(values: Floats) -> Floats:
        out = np.full((len(machines), 24 * days), np.nan)
        out[place] = values[mine]
        return out

    return Loads(machines, first, grid(run_s), grid(energy_kwh), grid(outdoor))
