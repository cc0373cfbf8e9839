"""Moist air by ASHRAE Handbook Fundamentals (2021), chapter 1 "Psychrometrics", equations in SI units. Arrays in, arrays out."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEA_LEVEL_KPA = 101.325
"""Standard atmospheric pressure (kPa); equation (3) gives it for an altitude."""


def pressure_at(altitude_m: float) -> float:
    """Standard atmospheric pressure (kPa) at an altitude (m), equation (3)."""
    return SEA_LEVEL_KPA * float((1.0 - 2.25577e-5 * altitude_m) ** 5.2559)


def saturation_pressure(t: Floats) -> Floats:
    """Saturation pressure of water vapour (kPa) at `t` (degC, -100 to 200), over ice below 0 degC: equations (5) and (6)."""
    kelvin = np.asarray(t, np.float64) + 273.15
    logs = np.log(kelvin)
    ice = (
        -5.6745359e3 / kelvin
        + 6.3925247
        + kelvin * (-9.677843e-3 + kelvin * (6.2215701e-7 + kelvin * (2.0747825e-9 - kelvin * 9.484024e-13)))
    )
    water = -5.8002206e3 / kelvin + 1.3914993 + kelvin * (-4.8640239e-2 + kelvin * (4.1764768e-5 - kelvin * 1.4452093e-8))
    return np.exp(np.where(kelvin < 273.16, ice + 4.1635019 * logs, water + 6.5459673 * logs)) / 1000.0


def humidity_ratio(t: Floats, relative_humidity: Floats, pressure_kpa: float = SEA_LEVEL_KPA) -> Floats:
    """Humidity ratio (kg water per kg dry air) of air at `t` (degC) and relative humidity (%), equations (20) and (22)."""
    vapour = np.clip(relative_humidity, 0.0, 100.0) / 100.0 * saturation_pressure(t)
    return 0.621945 * vapour / (pressure_kpa - vapour)


def enthalpy(t: Floats, ratio: Floats) -> Floats:
    """Specific enthalpy of moist air (J per kg of dry air) at `t` (degC) and a humidity ratio (kg/kg), equation (30)."""
    return 1006.0 * t + ratio * (2_501_000.0 + 1860.0 * t)


def specific_volume(t: Floats, ratio: Floats, pressure_kpa: float = SEA_LEVEL_KPA) -> Floats:
    """Specific volume (m3 per kg of dry air) at `t` (degC) and a humidity ratio (kg/kg), equation (26)."""
    return 0.287042 * (t + 273.15) * (1.0 + 1.607858 * ratio) / pressure_kpa


def dew_point(t: Floats, relative_humidity: Floats) -> Floats:
    """Dew point (degC) of air at `t` (degC) and relative humidity (%), equations (37) and (38); within 0.3 K, 0 to 93 degC of dew point
    (below 0 degC by the formula for frost)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = np.log(relative_humidity / 100.0 * saturation_pressure(t))
        vapour = np.exp(alpha)
        above = 6.54 + alpha * (14.526 + alpha * (0.7389 + alpha * 0.09486)) + 0.4569 * vapour**0.1984
        below = 6.09 + alpha * (12.608 + alpha * 0.4959)
    return np.where(above >= 0.0, above, below)


def wet_bulb(t: Floats, relative_humidity: Floats) -> Floats:
    """Wet bulb (degC) at sea level of air at `t` (-20 to 50 degC) and relative humidity (5 to 99 %); within 0.3 K typically, 1 K at most.

    Stull, "Wet-Bulb Temperature from Relative Humidity and Air Temperature", J. Appl. Meteorol. Climatol. 50 (2011) 2267, equation (1).
    """
    rh = np.clip(relative_humidity, 5.0, 99.0)
    return (
        t * np.arctan(0.151977 * np.sqrt(rh + 8.313659))
        + np.arctan(t + rh)
        - np.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh)
        - 4.686035
    )
