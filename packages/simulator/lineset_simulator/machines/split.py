"""Split machines: an outdoor unit on a line set with an indoor coil. Heat pump and air conditioner."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from .. import air
from ..spec import EquipmentSpec
from .base import Columns, Machine, MachineState, Points, Surroundings
from .circuit import Circuit, CircuitState, as_made
from .coils import Frost, Indoor, head_kept, wet_or_dry
from .control import MODE, Control
from .readings import CIRCUIT, OPERATING, air_points, circuit_points, circuit_row, control_points, running

Blower = Literal["own", "counted", "shared"]
EMERGENCY, FAN_ONLY = float(MODE["emergency_heat"]), float(MODE["fan_only"])
STANDBY_W = 9.0
_OP = {name: float(code) for name, code in OPERATING.items()}
_DEFROST = POINTS["defrost_state"].codes
_BACKUP = POINTS["auxiliary_heat_state"].codes


class SplitState(MachineState):
    """`operating`: code of operating_mode; `frost` in kg; `cold_run`: s of running with a cold coil since the last
    defrost; `coil`: outdoor coil (degC) in a defrost; `defrosting`: s since its start, below 0 for none; `backup`,
    `fan_out`: W; `cooled`: whether the last run was cooling; `mode`: code
    of the machine's own system_mode."""

    circuit: CircuitState = msgspec.field(default_factory=CircuitState)
    operating: float = _OP["idle"]
    frost: float = 0.0
    cold_run: float = 0.0
    coil: float = 5.0
    defrosting: float = -1.0
    backup: float = 0.0
    fan_out: float = 0.0
    cooled: bool = False
    mode: float = float(MODE["cooling"])


