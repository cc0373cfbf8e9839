"""A zone of a building as two heat capacities, air with furniture and mass, joined by conductances (2R2C), and moisture.

    C_a dT_a/dt = U_a (T_out - T_a) + U_am (T_m - T_a) + Q_a
    C_m dT_m/dt = U_m (T_out - T_m) + U_am (T_a - T_m) + Q_m

The step is exact for inputs that are constant during it (Q, T_out), so any length is stable.
"""

from math import exp, sqrt

import msgspec

from . import air
from .spec import ZoneSpec


class Archetype(msgspec.Struct, frozen=True):
    """A kind of building, each figure for a m2 of floor.

    `loss` is the whole heat loss to outdoors (W/K), of which `direct` goes from the air (windows, leaks) and the rest
    from the mass; `light` and `heavy` are the heat capacities of air and mass (kJ/K); `glass` is the solar aperture
    (m2 of full gain) to south, east and west; `leak` the air change by leaks (1/h).
    """

    loss: float
    direct: float
    light: float
    heavy: float
    glass: tuple[float, float, float]
    leak: float


ARCHETYPES: dict[str, Archetype] = {
    "house_old": Archetype(2.1, 0.60, 22.0, 90.0, (0.022, 0.012, 0.012), 0.55),
    "house": Archetype(1.45, 0.55, 22.0, 95.0, (0.026, 0.013, 0.013), 0.35),
    "house_new": Archetype(0.85, 0.52, 22.0, 105.0, (0.034, 0.012, 0.012), 0.15),
    "adobe": Archetype(1.35, 0.45, 22.0, 230.0, (0.018, 0.010, 0.010), 0.30),
    "flat": Archetype(0.75, 0.60, 20.0, 140.0, (0.018, 0.006, 0.016), 0.25),
    "shop": Archetype(1.35, 0.65, 22.0, 90.0, (0.030, 0.016, 0.016), 0.40),
    "office": Archetype(1.05, 0.60, 24.0, 150.0, (0.024, 0.014, 0.014), 0.25),
}
SURFACE = 14.0  # W/K a m2 of floor between air and mass: about 3 m2 of surface at 4.7 W/(m2 K)
SPLIT = 0.45  # share of the sun and of radiant gains that the air takes; the mass takes the rest
WINDOWS_DEGC, WINDOWS_1_S = 24.5, 2.5 / 3600.0  # people open windows above this; air changes a second they bring
_RHO_CP = 1.2 * air.CP
BUFFER = 12.0  # moisture that furniture and plaster hold, as multiples of the air's own mass


class ZoneState(msgspec.Struct):
    """Temperatures of air and mass (degC), humidity ratio (kg/kg), carbon dioxide (ppm)."""

    air: float = 20.0
    mass: float = 20.0
    ratio: float = 0.006
    co2: float = 600.0


class Zone:
    """A zone that machines heat by adding to `heat` (W to the air), `radiant` (W to the mass) and `drying` (kg/s).

    All three are collected during a step and used by `finish`. `fresh` collects outdoor air (m3/s) that machines bring.
    Where nothing cools, people open windows when it gets warm (`opens`).
    """

    def __init__(self, spec: ZoneSpec) -> None:
        if spec.archetype not in ARCHETYPES:
            raise ValueError(f"no archetype named {spec.archetype!r}; use one of: {', '.join(ARCHETYPES)}")
        a = ARCHETYPES[spec.archetype]
        self.spec, self.area = spec, spec.area
        self.state = ZoneState(air=spec.heating, mass=spec.heating - 0.5)
        self.c_air, self.c_mass = a.light * 1e3 * spec.area, a.heavy * 1e3 * spec.area
        self.u_air, self.u_mass = a.loss * a.direct * spec.area, a.loss * (1.0 - a.direct) * spec.area
        self.u_between = SURFACE * spec.area
        self.glass = tuple(g * spec.area for g in a.glass)
        self.volume = 2.5 * spec.area
        self.leak = a.leak * self.volume / 3600.0  # m3/s
        self.heat = self.radiant = self.drying = self.fresh = 0.0
        self.opens = False
        self._steps: dict[float, tuple[float, ...]] = {}

    def _exact(self, dt: float) -> tuple[float, ...]:
        """exp(A dt) and its integral, entry by entry, by the eigenvalues of the 2x2 system (both real and below 0)."""
        a, b = -(self.u_air + self.u_between) / self.c_air, self.u_between / self.c_air
        c, d = self.u_between / self.c_mass, -(self.u_mass + self.u_between) / self.c_mass
        middle, root = (a + d) / 2.0, sqrt(((a - d) / 2.0) ** 2 + b * c)
        fast, slow = middle - root, middle + root
        e_fast, e_slow = exp(fast * dt), exp(slow * dt)
        i_fast, i_slow = (e_fast - 1.0) / fast, (e_slow - 1.0) / slow

        def entries(of_fast: float, of_slow: float) -> tuple[float, float, float, float]:
            # Sylvester's formula f(A) = f(slow) (A - fast)/(slow - fast) + f(fast) (A - slow)/(fast - slow)
            p, q = of_slow / (slow - fast), of_fast / (fast - slow)
            return p * (a - fast) + q * (a - slow), (p + q) * b, (p + q) * c, p * (d - fast) + q * (d - slow)

        return (*entries(e_fast, e_slow), *entries(i_fast, i_slow))

    def _coefficients(self, dt: float) -> tuple[float, ...]:
        """What multiplies air, mass, outdoors, heat and radiant heat in the next air, and in the next mass; moisture."""
        s = self._exact(dt)
        rows = []
        for a, m, to_air, to_mass in ((s[0], s[1], s[4], s[5]), (s[2], s[3], s[6], s[7])):
            p, q = to_air / self.c_air, to_mass / self.c_mass
            rows += [a, m, p * self.u_air + q * self.u_mass, p, q]
        return (*rows, dt / (BUFFER * 1.2 * self.volume), dt / self.volume)

    def finish(self, dt: float, outdoor: float, ratio: float, wind: float, vapour: float, people: float) -> None:
        """Ends a step of `dt` s: outdoor air (degC, kg/kg), wind (m/s), vapour set free indoors (kg/s), people."""
        step = self._steps.get(dt)
        if step is None:
            step = self._steps[dt] = self._coefficients(dt)
        aa, am, ao, ah, ar, ma, mm, mo, mh, mr, wet, stale = step
        s = self.state
        a, m = s.air, s.mass
        # leaks at the mean wind are in u_air; what the wind adds or spares, and open windows, are gains
        gust = (wind - 3.0) / 6.0
        extra = self.leak * (-0.5 if gust < -0.5 else 1.5 if gust > 1.5 else gust)
        if self.opens and a > WINDOWS_DEGC and 12.0 < outdoor < a:
            extra += self.volume * WINDOWS_1_S
        heat = self.heat + extra * _RHO_CP * (outdoor - a)
        s.air = aa * a + am * m + ao * outdoor + ah * heat + ar * self.radiant
        s.mass = ma * a + mm * m + mo * outdoor + mh * heat + mr * self.radiant
        flow = self.leak + extra + self.fresh
        moist = (s.ratio + wet * (1.2 * flow * ratio + vapour - self.drying)) / (1.0 + 1.2 * wet * flow)
        s.ratio = 0.0006 if moist < 0.0006 else 0.022 if moist > 0.022 else moist
        # a person at rest breathes out 5.2e-6 m3/s of carbon dioxide
        s.co2 = (s.co2 + stale * (flow * 420.0 + people * 5.2)) / (1.0 + stale * flow)
        self.heat = self.radiant = self.drying = self.fresh = 0.0
