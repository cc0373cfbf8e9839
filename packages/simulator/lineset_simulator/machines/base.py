"""What every machine shares: its surroundings during a step, its counters, and how its readings are worked out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any, ClassVar

import msgspec

from ..chance import Floats
from ..spec import EquipmentSpec, Fault

Columns = Mapping[str, Floats]
Points = dict[str, Floats]
HOUR, KWH = 3600.0, 3.6e6


class Surroundings:
    """What surrounds the machines of a home during one step: one object that all parts of a home share.

    t: s since 1970 UTC at the step's end; dt: s; outdoor, mains: degC; ratio: kg/kg; humidity: 0 to 1; wind: m/s;
    pressure: Pa; people: number; drawn: litres at 41 degC during the step; comfort: whether the schedule wants comfort;
    hour: local hour of the day.
    """

    __slots__ = (
        "comfort",
        "drawn",
        "dt",
        "hour",
        "humidity",
        "mains",
        "outdoor",
        "people",
        "pressure",
        "ratio",
        "t",
        "wind",
    )

    def __init__(self) -> None:
        self.t = self.drawn = self.hour = self.people = 0.0
        self.dt, self.outdoor, self.ratio, self.humidity, self.wind = 60.0, 10.0, 0.005, 0.6, 3.0
        self.mains, self.pressure, self.comfort = 12.0, 101325.0, True


class Tally(msgspec.Struct):
    """Counters since the machine was installed: energies in J, times in s, the rest in numbers, water in litres."""

    electric: float = 0.0
    heat: float = 0.0
    cold: float = 0.0
    backup: float = 0.0
    gas: float = 0.0
    water: float = 0.0
    run: float = 0.0
    heating: float = 0.0
    cooling: float = 0.0
    compressor: float = 0.0
    backup_run: float = 0.0
    burner: float = 0.0
    pump: float = 0.0
    fan: float = 0.0
    filter: float = 0.0
    defrost: float = 0.0
    starts: float = 0.0
    compressor_starts: float = 0.0
    burner_starts: float = 0.0
    defrosts: float = 0.0
    retries: float = 0.0


# by counter point: field of the tally, divisor
_COUNTERS: dict[str, tuple[str, float]] = {
    "electric_energy": ("electric", KWH),
    "heat_energy": ("heat", KWH),
    "cooling_energy": ("cold", KWH),
    "auxiliary_heat_energy": ("backup", KWH),
    "gas_energy": ("gas", KWH),
    "gas_volume": ("gas", 38.3e6),  # J a m3 of natural gas by higher heating value
    "hot_water_volume": ("water", 1.0),
    "run_time": ("run", 1.0),
    "heating_run_time": ("heating", 1.0),
    "cooling_run_time": ("cooling", 1.0),
    "compressor_run_time": ("compressor", 1.0),
    "auxiliary_heat_run_time": ("backup_run", 1.0),
    "burner_run_time": ("burner", 1.0),
    "pump_run_time": ("pump", 1.0),
    "fan_run_time": ("fan", 1.0),
    "filter_run_time": ("filter", 1.0),
    "defrost_run_time": ("defrost", 1.0),
    "starts": ("starts", 1.0),
    "compressor_starts": ("compressor_starts", 1.0),
    "burner_starts": ("burner_starts", 1.0),
    "defrost_count": ("defrosts", 1.0),
    "ignition_retries": ("retries", 1.0),
}


class Worst:
    """A fault's severity at a part that several machines share: the worst that any of them reports."""

    def __init__(self) -> None:
        self._by: dict[str, float] = {}
        self.value = 0.0

    def take(self, owner: str, severity: float) -> None:
        """Notes what the machine `owner` has."""
        self._by[owner] = severity
        self.value = max(self._by.values())


class SettingUnknown(Exception):
    """The machine has no such setting. The message names those it has."""


class MachineState(msgspec.Struct):
    """What a machine carries from step to step. `boot` is when its controller started (s since 1970)."""

    tally: Tally = msgspec.field(default_factory=Tally)
    boot: float = 0.0
    power: float = 0.0
    running: bool = False


