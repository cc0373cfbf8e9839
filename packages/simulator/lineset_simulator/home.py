"""A home: weather, zones, people, machines and their sensors, moved on together."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from lineset_contract.points import POINTS
from lineset_contract.wire import Frame, WireValue

from .chance import Floats, key, uniform
from .forcing import Forcing
from .house import SPLIT, Zone, ZoneState
from .machines.base import Machine, Points, Surroundings, faults_now, grown_to
from .machines.build import Builder
from .machines.coils import Indoor, IndoorState
from .machines.control import ControlState
from .sensors import DAY_S, Sensors
from .spec import EquipmentSpec, HomeSpec, as_built
from .wear import worn

LONGEST_STEP_S = 60.0
_FAULTS_S = 900.0
DRAWN = 6  # the column of `Home.drives` that holds litres drawn
PERSON_W, PERSON_VAPOUR = 72.0, 1.5e-5  # sensible heat and vapour (kg/s) of a person at rest
STANDBY_EXCESS_W = 160.0  # crankcase heater, pan heater and relay that stay on, at worst
COOKING_VAPOUR = 0.6e-6  # kg/s a m2 of floor while people are up: cooking, washing, plants


class HomeState(msgspec.Struct):
    """All that a home carries on: plain data for JSON or MessagePack.

    `t`: s since 1970 UTC; `anchor`: the moment that faults' days count back from; the rest by part.
    """

    t: float
    anchor: float
    zones: list[ZoneState]
    controls: list[ControlState]
    indoors: dict[str, IndoorState]
    machines: dict[str, Any]


class Block(NamedTuple):
    """Readings of one machine: its local name, times (s since 1970 UTC), and by point the values, NaN where absent.

    Codes are numbers. All arrays are float64 of one length.
    """

    equipment: str
    times: Floats
    points: Points


class Home:
    """A simulated home or site. `anchor` (s since 1970 UTC) is "today" for its faults, and where it starts."""

    def __init__(self, spec: HomeSpec, anchor: float, start: float | None = None) -> None:
        self.spec, self.anchor = spec, anchor
        spec = as_built(spec)
        self.around = Surroundings()
        self.forcing = Forcing(spec)
        self.around.pressure = self.forcing.weather.pressure
        self.zones = [Zone(zone) for zone in spec.zones]
        parts = Builder(spec, self.around, self.zones)
        self.controls = [*parts.controls, *parts.extra_controls]
        self.indoors: Mapping[str, Indoor] = parts.indoors
        self.machines: Mapping[str, Machine] = parts.machines
        self._ordered = parts.ordered
        self._steps = [*(control.step for control in self.controls), *(machine.step for machine in self._ordered)]
        self._sensors = {e.local: Sensors(e, spec, anchor) for e in spec.equipment}
        self._specs: Mapping[str, EquipmentSpec] = {e.local: e for e in spec.equipment}
        area = sum(zone.area for zone in self.zones)
        self._shares = [zone.area / area for zone in self.zones]
        self.t = float(np.floor(anchor if start is None else start))
        self.around.t = self.t
        self._rest = 0.0
        self._polled = self.t - 1.0
        self._checked = -1e18
        self._wear()
        self._suffer()
        # the weather of the moment, so that readings before the first step make sense
        self.t -= 1.0
        self._surround(self.drives(1.0, 1)[0].tolist())
        self.t += 1.0

    def _wear(self) -> None:
        for number, machine in enumerate(self.machines.values()):
            chance = uniform(key(self.spec.seed, machine.spec.local, "wear"), np.arange(4))
            machine.state.tally = worn(machine.spec, self.t, float(chance[0]))
            machine.state.boot = self.t - (3.0 + 60.0 * float(chance[1])) * DAY_S - number * 37.0

    def step(self, seconds: float) -> None:
        """Moves the home on by `seconds`, in steps of at most a minute; what is left of a second waits for the next."""
        whole = float(np.floor(seconds + self._rest))
        self._rest += seconds - whole
        self._go(int(whole))

    def step_to(self, t: float) -> None:
        """Moves the home on to the last whole second before `t` (s since 1970 UTC); an earlier time changes nothing."""
        self._rest = 0.0
        self._go(max(int(t - self.t), 0))

    def _go(self, seconds: int) -> None:
        count, left = divmod(seconds, int(LONGEST_STEP_S))
        if count:
            self.advance(self.drives(LONGEST_STEP_S, count).tolist(), LONGEST_STEP_S)
        if left:
            self.advance(self.drives(float(left), 1).tolist(), float(left))

    def drives(self, dt: float, count: int) -> Floats:
        """What drives the home in its next `count` steps of `dt` s: a row a step, for `advance`.

        Columns: outdoor (degC), ratio, humidity, wind, mains, people, drawn, comfort, hour as in `forcing.Drive`; then for
        each zone the heat (W) to its air and to its mass by sun, loads and people, vapour (kg/s) and people.
        """
        d = self.forcing.drive(self.t, dt, count)
        pattern = self.forcing.life.pattern
        columns = [d.outdoor, d.ratio, d.humidity, d.wind, d.mains, d.people, d.drawn, d.comfort, d.hour]
        for zone, share in zip(self.zones, self._shares, strict=True):
            sun = zone.glass[0] * d.south + zone.glass[1] * d.east + zone.glass[2] * d.west
            people = share * d.people
            load = zone.area * (pattern.standby + pattern.awake * d.awake) + PERSON_W * people
            vapour = PERSON_VAPOUR * people + COOKING_VAPOUR * zone.area * d.awake
            columns += [SPLIT * sun + 0.7 * load, (1.0 - SPLIT) * sun + 0.3 * load, vapour, people]
        return np.stack(columns, axis=1)

    def busy(self) -> bool:
        """Whether a compressor, a burner or an element runs, so that a step should be a minute at most."""
        return any(machine.busy() for machine in self._ordered)

    def advance(self, rows: Sequence[Sequence[float]], dt: float) -> None:
        """Moves the home on by one step of `dt` s for each row of `drives`."""
        zones, around = list(zip(self.zones, range(9, 9 + 4 * len(self.zones), 4), strict=True)), self.around
        steps = self._steps
        around.dt = dt
        for row in rows:
            self.t += dt
            around.t = self.t
            self._surround(row)
            if self.t - self._checked >= _FAULTS_S:
                self._suffer()
            for zone, at in zones:
                zone.heat += row[at]
                zone.radiant += row[at + 1]
            for step in steps:
                step()
            outdoor, ratio, _, wind = row[:4]
            for zone, at in zones:
                zone.finish(dt, outdoor, ratio, wind, row[at + 2], row[at + 3])

    def _surround(self, row: Sequence[float]) -> None:
        around = self.around
        around.outdoor, around.ratio, around.humidity, around.wind, around.mains, around.people = row[:6]
        around.drawn, comfort, around.hour = row[6:9]
        around.comfort = comfort > 0.5

    def _suffer(self) -> None:
        """Lets the faults of this moment act. A room sensor's error also misleads the thermostat that reads it."""
        self._checked = self.t
        if not self.spec.faults:
            return
        days = (self.anchor - self.t) / DAY_S
        for local, machine in self.machines.items():
            now = faults_now(self.spec.faults, local, days)
            machine.suffer(now)
            machine.standby = STANDBY_EXCESS_W * now.get("standby_excess", 0.0)
        for fault in self.spec.faults:
            if fault.point == "room_temperature" and fault.kind in ("sensor_biased", "sensor_drifting"):
                control = self.controls[self._specs[fault.equipment].zone]
                control.state.bias = fault.severity * grown_to(fault, days)

    def write(self, equipment: str, setting: str, value: WireValue) -> None:
        """Sets a setting of a machine as its controller would; words of codes are understood.

        Raises KeyError for a machine that is not there, SettingUnknown for a setting it does not have, ValueError for a
        value that is none.
        """
        if equipment not in self.machines:
            raise KeyError(f"no equipment named {equipment!r} here; there are: {', '.join(self.machines)}")
        machine = self.machines[equipment]
        if setting == "restart":
            machine.state.boot = self.t
            return
        if isinstance(value, str):
            codes = POINTS[setting].codes if setting in POINTS else {}
            if value not in codes:
                raise ValueError(f"{value!r} is no value of {setting}; use one of: {', '.join(codes)}")
            machine.write(setting, float(codes[value]))
            return
        if value is None:
            raise ValueError(f"{setting} needs a value")
        machine.write(setting, float(value))

    def jump(self, t: float) -> None:
        """Takes up the time `t` (s since 1970 UTC) as if nothing had happened since; for a home left alone too long."""
        self.t = self.around.t = float(np.floor(t))
        self._rest = 0.0

    def silent_at(self, t: float) -> bool:
        """Whether the gateway is without power at `t` (s since 1970 UTC)."""
        return bool(self.silent(np.array([t]))[0])

    def silent(self, times: Floats) -> np.ndarray:
        """Whether the gateway is without power at `times` (s since 1970 UTC, rising)."""
        result = np.zeros(len(times), dtype=bool)
        if self.spec.silence:
            hours = self.forcing.life.schedule(times)[0]
            days = np.round((times - hours * 3600.0) / DAY_S)
            for silence in self.spec.silence:
                end = silence.hour + silence.hours
                hit = (hours >= silence.hour) & (hours < end)
                # what runs past midnight ends on the next day
                late = hours < end - 24.0
                for of_day, number in ((hit, days), (late, days - 1.0)):
                    result |= of_day & (np.mod(number, silence.every_days) == silence.remainder)
        return result

    def lost(self, local: str, times: Floats) -> np.ndarray:
        """Whether the machine `local` cannot be reached at `times` (s since 1970 UTC): its controller is off the bus."""
        gone = np.zeros(len(times), dtype=bool)
        for fault in self.spec.faults:
            if fault.kind == "offline" and fault.equipment == local:
                gone |= times > self.anchor - fault.days_before * DAY_S
        return gone

    def read(self, local: str, times: Floats, notes: Floats) -> Block:
        """Readings of the machine `local` from its notes, a row for each of `times`."""
        machine = self.machines[local]
        columns = dict(zip(machine.noted(), np.ascontiguousarray(notes.T), strict=True))
        return Block(local, times, self._sensors[local].read(times, machine.points(times, columns)))

    def frames(self, t: float) -> list[Frame]:
        """Frames of the machines whose poll is due since the last call, stamped `t`; none while the gateway is silent."""
        before, self._polled = self._polled, t
        if self.silent_at(t):
            return []
        at = np.array([t])
        due = [e.local for e in self.spec.equipment if before // e.poll != t // e.poll and not self.lost(e.local, at)[0]]
        return [_frame(self.read(local, at, np.array([self.machines[local].note()]))) for local in due]

    def state(self) -> HomeState:
        """The state of the home for `restore`."""
        return HomeState(
            t=self.t,
            anchor=self.anchor,
            zones=[msgspec.structs.replace(zone.state) for zone in self.zones],
            controls=[msgspec.structs.replace(control.state) for control in self.controls],
            indoors={local: msgspec.structs.replace(indoor.state) for local, indoor in self.indoors.items()},
            machines={local: machine.dump() for local, machine in self.machines.items()},
        )

    @classmethod
    def restore(cls, spec: HomeSpec, state: HomeState) -> "Home":
        """The home of `spec` as it was when `state` was taken. Raises ValueError when the state is of another home."""
        home = cls(spec, state.anchor, state.t)
        same = len(state.zones) == len(home.zones) and len(state.controls) == len(home.controls)
        if not same or set(state.machines) != set(home.machines) or set(state.indoors) != set(home.indoors):
            raise ValueError(f"the state does not belong to {spec.key}: its zones or machines differ")
        for zone, zone_state in zip(home.zones, state.zones, strict=True):
            zone.state = msgspec.structs.replace(zone_state)
        for control, control_state in zip(home.controls, state.controls, strict=True):
            control.state = msgspec.structs.replace(control_state)
        for local, indoor in home.indoors.items():
            indoor.state = msgspec.structs.replace(state.indoors[local])
        for local, machine in home.machines.items():
            machine.load(state.machines[local])
        return home


def _frame(block: Block) -> Frame:
    values: dict[str, WireValue] = {}
    for name, array in block.points.items():
        value = float(array[0])
        if value == value:  # noqa: PLR0124  NaN stands for no reading
            point = POINTS[name]
            values[name] = (point.word(value) or value) if point.kind == "code" else value
    return Frame(t=float(block.times[0]), e=block.equipment, v=values)
