"""A refrigerant circuit: compressor, two coils and an expansion valve, as two temperatures that balance heat.

A coil is its conductance `k` (W/K): effectiveness times the heat capacity flow of the air or water through it, so that
heat = k (fluid in - refrigerant). The circuit finds the evaporating and condensing temperature at which the compressor
moves just the heat that both coils pass. Faults change the flow, the coils or the valve here; nobody touches a reading.
"""

from collections.abc import Mapping
from math import exp, pi, sin

import msgspec

from ..spec import EquipmentSpec
from .compressor import EVAPORATING, compressor_map

CHASE_S = 40.0  # the refrigerant side follows a change of load within a minute
START_S = 70.0  # a started circuit reaches its capacity as its charge moves back: 63 % after this
REST_S = 420.0  # a stopped circuit takes on the temperature around it
# Faults act on flow, conductance and valve so that capacity and power change as measured on split heat pumps with a thermostatic
# valve: Kim, Payne, Domanski, Yoon and Hermes (2009), Applied Thermal Engineering 29; Yoon, Payne and Domanski (2011), ibid. 31; Domanski,
# Henderson and Payne (2014), NIST Technical Note 1848, tables of normalised capacity and power by fault level. `tests/simulator` holds the
# circuit to those tables.
SURPLUS_K = 22.0  # subcooling that a doubled charge would add
FLOODED = 0.9  # a doubled charge would take this share more conductance from the condenser
GAS_K = 6.5  # what the worst of non-condensable gas adds to the apparent condensing temperature
HUNT_S = 430.0  # a hunting valve swings within 4 to 10 minutes (Chen, Chen, Liu and Chua 2002, minimal stable signal of evaporators)
SHELL_LOSS = 0.06  # share of the compressor's power that its shell gives to the air around it


def as_made(spec: EquipmentSpec, superheat: float = 6.0, subcooling: float = 6.0) -> tuple[float, float, float]:
    """How a maker builds: superheat and subcooling (K), size of the outdoor coil (1: usual). Options `superheat`, `subcooling`, `coil`."""
    o = spec.options
    return o.get("superheat", superheat), o.get("subcooling", subcooling), o.get("coil", 1.0)


class CircuitState(msgspec.Struct):
    """Temperatures in degC (evaporating: dew; condensing: bubble), superheat and subcooling in K, powers in W.

    `taken` is the heat taken up by the evaporator, `given` that given off by the condenser, both as means of the last
    step; `since` is the time (s) since the last start or stop.
    """

    on: bool = False
    since: float = 3600.0
    evaporating: float = 15.0
    condensing: float = 15.0
    superheat: float = 0.0
    subcooling: float = 0.0
    discharge: float = 15.0
    speed: float = 0.0
    taken: float = 0.0
    given: float = 0.0
    work: float = 0.0
    guess_e: float = 0.0
    guess_c: float = 40.0


class CircuitFaults(msgspec.Struct):
    """What is wrong, each from 0 (nothing) to 1: share of charge lost, liquid line restricted, compressor valves leaking,
    reversing valve leaking from hot to cold side; share of charge too much, non-condensable gas (1: 0.2 of the mass of nitrogen
    that fills the circuit at 101 kPa), swing of the valve, share of flow that a worn compressor lacks, share of its power that it
    wastes."""

    low_charge: float = 0.0
    restriction: float = 0.0
    valve_leak: float = 0.0
    cross_leak: float = 0.0
    overcharge: float = 0.0
    gas: float = 0.0
    hunting: float = 0.0
    worn: float = 0.0
    waste: float = 0.0

    @classmethod
    def of(cls, faults: Mapping[str, float]) -> "CircuitFaults":
        """From severities by the contract's names of faults."""
        return cls(
            faults.get("low_charge", 0.0),
            faults.get("liquid_line_restriction", 0.0),
            faults.get("compressor_valve_leak", 0.0),
            faults.get("reversing_valve", 0.0),
            faults.get("overcharge", 0.0),
            faults.get("non_condensables", 0.0),
            faults.get("expansion_valve_hunting", 0.0),
            faults.get("capacity_degradation", 0.0),
            faults.get("cop_degradation", 0.0),
        )

    def any(self) -> bool:
        """Whether anything is wrong."""
        return any(msgspec.structs.astuple(self))


