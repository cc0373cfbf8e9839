"""What wears parts and what shows that they are worn: counters of filter and machine, pressure drop, anode, hot hours of the compressor."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.counters import increments
from lineset.diagnostics.rows import Floats
from lineset.diagnostics.samples import Samples

COUNTERS = {"wear.filter_s.max": "filter_run_time", "wear.run_s.max": "run_time", "wear.starts.max": "starts"}
ALTERNATIVES = {"wear.run_s.max": ("compressor_run_time", "burner_run_time"), "wear.starts.max": ("compressor_starts", "burner_starts")}
REFERENCE_DISCHARGE = 90.0
"""degC of discharge gas at which a compressor ages at its usual rate."""
HALVING_K = 10.0
"""Insulation and oil last half as long for each 10 K more: Montsinger's rule (Trans. AIEE 49, 1930), the practice of IEC 60216-1."""


def wear(samples: Samples) -> Mapping[str, Floats]:
    """`wear.filter_s.max`, `wear.run_s.max` (s) and `wear.starts.max`: the counters' highest readings. `wear.filter_drop.x` (Pa s) and `.s`
    (s): pressure drop of the filter while air moves. `wear.anode.x` (mA s), `.s`. `wear.litres` of hot water drawn. `wear.ageing.x` and
    `.s`: seconds of ageing of the compressor, and the seconds of running they were told of; their ratio is 1 at 90 degC of discharge."""
    found: dict[str, Floats] = {}
    for name, point in COUNTERS.items():
        points = [p for p in (point, *ALTERNATIVES.get(name, ())) if p in samples.points]
        if points:
            found[name] = samples.highest(np.fmax.reduce([samples.points[p] for p in points]))
    for name, point, least in (("wear.filter_drop", "filter_pressure_drop", 1.0), ("wear.anode", "anode_current", 0.0)):
        if point in samples.points:
            values = samples.points[point]
            found |= _mean_parts(samples, name, np.where(values >= least, values, np.nan))
    litres = increments(samples, "hot_water_volume", "L")
    if litres is not None:
        found["wear.litres"] = samples.total(litres)
    if "discharge_line_temperature" in samples.points:
        hot = np.clip(samples.points["discharge_line_temperature"], 0.0, 160.0)
        ageing = 2.0 ** ((hot - REFERENCE_DISCHARGE) / HALVING_K)
        found |= _mean_parts(samples, "wear.ageing", np.where(samples.running, ageing, np.nan))
    return found


def _mean_parts(samples: Samples, name: str, values: Floats) -> dict[str, Floats]:
    weight = samples.seconds(~np.isnan(values))
    some = weight > 0.0
    return {f"{name}.x": np.where(some, samples.total(values * samples.dt), np.nan), f"{name}.s": np.where(some, weight, np.nan)}
