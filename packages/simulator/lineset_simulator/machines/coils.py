"""The air side of machines: an indoor blower with its ducts and coil, and an outdoor coil that may frost."""

from collections.abc import Mapping
from math import sqrt
from operator import attrgetter
from typing import Protocol

import msgspec

from .. import air
from ..house import Zone
from .base import Worst

RHO_CP = 1.2 * air.CP
WET_GAIN = 1.75  # a wet coil's conductance over wet bulb, against the dry one's over dry bulb
DUCT_KEEPS = 0.93  # share of the heat or cold that ducts bring to the room


class IndoorState(msgspec.Struct):
    """Air of the last step: `inlet` and `supply` (degC), `inlet_ratio` and `moist` (kg/kg) before and behind the coil,
    `flow` (m3/s), `power` of the blower (W), `sensible` and `total` heat moved (W), `choked` (0 to 1), `share` of the rated
    flow, share of `fresh` air."""

    inlet: float
    inlet_ratio: float
    supply: float
    moist: float
    flow: float = 0.0
    power: float = 0.0
    sensible: float = 0.0
    total: float = 0.0
    choked: float = 0.0
    share: float = 0.0
    fresh: float = 0.0


class Indoor:
    """An indoor coil with its blower. `capacity` is the rated cooling (W), which sets the air flow (54 L/s a kW);
    `pressure` that of the place (Pa).

    Conductance `k` is that of the clean coil at full flow (W/K). `fouling` and `choked` (0 to 1) are faults of coil and
    filter; `astray` is the share of heat or cold that leaks out of the ducts beyond the usual.
    """

    columns = tuple(f"a_{name}" for name in IndoorState.__struct_fields__)

    def __init__(self, capacity: float, zone: Zone, pressure: float) -> None:
        self.zone, self.pressure = zone, pressure
        self.rated = capacity / 1e3 * 0.054
        self.k = capacity / 18.2
        self.full_power = 1050.0 * self.rated * 0.62  # W: about 0.3 W a m3/h
        self._fouling, self._choked, self._astray = Worst(), Worst(), Worst()
        self.fouling = self.choked = self.astray = 0.0
        z = zone.state
        self.state = IndoorState(z.air, z.ratio, z.air, z.ratio)

    def suffer(self, owner: str, faults: Mapping[str, float]) -> None:
        """Takes on low air flow and a fouled coil that the machine `owner` has (severities by name)."""
        self._choked.take(owner, faults.get("low_air_flow", 0.0))
        self._fouling.take(owner, faults.get("indoor_coil_fouling", 0.0))
        self._astray.take(owner, faults.get("setpoint_not_reached", 0.0))
        self.choked, self.fouling, self.astray = self._choked.value, self._fouling.value, self._astray.value
        self.state.choked = max(self.choked, 0.6 * self.fouling)

    def row(self) -> tuple[float, ...]:
        """The values of `columns`."""
        return _air(self.state)

    def blow(self, share: float, fresh: float = 0.0, outdoor: float = 0.0, ratio: float = 0.0) -> float:
        """Runs the blower for a step at `share` of its rated flow; gives the flow (m3/s) that faults leave.

        `fresh` is the share of outdoor air (at `outdoor` degC, `ratio` kg/kg) that is mixed in before the coil.
        """
        s, z = self.state, self.zone.state
        s.share = share
        s.flow = flow = self.rated * share * (1.0 - 0.62 * self.choked) * (1.0 - 0.4 * self.fouling)
        s.power = self.full_power * share**2.5 * (1.0 + 0.12 * self.choked)
        s.inlet, s.inlet_ratio, s.fresh = z.air, z.ratio, fresh
        if fresh > 0.0:
            s.inlet += fresh * (outdoor - z.air)
            s.inlet_ratio += fresh * (ratio - z.ratio)
            self.zone.heat += RHO_CP * flow * fresh * (outdoor - z.air)
            self.zone.fresh += flow * fresh
        return flow

    def conductance(self) -> float:
        """Conductance (W/K) of the dry coil at the present flow; heat transfer goes with the flow to the 0.75."""
        share = self.state.flow / self.rated
        return float(self.k * share**0.75 * (1.0 - 0.3 * self.fouling))

    def heat(self, watts: float, extra: float = 0.0) -> None:
        """Gives `watts` (below 0 in a defrost), `extra` behind the coil (backup heat) and the blower's heat to the air."""
        s = self.state
        given = watts + extra + s.power
        s.sensible = s.total = watts + extra
        s.supply = s.inlet + given / (RHO_CP * max(s.flow, 0.02))
        s.moist = s.inlet_ratio
        self.zone.heat += DUCT_KEEPS * (1.0 - self.astray) * given

    def cool(self, watts: float, evaporating: float, source: float) -> None:
        """Takes `watts` in all from the air with a coil at `evaporating`; `source` is what it was worked out with.

        The surface lies a third of the way from refrigerant to air. What the air at most gives to it as sensible heat,
        and the moisture that at most condenses on it, share the total.
        """
        s = self.state
        mass = RHO_CP * max(s.flow, 0.02)
        surface = evaporating + 0.33 * (source - evaporating)
        latent = watts - 0.86 * mass * (s.inlet - surface)
        most = 0.86 * mass / air.CP * air.LATENT * (s.inlet_ratio - air.saturation_ratio(surface, self.pressure))
        latent = most if latent > most else latent
        latent = latent if latent > 0.0 else 0.0
        sensible = watts - latent
        s.sensible, s.total = sensible, watts
        s.supply = s.inlet - (sensible - s.power) / mass
        s.moist = max(s.inlet_ratio - latent / air.LATENT / (1.2 * max(s.flow, 0.02)), 0.001)
        self.zone.heat -= DUCT_KEEPS * (1.0 - self.astray) * (sensible - s.power)
        self.zone.drying += latent / air.LATENT

    def still(self, dt: float) -> None:
        """A step without the blower: what is in the coil's box drifts to the room's temperature."""
        s, z = self.state, self.zone.state
        keep = 1.0 / (1.0 + dt / 400.0)
        s.inlet, s.inlet_ratio = z.air, z.ratio
        s.supply = z.air + (s.supply - z.air) * keep
        s.moist = z.ratio + (s.moist - z.ratio) * keep
        s.flow = s.power = s.sensible = s.total = s.share = s.fresh = 0.0


