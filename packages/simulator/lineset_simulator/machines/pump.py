"""The circulation pump of a water loop."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .loop import Loop, Pumped
from .readings import OPERATING

_OP = {name: float(code) for name, code in OPERATING.items()}
PUMP_MODE = POINTS["pump_mode"].codes


class PumpState(MachineState):
    """`mode`, `setpoint` (%), `head` (kPa): settings."""

    mode: float = float(PUMP_MODE["auto"])
    setpoint: float = 70.0
    head: float = 40.0


class CirculationPump(Machine):
    """The pump of a loop: speed by its setting, head and power by the affinity laws. `capacity`: W at full speed."""

    state: PumpState
    counters: tuple[str, ...] = ("pump_run_time",)
    columns: ClassVar[tuple[str, ...]] = (*Loop.columns, "mode", "setpoint", "head")

    def __init__(self, spec: EquipmentSpec, around: Surroundings, loop: Pumped) -> None:
        super().__init__(spec, around)
        self.loop = loop
        self.full_head = spec.options.get("head", 60.0)
        self.state = PumpState()
        self.settings = {
            "pump_speed_setpoint": self._set("setpoint"),
            "pump_head_setpoint": self._set("head"),
            "pump_mode": self._set("mode"),
        }

    def _set(self, field: str) -> Any:
        return lambda value: setattr(self.state, field, value)

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, PumpState)

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on low water flow: a clogged strainer or a worn impeller throttles the loop."""
        self.loop.throttle(self.spec.local, faults)

    def step(self) -> None:
        """Sets the speed of the loop's pump for the next step and counts this one."""
        s, loop = self.state, self.loop.state
        if s.mode in (PUMP_MODE["constant_pressure"], PUMP_MODE["proportional_pressure"]):
            loop.speed = min(max((s.head / self.full_head) ** 0.5, 0.2), 1.0)
        else:
            loop.speed = s.setpoint / 100.0 if s.mode else 0.2
        runs = loop.pumps
        if runs:
            s.tally.pump += self.around.dt
        self.count(3.0 + (self.spec.capacity * loop.speed**2.7 if runs else 0.0), runs)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        return (*self.loop.row(), s.mode, s.setpoint, s.head)

    def observe(self, c: Columns) -> Points:
        """Points of a pump. A throttled loop takes less flow at more head."""
        runs = c["l_pumps"] > 0.0
        head = self.full_head * c["l_speed"] ** 2 * (0.82 + 0.16 * c["l_throttled"])
        return {
            "pump_state": np.where(runs, 1.0, 0.0),
            "pump_speed": np.where(runs, 100.0 * c["l_speed"], 0.0),
            "water_flow_rate": c["l_flow"],
            "pump_head": np.where(runs, head, 0.0),
            "pump_mode": c["mode"],
            "pump_speed_setpoint": c["setpoint"],
            "pump_head_setpoint": c["head"],
            "inlet_water_temperature": c["l_back"],
            "operating_mode": np.where(runs, _OP["pumping"], _OP["idle"]),
        }
