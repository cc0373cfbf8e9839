"""Air-to-water heat pump: a circuit that heats a loop and a hot-water tank by turns."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from .. import air
from ..chance import Floats
from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .circuit import Circuit, CircuitState, as_made
from .coils import Frost
from .control import Control
from .loop import Loop, LoopState, hot_by_outdoor
from .readings import CIRCUIT, OPERATING, circuit_points, circuit_row, running
from .tank import Tank, TankState

_OP = {name: float(code) for name, code in OPERATING.items()}
_MODE = POINTS["system_mode"].codes
_HYGIENE_S, _HYGIENE_DEGC = 7 * 86400.0, 60.0
_SLOWEST = 0.3


def _hygiene(since: Floats, feeding: np.ndarray) -> Floats:
    """Code of legionella_cycle_state from the time (s) since the tank was last hot and whether it is being fed."""
    code = POINTS["legionella_cycle_state"].codes
    waits = np.where(since > 1.5 * _HYGIENE_S, code["missed"], np.where(feeding, code["on"], code["due"]))
    return np.where(since > _HYGIENE_S, waits, code["off"]).astype(np.float64)


class AirWaterState(MachineState):
    """`to_tank`: whether the tank is fed; `since`: s since the compressor's last change; `shift`: what people set the
    curve off by (K); `given`, `backup`, `fan_out`: W; `inlet`, `outlet`: degC; `late`: s for which the heat has not kept
    up; `hygiene`: s since the tank was last at 60 degC. The rest is as at `split.SplitState`."""

    circuit: CircuitState = msgspec.field(default_factory=CircuitState)
    tank: TankState = msgspec.field(default_factory=TankState)
    loop: LoopState = msgspec.field(default_factory=LoopState)
    operating: float = _OP["idle"]
    frost: float = 0.0
    cold_run: float = 0.0
    coil: float = 5.0
    defrosting: float = -1.0
    backup: float = 0.0
    fan_out: float = 0.0
    to_tank: bool = False
    since: float = 3600.0
    shift: float = 0.0
    target: float = 35.0
    given: float = 0.0
    inlet: float = 32.0
    outlet: float = 35.0
    flow: float = 0.0
    late: float = 0.0
    hygiene: float = 0.0
    hot_setpoint: float = 52.0
    boost: float = 0.0
    mode: float = float(_MODE["heating"])


class AirWaterHeatPump(Machine):
    """An inverter heat pump on a water loop. `capacity`: heat (W) at 7 degC outdoors and 35 degC water.

    Options: `hottest` (degC of the weather curve, 42), `tank` (litres, 200), `backup` (W, 3000), `buffer` (litres).
    """

    state: AirWaterState
    counters: tuple[str, ...] = (
        "compressor_run_time",
        "compressor_starts",
        "heating_run_time",
        "heat_energy",
        "auxiliary_heat_energy",
        "auxiliary_heat_run_time",
        "defrost_count",
        "defrost_run_time",
        "pump_run_time",
    )
    columns: ClassVar[tuple[str, ...]] = (
        *CIRCUIT,
        *Loop.columns,
        *Tank.columns,
        *Control.columns,
        "operating",
        "outdoor",
        "outdoor_humidity",
        "room",
        "coil",
        "defrosting",
        "backup",
        "fan_out",
        "to_tank",
        "target",
        "given",
        "inlet",
        "outlet",
        "flow",
        "hygiene",
        "hot_setpoint",
        "boost",
        "mode",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, loop: Loop) -> None:
        super().__init__(spec, around)
        self.control, self.loop = control, loop
        superheat, subcooling, coil = as_made(spec, 5.0, 4.0)
        self.circuit = Circuit(spec.refrigerant or "R290", 0.79 * spec.capacity, 1.0, 36.5, superheat, subcooling)
        self.k_out = coil * 0.79 * spec.capacity / 6.0
        self.full_fan_out = 0.015 * spec.capacity
        self.flow = loop.full_flow
        self.frost = Frost(1.2 * spec.capacity, self.k_out, around.pressure, 21600.0)
        self.backup = spec.options.get("backup", 3000.0)
        self.hottest = spec.options.get("hottest", 42.0)
        self.tank = Tank(spec.options.get("tank", 200.0), 1.4)
        self.fouled = self.scale = self.locked_in = self.unclean = 0.0
        self.state = AirWaterState(circuit=self.circuit.state, tank=self.tank.state, loop=loop.state)
        self.settings = {
            "heating_setpoint": control.set_heating,
            "supply_water_setpoint": self._set_supply,
            "hot_water_setpoint": self._set("hot_setpoint"),
            "hot_water_boost": self._set("boost"),
            "system_mode": self._set("mode"),
            "vacation_mode": control.set_vacation,
        }

    def _set(self, field: str) -> Any:
        return lambda value: setattr(self.state, field, value)

    def _set_supply(self, value: float) -> None:
        self.state.shift = value - hot_by_outdoor(self.around.outdoor, self.hottest)
        self.state.target = value

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        s = self.state = msgspec.convert(data, AirWaterState)
        self.circuit.state, self.tank.state, self.loop.state = s.circuit, s.tank, s.loop

    def busy(self) -> bool:
        """Whether it heats or cools, or is about to."""
        return self.state.circuit.on or self.state.backup > 0.0

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on faults of circuit, outdoor coil, water flow, defrost and backup heat."""
        self.circuit.suffer(faults)
        self.fouled = faults.get("outdoor_coil_fouling", 0.0)
        self.scale = faults.get("water_heater_scale", 0.0)
        self.loop.throttle(self.spec.local, faults)
        self.frost.cut = faults.get("defrost_stuck", 0.0)
        self.frost.missed = faults.get("defrost_missed", 0.0)
        self.locked_in = faults.get("auxiliary_heat_locked_in", 0.0)
        self.unclean = faults.get("hygiene_cycle_missed", 0.0)
        self.control.suffer(self.spec.local, faults)

    def step(self) -> None:
        """Feeds the tank first, else the loop; modulates down to a third, then switches."""
        s, around, loop = self.state, self.around, self.loop
        dt = around.dt
        s.since += dt
        heats = s.mode in (_MODE["heating"], _MODE["auto"])
        opening = loop.wanted() if heats or self.control.zone.state.air < 7.0 else 0.0
        s.target = min(max(hot_by_outdoor(around.outdoor, self.hottest) + s.shift, 20.0), 62.0)
        self._tank_wish()
        calls = opening > (0.05 if loop.state.pumps else 0.3)
        was = s.circuit.on
        s.flow = self.flow * loop.passing() if s.to_tank or calls else 0.0
        s.inlet = s.tank.bottom + 4.0 if s.to_tank else loop.state.back
        if s.defrosting >= 0.0 and s.flow > 0.0:
            self._defrost()
        elif s.flow > 0.0 and self._runs(was):
            self._heat()
        else:
            self._rest(calls)
        if s.circuit.on != was:
            s.since = 0.0
        s.outlet = s.inlet + (s.given + s.backup) / (s.flow * air.CP_WATER) if s.flow > 0.0 else loop.state.supply
        heat = s.given + s.backup
        loop.step(0.0 if s.to_tank else heat, calls and not s.to_tank)
        into = heat if s.to_tank else 0.0
        self.tank.step(dt, around.drawn, around.mains, 18.0, 0.3 * into, 0.7 * into)
        self._count(was)

    def _tank_wish(self) -> None:
        s = self.state
        s.hygiene += self.around.dt
        due = s.hygiene > _HYGIENE_S and not self.unclean and 1.0 < self.around.hour < 6.0
        aim = _HYGIENE_DEGC if s.boost or due or (s.to_tank and s.hygiene > _HYGIENE_S and not self.unclean) else s.hot_setpoint
        s.to_tank = s.tank.bottom < (aim - 0.5 if s.to_tank else aim - 7.0)
        if s.tank.bottom >= _HYGIENE_DEGC - 1.0:
            s.hygiene = s.boost = 0.0

    def _runs(self, was: bool) -> bool:
        s = self.state
        if not was and s.since < 420.0 * (1.0 - self.control.short):
            return False
        if s.to_tank:
            return True
        band = 3.5 * (1.0 - 0.7 * self.control.short)
        return self.loop.state.supply < s.target + (band if was else -band)

    def _heat(self) -> None:
        s, c, around = self.state, self.state.circuit, self.around
        speed = 0.85 if s.to_tank else self._speed()
        share = 0.45 + 0.55 * speed
        s.fan_out = self.full_fan_out * share**2.5 * (1.0 + 0.1 * self.fouled)
        k_e = self.k_out * share**0.7 * (1.0 - 0.68 * self.fouled) * self.frost.share(s.frost)
        k_c = 0.86 * s.flow * air.CP_WATER
        if s.to_tank:
            k_c *= 1.0 - 0.55 * self.scale
        self.circuit.run(around.dt, speed, k_e, around.outdoor, k_c, s.inlet)
        s.given = c.given
        s.late = s.late + around.dt if self._weak() else max(s.late - 2.0 * around.dt, 0.0)
        s.backup = self.backup if s.late > 1800.0 else self.locked_in * self.backup
        surface = c.guess_e + 0.25 * (around.outdoor - c.guess_e)
        s.frost = self.frost.grown(s.frost, around.dt, surface, around.outdoor, around.ratio)
        s.cold_run = s.cold_run + around.dt if surface < 0.0 else max(s.cold_run - around.dt, 0.0)
        s.operating = _OP["hot_water"] if s.to_tank else _OP["heating"]
        if self.frost.wanted(s.frost, s.cold_run):
            s.defrosting, s.coil = 0.0, min(surface, 0.0)
            s.tally.defrosts += 1.0
            c.since = 0.0

    def _weak(self) -> bool:
        s = self.state
        if s.to_tank:
            # the last kelvins of the hygiene cycle are beyond the circuit
            return self.circuit.state.condensing > 66.0 or (s.hygiene > _HYGIENE_S and s.tank.bottom > 54.0)
        return self.loop.state.supply < s.target - 5.0

    def _speed(self) -> float:
        s, loop = self.state, self.loop
        wanted = loop.state.emitted + loop.capacity * (s.target - loop.state.supply) / 900.0
        full = s.circuit.given / s.circuit.speed if s.circuit.speed > 0.0 and s.circuit.since > 120.0 else self.spec.capacity
        return min(max(wanted / max(full, 1.0), _SLOWEST), 1.0)

    def _defrost(self) -> None:
        """Takes heat from the water to melt the frost."""
        s, c, dt = self.state, self.state.circuit, self.around.dt
        self.circuit.run(dt, 0.45, 0.8 * s.flow * air.CP_WATER, s.inlet - 4.0, 2.5 * self.k_out, s.coil)
        s.given, s.fan_out, s.backup = -c.taken, 0.0, self.locked_in * self.backup
        self.frost.melt(s, c.given * dt)
        s.defrosting += dt
        s.tally.defrost += dt
        s.operating = _OP["defrost"]
        if s.coil > 12.0 or s.defrosting >= self.frost.longest():
            s.defrosting, s.cold_run, c.since = -1.0, 0.0, 0.0

    def _rest(self, calls: bool) -> None:
        s, around = self.state, self.around
        self.circuit.rest(around.dt, min(around.outdoor, 20.0))
        s.given = s.fan_out = s.backup = 0.0
        s.defrosting = -1.0
        s.frost = self.frost.grown(s.frost, around.dt, around.outdoor, around.outdoor, around.ratio)
        s.operating = _OP["pumping"] if calls else _OP["idle"] if s.mode else _OP["off"]

    def _count(self, was: bool) -> None:
        s, c, dt, tally = self.state, self.state.circuit, self.around.dt, self.state.tally
        if c.on:
            tally.compressor += dt
            tally.compressor_starts += not was
            if not s.to_tank:
                tally.heating += dt
        if s.flow > 0.0:
            tally.pump += dt
        tally.heat += max(s.given + s.backup, 0.0) * dt
        if s.backup > 0.0:
            tally.backup += s.backup * dt
            tally.backup_run += dt
        pump = 0.0 if not s.flow else 38.0
        crankcase = 30.0 if not c.on and self.around.outdoor < 15.0 else 0.0
        self.count(c.work + s.fan_out + s.backup + pump + crankcase + 12.0, c.on)

    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""
        s = self.state
        return (
            *circuit_row(s.circuit),
            *self.loop.row(),
            *self.tank.row(),
            *self.control.row(),
            s.operating,
            self.around.outdoor,
            self.around.humidity,
            self.control.zone.state.air,
            s.coil,
            s.defrosting,
            s.backup,
            s.fan_out,
            float(s.to_tank),
            s.target,
            s.given,
            s.inlet,
            s.outlet,
            s.flow,
            s.hygiene,
            s.hot_setpoint,
            s.boost,
            s.mode,
        )

    def observe(self, c: Columns) -> Points:
        """Points of an air-to-water heat pump: circuit, water, tank, loop."""
        points = circuit_points(c, self.spec.refrigerant or "R290")
        on, defrosting, flows = c["c_on"] > 0.0, c["defrosting"] >= 0.0, c["flow"] > 0.0
        fade = np.exp(-c["c_since"] / 300.0)
        cold = c["c_te"] + 0.6
        outside = np.where(on, cold, c["outdoor"] + (cold - c["outdoor"]) * fade)
        return points | {
            "outdoor_coil_temperature": np.where(defrosting, c["coil"], outside),
            "inlet_water_temperature": c["inlet"],
            "outlet_water_temperature": c["outlet"],
            "water_flow_rate": c["flow"],
            "water_temperature_difference": running(flows, c["outlet"] - c["inlet"]),
            "water_pressure": 235.0 + 0.8 * (c["l_supply"] - 20.0) - 110.0 * c["l_airy"],
            "buffer_tank_temperature": c["l_supply"],
            "tank_top_temperature": c["t_top"],
            "tank_middle_temperature": 0.45 * c["t_top"] + 0.55 * c["t_bottom"],
            "tank_bottom_temperature": c["t_bottom"],
            "hot_water_setpoint": c["hot_setpoint"],
            "hot_water_boost": c["boost"],
            "legionella_cycle_state": _hygiene(c["hygiene"], c["to_tank"] > 0.0),
            "diverter_valve": c["to_tank"],
            "supply_water_setpoint": c["target"],
            "heating_setpoint": c["set_heating"],
            "system_mode": c["mode"],
            "vacation_mode": c["set_vacation"],
            "thermostat_call": c["l_pumps"],
            "room_temperature": c["room"],
            "outdoor_temperature": c["outdoor"],
            "outdoor_humidity": 100.0 * c["outdoor_humidity"],
            "defrost_state": np.where(defrosting, 1.0, 0.0),
            "reversing_valve": np.where(defrosting, 1.0, 0.0),
            "auxiliary_heat_state": np.where(c["backup"] > 0.0, 1.0, 0.0),
            "auxiliary_heat_power": c["backup"],
            "pump_state": np.where(flows, 1.0, 0.0),
            "compressor_frequency": 90.0 * c["c_speed"],
            "compressor_current": c["c_work"] / (240.0 * 0.96),
            "outdoor_fan_speed": 100.0 * (c["fan_out"] / self.full_fan_out) ** 0.4,
            "fan_power": c["fan_out"],
            "heat_output": c["given"] + c["backup"],
            "cop": running(on & ~defrosting & (c["c_since"] > 240.0), (c["given"] + c["backup"]) / np.maximum(c["power"], 1.0)),
            "operating_mode": c["operating"],
        }
