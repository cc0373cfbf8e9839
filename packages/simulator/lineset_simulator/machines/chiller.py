"""Air-cooled chiller and the chilled-water loop that it keeps cold."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from .. import air
from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings, Worst
from .circuit import Circuit, CircuitState, as_made
from .coils import head_kept
from .loop import LoopState, bubbles
from .readings import CIRCUIT, OPERATING, circuit_points, circuit_row, running

_OP = {name: float(code) for name, code in OPERATING.items()}
_MODE = POINTS["system_mode"].codes
_SLOWEST = 0.22


class WaterUser(Protocol):
    """Something that may ask for chilled water."""

    def wants_water(self) -> bool:
        """Whether it does now."""


class ChilledLoop:
    """Chilled water for `capacity` (W) at 5 K. `load` collects the heat (W) that users put in during a step."""

    def __init__(self, around: Surroundings, capacity: float) -> None:
        self.around = around
        self.full_flow = capacity / (5.0 * air.CP_WATER)
        self.capacity = 9.0 * capacity / 1e3 * air.CP_WATER  # J/K: 9 litres a kW
        self.state = LoopState(supply=12.0, back=14.0)
        self._throttled, self._airy = Worst(), Worst()
        self.throttled = self.airy = 0.0
        self.load = 0.0
        self.users: list[WaterUser] = []

    def throttle(self, owner: str, faults: Mapping[str, float]) -> None:
        """Takes on low water flow and air in the water that the machine `owner` has."""
        self._throttled.take(owner, faults.get("low_water_flow", 0.0))
        self._airy.take(owner, faults.get("air_in_water", 0.0))
        self.throttled, self.airy = self._throttled.value, self._airy.value

    def row(self) -> tuple[float, ...]:
        """The values of `hydronic.Loop.columns` now."""
        s = self.state
        return s.supply, s.back, s.flow, s.emitted, float(s.pumps), s.speed, self.throttled, self.airy

    def step(self, taken: float) -> None:
        """A step in which the chiller takes `taken` W."""
        s, dt = self.state, self.around.dt
        warmth = 0.004 * self.full_flow * air.CP_WATER * (24.0 - s.back)
        s.back += dt / self.capacity * (self.load + warmth - taken)
        s.emitted, self.load = -self.load, 0.0
        s.supply = s.back - taken / (s.flow * air.CP_WATER) if s.flow > 0.0 else s.back
        s.pumps = any(user.wants_water() for user in self.users)
        s.flow = (
            self.full_flow * s.speed / 0.7 * (1.0 - 0.7 * self.throttled) * (1.0 - bubbles(self.airy, self.around.t)) if s.pumps else 0.0
        )


class ChillerState(MachineState):
    """`setpoint` (degC), `mode`: settings; `since`: s since the compressor's last change; `fan_out`: W."""

    circuit: CircuitState = msgspec.field(default_factory=CircuitState)
    loop: LoopState = msgspec.field(default_factory=LoopState)
    setpoint: float = 7.0
    mode: float = float(_MODE["cooling"])
    since: float = 3600.0
    fan_out: float = 0.0
    operating: float = _OP["idle"]


