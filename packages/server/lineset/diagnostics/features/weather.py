"""Weather and room: integrals over all time, and degree-time."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.time import known_total
from lineset.diagnostics.rows import Floats
from lineset.diagnostics.samples import Samples

HEATING_BASES_C, COOLING_BASES_C = (12, 15, 18), (18, 22)


def weather(samples: Samples) -> Mapping[str, Floats]:
    """`outdoor.x`, `indoor.x` (K s, of degC) over `outdoor.s`, `indoor.s` (s); `hdd.<base>`, `cdd.<base>` (K s): by how much and for how
    long it was colder or warmer outside than a base (degC); a degree-day is 86,400 K s.

    Integrated over time, not from daily extremes: CIBSE TM41 (2006), section 2.3, "mathematically precise integration".
    """
    found: dict[str, Floats] = {}
    for name, point in (("outdoor", "outdoor_temperature"), ("indoor", "room_temperature")):
        values = samples.points.get(point)
        if values is not None:
            found[f"{name}.x"] = known_total(samples, values)
            found[f"{name}.s"] = known_total(samples, np.where(np.isnan(values), np.nan, 1.0))
    outdoor = samples.points.get("outdoor_temperature")
    if outdoor is not None:
        for base in HEATING_BASES_C:
            found[f"hdd.{base}"] = known_total(samples, np.where(np.isnan(outdoor), np.nan, np.fmax(base - outdoor, 0.0)))
        for base in COOLING_BASES_C:
            found[f"cdd.{base}"] = known_total(samples, np.where(np.isnan(outdoor), np.nan, np.fmax(outdoor - base, 0.0)))
    return found
