"""Gas boiler that feeds a loop and, where there is one, a hot-water tank."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from .. import air
from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .control import Control
from .loop import Loop, LoopState, hot_by_outdoor
from .readings import OPERATING, running
from .tank import Tank, TankState

_OP = {name: float(code) for name, code in OPERATING.items()}
_MODE = POINTS["system_mode"].codes


class BoilerState(MachineState):
    """`fire`: share of the nominal input; `since`: s since the burner's last change; `to_tank`: whether the tank is fed;
    `shift`: what people set the curve off by (K); `flue`, `target`: degC; `given`, `gas`: W; `boosted`: s."""

    tank: TankState = msgspec.field(default_factory=TankState)
    loop: LoopState = msgspec.field(default_factory=LoopState)
    fire: float = 0.0
    since: float = 3600.0
    to_tank: bool = False
    shift: float = 0.0
    target: float = 40.0
    flue: float = 30.0
    given: float = 0.0
    gas: float = 0.0
    hot_setpoint: float = 55.0
    boost: float = 0.0
    mode: float = float(_MODE["heating"])
    retry: float = 0.0


class Boiler(Machine):
    """A condensing gas boiler. Options: `hottest` (degC of its curve, 60), `tank` (litres; 0 for none), `least` (0.2).

    Efficiency by higher heating value: 0.865 with a return of 55 degC and more, 0.42 % more for each kelvin below, as
    the flue gas condenses.
    """

    state: BoilerState
    counters: tuple[str, ...] = (
        "burner_run_time",
        "burner_starts",
        "gas_volume",
        "gas_energy",
        "heat_energy",
        "heating_run_time",
        "pump_run_time",
        "ignition_retries",
    )
    columns: ClassVar[tuple[str, ...]] = (
        *Loop.columns,
        *Tank.columns,
        *Control.columns,
        "fire",
        "to_tank",
        "target",
        "flue",
        "given",
        "gas",
        "hot_setpoint",
        "boost",
        "mode",
        "outdoor",
        "room",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, loop: Loop) -> None:
        super().__init__(spec, around)
        self.control, self.loop = control, loop
        litres = spec.options.get("tank", 0.0)
        self.tank = Tank(litres or 100.0, 1.5)
        self.has_tank = litres > 0.0
        self.hottest, self.least = spec.options.get("hottest", 60.0), spec.options.get("least", 0.2)
        self.state = BoilerState(tank=self.tank.state, loop=loop.state)
        self.failing = self.too_hot = 0.0
        self.settings = {
            "heating_setpoint": control.set_heating,
            "supply_water_setpoint": self._set_supply,
            "system_mode": self._set_mode,
            "vacation_mode": control.set_vacation,
        }
        if self.has_tank:
            self.settings |= {"hot_water_setpoint": self._set_hot, "hot_water_boost": self._set_boost}
        if not spec.options.get("pump", 1.0):
            self.counters = tuple(name for name in self.counters if name != "pump_run_time")

    def _set_supply(self, value: float) -> None:
        self.state.shift = value - hot_by_outdoor(self.around.outdoor, self.hottest)
        self.state.target = value

    def _set_mode(self, value: float) -> None:
        self.state.mode = value

    def _set_hot(self, value: float) -> None:
        self.state.hot_setpoint = value

    def _set_boost(self, value: float) -> None:
        self.state.boost = value

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, BoilerState)
        self.tank.state, self.loop.state = self.state.tank, self.state.loop

    def busy(self) -> bool:
        """Whether it heats or cools, or is about to."""
        return self.state.fire > 0.0

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on faults of the loop, failing ignition, and water that comes back too hot to condense."""
        self.loop.throttle(self.spec.local, faults)
        self.failing = faults.get("ignition_retries", 0.0)
        self.too_hot = faults.get("no_condensing", 0.0)
        self.control.suffer(self.spec.local, faults)

    def step(self) -> None:
        """Feeds the tank first, else the loop, with a burner that modulates down to `least` and then switches."""
        s, around, loop = self.state, self.around, self.loop
        dt = around.dt
        s.since += dt
        opening = loop.wanted() if s.mode or self.control.zone.state.air < 7.0 else 0.0
        curve = hot_by_outdoor(around.outdoor, self.hottest) + s.shift
        curve += self.too_hot * max(78.0 - curve, 0.0)
        s.target = min(max(curve, 26.0), 80.0) if s.mode else 26.0
        if self.has_tank:
            self._tank_wish()
        calls = opening > (0.05 if loop.state.pumps else 0.3)
        was = s.fire > 0.0
        if s.to_tank:
            s.fire = self._fire(min(self.spec.capacity, 320.0 * (78.0 - s.tank.bottom)), was, True)
        elif calls:
            wanted = loop.state.emitted + loop.capacity * (s.target - loop.state.supply) / 300.0
            short = 3.0 * (1.0 - self.control.short)
            may = loop.state.supply < s.target + (short + 3.0 if was else -short)
            s.fire = self._fire(wanted, was, may)
        else:
            s.fire = 0.0
        if (s.fire > 0.0) != was:
            s.since = 0.0
        self._burn(was)
        loop.step(0.0 if s.to_tank else s.given, calls and not s.to_tank)
        if self.has_tank:
            taken_in = s.given if s.to_tank else 0.0
            self.tank.step(dt, around.drawn, around.mains, 17.0, 0.3 * taken_in, 0.7 * taken_in)
        self._count()

    def _tank_wish(self) -> None:
        s = self.state
        aim = 60.0 if s.boost else s.hot_setpoint
        middle = 0.45 * s.tank.top + 0.55 * s.tank.bottom
        s.to_tank = middle < (aim if s.to_tank else aim - 7.0)
        if s.boost and not s.to_tank:
            s.boost = 0.0

    def _fire(self, wanted: float, was: bool, may: bool) -> float:
        s = self.state
        rest = 240.0 * (1.0 - self.control.short)
        if not may or (not was and s.since < rest) or wanted <= 0.0:
            return 0.0
        if not was and self.failing > 0.0:
            # each failed attempt costs a purge of half a minute
            s.retry += self.around.dt / 30.0
            s.tally.retries += self.around.dt / 30.0
            if s.retry < 14.0 * self.failing:
                return 0.0
        s.retry = 0.0
        return min(max(wanted / self.spec.capacity, self.least), 1.0)

    def _burn(self, was: bool) -> None:
        s, dt = self.state, self.around.dt
        back = s.tank.bottom + 6.0 if s.to_tank else self._back()
        efficiency = 0.865 + 0.0042 * min(max(55.0 - back, 0.0), 30.0) - 0.008 * s.fire
        s.given = s.fire * self.spec.capacity
        s.gas = s.given / efficiency
        aim = back + 6.0 + 16.0 * s.fire if s.fire else max(s.flue - 0.05 * dt, back - 4.0)
        s.flue += (aim - s.flue) * min(dt / 120.0, 1.0)
        tally = s.tally
        tally.gas += s.gas * dt
        tally.heat += s.given * dt
        if s.fire:
            tally.burner += dt
            tally.burner_starts += not was

    def _back(self) -> float:
        """The water that the burner sees (degC): a valve stuck between supply and return mixes hot water into it."""
        water = self.loop.state
        return water.back + 0.6 * self.too_hot * max(water.supply - water.back, 0.0)

    def _count(self) -> None:
        s, dt = self.state, self.around.dt
        pumps = self.loop.state.pumps or s.to_tank
        if pumps:
            s.tally.pump += dt
        if s.fire and not s.to_tank:
            s.tally.heating += dt
        own_pump = 42.0 if pumps and self.spec.options.get("pump", 1.0) else 0.0
        self.count(6.0 + (28.0 + 30.0 * s.fire if s.fire else 0.0) + own_pump, s.fire > 0.0)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        return (
            *self.loop.row(),
            *self.tank.row(),
            *self.control.row(),
            s.fire,
            float(s.to_tank),
            s.target,
            s.flue,
            s.given,
            s.gas,
            s.hot_setpoint,
            s.boost,
            s.mode,
            self.around.outdoor,
            self.control.zone.state.air,
        )

    def observe(self, c: Columns) -> Points:
        """Points of a boiler; while the tank is fed, its coil's water passes instead of the loop's."""
        burns, tank = c["fire"] > 0.0, c["to_tank"] > 0.0
        flow = np.where(tank, self.loop.full_flow, c["l_flow"])
        back = np.where(tank, c["t_bottom"] + 6.0, c["l_back"])
        supply = np.where(flow > 0.0, back + c["given"] / (np.maximum(flow, 0.01) * air.CP_WATER), c["l_supply"])
        points = {
            "outlet_water_temperature": supply,
            "inlet_water_temperature": back,
            "water_flow_rate": flow,
            "water_temperature_difference": running(flow > 0.0, supply - back),
            "water_pressure": 245.0 + 0.9 * (c["l_supply"] - 20.0) - 110.0 * c["l_airy"],
            "supply_water_setpoint": c["target"],
            "heating_setpoint": c["set_heating"],
            "system_mode": c["mode"],
            "vacation_mode": c["set_vacation"],
            "thermostat_call": c["l_pumps"],
            "flame": np.where(burns, 1.0, 0.0),
            "flame_current": np.where(burns, 4.1, 0.0),
            "burner_modulation": 100.0 * c["fire"],
            "combustion_fan_speed": np.where(burns, 1500.0 + 4300.0 * c["fire"], 0.0),
            "flue_gas_temperature": c["flue"],
            "gas_input": c["gas"],
            "heat_output": c["given"],
            "thermal_efficiency": running(burns, 100.0 * c["given"] / np.maximum(c["gas"], 1.0)),
            "outdoor_temperature": c["outdoor"],
            "room_temperature": c["room"],
            "operating_mode": np.where(
                burns, np.where(tank, _OP["hot_water"], _OP["heating"]), np.where(c["mode"] > 0.0, _OP["idle"], _OP["off"])
            ),
        }
        if self.has_tank:
            points |= {
                "tank_top_temperature": c["t_top"],
                "tank_bottom_temperature": c["t_bottom"],
                "hot_water_temperature": c["t_top"] - 0.5,
                "hot_water_flow_rate": c["t_flow"],
                "hot_water_setpoint": c["hot_setpoint"],
                "hot_water_boost": c["boost"],
                "diverter_valve": c["to_tank"],
            }
        return points
