"""Means over steady running, as integrals with their weights."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics import modes
from lineset.diagnostics.channels import NAMES
from lineset.diagnostics.rows import Floats
from lineset.diagnostics.samples import Samples

MODES = {"heating": modes.HEATING, "cooling": modes.COOLING, "hot_water": modes.HOT_WATER}


def steady(samples: Samples) -> Mapping[str, Floats]:
    """`steady.<mode>.s` (s), and of each channel `steady.<mode>.<channel>.x` its integral (unit s) over steady time and `.s` the time (s)
    over which it was known; both NaN where it was not. A channel that no machine here has is left out."""
    found: dict[str, Floats] = {}
    count = len(samples.first)
    for name, code in MODES.items():
        rows = np.flatnonzero(samples.steady & (samples.mode == code))
        group, dt = samples.group[rows], samples.dt[rows]
        found[f"steady.{name}.s"] = np.bincount(group, weights=dt, minlength=count).astype(np.float64)
        if not len(rows):
            continue
        starts = np.flatnonzero(np.r_[True, np.diff(group) != 0])
        hours = group[starts]
        for channel in NAMES:
            values = samples.channels.find(channel)
            if values is None:
                continue
            mine = values[rows]
            there = ~np.isnan(mine)
            weight: Floats = np.add.reduceat(np.where(there, dt, 0.0), starts)
            if not weight.any():
                continue
            integral: Floats = np.add.reduceat(np.where(there, mine * dt, 0.0), starts)
            some = weight > 0.0
            for kind, sums in (("x", integral), ("s", weight)):
                out = np.full(count, np.nan)
                out[hours[some]] = sums[some]
                found[f"steady.{name}.{channel}.{kind}"] = out
    return found
