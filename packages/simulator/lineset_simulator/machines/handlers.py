"""Air handlers: the indoor half of a heat pump, a ventilator with heat recovery, a unit with a chilled-water coil."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from .. import air
from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .chiller import ChilledLoop
from .coils import RHO_CP, Indoor
from .control import MODE, Control
from .readings import OPERATING, percent_humidity, running

_OP = {name: float(code) for name, code in OPERATING.items()}
_FAN = POINTS["fan_mode"].codes
AUTO = float(MODE["auto"])
# share of full speed for a fan mode chosen by hand
_SHARES = {float(_FAN["low"]): 0.35, float(_FAN["medium"]): 0.6, float(_FAN["high"]): 1.0, float(_FAN["on"]): 0.6}


class HandlerState(MachineState):
    """Settings (`supply_set` degC, `speed_set` %, `co2_set` ppm, `mode`, `fan`) and what the unit does: `share` of full
    speed, `supply` and `exhaust` (degC), `given` heat to its air (W), `valve` (0 to 1), `damper`, `recovery` (0 to 1), `flow`
    (m3/s), `inlet` air of the coil (degC), `heating` by its heater (W), water that leaves the coil."""

    supply_set: float = 16.0
    speed_set: float = 60.0
    co2_set: float = 900.0
    mode: float = AUTO
    fan: float = float(_FAN["auto"])
    share: float = 0.0
    supply: float = 20.0
    moist: float = 0.006
    exhaust: float = 20.0
    given: float = 0.0
    power: float = 0.0
    valve: float = 0.0
    damper: float = 0.0
    recovery: float = 0.0
    integral: float = 0.3
    water_out: float = 12.0
    water_flow: float = 0.0
    flow: float = 0.0
    inlet: float = 20.0
    heating: float = 0.0


class Handler(Machine):
    """What all air handlers share: settings and counters."""

    state: HandlerState
    counters: tuple[str, ...] = ("fan_run_time", "filter_run_time")
    columns: ClassVar[tuple[str, ...]] = (
        "supply_set",
        "speed_set",
        "co2_set",
        "mode",
        "fan",
        "share",
        "supply",
        "moist",
        "exhaust",
        "given",
        "valve",
        "damper",
        "recovery",
        "room",
        "room_ratio",
        "co2",
        "outdoor",
        "outdoor_humidity",
        "flow",
        "choked",
        "inlet",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control) -> None:
        super().__init__(spec, around)
        self.control, self.zone = control, control.zone
        self.choked = 0.0
        self.state = HandlerState()
        self.settings = {
            "supply_air_setpoint": self._set("supply_set"),
            "fan_speed_setpoint": self._set("speed_set"),
            "co2_setpoint": self._set("co2_set"),
            "system_mode": self._set("mode"),
            "fan_mode": self._set("fan"),
        }

    def _set(self, field: str) -> Any:
        return lambda value: setattr(self.state, field, value)

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, HandlerState)

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on low air flow."""
        self.choked = faults.get("low_air_flow", 0.0)

    def row(self) -> tuple[float, ...]:
        """The values of the shared columns."""
        s, z = self.state, self.zone.state
        return (
            s.supply_set,
            s.speed_set,
            s.co2_set,
            s.mode,
            s.fan,
            s.share,
            s.supply,
            s.moist,
            s.exhaust,
            s.given,
            s.valve,
            s.damper,
            s.recovery,
            z.air,
            z.ratio,
            z.co2,
            self.around.outdoor,
            self.around.humidity,
            s.flow,
            self.choked,
            s.inlet,
        )

    def blown(self, power: float) -> None:
        """Counts a step with the fan's power (W)."""
        s, dt = self.state, self.around.dt
        if s.share > 0.0:
            s.tally.fan += dt
            s.tally.filter += dt
        self.count(power + 6.0, s.share > 0.0)

    def observe(self, c: Columns) -> Points:
        """Points that all air handlers have."""
        blows = c["share"] > 0.0
        return {
            "supply_air_temperature": c["supply"],
            "return_air_temperature": c["room"],
            "return_air_humidity": percent_humidity(c["room"], c["room_ratio"], self.around.pressure),
            "supply_air_humidity": percent_humidity(c["supply"], c["moist"], self.around.pressure),
            "room_temperature": c["room"],
            "supply_fan_speed": 100.0 * c["share"],
            "supply_air_flow": c["flow"] * 3600.0,
            "filter_pressure_drop": 55.0 * c["share"] ** 2 * (1.0 + 3.2 * c["choked"]),
            "supply_static_pressure": 230.0 * c["share"] ** 2 * (1.0 - 0.35 * c["choked"]),
            "temperature_split": running(blows, c["supply"] - c["room"]),
            "outdoor_temperature": c["outdoor"],
            "fan_mode": c["fan"],
            "system_mode": c["mode"],
            "fan_power": c["power"],
        }


