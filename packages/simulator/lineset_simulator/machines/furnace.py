"""Gas furnace: burner and heat exchanger under a blower, which an air conditioner may share."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .coils import Indoor
from .control import MODE, Control
from .readings import OPERATING, air_points, control_points, running

_OP = {name: float(code) for name, code in OPERATING.items()}
_FLAME = POINTS["flame"].codes
HEATING, FAN_ONLY = float(MODE["heating"]), float(MODE["fan_only"])
LIMIT_DEGC, RESET_DEGC = 78.0, 55.0


class FurnaceState(MachineState):
    """`fire`: share of the nominal input; `since`: s since the flame's last change; `exchanger`, `flue`: degC; `retry`:
    s of failed ignition; `limited`: whether the high limit is open; `given`, `gas`: W; `mode`: own system_mode."""

    operating: float = _OP["idle"]
    fire: float = 0.0
    since: float = 3600.0
    exchanger: float = 25.0
    flue: float = 25.0
    retry: float = 0.0
    limited: bool = False
    given: float = 0.0
    gas: float = 0.0
    mode: float = HEATING


class Furnace(Machine):
    """A furnace of `capacity` (W of heat). Options: `stages` (1 or 2), `efficiency` by higher heating value (0.95)."""

    state: FurnaceState
    counters: tuple[str, ...] = (
        "burner_run_time",
        "burner_starts",
        "gas_volume",
        "gas_energy",
        "heat_energy",
        "heating_run_time",
        "fan_run_time",
        "filter_run_time",
        "ignition_retries",
    )
    columns: ClassVar[tuple[str, ...]] = (
        *Control.columns,
        *Indoor.columns,
        "operating",
        "fire",
        "since",
        "exchanger",
        "flue",
        "limited",
        "given",
        "gas",
        "own_mode",
        "outdoor",
        "room",
        "room_ratio",
        "retry",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, indoor: Indoor) -> None:
        super().__init__(spec, around)
        self.control, self.indoor = control, indoor
        self.stages = int(spec.options.get("stages", 1))
        self.efficiency = spec.options.get("efficiency", 0.95)
        # the air warms by about 30 K at full fire
        self.share = min(spec.capacity / 30.0 / 1207.0 / indoor.rated, 1.15)
        self.metal = 1.1 * spec.capacity
        self.state = FurnaceState()
        self.failing = self.dry = 0.0
        self.settings = {
            "heating_setpoint": control.set_heating,
            "system_mode": self._set_mode,
            "fan_mode": control.set_fan,
            "vacation_mode": control.set_vacation,
        }

    def _set_mode(self, value: float) -> None:
        self.state.mode = value

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, FurnaceState)

    def busy(self) -> bool:
        """Whether it heats or cools, or is about to."""
        return self.state.fire > 0.0 or self.state.given > 500.0

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on low air flow, failing ignition, a second exchanger that does not condense, and faults of control."""
        self.indoor.suffer(self.spec.local, faults)
        self.failing = faults.get("ignition_retries", 0.0)
        self.dry = faults.get("no_condensing", 0.0)
        self.control.suffer(self.spec.local, faults)

    def step(self) -> None:
        """Fires while the control calls for heat; the blower runs on until the exchanger is cool."""
        s, dt, control = self.state, self.around.dt, self.control.state
        was = s.fire > 0.0
        s.since += dt
        frost_safe = self.control.zone.state.air < 7.0
        calls = control.heat and (s.mode == HEATING or frost_safe)
        if self.indoor.state.supply > LIMIT_DEGC:
            s.limited = True
        elif self.indoor.state.supply < RESET_DEGC:
            s.limited = False
        s.fire = self._fire(was) if calls and not s.limited else 0.0
        if (s.fire > 0.0) != was:
            s.since = 0.0
        s.gas = s.fire * self.spec.capacity / self.efficiency
        cools = control.cool
        if not cools:
            self._air(calls)
        s.operating = _OP["heating"] if s.fire else _OP["cooling"] if cools else self._idle()
        self._count(was, cools)

    def _fire(self, was: bool) -> float:
        s = self.state
        if not was and self.failing > 0.0:
            # a failed attempt costs half a minute of purge
            s.retry += self.around.dt
            s.tally.retries += self.around.dt / 30.0
            if s.retry < 420.0 * self.failing:
                return 0.0
        s.retry = 0.0
        demand = self.control.state.demand
        if self.stages == 2 and not (demand > 0.75 or (demand > 0.55 and s.fire > 0.9)):
            return 0.65
        return 1.0

    def _air(self, calls: bool) -> None:
        s, dt = self.state, self.around.dt
        inlet = self.indoor.zone.state.air
        fan_on = self.control.state.fan not in (0.0, 6.0) or s.mode == FAN_ONLY
        blows = s.fire > 0.0 or s.exchanger > inlet + 12.0 or fan_on or (s.limited and calls)
        if not blows:
            self.indoor.still(dt)
            s.exchanger += (inlet - s.exchanger) * min(dt / 1800.0, 1.0)
            s.given = 0.0
        else:
            hot = s.fire > 0.0 or s.exchanger > inlet + 12.0
            flow = self.indoor.blow(self.share * (0.72 + 0.28 * (s.fire > 0.9)) if hot else 0.45)
            k = 10.0 * self.spec.capacity / 1e3 * (flow / self.indoor.rated) ** 0.7
            # the exchanger's metal between fire and air, stepped implicitly
            full = self.spec.capacity * s.fire * self._kept() / self.efficiency
            before = s.exchanger
            s.exchanger = (self.metal / dt * before + full + k * inlet) / (self.metal / dt + k)
            s.given = max(full - self.metal * (s.exchanger - before) / dt, 0.0)
            self.indoor.heat(s.given)
        aim = 22.0 + 0.2 * (s.exchanger - 20.0) + 900.0 * (0.97 - self._kept()) if s.fire else s.exchanger
        s.flue += (aim - s.flue) * min(dt / 120.0, 1.0)

    def _kept(self) -> float:
        """Efficiency now: without its second exchanger a furnace keeps no more than 0.80, as any that does not condense."""
        return self.efficiency - self.dry * max(self.efficiency - 0.80, 0.0)

    def _idle(self) -> float:
        if self.indoor.state.flow > 0.0:
            return _OP["fan_only"]
        return _OP["idle"] if self.state.mode and self.control.state.mode else _OP["off"]

    def _count(self, was: bool, cools: bool) -> None:
        s, dt, tally = self.state, self.around.dt, self.state.tally
        tally.gas += s.gas * dt
        tally.heat += s.given * dt
        if s.fire:
            tally.burner += dt
            tally.heating += dt
            tally.burner_starts += not was
        if self.indoor.state.flow > 0.0:
            tally.fan += dt
            tally.filter += dt
        self.count(7.0 + (75.0 if s.fire else 0.0) + self.indoor.state.power, s.fire > 0.0 or cools)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s, zone = self.state, self.indoor.zone.state
        return (
            *self.control.row(),
            *self.indoor.row(),
            s.operating,
            s.fire,
            s.since,
            s.exchanger,
            s.flue,
            float(s.limited),
            s.given,
            s.gas,
            s.mode,
            self.around.outdoor,
            zone.air,
            zone.ratio,
            s.retry,
        )

    def observe(self, c: Columns) -> Points:
        """Points of a furnace."""
        points = air_points(c, self.around.pressure) | control_points(c)
        for name in ("return_air_humidity", "supply_air_humidity", "cooling_setpoint"):
            del points[name]
        burns = c["fire"] > 0.0
        settled = burns & (c["since"] > 420.0)
        return points | {
            "heating_setpoint": c["set_heating"],
            "system_mode": c["own_mode"],
            "flame": np.where(burns, float(_FLAME["on"]), float(_FLAME["off"])),
            "flame_current": np.where(burns, 3.8, 0.0),
            "burner_modulation": 100.0 * c["fire"],
            "combustion_fan_speed": np.where(burns | (c["retry"] > 0.0), 2200.0 + 1100.0 * c["fire"], 0.0),
            "flue_gas_temperature": c["flue"],
            "heat_exchanger_temperature": c["exchanger"],
            "limit_switch": c["limited"],
            "gas_input": c["gas"],
            "heat_output": c["given"],
            "thermal_efficiency": running(settled, 100.0 * c["given"] / np.maximum(c["gas"], 1.0)),
            "outdoor_temperature": c["outdoor"],
            "fan_power": c["a_power"],
            "operating_mode": c["operating"],
        }
