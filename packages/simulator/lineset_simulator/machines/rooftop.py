"""Rooftop unit of a shop or an office: outdoor air, economizer, two cooling stages, gas or electric heat in one box."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from .. import air
from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .circuit import Circuit, CircuitState, as_made
from .coils import Indoor, head_kept, wet_or_dry
from .control import Control
from .readings import CIRCUIT, OPERATING, air_points, circuit_points, circuit_row, control_points, running

_OP = {name: float(code) for name, code in OPERATING.items()}
_FREE = {name: float(code) for name, code in POINTS["economizer_state"].codes.items()}
COOLEST_DEGC = 12.5  # mixed air that an economizer may send


class RooftopState(MachineState):
    """`damper`: share of outdoor air asked for; `free`: code of economizer_state; `fire`: share of the heat; `co2_set`:
    ppm. The rest is as at `split.SplitState`."""

    circuit: CircuitState = msgspec.field(default_factory=CircuitState)
    operating: float = _OP["idle"]
    damper: float = 0.0
    free: float = 0.0
    fire: float = 0.0
    gas: float = 0.0
    given: float = 0.0
    fan_out: float = 0.0
    co2_set: float = 900.0


class RooftopUnit(Machine):
    """A rooftop unit of `capacity` (W of cooling). Options: `heat` (W; by gas unless its fuel is electricity; 1.5 of the capacity),
    `fresh` (least share of outdoor air while people are due, 0.15), `economizer` (1)."""

    state: RooftopState
    counters: tuple[str, ...] = (
        "cooling_run_time",
        "heating_run_time",
        "compressor_run_time",
        "compressor_starts",
        "fan_run_time",
        "filter_run_time",
    )
    columns: ClassVar[tuple[str, ...]] = (
        *CIRCUIT,
        *Control.columns,
        *Indoor.columns,
        "operating",
        "outdoor",
        "outdoor_humidity",
        "room",
        "room_ratio",
        "co2",
        "damper",
        "free",
        "fire",
        "gas",
        "given",
        "fan_out",
        "co2_set",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, indoor: Indoor) -> None:
        super().__init__(spec, around)
        self.control, self.indoor = control, indoor
        control.modulates = True
        superheat, subcooling, coil = as_made(spec)
        self.circuit = Circuit(spec.refrigerant or "R410A", spec.capacity, 8.5, 48.0, superheat, subcooling)
        self.k_out = coil * self.circuit.full_given / 13.0
        self.full_fan_out = 0.018 * spec.capacity
        self.burns_gas = spec.fuel == "natural_gas"
        self.heat = spec.options.get("heat", 1.5 * spec.capacity)
        self.fresh = spec.options.get("fresh", 0.15)
        self.has_economizer = spec.options.get("economizer", 1.0) > 0.0
        if self.burns_gas:
            self.counters = (*self.counters, "gas_volume", "gas_energy", "burner_run_time", "burner_starts")
        self.fouled = 0.0
        self.state = RooftopState(circuit=self.circuit.state)
        self.settings = {
            "heating_setpoint": control.set_heating,
            "cooling_setpoint": control.set_cooling,
            "co2_setpoint": self._set_co2,
            "system_mode": control.set_mode,
            "fan_mode": control.set_fan,
        }

    def _set_co2(self, value: float) -> None:
        self.state.co2_set = value

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, RooftopState)
        self.circuit.state = self.state.circuit

    def busy(self) -> bool:
        """Whether it heats or cools, or is about to."""
        return self.state.circuit.on or self.state.fire > 0.0

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on faults of circuit, coils, air flow and control."""
        self.circuit.suffer(faults)
        self.fouled = faults.get("outdoor_coil_fouling", 0.0)
        self.indoor.suffer(self.spec.local, faults)
        self.control.suffer(self.spec.local, faults)

    def step(self) -> None:
        """Ventilates while people are due, and heats or cools as the control calls."""
        s, around, control = self.state, self.around, self.control.state
        was, burned = s.circuit.on, s.fire
        blows = control.heat or control.cool or (around.comfort and control.mode > 0.0) or control.fan not in (0.0, 6.0)
        self._dampers(blows)
        s.fire = s.gas = s.given = 0.0
        if blows:
            share = 1.0 if control.heat or (control.cool and control.demand > 0.6) else 0.67
            self.indoor.blow(share, s.damper, around.outdoor, around.ratio)
        mechanical = control.cool and not (s.free and control.demand < 0.75) and around.outdoor > 8.0
        if mechanical:
            self._cool()
        else:
            self.circuit.rest(around.dt, around.outdoor)
            s.fan_out = 0.0
            if control.heat:
                self._heat(burned)
            elif blows:
                self.indoor.heat(0.0)
            else:
                self.indoor.still(around.dt)
        s.operating = self._doing(mechanical, blows)
        self._count(was, burned)

    def _dampers(self, blows: bool) -> None:
        s, around, control = self.state, self.around, self.control.state
        room = self.indoor.zone.state
        least = self.fresh if blows and around.comfort else 0.0
        if least and room.co2 > s.co2_set:
            least = min(least + (room.co2 - s.co2_set) / 400.0 * 0.35, 0.5)
        s.free = _FREE["off"]
        s.damper = least
        if self.has_economizer and control.cool and around.outdoor < min(room.air - 2.0, 18.0):
            s.free = _FREE["on"]
            apart = max(room.air - around.outdoor, 0.5)
            s.damper = min(max((room.air - COOLEST_DEGC) / apart * (0.4 + 0.6 * control.demand), least), 1.0)

    def _cool(self) -> None:
        s, c, around, indoor = self.state, self.state.circuit, self.around, self.indoor
        speed = 1.0 if self.control.state.demand > (0.5 if c.speed > 0.9 else 0.75) else 0.55
        wet_bulb = air.wet_bulb(indoor.state.inlet, indoor.state.inlet_ratio, around.pressure)
        k_e, source = wet_or_dry(indoor.conductance(), indoor.state.inlet, wet_bulb, c.guess_e if c.on else wet_bulb - 9.0)
        k_c = self.k_out * (1.0 - 0.68 * self.fouled) * (1.0 if speed > 0.9 else 0.75)
        k_c = head_kept(k_c, max(c.given, 0.3 * self.circuit.full_given), around.outdoor)
        s.fan_out = self.full_fan_out * (1.0 if speed > 0.9 else 0.5)
        self.circuit.run(around.dt, speed, k_e, source, k_c, around.outdoor)
        indoor.cool(c.taken, c.guess_e, source)
        s.tally.cooling += around.dt
        s.tally.cold += c.taken * around.dt

    def _heat(self, burned: float) -> None:
        s = self.state
        s.fire = 1.0 if self.control.state.demand > (0.5 if burned > 0.9 else 0.8) else 0.6
        s.given = s.fire * self.heat
        s.gas = s.given / 0.81 if self.burns_gas else 0.0
        self.indoor.heat(s.given)
        s.tally.heating += self.around.dt
        s.tally.heat += s.given * self.around.dt

    def _doing(self, mechanical: bool, blows: bool) -> float:
        if mechanical:
            return _OP["cooling"]
        if self.state.fire:
            return _OP["heating"]
        if self.state.free:
            return _OP["economizer"]
        if blows:
            return _OP["fan_only"]
        return _OP["idle"] if self.control.state.mode else _OP["off"]

    def _count(self, was: bool, burned: float) -> None:
        s, c, dt, tally = self.state, self.state.circuit, self.around.dt, self.state.tally
        if c.on:
            tally.compressor += dt
            tally.compressor_starts += not was
        if self.indoor.state.flow > 0.0:
            tally.fan += dt
            tally.filter += dt
        if s.fire and self.burns_gas:
            tally.burner += dt
            tally.burner_starts += burned == 0.0
            tally.gas += s.gas * dt
        electric = 0.0 if self.burns_gas else s.given
        running_now = c.on or s.fire > 0.0 or self.indoor.state.flow > 0.0
        self.count(c.work + s.fan_out + self.indoor.state.power + electric + 25.0, running_now)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s, zone = self.state, self.indoor.zone.state
        return (
            *circuit_row(s.circuit),
            *self.control.row(),
            *self.indoor.row(),
            s.operating,
            self.around.outdoor,
            self.around.humidity,
            zone.air,
            zone.ratio,
            zone.co2,
            s.damper,
            s.free,
            s.fire,
            s.gas,
            s.given,
            s.fan_out,
            s.co2_set,
        )

    def observe(self, c: Columns) -> Points:
        """Points of a rooftop unit; return air is the room's, mixed air what enters the coil."""
        points = circuit_points(c, self.spec.refrigerant or "R410A")
        points |= air_points(c, self.around.pressure) | control_points(c)
        on, blows = c["c_on"] > 0.0, c["a_flow"] > 0.0
        fade = np.exp(-c["c_since"] / 300.0)
        for name in ("vacation_mode", "external_static_pressure", "indoor_fan_speed"):
            del points[name]
        points |= {
            "return_air_temperature": c["room"],
            "return_air_humidity": points["room_humidity"],
            "mixed_air_temperature": c["a_inlet"],
            "temperature_split": running(blows, c["a_supply"] - c["room"]),
            "outdoor_air_flow": c["a_flow"] * c["a_fresh"] * 3600.0,
            "outdoor_damper_position": 100.0 * c["damper"],
            "economizer_state": c["free"],
            "supply_fan_speed": 100.0 * c["a_share"],
            "supply_static_pressure": 180.0 * c["a_share"] ** 2,
            "co2_concentration": c["co2"],
            "co2_setpoint": c["co2_set"],
            "heating_setpoint": c["set_heating"],
            "system_mode": c["set_mode"],
            "indoor_coil_temperature": np.where(on, c["c_te"] + 0.5, c["a_supply"]),
            "outdoor_coil_temperature": np.where(on, c["c_tc"] - 1.0, c["outdoor"] + (c["c_tc"] - 1.0 - c["outdoor"]) * fade),
            "compressor_stage": np.where(on, np.where(c["c_speed"] > 0.9, 2.0, 1.0), 0.0),
            "compressor_current": c["c_work"] / (415.0 * 1.732 * 0.88),
            "outdoor_fan_speed": 100.0 * (c["fan_out"] / self.full_fan_out),
            "fan_power": c["fan_out"] + c["a_power"],
            "outdoor_temperature": c["outdoor"],
            "outdoor_humidity": 100.0 * c["outdoor_humidity"],
            "heat_output": c["given"],
            "cooling_output": np.where(on, c["a_total"], 0.0),
            "cop": running(on & (c["c_since"] > 180.0), c["a_total"] / np.maximum(c["power"], 1.0)),
            "operating_mode": c["operating"],
        }
        del points["compressor_speed"]
        if self.burns_gas:
            points |= {
                "flame": np.where(c["fire"] > 0.0, 1.0, 0.0),
                "gas_input": c["gas"],
                "burner_modulation": 100.0 * c["fire"],
            }
        return points