class AirConditioner(Machine):
    """Cools a zone. Option: `stages` (1, 2, or 0 for an inverter; 1).

    `blower` says whose the indoor blower is: "own"; "counted" elsewhere, by an air handler, but driven from here;
    "shared" with a furnace that drives and counts it unless this machine cools.
    """

    state: SplitState
    counters: tuple[str, ...] = (
        "cooling_energy",
        "cooling_run_time",
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
        "coil",
        "defrosting",
        "backup",
        "fan_out",
        "cooled",
        "own_mode",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, indoor: Indoor, blower: Blower = "own") -> None:
        super().__init__(spec, around)
        self.control, self.indoor, self.blower = control, indoor, blower
        superheat, subcooling, coil = as_made(spec)
        self.circuit = Circuit(spec.refrigerant or "R410A", spec.capacity, 9.0, 46.0, superheat, subcooling)
        self.stages = int(spec.options.get("stages", 1))
        self.k_out = coil * self.circuit.full_given / 11.0
        self.full_fan_out = 0.016 * spec.capacity
        self.fouled = 0.0
        self.state = SplitState(circuit=self.circuit.state)
        control.modulates = control.modulates or self.stages != 1
        self.settings = {
            "cooling_setpoint": control.set_cooling,
            "system_mode": self._set_mode,
            "fan_mode": control.set_fan,
            "vacation_mode": control.set_vacation,
        }

    def _set_mode(self, value: float) -> None:
        self.state.mode = value

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, SplitState)
        self.circuit.state = self.state.circuit

    def busy(self) -> bool:
        """Whether it heats or cools, or is about to."""
        return self.state.circuit.on or self.state.backup > 0.0

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on faults of circuit, coils, air flow and control."""
        self.circuit.suffer(faults)
        self.fouled = faults.get("outdoor_coil_fouling", 0.0)
        self.indoor.suffer(self.spec.local, faults)
        self.control.suffer(self.spec.local, faults)

    def step(self) -> None:
        """Cools while the control calls for it and the machine's own mode lets it."""
        was = self.state.circuit.on
        if self.control.state.cool and self.state.mode:
            self._cool()
        else:
            self._rest()
        self._count(was)

    def _speed(self) -> float:
        demand = self.control.state.demand
        if self.stages == 1:
            return 1.0
        if self.stages == 2:
            return 1.0 if demand > 0.8 or (demand > 0.6 and self.state.circuit.speed > 0.9) else 0.68
        return 0.27 + 0.73 * demand

    def _outdoor(self, speed: float) -> float:
        """Runs the outdoor fan; gives the coil's conductance (W/K)."""
        share = 1.0 if self.stages == 1 else 0.45 + 0.55 * speed
        self.state.fan_out = self.full_fan_out * share**2.5 * (1.0 + 0.1 * self.fouled)
        return float(self.k_out * share**0.7 * (1.0 - 0.68 * self.fouled))

    def _cool(self) -> None:
        s, c, around = self.state, self.state.circuit, self.around
        speed = self._speed()
        self.indoor.blow(1.0 if self.stages == 1 else 0.4 + 0.6 * speed)
        zone = self.indoor.zone.state
        wet_bulb = air.wet_bulb(zone.air, zone.ratio, around.pressure)
        guess = c.guess_e if c.on and s.cooled else wet_bulb - 9.0
        k_e, source = wet_or_dry(self.indoor.conductance(), zone.air, wet_bulb, guess)
        s.cooled, s.backup = True, 0.0
        k_c = head_kept(self._outdoor(speed), max(c.given, 0.4 * self.circuit.full_given), around.outdoor)
        self.circuit.run(around.dt, speed, k_e, source, k_c, around.outdoor)
        self.indoor.cool(c.taken, c.guess_e, source)
        s.operating = _OP["cooling"]
        s.tally.cooling += around.dt
        s.tally.cold += c.taken * around.dt

    def _rest(self) -> None:
        s, around, control = self.state, self.around, self.control.state
        self.circuit.rest(around.dt, min(around.outdoor, self.indoor.zone.state.air))
        s.fan_out = s.backup = 0.0
        s.defrosting = -1.0
        wants_fan = control.fan not in (0.0, 6.0) or FAN_ONLY in (s.mode, control.mode)
        if wants_fan and self.blower != "shared":
            self.indoor.blow(0.45)
            self.indoor.heat(0.0)
            s.operating = _OP["fan_only"]
            return
        if self.blower != "shared":
            self.indoor.still(around.dt)
        s.operating = _OP["idle"] if control.mode and s.mode else _OP["off"]

    def _count(self, was: bool) -> None:
        s, c, dt = self.state, self.state.circuit, self.around.dt
        tally = s.tally
        if c.on:
            tally.compressor += dt
            tally.compressor_starts += not was
        if self.indoor.state.flow > 0.0:
            tally.fan += dt
            tally.filter += dt
        crankcase = 36.0 if not c.on and self.around.outdoor < 18.0 else 0.0
        power = c.work + s.fan_out + s.backup + crankcase + STANDBY_W
        self.count(power + (self.indoor.state.power if self.blower == "own" else 0.0), c.on or s.backup > 0.0)

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
            s.coil,
            s.defrosting,
            s.backup,
            s.fan_out,
            float(s.cooled),
            s.mode,
        )

    def observe(self, c: Columns) -> Points:
        """Points of a cooling split; coil sensors sit where refrigerant is two-phase."""
        points = circuit_points(c, self.spec.refrigerant or "R410A")
        points |= air_points(c, self.around.pressure)
        points |= control_points(c)
        on = c["c_on"] > 0.0
        defrosting = c["defrosting"] >= 0.0
        evaporates_outdoors = on & (c["cooled"] == 0.0) & ~defrosting
        inside = np.where(evaporates_outdoors, c["c_tc"], c["c_te"])
        outside = np.where(evaporates_outdoors, c["c_te"] + 0.6, c["c_tc"] - 1.0)
        still_in, still_out = c["room"], c["outdoor"]
        fade = np.exp(-c["c_since"] / 300.0)
        points["indoor_coil_temperature"] = np.where(on, inside, still_in + (inside - still_in) * fade)
        points["outdoor_coil_temperature"] = np.where(
            defrosting, c["coil"], np.where(on, outside, still_out + (outside - still_out) * fade)
        )
        points["operating_mode"] = c["operating"]
        points["system_mode"] = c["own_mode"]
        points["compressor_stage"] = np.where(on, np.where(c["c_speed"] > 0.9, 2.0, 1.0) if self.stages == 2 else 1.0, 0.0)
        points["compressor_current"] = c["c_work"] / (240.0 * 0.95)
        points["outdoor_fan_speed"] = 100.0 * (c["fan_out"] / self.full_fan_out) ** 0.4
        points["outdoor_temperature"] = c["outdoor"]
        points["outdoor_humidity"] = 100.0 * c["outdoor_humidity"]
        points["crankcase_heater"] = np.where(~on & (c["outdoor"] < 18.0), 1.0, 0.0)
        points["fan_power"] = c["fan_out"] + (c["a_power"] if self.blower == "own" else 0.0)
        points["cooling_output"] = np.where(on & (c["cooled"] > 0.0) & ~defrosting, c["a_total"], 0.0)
        points["cop"] = running(on & ~defrosting & (c["c_since"] > 180.0), c["a_total"] / np.maximum(c["power"], 1.0))
        return points