class Chiller(Machine):
    """A chiller of `capacity` (W at 35 degC outdoors and 7 degC water) with inverter compressors."""

    state: ChillerState
    counters: tuple[str, ...] = ("cooling_run_time", "cooling_energy", "compressor_run_time", "compressor_starts")
    columns: ClassVar[tuple[str, ...]] = (
        *CIRCUIT,
        "w_supply",
        "w_back",
        "w_flow",
        "setpoint",
        "mode",
        "fan_out",
        "outdoor",
        "outdoor_humidity",
        "operating",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, loop: ChilledLoop) -> None:
        super().__init__(spec, around)
        self.loop = loop
        superheat, subcooling, coil = as_made(spec, 5.0, 6.0)
        self.circuit = Circuit(spec.refrigerant or "R32", spec.capacity, 4.0, 48.0, superheat, subcooling)
        self.k_out = coil * self.circuit.full_given / 13.0
        self.full_fan_out = 0.022 * spec.capacity
        self.fouled = 0.0
        self.state = ChillerState(circuit=self.circuit.state, loop=loop.state)
        self.settings = {"chilled_water_setpoint": self._set("setpoint"), "system_mode": self._set("mode")}

    def _set(self, field: str) -> Any:
        return lambda value: setattr(self.state, field, value)

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, ChillerState)
        self.circuit.state, self.loop.state = self.state.circuit, self.state.loop

    def busy(self) -> bool:
        """Whether it heats or cools, or is about to."""
        return self.state.circuit.on

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on faults of circuit, condenser coil and water flow."""
        self.circuit.suffer(faults)
        self.fouled = faults.get("outdoor_coil_fouling", 0.0)
        self.loop.throttle(self.spec.local, faults)

    def step(self) -> None:
        """Keeps the water at its set point while the pump runs; modulates, then switches."""
        s, c, around, water = self.state, self.state.circuit, self.around, self.loop.state
        s.since += around.dt
        was = c.on
        cools = s.mode > 0.0 and water.pumps and water.flow > 0.0
        if was:
            cools = cools and water.supply > min(s.setpoint - 1.5, water.back)
        else:
            cools = cools and water.back > s.setpoint + 2.5 and s.since > 600.0
        if cools:
            wanted = water.flow * air.CP_WATER * max(water.back - s.setpoint, 0.0)
            full = c.taken / c.speed if c.speed > 0.0 and c.since > 120.0 else self.spec.capacity
            speed = min(max(wanted / max(full, 1.0), _SLOWEST), 1.0)
            share = 0.4 + 0.6 * speed
            s.fan_out = self.full_fan_out * share**2.5
            k_c = self.k_out * share**0.7 * (1.0 - 0.68 * self.fouled)
            k_c = head_kept(k_c, max(c.given, 0.2 * self.circuit.full_given), around.outdoor)
            self.circuit.run(around.dt, speed, 0.78 * water.flow * air.CP_WATER, water.back, k_c, around.outdoor)
            s.operating = _OP["cooling"]
        else:
            self.circuit.rest(around.dt, min(around.outdoor, 24.0))
            s.fan_out = 0.0
            s.operating = _OP["idle"] if s.mode else _OP["off"]
        if c.on != was:
            s.since = 0.0
        self.loop.step(c.taken)
        tally = s.tally
        if c.on:
            tally.compressor += around.dt
            tally.cooling += around.dt
            tally.cold += c.taken * around.dt
            tally.compressor_starts += not was
        self.count(c.work + s.fan_out + 60.0, c.on)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s, water = self.state, self.loop.state
        return (
            *circuit_row(s.circuit),
            water.supply,
            water.back,
            water.flow,
            s.setpoint,
            s.mode,
            s.fan_out,
            self.around.outdoor,
            self.around.humidity,
            s.operating,
        )

    def observe(self, c: Columns) -> Points:
        """Points of a chiller."""
        points = circuit_points(c, self.spec.refrigerant or "R32")
        on = c["c_on"] > 0.0
        settled = on & (c["c_since"] > 300.0)
        return points | {
            "chilled_water_supply_temperature": c["w_supply"],
            "chilled_water_return_temperature": c["w_back"],
            "chilled_water_flow_rate": c["w_flow"],
            "chilled_water_setpoint": c["setpoint"],
            "system_mode": c["mode"],
            "cooling_output": c["c_taken"],
            "condenser_approach": running(on, c["c_tc"] - c["outdoor"]),
            "evaporator_approach": running(on, c["w_supply"] - c["c_te"]),
            "oil_pressure": points["suction_line_pressure"] + np.where(on, 210.0, 0.0),
            "outdoor_fan_speed": 100.0 * (c["fan_out"] / self.full_fan_out) ** 0.4,
            "fan_power": c["fan_out"],
            "compressor_current": c["c_work"] / (415.0 * 1.732 * 0.9),
            "outdoor_temperature": c["outdoor"],
            "outdoor_humidity": 100.0 * c["outdoor_humidity"],
            "cop": running(settled, c["c_taken"] / np.maximum(c["power"], 1.0)),
            "operating_mode": c["operating"],
        }
