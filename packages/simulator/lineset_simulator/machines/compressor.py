"""A positive-displacement compressor as a map: mass flow and work by evaporating and condensing temperature."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..air import Value
from ..chance import Floats
from ..refrigerant import refrigerant

MAP_SUPERHEAT_K = 8.0
# isentropic exponent of the gas near suction, which closes the ideal work of compression
_EXPONENT = {"R410A": 1.17, "R32": 1.24, "R454B": 1.19, "R290": 1.13}
EVAPORATING = (-45.0, 28.0)
CONDENSING_LOW = 4.0


class CompressorMap(NamedTuple):
    """Polynomials in evaporating (e) and condensing (c) temperature in degC, as AHRI 540 writes compressor data.

    flow: kg a m3 swept, terms (1, e, e2, e3, c, ec, e2c, c2); work: electric J/kg, terms (1, e, e2, c, ec, c2);
    vapour: J/kg at the dew line over e, (1, e, e2); liquid: J/kg over liquid temperature t, (1, t, t2, t3);
    gas: J/(kg K) of suction gas; hot: J/(kg K) of discharge gas over condensing temperature c, (1, c);
    highest: the condensing temperature (degC) where the map ends.
    """

    flow: tuple[float, ...]
    work: tuple[float, ...]
    vapour: tuple[float, ...]
    liquid: tuple[float, ...]
    gas: float
    hot: tuple[float, float]
    highest: float

    def swept(self, e: Value, c: Value) -> Value:
        """Mass (kg) that a m3 of swept volume moves, valves and clearance included."""
        a = self.flow
        result: Value = a[0] + e * (a[1] + e * (a[2] + e * a[3])) + c * (a[4] + e * (a[5] + e * a[6]) + c * a[7])
        return result

    def energy(self, e: Value, c: Value) -> Value:
        """Electric work (J) a kg of refrigerant."""
        a = self.work
        result: Value = a[0] + e * (a[1] + e * a[2]) + c * (a[3] + e * a[4] + c * a[5])
        return result

    def effect(self, e: Value, superheat: Value, liquid: Value) -> Value:
        """Heat (J) that a kg takes up in the evaporator, from liquid at `liquid` degC to gas at `superheat` K."""
        v, f = self.vapour, self.liquid
        result: Value = v[0] + e * (v[1] + e * v[2]) + self.gas * superheat - (f[0] + liquid * (f[1] + liquid * (f[2] + liquid * f[3])))
        return result

    def gas_rise(self, e: float, c: float, superheat: float, work: float) -> float:
        """How far (K) the discharged gas is above the condensing temperature, `work` J/kg being put into it."""
        v = self.vapour
        start = v[0] + e * (v[1] + e * v[2]) + self.gas * superheat
        saturated = v[0] + c * (v[1] + c * v[2])
        return (start + 0.94 * work - saturated) / (self.hot[0] + self.hot[1] * c)


def _fit(columns: list[Floats], values: Floats) -> tuple[float, ...]:
    return tuple(float(x) for x in np.linalg.lstsq(np.stack(columns, axis=1), values, rcond=None)[0])


@lru_cache
def compressor_map(name: str) -> CompressorMap:
    """The map of a good scroll or rotary compressor for the refrigerant `name`.

    Ideal work by the polytropic formula, volumetric efficiency by clearance (3 % of the swept volume), overall
    efficiency, motor included, highest (0.61) near a pressure ratio of 2.8 and falling on both sides.
    """
    gas = refrigerant(name)
    highest = float(min(gas.temperatures[-1], 80.0)) - 1.0
    e, c = (grid.ravel() for grid in np.meshgrid(np.linspace(*EVAPORATING, 25), np.linspace(CONDENSING_LOW, highest, 25), indexing="ij"))
    keep = c > e + 6.0
    e, c = e[keep], c[keep]
    low, high = gas.pressure(e, "dew"), gas.pressure(c, "dew")
    ratio = high / low
    n = _EXPONENT[name]
    dense = gas.density(e) * (e + 273.15) / (e + 273.15 + MAP_SUPERHEAT_K)
    ideal = n / (n - 1.0) * low / dense * (ratio ** ((n - 1.0) / n) - 1.0)
    volumetric = 0.98 - 0.03 * (ratio ** (1.0 / n) - 1.0)
    overall = 0.61 / (1.0 + 0.11 * np.log(ratio / 2.8) ** 2)
    one = np.ones_like(e)
    t = np.linspace(-40.0, min(highest, 65.0), 60)
    warm = np.linspace(20.0, 60.0, 30)
    hot = _fit([np.ones_like(warm), warm], gas.gas_heat(warm) * 0.96)
    return CompressorMap(
        flow=_fit([one, e, e**2, e**3, c, e * c, e**2 * c, c**2], dense * volumetric),
        work=_fit([one, e, e**2, c, e * c, c**2], ideal / overall),
        vapour=_fit([np.ones_like(t), t, t**2], gas.vapour(t)),
        liquid=_fit([np.ones_like(t), t, t**2, t**3], gas.liquid(t)),
        gas=float(gas.gas_heat(np.array(2.0))),
        hot=(float(hot[0]), float(hot[1])),
        highest=highest,
    )
