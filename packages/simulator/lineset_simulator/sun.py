"""Where the sun stands and what its light brings to the ground and to a facade."""

from typing import NamedTuple

import numpy as np

from .chance import Floats

YEAR_S = 365.2425 * 86400.0
# 1 January 2000 00:00 UTC, so that the fraction of the year below is right to half a day in any year
_EPOCH_2000 = 946684800.0


class Sun(NamedTuple):
    """Sun at some moments: sine of its height, azimuth (rad, from south, west positive), true solar time (h)."""

    sine_height: Floats
    azimuth: Floats
    solar_hour: Floats


def year_angle(times: Floats) -> Floats:
    """Angle of the year (rad), 0 on 1 January."""
    return np.asarray(2.0 * np.pi * np.mod((times - _EPOCH_2000) / YEAR_S, 1.0))


def position(times: Floats, latitude: float, longitude: float) -> Sun:
    """Position of the sun at `times` (s since 1970, UTC) for a place in degrees (north and east positive).

    Declination and equation of time by the series of Spencer (1971), good to 0.05 degree and half a minute.
    """
    g = year_angle(times)
    declination = (
        0.006918
        - 0.399912 * np.cos(g)
        + 0.070257 * np.sin(g)
        - 0.006758 * np.cos(2 * g)
        + 0.000907 * np.sin(2 * g)
        - 0.002697 * np.cos(3 * g)
        + 0.00148 * np.sin(3 * g)
    )
    minutes = 229.18 * (0.000075 + 0.001868 * np.cos(g) - 0.032077 * np.sin(g) - 0.014615 * np.cos(2 * g) - 0.040849 * np.sin(2 * g))
    hour = np.mod(times / 3600.0 + longitude / 15.0 + minutes / 60.0, 24.0)
    angle = np.pi / 12.0 * (hour - 12.0)
    phi = np.radians(latitude)
    sine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle)
    azimuth = np.arctan2(np.sin(angle), np.cos(angle) * np.sin(phi) - np.tan(declination) * np.cos(phi))
    return Sun(np.asarray(sine), np.asarray(azimuth), np.asarray(hour))


def horizontal(sun: Sun, cloud: Floats) -> Floats:
    """Global irradiance on the ground (W/m2): clear sky by Haurwitz (1945), cloud by Kasten and Czeplak (1980)."""
    sine = np.maximum(sun.sine_height, 1e-3)
    clear = np.where(sun.sine_height > 0.0, 1098.0 * sine * np.exp(-0.057 / sine), 0.0)
    return np.asarray(clear * (1.0 - 0.75 * cloud**3.4))


def facade(sun: Sun, ground: Floats, azimuth_deg: float) -> Floats:
    """Irradiance (W/m2) on a vertical facade that faces `azimuth_deg` from south (west positive).

    `ground` is the global irradiance on the horizontal; its diffuse share follows Erbs, Klein and Duffie (1982), the
    sky is isotropic and the ground reflects a fifth (Liu and Jordan 1963).
    """
    sine = np.maximum(sun.sine_height, 0.04)
    index = np.clip(ground / (1361.0 * sine), 0.0, 0.8)
    low = 1.0 - 0.09 * index
    middle = 0.9511 + index * (-0.1604 + index * (4.388 + index * (-16.638 + 12.336 * index)))
    share = np.where(index <= 0.22, low, middle)
    beam = ground * (1.0 - share) / sine
    cosine = np.sqrt(np.maximum(1.0 - sun.sine_height**2, 0.0)) * np.cos(sun.azimuth - np.radians(azimuth_deg))
    lit = np.where(sun.sine_height > 0.0, np.maximum(cosine, 0.0), 0.0)
    return np.asarray(beam * lit + ground * (0.5 * share + 0.1))
