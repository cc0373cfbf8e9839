"""How far sensors of the field are off, one standard deviation, and what follows for figures made of several (GUM, JCGM 100:2008, 5.1.2).

Errors of sensors last, so they do not average out over a month: the doubt of a mean is that of its sensor.
"""

import numpy as np

from lineset.diagnostics.rows import Floats

PIPE_K = 1.0
"""Thermistor clamped to a pipe and insulated (AHRI/ACCA 4 asks ±1 K)."""
AIR_K = 0.5
"""Thermistor in an air stream or a room (EN 60751 class B at 25 degC with mounting)."""
SATURATION_K = 0.6
"""A saturation temperature by a pressure transducer of 1 % of reading: K per % is 0.25 to 0.6 for the refrigerants here."""
WATER_DIFFERENCE_K = 0.3
"""Difference of two thermistors on water pipes that were not paired; paired ones of a heat meter (EN 1434) have 0.1 K."""
METERED_HEAT = 0.03
"""Heat meter of class 2 (EN 1434) with its flow part in mid range, or the machine's own figure (share)."""
WATER_FLOW = 0.03
AIR_FLOW = 0.10
"""Air flow told by a machine from fan speed and pressure (ASHRAE 221 finds 5 to 15 % in the field)."""
ENTHALPY_K = 2.2
"""Difference of enthalpy by two sensors of 0.5 K and 3 % relative humidity each, as the temperature difference that is worth as much."""
METERED_POWER = 0.01
"""Electricity meter of class B (EN 50470-3) (share)."""
POWER = 0.02
"""Power told by an inverter or a clamp (share)."""
GAS = 0.02
GAS_BY_VOLUME = 0.045
"""The meter's error with the spread of heating values in public networks (share)."""


def together(*parts: Floats | float) -> Floats:
    """Independent doubts as one: the root of the sum of their squares."""
    total: Floats = np.sqrt(np.sum([np.square(part) for part in np.broadcast_arrays(*parts)], axis=0))
    return total


def of_difference(sensor_k: float, difference: Floats) -> Floats:
    """The share by which a mean difference (K) is in doubt; at most 1, for one that is smaller than its sensors' error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmin(np.abs(sensor_k / difference), 1.0)