class AirHeatPump(AirConditioner):
    """Heats and cools a zone, defrosts its outdoor coil, has electric backup heat. Option `backup` (W; 0 for none)."""

    counters: tuple[str, ...] = (
        *AirConditioner.counters,
        "heat_energy",
        "heating_run_time",
        "auxiliary_heat_energy",
        "auxiliary_heat_run_time",
        "defrost_count",
        "defrost_run_time",
    )

    def __init__(self, spec: EquipmentSpec, around: Surroundings, control: Control, indoor: Indoor, blower: Blower = "own") -> None:
        super().__init__(spec, around, control, indoor, blower)
        self.backup = spec.options.get("backup", 0.0)
        if self.backup == 0.0:
            self.counters = tuple(name for name in self.counters if not name.startswith("auxiliary"))
        self.frost = Frost(spec.capacity, self.k_out, around.pressure, 21600.0 if self.stages == 0 else 5400.0)
        self.locked_in = 0.0
        self.settings |= {"heating_setpoint": control.set_heating, "system_mode": control.set_mode}

    def suffer(self, faults: Mapping[str, float]) -> None:
        """Takes on the faults of an air conditioner and of defrost and backup heat."""
        super().suffer(faults)
        self.frost.cut = faults.get("defrost_stuck", 0.0)
        self.frost.missed = faults.get("defrost_missed", 0.0)
        self.locked_in = faults.get("auxiliary_heat_locked_in", 0.0)

    def step(self) -> None:
        """Heats, defrosts, cools or rests as the control calls."""
        s, control = self.state, self.control.state
        was = s.circuit.on
        if control.heat and control.mode == EMERGENCY:
            self._backup_only()
        elif control.heat and s.defrosting >= 0.0:
            self._defrost()
        elif control.heat:
            self._heat()
        elif control.cool:
            self._cool()
        else:
            self._rest()
        if s.frost > 0.0 and not s.circuit.on:
            s.frost = self.frost.grown(s.frost, self.around.dt, self.around.outdoor, self.around.outdoor, self.around.ratio)
        self._count(was)

    def _wanted_backup(self) -> float:
        """Backup heat (W) that the control switches on: when heat does not keep up, in two banks; never when mild."""
        control = self.control.state
        wanted = 0.0
        if control.behind > 900.0 and self.around.outdoor < 8.0:
            wanted = self.backup * (1.0 if control.behind > 3600.0 else 0.5)
        return max(wanted, self.locked_in * self.backup)

    def _heat(self) -> None:
        s, c, around = self.state, self.state.circuit, self.around
        speed = self._speed()
        self.indoor.blow(1.0 if self.stages == 1 else 0.4 + 0.6 * speed)
        k_e = self._outdoor(speed) * self.frost.share(s.frost)
        if s.cooled:
            # the reversing valve swaps the coils' roles
            s.cooled, c.on = False, False
        self.circuit.run(around.dt, speed, k_e, around.outdoor, self.indoor.conductance(), self.indoor.zone.state.air)
        s.backup = self._wanted_backup()
        self.indoor.heat(c.given, s.backup)
        surface = c.guess_e + 0.25 * (around.outdoor - c.guess_e)
        s.frost = self.frost.grown(s.frost, around.dt, surface, around.outdoor, around.ratio)
        s.cold_run = s.cold_run + around.dt if surface < 0.0 else max(s.cold_run - around.dt, 0.0)
        s.operating = _OP["auxiliary_heat" if s.backup > 0.0 else "heating"]
        self._count_heat(c.given)
        if self.frost.wanted(s.frost, s.cold_run):
            s.defrosting, s.coil = 0.0, min(surface, 0.0)
            s.tally.defrosts += 1.0
            c.since = 0.0  # the valve swings and the circuit builds up again

    def _defrost(self) -> None:
        """Cools the room for some minutes to melt the frost; half of the backup keeps the supply air from going cold."""
        s, c, around = self.state, self.state.circuit, self.around
        dt = around.dt
        self.indoor.blow(0.6)
        room = self.indoor.zone.state.air
        self.circuit.run(dt, 0.8, 0.75 * self.indoor.conductance(), room, 2.5 * self.k_out, s.coil)
        s.backup = max(0.5 * self.backup, self.locked_in * self.backup)
        self.indoor.heat(-c.taken, s.backup)
        s.fan_out = 0.0
        self.frost.melt(s, c.given * dt)
        s.defrosting += dt
        s.tally.defrost += dt
        s.operating = _OP["defrost"]
        self._count_heat(-c.taken)
        if s.coil > 12.0 or s.defrosting >= self.frost.longest():
            s.defrosting, s.cold_run = -1.0, 0.0
            c.since = 0.0  # the valve swings back and the circuit builds up again

    def _backup_only(self) -> None:
        s, around = self.state, self.around
        self.circuit.rest(around.dt, min(around.outdoor, self.indoor.zone.state.air))
        self.indoor.blow(0.7)
        s.fan_out, s.defrosting = 0.0, -1.0
        s.backup = self.backup * (0.5 if self.control.state.demand < 0.5 else 1.0)
        self.indoor.heat(0.0, s.backup)
        s.operating = _OP["auxiliary_heat"]
        self._count_heat(0.0)

    def _count_heat(self, given: float) -> None:
        s, dt = self.state, self.around.dt
        s.tally.heating += dt
        s.tally.heat += max(given + s.backup, 0.0) * dt
        if s.backup > 0.0:
            s.tally.backup += s.backup * dt
            s.tally.backup_run += dt

    def observe(self, c: Columns) -> Points:
        """Points of a cooling split and those of heating, defrost and backup heat."""
        points = super().observe(c)
        defrosting = c["defrosting"] >= 0.0
        points["system_mode"] = c["set_mode"]
        points["heating_setpoint"] = c["set_heating"]
        points["defrost_state"] = np.where(defrosting, float(_DEFROST["on"]), float(_DEFROST["off"]))
        points["reversing_valve"] = np.where((c["cooled"] > 0.0) | defrosting, 1.0, 0.0)
        points["heat_output"] = np.where(c["cooled"] > 0.0, 0.0, c["a_total"])
        if self.backup > 0.0:
            points["auxiliary_heat_state"] = np.where(c["backup"] > 0.0, float(_BACKUP["on"]), float(_BACKUP["off"]))
            points["auxiliary_heat_power"] = c["backup"]
        return points