class FanCoil(Handler):
    """The indoor half of a split heat pump (`Indoor`): what its own controller reports. Its fan's power counts here."""

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, indoor: Indoor) -> None:
        super().__init__(spec, around, control)
        self.indoor = indoor
        self.settings = {"fan_mode": control.set_fan}

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on low air flow and a fouled coil, which the heat pump then feels."""
        self.indoor.suffer(self.spec.local, faults)

    def step(self) -> None:
        """Takes over what the indoor coil did in this step."""
        s, i = self.state, self.indoor
        s.share, s.supply, s.moist, s.given, s.flow = i.state.share, i.state.supply, i.state.moist, i.state.total, i.state.flow
        s.inlet = i.state.inlet
        s.fan, self.choked = self.control.state.fan, i.choked
        self.blown(i.state.power)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        return self.row()

    def observe(self, c: Columns) -> Points:
        """Points of the indoor half."""
        points = super().observe(c)
        for name in ("supply_static_pressure", "system_mode", "room_temperature"):
            del points[name]
        heats, cools = c["supply"] > c["room"] + 4.0, c["supply"] < c["room"] - 3.0
        blows = c["share"] > 0.0
        doing = np.where(heats, _OP["heating"], np.where(cools, _OP["cooling"], _OP["fan_only"]))
        points["operating_mode"] = np.where(blows, doing, _OP["idle"])
        points["external_static_pressure"] = 125.0 * c["share"] ** 2 * (1.0 + 0.9 * c["choked"])
        return points


class Ventilator(Handler):
    """A ventilator with a heat recovery wheel. `capacity` is its fan power (W); options: `flow` (m3/h), `recovery` (0.78)."""

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control) -> None:
        super().__init__(spec, around, control)
        self.full_flow = spec.options.get("flow", 300.0) / 3600.0
        self.best = spec.options.get("recovery", 0.78)
        del self.settings["supply_air_setpoint"]

    def step(self) -> None:
        """Ventilates at the speed set, faster while the air is stale; the wheel stands when free cooling helps."""
        s, around, z = self.state, self.around, self.zone.state
        share = _SHARES.get(s.fan, 0.0)
        if s.fan == _FAN["auto"]:
            stale = (z.co2 - s.co2_set) / 300.0
            base = s.speed_set / 100.0 if around.people > 0.0 else 0.3
            share = min(max(base, min(base + 0.5 * stale, 1.0)), 1.0)
        s.share = 0.0 if not s.mode or s.fan == _FAN["off"] else share
        s.flow = self.full_flow * s.share * (1.0 - 0.6 * self.choked)
        warm = z.air > self.control.state.target_heating + 2.0 and 12.0 < around.outdoor < z.air
        s.recovery = 0.0 if warm or not s.share else self.best * (1.15 - 0.25 * s.share)
        if s.share:
            s.supply = around.outdoor + s.recovery * (z.air - around.outdoor)
            s.moist = around.ratio + 0.6 * s.recovery * (z.ratio - around.ratio)
            s.exhaust = z.air - s.recovery * (z.air - around.outdoor)
        else:
            s.supply += (z.air - s.supply) * min(around.dt / 900.0, 1.0)
            s.exhaust = s.supply
        self.zone.heat += RHO_CP * s.flow * (s.supply - z.air)
        self.zone.fresh += s.flow * (1.0 - 0.6 * s.recovery)
        s.given = RHO_CP * s.flow * (s.supply - around.outdoor)
        self.blown(self.spec.capacity * s.share**2.4 * (1.0 + 0.2 * self.choked))

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        return self.row()

    def observe(self, c: Columns) -> Points:
        """Points of a ventilator."""
        points = super().observe(c)
        blows = c["share"] > 0.0
        points |= {
            "exhaust_air_temperature": c["exhaust"],
            "exhaust_fan_speed": 100.0 * c["share"],
            "outdoor_air_flow": c["flow"] * 3600.0,
            "heat_recovery_speed": np.where(c["recovery"] > 0.0, 100.0, 0.0),
            "co2_concentration": c["co2"],
            "co2_setpoint": c["co2_set"],
            "fan_speed_setpoint": c["speed_set"],
            "heat_output": np.maximum(c["given"], 0.0),
            "operating_mode": np.where(blows, _OP["fan_only"], _OP["off"]),
        }
        return points


class CoilHandler(Handler):
    """An air handler with a chilled-water coil and an electric heater. `capacity`: cooling (W) at 7 degC water.

    Options: `heater` (W, 0.4 of the capacity), `fresh` (least share of outdoor air while people are due, 0.2).
    """

    columns: ClassVar[tuple[str, ...]] = (*Handler.columns, "water_in", "water_out", "water_flow", "fresh", "heater")

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, indoor: Indoor, water: ChilledLoop) -> None:
        super().__init__(spec, around, control)
        self.indoor, self.water = indoor, water
        control.modulates = True
        self.k = 1.15 * spec.capacity / 16.0
        self.heater = spec.options.get("heater", 0.4 * spec.capacity)
        self.fresh = spec.options.get("fresh", 0.2)
        water.users.append(self)

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on low air flow and a fouled coil."""
        self.indoor.suffer(self.spec.local, faults)
        self.choked = self.indoor.choked

    def wants_water(self) -> bool:
        """Whether the coil asks for chilled water."""
        return self.control.state.cool and self.state.mode > 0.0

    def step(self) -> None:
        """Ventilates while people are due; the valve follows the demand, but never under the supply set point."""
        s, around, control = self.state, self.around, self.control.state
        calls = control.heat or control.cool
        blows = s.mode > 0.0 and s.fan != _FAN["off"] and (calls or around.comfort)
        s.heating = s.given = s.water_flow = s.valve = 0.0
        s.water_out = self.water.state.supply
        if not blows:
            s.share = s.damper = 0.0
            self.indoor.still(around.dt)
        else:
            s.share = max(s.speed_set / 100.0, 0.2) if not calls else max(0.55, min(0.55 + 0.5 * control.demand, 1.0))
            s.damper = self._fresh()
            self.indoor.blow(s.share, s.damper, around.outdoor, around.ratio)
            if self.wants_water() and self.water.state.pumps:
                self._cool()
            elif control.heat:
                s.heating = self.heater * max(control.demand, 0.15)
                self.indoor.heat(s.heating)
                s.given = s.heating
            else:
                self.indoor.heat(0.0)
        i = self.indoor.state
        s.supply, s.moist, s.flow, s.inlet = i.supply, i.moist, i.flow, i.inlet
        self.blown(self.indoor.state.power + s.heating)

    def _fresh(self) -> float:
        z, around = self.zone.state, self.around
        if not around.comfort:
            return 0.0
        stale = min(max((z.co2 - self.state.co2_set) / 400.0, 0.0), 1.0)
        if self.control.state.cool and around.outdoor < min(z.air - 3.0, 16.0):
            return min((z.air - 13.0) / max(z.air - around.outdoor, 0.5), 1.0)
        return self.fresh + 0.3 * stale

    def _cool(self) -> None:
        s, i, water = self.state, self.indoor, self.water
        cold = water.state.supply
        k = self.k * (s.share**0.7) * (1.0 - 0.3 * i.fouling)
        wet_bulb = air.wet_bulb(i.state.inlet, i.state.inlet_ratio, self.around.pressure)
        most = max(k * (i.state.inlet - cold), 1.45 * k * (wet_bulb - cold), 0.0)
        # the valve may not send air colder than the set point
        limit = 1.35 * RHO_CP * i.state.flow * max(i.state.inlet - s.supply_set, 0.0)
        wanted = min(most * max(self.control.state.demand, 0.1), limit)
        s.valve = wanted / most if most > 0.0 else 0.0
        s.given = -wanted
        i.cool(wanted, cold + 2.5, max(wet_bulb, cold + 2.5))
        s.water_flow = water.state.flow * (0.25 + 0.75 * s.valve)
        s.water_out = cold + wanted / (max(s.water_flow, 0.02) * air.CP_WATER)
        water.load += wanted

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        return (
            *self.row(),
            self.water.state.supply,
            s.water_out,
            s.water_flow,
            self.indoor.state.fresh,
            s.heating,
        )

    def observe(self, c: Columns) -> Points:
        """Points of an air handler with a water coil."""
        points = super().observe(c)
        blows, cools, heats = c["share"] > 0.0, c["given"] < 0.0, c["heater"] > 0.0
        doing = np.where(cools, _OP["cooling"], np.where(heats, _OP["heating"], _OP["fan_only"]))
        points |= {
            "mixed_air_temperature": np.where(blows, c["inlet"], c["room"]),
            "outdoor_damper_position": 100.0 * c["damper"],
            "outdoor_air_flow": c["flow"] * c["fresh"] * 3600.0,
            "co2_concentration": c["co2"],
            "co2_setpoint": c["co2_set"],
            "supply_air_setpoint": c["supply_set"],
            "fan_speed_setpoint": c["speed_set"],
            "inlet_water_temperature": c["water_in"],
            "outlet_water_temperature": c["water_out"],
            "water_flow_rate": c["water_flow"],
            "cooling_output": np.maximum(-c["given"], 0.0),
            "heat_output": c["heater"],
            "operating_mode": np.where(blows, doing, _OP["off"]),
        }
        return points
