"""Water heaters with a tank: electric with two elements, gas, heat pump."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from .. import air
from ..chance import Floats
from ..house import Zone
from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .circuit import Circuit, CircuitState, as_made
from .readings import CIRCUIT, OPERATING, circuit_points, circuit_row, running
from .tank import Tank, TankState

MODES = POINTS["water_heater_mode"].codes
_OP = {name: float(code) for name, code in OPERATING.items()}
_AWAY = 50.0  # the lowest that keeps the tank hygienic
_BOOST = 60.0
_BOOST_S = 3.0 * 3600.0


class HeaterState(MachineState):
    """`setpoint` (degC), `mode`, `boost`, `vacation`: settings; `boosted`: s since the boost began; `upper`, `lower`: W of the
    elements or of the gas; `upper_on`, `lower_on`: whether element or burner is called for; `ambient`: air around the tank
    (degC); `given`: W into the tank; `hot`, `flue`, `air_out`: outlet pipe, flue, air behind the coil (degC).
    """

    tank: TankState = msgspec.field(default_factory=TankState)
    circuit: CircuitState = msgspec.field(default_factory=CircuitState)
    setpoint: float = 55.0
    mode: float = 0.0
    boost: float = 0.0
    vacation: float = 0.0
    boosted: float = 0.0
    upper: float = 0.0
    lower: float = 0.0
    upper_on: bool = False
    lower_on: bool = False
    since: float = 3600.0
    ambient: float = 18.0
    given: float = 0.0
    hot: float = 45.0
    flue: float = 25.0
    air_out: float = 18.0


class WaterHeater(Machine):
    """What all tanks share. Options: `litres` (190), `loss` (W/K), `setpoint` (degC), `basement` (1: stands in one)."""

    state: HeaterState
    first_mode = "electric"
    loss = 1.4
    counters: tuple[str, ...] = ("hot_water_volume", "heat_energy")
    columns: ClassVar[tuple[str, ...]] = (
        *Tank.columns,
        "setpoint",
        "mode",
        "boost",
        "vacation",
        "upper",
        "lower",
        "upper_on",
        "lower_on",
        "since",
        "ambient",
        "given",
        "hot",
        "flue",
        "scale",
        "consumed",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, zone: Zone) -> None:
        super().__init__(spec, around)
        self.zone = zone
        self.tank = Tank(spec.options.get("litres", 190.0), spec.options.get("loss", self.loss))
        self.basement = spec.options.get("basement", 0.0) > 0.0
        self.state = HeaterState(tank=self.tank.state, setpoint=spec.options.get("setpoint", 55.0), mode=float(MODES[self.first_mode]))
        self.scale = self.consumed = 0.0
        self.settings = {
            "hot_water_setpoint": self._set("setpoint"),
            "water_heater_mode": self._set("mode"),
            "hot_water_boost": self._set("boost"),
            "vacation_mode": self._set("vacation"),
        }

    def _set(self, field: str) -> Any:
        def act(value: float) -> None:
            setattr(self.state, field, value)
            if field == "boost":
                self.state.boosted = 0.0

        return act

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, HeaterState)
        self.tank.state = self.state.tank

    def busy(self) -> bool:
        """Whether it heats or cools, or is about to."""
        return self.state.given > 0.0

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on scale and a consumed anode."""
        self.scale = faults.get("water_heater_scale", 0.0)
        self.consumed = faults.get("anode_due", 0.0)

    def target(self) -> float:
        """The temperature (degC) that the tank is kept at now."""
        s = self.state
        if s.boost:
            s.boosted += self.around.dt
            if s.boosted > _BOOST_S or s.tank.bottom >= _BOOST - 1.0:
                s.boost = 0.0
            return _BOOST
        if s.vacation or s.mode == MODES["eco"]:
            return max(min(s.setpoint, 52.0), _AWAY)
        return s.setpoint

    def surround(self) -> float:
        """Temperature (degC) of the room the tank stands in; a basement lies between the zone and the ground."""
        s = self.state
        room = self.zone.state.air
        s.ambient = 0.45 * room + 0.55 * (0.75 * self.around.mains + 4.0) if self.basement else room
        return s.ambient

    def fill(self, top: float, bottom: float) -> None:
        """Ends the step of the tank with heat (W) into its layers, and counts water and heat."""
        s, around = self.state, self.around
        before = s.tank.top
        taken = self.tank.step(around.dt, around.drawn, around.mains, s.ambient, top, bottom)
        s.given = top + bottom
        s.tally.heat += (top + bottom) * around.dt
        s.tally.water += s.tank.litres
        # the outlet pipe is as hot as the top while water runs, and cools between draws
        s.hot = before if taken > 0.0 else s.ambient + 4.0 + (s.hot - s.ambient - 4.0) / (1.0 + around.dt / 2400.0)
        if not self.basement:
            self.zone.heat += self.tank.loss * (0.5 * (s.tank.top + s.tank.bottom) - s.ambient)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        return (
            *self.tank.row(),
            s.setpoint,
            s.mode,
            s.boost,
            s.vacation,
            s.upper,
            s.lower,
            float(s.upper_on),
            float(s.lower_on),
            s.since,
            s.ambient,
            s.given,
            s.hot,
            s.flue,
            self.scale,
            self.consumed,
        )

    def observe(self, c: Columns) -> Points:
        """Points of any tank. The hygiene cycle counts as kept while the top stays at 55 degC or more at times."""
        return {
            "tank_top_temperature": c["t_top"],
            "tank_middle_temperature": 0.45 * c["t_top"] + 0.55 * c["t_bottom"],
            "tank_bottom_temperature": c["t_bottom"],
            "hot_water_temperature": c["hot"],
            "cold_water_temperature": np.where(c["t_flow"] > 0.0, c["t_mains"], 0.6 * c["t_mains"] + 0.4 * c["ambient"]),
            "hot_water_flow_rate": c["t_flow"],
            "hot_water_setpoint": c["setpoint"],
            "water_heater_mode": c["mode"],
            "hot_water_boost": c["boost"],
            "vacation_mode": c["vacation"],
            "heat_output": c["given"],
            "leak_sensor": np.zeros_like(c["setpoint"]),
            # the current follows the conductivity of warm water, by 2 % a kelvin, and ends with the metal
            "anode_current": 4.0 * (1.0 - 0.92 * c["consumed"]) * (1.0 + 0.02 * (0.5 * (c["t_top"] + c["t_bottom"]) - 50.0)),
        }

    @staticmethod
    def doing(heats: np.ndarray, mode: Floats) -> Floats:
        """Code of operating_mode from whether the tank is heated and the mode chosen."""
        return np.where(heats, _OP["hot_water"], np.where(mode == MODES["off"], _OP["off"], _OP["idle"]))