_air = attrgetter(*IndoorState.__struct_fields__)


def wet_or_dry(k: float, t: float, wet_bulb: float, evaporating: float) -> tuple[float, float]:
    """Conductance (W/K) and source temperature (degC) of a cooling coil: the larger of all dry and all wet.

    Braun, Klein and Mitchell (1989) show that this is within 5 % of a coil that is wet in part.
    """
    if WET_GAIN * (wet_bulb - evaporating) > t - evaporating:
        return WET_GAIN * k, wet_bulb
    return k, t


def head_kept(k: float, given: float, outdoor: float) -> float:
    """Conductance (W/K) of a condenser outdoors whose fan slows so that `given` W condense at 27 degC at least.

    Without this control a machine that cools in cold weather would starve its valve.
    """
    if outdoor > 20.0:
        return k
    return min(k, given / (27.0 - outdoor))


class Frost:
    """Frost on an outdoor coil of conductance `k` (W/K) made for `capacity` (W) at a place's `pressure` (Pa), with the control
    of its defrost: by need, and after `every` s of running with a cold coil at the latest.

    `mass` is the frost (kg), `coil` the coil's temperature in a defrost (degC), `since` the running time (s) since the
    last one with a cold coil. `cut` (0 to 1) ends a defrost early, `missed` prevents it; both are faults.
    """

    def __init__(self, capacity: float, k: float, pressure: float, every: float) -> None:
        self.k, self.pressure, self.every = k, pressure, every
        self.norm = capacity * 1.5e-4  # kg that costs about a quarter of the conductance
        self.metal = capacity * 0.95  # J/K of coil and liquid
        self.fullest = 5.0 * self.norm
        self.cut = self.missed = 0.0

    def share(self, mass: float) -> float:
        """Share of the conductance that `mass` (kg) of frost leaves."""
        x: float = mass / self.norm
        return 1.0 / (1.0 + 0.33 * x * sqrt(x))

    def grown(self, mass: float, dt: float, surface: float, outdoor: float, ratio: float) -> float:
        """Frost (kg) after `dt` s with the coil's surface at `surface` in air of `outdoor` (degC) and `ratio`."""
        if surface >= 0.0:
            if mass > 0.0 and outdoor > 1.0:
                return float(max(mass - self.k * 0.5 * outdoor * dt / air.FUSION, 0.0))
            return mass
        excess = ratio - air.saturation_ratio(surface, self.pressure)
        if excess <= 0.0:
            return mass
        return float(min(mass + 0.65 * self.k / air.CP * excess * dt, self.fullest))

    def wanted(self, mass: float, since: float) -> bool:
        """Whether the control starts a defrost: frost costs a quarter of the coil, at least 35 min after the last one;
        or the longest time of running with a cold coil has passed."""
        if self.missed > 0.5:
            return False
        return since > 2100.0 and (mass > self.norm or since > self.every)

    def longest(self) -> float:
        """The time (s) after which the control ends a defrost, whatever the coil's temperature."""
        return 600.0 if self.cut == 0.0 else 260.0 * (1.0 - self.cut)

    def melt(self, state: "Melting", heat: float) -> None:
        """Gives `heat` (J) to the frosted coil: a quarter is lost to the air, the rest melts frost, then warms metal."""
        heat *= 0.75
        if state.coil < 0.0:
            used = min(heat, -state.coil * self.metal)
            state.coil += used / self.metal
            heat -= used
        melted = min(heat * 0.9 / air.FUSION, state.frost)
        state.frost -= melted
        state.coil += (heat - melted * air.FUSION) / self.metal


class Melting(Protocol):
    """Frost (kg) and temperature (degC) of a coil that is being defrosted."""

    frost: float
    coil: float
