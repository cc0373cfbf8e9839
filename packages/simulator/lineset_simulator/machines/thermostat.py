"""The thermostat on the wall, and readings that only it has."""

from typing import Any, ClassVar

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .control import Control
from .readings import OPERATING, percent_humidity

_OP = {name: float(code) for name, code in OPERATING.items()}
_CALL = POINTS["thermostat_call"].codes


class ThermostatState(MachineState):
    """`humidity`: set point (%); `battery`: share of charge."""

    humidity: float = 40.0
    battery: float = 0.9


class Thermostat(Machine):
    """Shows its control and zone; further zones of the home as zone 2 and 3. Option `co2` (1: measures it)."""

    state: ThermostatState
    counters: tuple[str, ...] = ("heating_run_time", "cooling_run_time")
    columns: ClassVar[tuple[str, ...]] = (
        *Control.columns,
        "room",
        "room_ratio",
        "co2",
        "battery",
        "humidity_set",
        "outdoor",
        "zone_2",
        "zone_3",
        "behind",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, others: list[Control]) -> None:
        super().__init__(spec, around)
        self.control, self.others = control, others[:2]
        self.state = ThermostatState()
        self.settings = {
            "heating_setpoint": control.set_heating,
            "cooling_setpoint": control.set_cooling,
            "humidity_setpoint": self._set_humidity,
            "system_mode": control.set_mode,
            "fan_mode": control.set_fan,
            "vacation_mode": control.set_vacation,
        }

    def _set_humidity(self, value: float) -> None:
        self.state.humidity = value

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, ThermostatState)

    def step(self) -> None:
        """Counts calls and wears the battery down over two years."""
        s, c, dt = self.state, self.control.state, self.around.dt
        s.tally.heating += dt if c.heat else 0.0
        s.tally.cooling += dt if c.cool else 0.0
        s.battery = max(s.battery - dt / (2.0 * 365.0 * 86400.0), 0.05)
        self.count(0.0, c.heat or c.cool)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s, zone = self.state, self.control.zone.state
        others = [other.zone.state.air for other in self.others] + [0.0, 0.0]
        return (
            *self.control.row(),
            zone.air,
            zone.ratio,
            zone.co2,
            s.battery,
            s.humidity,
            self.around.outdoor,
            others[0],
            others[1],
            self.control.state.behind,
        )

    def observe(self, c: Columns) -> Points:
        """Points of a thermostat."""
        heat, cool = c["call_heat"] > 0.0, c["call_cool"] > 0.0
        resting = np.where(c["set_mode"] > 0.0, _OP["idle"], _OP["off"])
        call = np.where(heat, float(_CALL["heating"]), np.where(cool, float(_CALL["cooling"]), float(_CALL["none"])))
        points = {
            "room_temperature": c["room"],
            "room_humidity": percent_humidity(c["room"], c["room_ratio"], self.around.pressure),
            "heating_setpoint": c["set_heating"],
            "cooling_setpoint": c["set_cooling"],
            "humidity_setpoint": c["humidity_set"],
            "system_mode": c["set_mode"],
            "fan_mode": c["set_fan"],
            "vacation_mode": c["set_vacation"],
            "thermostat_call": call,
            "operating_mode": np.where(heat, _OP["heating"], np.where(cool, _OP["cooling"], resting)),
            "outdoor_temperature": c["outdoor"],
            "battery_level": 100.0 * c["battery"],
        }
        for number, _ in enumerate(self.others, start=2):
            points[f"zone_{number}_temperature"] = c[f"zone_{number}"]
        if self.spec.options.get("co2"):
            points["co2_concentration"] = c["co2"]
        return points

    def points(self, t: Any, c: Columns) -> Points:
        """Points of the machine without meters, which a thermostat does not have."""
        points = super().points(t, c)
        for name in ("electric_power", "electric_energy", "run_time", "starts"):
            points.pop(name, None)
        return points
