"""Liquid water at about atmospheric pressure, 0 to 100 degC."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DENSITY = (999.83952, 16.945176, -7.9870401e-3, -46.170461e-6, 105.56302e-9, -280.54253e-12)


def density(t: Floats) -> Floats:
    """Density (kg/m3) at `t` (degC): Kell, J. Chem. Eng. Data 20 (1975) 97, equation 16; within 0.01 %."""
    total = np.zeros_like(np.asarray(t, np.float64))
    for factor in reversed(_DENSITY):
        total = total * t + factor
    return total / (1.0 + 16.879850e-3 * t)


_HEAT = (4.2174356, -5.6181625e-3, 1.2992528e-3, -1.1535353e-4, 4.14964e-6)


def heat_capacity(t: Floats) -> Floats:
    """Isobaric heat capacity (J/(kg K)) at `t` (degC): Popiel and Wojtkowiak, Heat Transfer Engineering 19 (1998) 87, table 3: a polynomial
    in t, t^1.5, t^2 and t^2.5; within 0.06 %."""
    at = np.clip(t, 0.0, 150.0)
    root = np.sqrt(at)
    a, b, c, d, e = _HEAT
    return 1000.0 * (a + at * (b + root * (c + root * (d + root * e))))
