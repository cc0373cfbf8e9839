"""Days of features: hours added up by the calendar of each machine's site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.features import folds_by_max
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import Floats, Ints


@dataclass(frozen=True, slots=True)
class Days:
    """Rows of one machine and local day each, sorted by both. `machine` (rows,): index into `machines`; `day` (rows,): days since 1970;
    `sums`: by feature (rows,), NaN where the feature does not exist for that row."""

    machines: Sequence[Machine]
    machine: Ints
    day: Ints
    sums: Mapping[str, Floats]


def fold(machines: Sequence[Machine], machine: Ints, day: Ints, features: Mapping[str, Floats]) -> Days:
    """Hours (or parts of days, in any order) as days. All arrays have shape (hours,)."""
    if not len(machine):
        return Days(machines, machine, day, {name: np.zeros(0) for name in features})
    order = np.lexsort((day, machine))
    machine, day = machine[order], day[order]
    first = np.flatnonzero(np.r_[True, (np.diff(machine) != 0) | (np.diff(day) != 0)])
    sums = {}
    for name, values in features.items():
        mine = values[order]
        absent = np.minimum.reduceat(np.isnan(mine).astype(np.int8), first).astype(bool)
        if folds_by_max(name):
            folded = np.maximum.reduceat(np.where(np.isnan(mine), -np.inf, mine), first)
        else:
            folded = np.add.reduceat(np.nan_to_num(mine), first)
        sums[name] = np.where(absent, np.nan, folded)
    return Days(machines, machine[first], day[first], sums)