class Machine(ABC):
    """One machine. `step` moves it on; `snapshot` notes `columns`; `observe` turns many notes into points at once."""

    columns: ClassVar[tuple[str, ...]] = ()
    state: MachineState
    # counters beyond electric energy, run time and starts that this kind of machine has
    # set anew on machines that lack some of their kind's
    counters: tuple[str, ...] = ()

    def __init__(self, spec: EquipmentSpec, around: Surroundings) -> None:
        self.spec, self.around = spec, around
        self.standby = 0.0  # W that a fault adds while the machine stands
        self.settings: dict[str, Callable[[float], None]] = {}

    @abstractmethod
    def step(self) -> None:
        """Moves the machine on by `self.around.dt` s and adds what it does to zones, tanks and loops."""

    @abstractmethod
    def snapshot(self) -> tuple[float, ...]:
        """The values of `columns` now."""

    @abstractmethod
    def observe(self, c: Columns) -> Points:
        """True values of points, in the contract's units, for notes of `columns` (arrays of one length)."""

    def busy(self) -> bool:
        """Whether a compressor, a burner or an element runs, which asks for short steps."""
        return False

    def suffer(self, faults: Mapping[str, float]) -> None:  # noqa: B027  a machine need not have faults of its own
        """Takes on the severities (0 to 1, by fault name) of the faults that act now; those not named are healed."""

    def write(self, setting: str, value: float) -> None:
        """Sets a setting; codes by number. `restart` restarts the controller. Raises SettingUnknown."""
        act = self.settings.get(setting)
        if act is None:
            known = ", ".join(self.settings) or "none"
            raise SettingUnknown(f"{self.spec.local} ({self.spec.type}) has no setting {setting!r}; it has: {known}")
        act(value)

    def note(self) -> tuple[float, ...]:
        """`snapshot` with what every machine has: power, boot and its counters; `noted` names them."""
        s = self.state
        return (*self.snapshot(), s.power, s.boot, *self._tallied(s.tally))

    def noted(self) -> tuple[str, ...]:
        """Names of what `note` gives."""
        return (*self.columns, "power", "boot", *(f"tally_{field}" for field in self._counted))

    @cached_property
    def _counted(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("electric", "run", "starts", *(_COUNTERS[name][0] for name in self.counters))))

    @cached_property
    def _tallied(self) -> Callable[[Tally], tuple[float, ...]]:
        return attrgetter(*self._counted)

    def points(self, t: Floats, c: Columns) -> Points:
        """`observe` with the points that every machine has; `t` (s since 1970) are the moments of the notes."""
        points = self.observe(c)
        points.setdefault("electric_power", c["power"])
        points["controller_uptime"] = t - c["boot"]
        for point in ("electric_energy", "run_time", "starts", *self.counters):
            field, divisor = _COUNTERS[point]
            points[point] = c[f"tally_{field}"] / divisor
        return points

    def count(self, power: float, running: bool) -> None:
        """Adds a step's electric power (W) and running to the counters."""
        s, dt = self.state, self.around.dt
        if not running:
            power += self.standby
        s.power = power
        s.tally.electric += power * dt
        if running:
            s.tally.run += dt
            if not s.running:
                s.tally.starts += 1.0
        s.running = running

    def dump(self) -> Any:
        """The state as plain data for JSON or MessagePack."""
        return msgspec.to_builtins(self.state)

    def load(self, data: Any) -> None:
        """Takes up a state that `dump` gave. Raises msgspec.ValidationError when it is not one."""
        self.state = msgspec.convert(data, type(self.state))


def faults_now(faults: tuple[Fault, ...], local: str, days_before: float) -> dict[str, float]:
    """Severities of the faults (not those of sensors) of the machine `local`, `days_before` days before the anchor.

    An element's failure carries its element: "element_failed:upper_element_state".
    """
    now: dict[str, float] = {}
    for fault in faults:
        if fault.equipment != local or fault.kind.startswith("sensor_"):
            continue
        grown = grown_to(fault, days_before)
        if grown > 0.0:
            now[f"{fault.kind}:{fault.point}" if fault.point else fault.kind] = fault.severity * grown
    return now


def grown_to(fault: Fault, days_before: float) -> float:
    """Share (0 to 1) of its severity that a fault has reached `days_before` days before the anchor."""
    age = fault.days_before - days_before
    if age <= 0.0:
        return 0.0
    return min(age / fault.ramp_days, 1.0) if fault.ramp_days > 0.0 else 1.0
