"""Moist air: the few relations that coils, rooms and weather share. Temperatures in degC, humidity ratios in kg/kg."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", float, NDArray[np.float64])

CP = 1006.0  # J/(kg K), dry air
CP_WATER = 4186.0  # J/(kg K)
LATENT = 2.45e6  # J/kg, evaporation of water near room temperature
FUSION = 334e3  # J/kg, melting of ice
PASCAL_SEA = 101325.0


def pressure_at(altitude_m: float) -> float:
    """Pressure (Pa) of the standard atmosphere, ASHRAE Fundamentals 2021, chapter 1, equation 3."""
    return float(PASCAL_SEA * (1.0 - 2.25577e-5 * altitude_m) ** 5.2559)


def saturation_pressure(t: Value) -> Value:
    """Pressure (Pa) of saturated water vapour, Magnus form with the constants of Alduchov and Eskridge (1996).

    The exponential is written as a power, so that one formula serves floats and arrays at full speed.
    """
    result: Value = 610.94 * 2.718281828459045 ** (17.625 * t / (t + 243.04))
    return result


def saturation_ratio(t: Value, pressure: float = PASCAL_SEA) -> Value:
    """Humidity ratio (kg/kg) of saturated air."""
    p = saturation_pressure(t)
    result: Value = 0.62198 * p / (pressure - p)
    return result


def relative_humidity(t: Value, ratio: Value, pressure: float = PASCAL_SEA) -> Value:
    """Relative humidity (0 to 1) of air at `t` with the humidity ratio `ratio`."""
    result: Value = pressure * ratio / ((0.62198 + ratio) * saturation_pressure(t))
    return result


def ratio_of(t: Value, humidity: Value, pressure: float = PASCAL_SEA) -> Value:
    """Humidity ratio (kg/kg) of air at `t` with the relative humidity `humidity` (0 to 1)."""
    p = saturation_pressure(t) * humidity
    result: Value = 0.62198 * p / (pressure - p)
    return result


def dew_point(ratio: NDArray[np.float64], pressure: float = PASCAL_SEA) -> NDArray[np.float64]:
    """Dew point of air with the humidity ratio `ratio`, by the inverse of `saturation_pressure`."""
    level = np.log(np.maximum(pressure * ratio / (0.62198 + ratio), 1.0) / 610.94)
    return np.asarray(243.04 * level / (17.625 - level))


def wet_bulb(t: Value, ratio: Value, pressure: float = PASCAL_SEA) -> Value:
    """Wet-bulb temperature: two Newton steps on the psychrometric balance h(t, w) = h_sat(t_wb).

    Started from the dew-point side by a linear guess, it is within 0.1 K between -20 and 45 degC; enough for coils.
    """
    enthalpy = CP * t + ratio * (2.501e6 + 1860.0 * t)
    guess = 0.62 * t - 1.5 + 620.0 * ratio
    for _ in range(3):
        p = saturation_pressure(guess)
        w = 0.62198 * p / (pressure - p)
        slope = CP + 2.501e6 * w * 4283.0 / (guess + 243.04) ** 2 * pressure / (pressure - p)
        guess = guess - (CP * guess + w * (2.501e6 + 1860.0 * guess) - enthalpy) / slope
    return guess