class Circuit:
    """A circuit with the refrigerant `name` that takes up `capacity` (W) at full speed and the temperatures given.

    `evaporating` and `condensing` (degC) are those of the rating point. `superheat` is what its valve keeps (K),
    `subcooling` what its charge gives at full load (K).
    """

    def __init__(
        self,
        name: str,
        capacity: float,
        evaporating: float,
        condensing: float,
        superheat: float = 6.0,
        subcooling: float = 6.0,
    ) -> None:
        self.name = name
        self.map = compressor_map(name)
        self.keeps, self.charged = superheat, subcooling
        effect = self.map.effect(evaporating, superheat, condensing - subcooling)
        self.swept = capacity / (self.map.swept(evaporating, condensing) * effect)
        self.full_given = capacity * (1.0 + self.map.energy(evaporating, condensing) / effect)
        self.state = CircuitState()
        self.faults, self._sound = CircuitFaults(), True

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on the faults among `faults` (severities from 0 to 1 by name) that a circuit can have."""
        self.faults = CircuitFaults.of(faults)
        self._sound = not self.faults.any()

    def rest(self, dt: float, around: float) -> None:
        """A step of `dt` s at a stand: pressures even out and everything drifts to `around` (degC), its coldest part."""
        s = self.state
        if s.on:
            s.on, s.since, s.speed, s.taken, s.given, s.work = False, 0.0, 0.0, 0.0, 0.0, 0.0
        s.since += dt
        keep = exp(-dt / REST_S)
        middle = around + 1.0
        s.evaporating = middle + (s.evaporating - middle) * keep
        s.condensing = middle + (s.condensing - middle) * keep
        s.discharge = around + 3.0 + (s.discharge - around - 3.0) * exp(-dt / 1500.0)
        s.superheat *= keep
        s.subcooling *= keep

    def run(self, dt: float, speed: float, k_e: float, source: float, k_c: float, sink: float) -> None:
        """A step of `dt` s at `speed` (share of full speed) between `source` and `sink` (degC; conductances in W/K)."""
        s, f, m = self.state, self.faults, self.map
        rounds = 2
        if not s.on:
            s.on, s.since = True, 0.0
            s.guess_e, s.guess_c = source - 8.0, max(sink + 12.0, source + 8.0)
            rounds = 6
        superheat, subcooling, flow, wetted = self._valve(s.given)
        volume = self.swept * speed * flow * (268.0 / (260.0 + superheat))
        k_e *= wetted
        # flooded by too much charge, a condenser has less surface for gas to condense on
        k_c /= 1.0 + FLOODED * f.overcharge
        # by Dalton's law the gas adds its pressure to that of the refrigerant: the circuit sees it, the condensing surface does not
        partial = GAS_K * f.gas
        sink += partial
        te, tc = s.guess_e, s.guess_c
        f0, f1, f2, f3, f4, f5, f6, f7 = m.flow
        w0, w1, w2, w3, w4, w5 = m.work
        v0, v1, v2 = m.vapour
        l0, l1, l2, l3 = m.liquid
        v0 += m.gas * superheat - l0
        low, high = EVAPORATING
        taken = work = effect = 0.0
        for _ in range(rounds):
            # written out from `CompressorMap`, because calls would cost more than the sums: half the fleet is here
            mass = volume * (f0 + te * (f1 + te * (f2 + te * f3)) + tc * (f4 + te * (f5 + te * f6) + tc * f7))
            liquid = tc - subcooling
            effect = v0 + te * (v1 + te * v2) - liquid * (l1 + liquid * (l2 + liquid * l3))
            taken = mass * effect
            work = mass * (w0 + te * (w1 + te * w2) + tc * (w3 + te * w4 + tc * w5))
            # a chord step: heat taken grows by about 3.2 % and heat given shrinks by about 0.8 % a kelvin
            te -= (taken - k_e * (source - te)) / (k_e + 0.032 * taken)
            tc += (taken + (1.0 - SHELL_LOSS) * work - k_c * (tc - sink)) / (k_c + 0.008 * taken)
            te = low if te < low else high if te > high else te
            tc = te + 6.0 if tc < te + 6.0 else m.highest if tc > m.highest else tc
        s.guess_e, s.guess_c = te, tc
        # the mean over the step of an exponential start
        before, after = exp(-s.since / START_S), exp(-(s.since + dt) / START_S)
        ramp = 1.0 - (before - after) * START_S / dt
        s.since += dt
        chase = 1.0 - exp(-dt / CHASE_S)
        s.evaporating += (te - s.evaporating) * chase
        s.condensing += (tc - s.condensing) * chase
        s.superheat += (superheat + 9.0 * after - s.superheat) * chase
        s.subcooling += (subcooling - s.subcooling) * chase
        # motor and inverter lose more of the power at part speed
        work *= 1.05 + 0.24 * (1.0 - speed)
        # the leak past the valves takes the same work again without moving heat; so does gas that leaks back in a worn compressor
        s.work = work * (1.0 + 0.5 * f.valve_leak + 0.5 * f.cross_leak + f.waste + f.worn / (1.0 - f.worn)) * (0.35 + 0.65 * ramp)
        s.taken = taken * ramp
        s.given = (taken + (1.0 - SHELL_LOSS) * work) * ramp
        s.speed = speed
        hot = tc + m.gas_rise(te, tc, superheat, work / max(taken, 1.0) * effect)
        s.discharge += (hot + 22.0 * f.valve_leak - s.discharge) * (1.0 - exp(-dt / 150.0))

    def _valve(self, given: float) -> tuple[float, float, float, float]:
        """Superheat (K), subcooling (K), share of mass flow, share of the evaporator that is wetted.

        A lean circuit loses its subcooling first; then gas reaches the valve, which opens until it is wide open, and
        superheat climbs while part of the evaporator stands dry. A restriction starves the evaporator too, but holds the
        liquid back in the condenser.
        """
        f = self.faults
        load = min(max(given / self.full_given, 0.25), 1.3)
        superheat = self.keeps + 1.5 * (load - 1.0)
        subcooling = self.charged * (0.35 + 0.65 * load)
        if self._sound:
            return superheat, subcooling, 1.0, 1.0
        lean = max(f.low_charge - 0.06, 0.0)
        superheat = min(superheat + 40.0 * lean + 26.0 * f.restriction, 40.0)
        subcooling = max(subcooling * (1.0 - 2.6 * f.low_charge), 0.0) + 9.0 * f.restriction
        # a valve keeps its superheat in spite of too much charge; what is too much waits as liquid
        subcooling += SURPLUS_K * f.overcharge + GAS_K * f.gas
        swing = sin(2.0 * pi * self.state.since / HUNT_S) if f.hunting else 0.0
        superheat = max(superheat + 11.0 * f.hunting * swing, 0.5)
        # gas that crosses the reversing valve reaches the suction side hot
        superheat += 14.0 * f.cross_leak
        flow = (1.0 - 0.42 * f.valve_leak) * (1.0 - 0.4 * f.cross_leak) * (1.0 - f.worn)
        # while it swings the evaporator is starved half of the time; what floods it otherwise gives nothing back
        wetted = (1.0 - 0.3 * f.hunting * (0.5 + 0.5 * swing)) / (1.0 + 5.0 * lean + 3.0 * f.restriction)
        return superheat, subcooling, flow, wetted
