"""Small homes to test with, and what their machines measured over some hours."""

from datetime import UTC, datetime

import msgspec
import numpy as np
from lineset_simulator import Address, EquipmentSpec, Fault, Home, HomeSpec, ZoneSpec
from lineset_simulator.chance import Floats
from lineset_simulator.machines.base import Points

PLACES: dict[str, tuple[float, float, float, str]] = {
    "cold": (44.06, -121.31, 1105.0, "America/Los_Angeles"),
    "mixed": (35.08, -106.65, 1615.0, "America/Denver"),
    "marine": (45.52, -122.68, 15.0, "America/Los_Angeles"),
    "hot": (32.22, -110.97, 730.0, "America/Phoenix"),
}
HOUSE = ZoneSpec("House", "house", 150.0, 20.5, 25.0, 0.0)


def machine(local: str, kind: str, capacity: float, *, serves: str = "", fuel: str = "electricity", **options: float) -> EquipmentSpec:
    """A machine with all sensors."""
    return EquipmentSpec(
        local, kind, "Norrland", "T-1", "19K40277", capacity, fuel, "cellar", "2019-10-12", serves=serves, sensors="full", options=options
    )


def home(
    *equipment: EquipmentSpec,
    climate: str = "cold",
    faults: tuple[Fault, ...] = (),
    zones: tuple[ZoneSpec, ...] = (HOUSE,),
    occupancy: str = "home",
    seed: int = 11,
) -> HomeSpec:
    """A home of two people with these machines."""
    latitude, longitude, altitude, tz = PLACES[climate]
    return HomeSpec(
        "t1", "Tester", "1 Test Rd", "residential", 0, (), Address("1 Test Rd", "Bend", "OR", "97701"), tz, latitude, longitude,
        altitude, climate, 5, seed, occupancy, 2, zones, equipment, faults,
    )  # fmt: skip


def moment(month: int, day: int = 15, hour: int = 8) -> float:
    """A moment of 2026 (s since 1970; UTC)."""
    return datetime(2026, month, day, hour, tzinfo=UTC).timestamp()


def watch(lived: Home, hours: float, every: float = 60.0) -> dict[str, Points]:
    """Moves the home on and gives what its machines measured meanwhile, by local name and point."""
    notes: dict[str, list[tuple[float, ...]]] = {local: [] for local in lived.machines}
    times: list[float] = []
    for _ in range(round(hours * 3600.0 / every)):
        lived.step(every)
        times.append(lived.t)
        for local, found in lived.machines.items():
            notes[local].append(found.note())
    return {local: lived.read(local, np.array(times), np.array(lines)).points for local, lines in notes.items()}


_SETTLED: dict[tuple[bytes, int, float], dict[str, Points]] = {}


def settled(spec: HomeSpec, month: int, hours: float = 12.0) -> dict[str, Points]:
    """What the machines of a home measure in some hours of a month's middle, after half a day to settle."""
    asked = (msgspec.json.encode(spec), month, hours)
    if asked not in _SETTLED:
        anchor = moment(month)
        lived = Home(spec, anchor, anchor - 43200.0)
        lived.step(43200.0)
        _SETTLED[asked] = watch(lived, hours)
    return _SETTLED[asked]


def while_on(points: Points, name: str, minutes: int = 12) -> Floats:
    """Readings of a point while the compressor has run for some minutes and no defrost is on."""
    on = points["compressor_state"] > 0.0
    if "defrost_state" in points:
        on &= points["defrost_state"] == 0.0
    steady = np.array([bool(on[max(i - minutes, 0) : i + 1].all()) and i >= minutes for i in range(len(on))])
    chosen: Floats = points[name][steady]
    assert len(chosen) > 10, f"the compressor hardly ran; {name} cannot be judged"
    return chosen