class ElectricHeater(WaterHeater):
    """Two elements, never both: the upper one has priority. `capacity` is the power (W) of each."""

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on scale and a failed element."""
        super().suffer(faults)
        self.failed = {
            "upper": faults.get("element_failed:upper_element_state", 0.0),
            "lower": faults.get("element_failed:lower_element_state", faults.get("element_failed", 0.0)),
        }

    failed: Mapping[str, float] = {"upper": 0.0, "lower": 0.0}

    def step(self) -> None:
        """Switches the elements by their own thermostats, each with its band."""
        s, tank = self.state, self.state.tank
        room, target = self.surround(), self.target()
        off = s.mode == MODES["off"]
        up = not off and tank.top < (target if s.upper_on else target - 5.0)
        low = not (off or up) and tank.bottom < (target if s.lower_on else target - 7.0)
        s.ambient = room
        # scale insulates an element; its sheath overheats and the limiter takes it out part of the time
        whole = self.spec.capacity * (1.0 - 0.45 * self.scale)
        s.upper = whole * (1.0 - self.failed["upper"]) if up else 0.0
        s.lower = whole * (1.0 - self.failed["lower"]) if low else 0.0
        # a failed element is still called for: its state is on and it draws nothing
        s.upper_on, s.lower_on = up, low
        self.fill(s.upper, s.lower)
        self.count(s.upper + s.lower + 3.0, up or low)

    def observe(self, c: Columns) -> Points:
        """Points of a tank and of its elements: their states are what the thermostats switch."""
        points = super().observe(c)
        points["upper_element_state"] = c["upper_on"]
        points["lower_element_state"] = c["lower_on"]
        points["operating_mode"] = self.doing((c["upper_on"] + c["lower_on"]) > 0.0, c["mode"])
        return points


class GasHeater(WaterHeater):
    """A burner under the tank; `capacity` is its output (W). Option `efficiency` (0.8)."""

    first_mode = "gas"
    loss = 3.4
    counters: tuple[str, ...] = (*WaterHeater.counters, "burner_run_time", "burner_starts", "gas_volume", "gas_energy", "ignition_retries")

    def __init__(self, spec: EquipmentSpec, around: Surroundings, zone: Zone) -> None:
        super().__init__(spec, around, zone)
        self.efficiency = spec.options.get("efficiency", 0.80)

    def step(self) -> None:
        """Burns while the bottom is under its band; scale on the bottom sends heat up the flue instead."""
        s, tank, dt = self.state, self.state.tank, self.around.dt
        room, target = self.surround(), self.target()
        off = s.mode == MODES["off"]
        was = s.lower_on
        s.since += dt
        s.lower_on = not off and tank.bottom < (target if was else target - 6.0) and (was or s.since > 120.0)
        if s.lower_on != was:
            s.since = 0.0
        efficiency = self.efficiency * (1.0 - 0.4 * self.scale)
        gas = self.spec.capacity / self.efficiency if s.lower_on else 0.0
        aim = 25.0 + 0.5 * tank.bottom + 620.0 * (1.0 - efficiency) if s.lower_on else room + 12.0
        s.flue += (aim - s.flue) * min(dt / (90.0 if s.lower_on else 500.0), 1.0)
        s.lower = gas
        self.fill(0.0, gas * efficiency)
        tally = s.tally
        tally.gas += gas * dt
        if s.lower_on:
            tally.burner += dt
            tally.burner_starts += not was
        self.count(4.0 + (38.0 if s.lower_on else 0.0), s.lower_on)

    def observe(self, c: Columns) -> Points:
        """Points of a tank and of its burner."""
        points = super().observe(c)
        burns = c["lower_on"] > 0.0
        points["flame"] = c["lower_on"]
        points["gas_input"] = c["lower"]
        points["flame_current"] = np.where(burns, 3.4, 0.0)
        points["flue_gas_temperature"] = c["flue"]
        points["thermal_efficiency"] = running(burns, 100.0 * c["given"] / np.maximum(c["lower"], 1.0))
        points["operating_mode"] = self.doing(burns, c["mode"])
        return points


class HeatPumpHeater(WaterHeater):
    """A small circuit whose condenser is wound round the lower tank, and an upper element. `capacity`: heat output (W).

    Options: `element` (W of the upper element, 4500), `basement`. It cools the room it stands in.
    """

    first_mode = "hybrid"
    loss = 1.1
    counters: tuple[str, ...] = (
        *WaterHeater.counters,
        "compressor_run_time",
        "compressor_starts",
        "auxiliary_heat_energy",
        "auxiliary_heat_run_time",
        "filter_run_time",
    )
    columns: ClassVar[tuple[str, ...]] = (*WaterHeater.columns, *CIRCUIT, "air_in", "air_out", "fan", "blown")

    def __init__(self, spec: EquipmentSpec, around: Surroundings, zone: Zone) -> None:
        super().__init__(spec, around, zone)
        superheat, subcooling, _ = as_made(spec, 6.0, 4.0)
        self.circuit = Circuit(spec.refrigerant or "R290", 0.70 * spec.capacity, 9.0, 52.0, superheat, subcooling)
        self.state.circuit = self.circuit.state
        self.element = spec.options.get("element", 4500.0)
        self.k_air = 0.70 * spec.capacity / 9.5
        self.k_water = spec.capacity / 5.5
        self.flow = 0.085 * spec.capacity / 1e3  # m3/s
        self.choked = 0.0

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        super().load(data)
        self.circuit.state = self.state.circuit

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on scale, a failed element, a choked filter or coil and faults of the circuit."""
        super().suffer(faults)
        self.circuit.suffer(faults)
        self.choked = max(faults.get("low_air_flow", 0.0), faults.get("indoor_coil_fouling", 0.0))
        self.failed = faults.get("element_failed:upper_element_state", faults.get("element_failed", 0.0))

    failed = 0.0

    def step(self) -> None:
        """Heats by the circuit; the element helps when the top runs cold, if the mode lets it."""
        s, tank, around = self.state, self.state.tank, self.around
        dt = around.dt
        room, target = self.surround(), self.target()
        was, helped = s.circuit.on, s.upper_on
        s.since += dt
        electric = s.mode in (MODES["electric"], MODES["high_demand"])
        pump = s.mode not in (MODES["off"], MODES["electric"]) and room > 4.0
        runs = pump and tank.bottom < (target - 0.5 if was else target - 6.0) and (was or s.since > 300.0)
        helps = s.mode not in (MODES["off"], MODES["heat_pump"], MODES["eco"]) or (s.boost > 0.0)
        margin = 3.0 if electric else 13.0
        helps = helps and tank.top < (target - 1.0 if helped else target - margin)
        if runs != was:
            s.since = 0.0
        given = 0.0
        if runs:
            given = self._run(room)
        else:
            self.circuit.rest(dt, room)
            self.state.air_out = room + (self.state.air_out - room) / (1.0 + dt / 400.0)
        wanted = self.element * (1.0 - 0.45 * self.scale) if helps else 0.0
        s.upper, s.upper_on = wanted * (1.0 - self.failed), helps
        top, lower = s.upper, given
        if tank.bottom > tank.top - 1.0:
            # the condenser reaches above the middle once the bottom has caught up
            top, lower = s.upper + 0.4 * given, 0.6 * given
        self.fill(top, lower)
        self._count(was)

    def _run(self, room: float) -> float:
        s, c = self.state, self.state.circuit
        flow = self.flow * (1.0 - 0.6 * self.choked)
        k_air = self.k_air * (1.0 - 0.6 * self.choked) ** 0.8
        # of the room's air 60 % is humid enough to wet the coil, which the nominal conductance holds
        self.circuit.run(self.around.dt, 1.0, k_air, room, self.k_water * (1.0 - 0.6 * self.scale), s.tank.bottom + 1.0)
        self.state.air_out = room - 0.78 * c.taken / (1.2 * air.CP * flow)
        if not self.basement:
            self.zone.heat -= c.taken
        return c.given

    def _count(self, was: bool) -> None:
        s, c, dt = self.state, self.state.circuit, self.around.dt
        tally = s.tally
        if c.on:
            tally.compressor += dt
            tally.filter += dt
            tally.compressor_starts += not was
        if s.upper > 0.0:
            tally.backup += s.upper * dt
            tally.backup_run += dt
        fan = 0.045 * self.spec.capacity if c.on else 0.0
        self.count(c.work + s.upper + fan + 4.0, c.on or s.upper > 0.0)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        on = s.circuit.on
        return (
            *super().snapshot(),
            *circuit_row(s.circuit),
            s.ambient,
            self.state.air_out,
            0.045 * self.spec.capacity if on else 0.0,
            self.flow * (1.0 - 0.6 * self.choked) if on else 0.0,
        )

    def observe(self, c: Columns) -> Points:
        """Points of a tank, its circuit, its air and its element."""
        points = super().observe(c) | circuit_points(c, self.spec.refrigerant or "R290")
        on, helped = c["c_on"] > 0.0, c["upper_on"] > 0.0
        points["room_temperature"] = c["ambient"]
        points["return_air_temperature"] = c["air_in"]
        points["supply_air_temperature"] = c["air_out"]
        points["indoor_fan_speed"] = np.where(on, 100.0, 0.0)
        points["upper_element_state"] = c["upper_on"]
        points["auxiliary_heat_state"] = c["upper_on"]
        points["auxiliary_heat_power"] = c["upper"]
        points["compressor_current"] = c["c_work"] / (240.0 * 0.92)
        points["heat_output"] = c["given"]
        settled = on & (c["c_since"] > 300.0)
        points["cop"] = running(settled, c["given"] / np.maximum(c["power"], 1.0))
        points["operating_mode"] = np.where(helped & ~on, _OP["auxiliary_heat"], self.doing(on | helped, c["mode"]))
        return points
