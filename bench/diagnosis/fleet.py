"""Draws a fleet: homes by season, and which of their machines have which fault, how badly, and since when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

import msgspec
from lineset_simulator import EquipmentSpec, Fault, HomeSpec
from lineset_simulator.spec import FaultKind

from bench.diagnosis.homes import PLACES, home

DAY_S = 86_400.0
ENDS = {"winter": 1_770_768_000.0, "summer": 1_755_648_000.0}
"""The moment (s since 1970 UTC) at which the recording of a season ends: 11 February 2026 and 20 August 2025."""
FAULTY = 0.36
"""The share of homes with a fault; all others have none."""

_AIR, _WATER, _AC, _RTU = ("split", "hp1"), ("hydronic", "hp1"), ("furnace", "ac1"), ("rooftop", "rtu1")
_FURNACE, _BOILER, _COOLER = ("furnace", "furn1"), ("boiler", "boil1"), ("cooler", "ac1")
_W, _S = ("winter",), ("summer",)
_BOTH = ("winter", "summer")


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault as it is drawn. `severities` from small to large, as the simulator's `Fault` defines them; it grows over `ramp_days` at most.
    `where`: kits and machines that can have it, with the seasons in which they work; `points` of sensor faults. `before`: it may be
    there before the recording begins. `wastes`: it wastes energy by undoing work rather than by worse efficiency."""

    name: FaultKind
    severities: tuple[float, ...]
    ramp_days: float
    where: tuple[tuple[tuple[str, str], tuple[str, ...]], ...]
    points: tuple[str, ...] = ("",)
    before: bool = True
    wastes: bool = False


_CIRCUIT = ((_AIR, _BOTH), (_AC, _S), (_COOLER, _S), (_WATER, _W), (_RTU, _S))
_BLOWER = ((_AIR, _BOTH), (_COOLER, _S), (_FURNACE, _W), (_RTU, _S))
_HEATERS = ((("split", "wh1"), _BOTH), (("furnace", "wh1"), _BOTH), (("cooler", "wh1"), _BOTH))
_ELEMENTS = ("upper_element_state", "lower_element_state")
_AIRSIDE = ("supply_air_temperature", "return_air_temperature", "outdoor_temperature")
KINDS: tuple[Kind, ...] = (
    Kind("low_charge", (0.15, 0.25, 0.35), 10.0, _CIRCUIT),
    Kind("overcharge", (0.2, 0.4, 0.6), 0.0, _CIRCUIT),
    Kind("liquid_line_restriction", (0.25, 0.45, 0.65), 6.0, _CIRCUIT),
    Kind("non_condensables", (0.5, 1.0, 1.5), 0.0, _CIRCUIT),
    Kind("compressor_valve_leak", (0.2, 0.35, 0.5), 6.0, _CIRCUIT),
    Kind("expansion_valve_hunting", (0.5, 0.75, 1.0), 0.0, _CIRCUIT),
    Kind("capacity_degradation", (0.15, 0.25, 0.35), 10.0, _CIRCUIT),
    Kind("cop_degradation", (0.12, 0.2, 0.3), 10.0, _CIRCUIT),
    Kind("reversing_valve", (0.2, 0.35, 0.5), 0.0, ((_AIR, _BOTH),)),
    Kind("outdoor_coil_fouling", (0.3, 0.5, 0.7), 10.0, _CIRCUIT),
    Kind("indoor_coil_fouling", (0.4, 0.6, 0.85), 10.0, ((_AIR, _BOTH), (_AC, _S), (_COOLER, _S), (_RTU, _S))),
    Kind("low_air_flow", (0.35, 0.55, 0.8), 12.0, _BLOWER),
    Kind("low_water_flow", (0.4, 0.6, 0.8), 8.0, ((_WATER, _W), (_BOILER, _W))),
    Kind("air_in_water", (0.4, 0.7, 1.0), 0.0, ((_WATER, _W), (_BOILER, _W))),
    Kind("defrost_stuck", (0.6, 0.8, 0.95), 0.0, ((_AIR, _W), (_WATER, _W))),
    Kind("defrost_missed", (1.0,), 0.0, ((_AIR, _W), (_WATER, _W))),
    Kind("auxiliary_heat_locked_in", (0.3, 0.5, 0.8), 0.0, ((_AIR, _W), (_WATER, _W)), wastes=True),
    Kind("standby_excess", (0.4, 0.7, 1.0), 0.0, ((_AIR, _BOTH), (_AC, _BOTH), (_COOLER, _BOTH), (_WATER, _W)), wastes=True),
    Kind("oversizing", (0.8, 1.2, 1.6), 0.0, ((_AIR, _BOTH), (_COOLER, _S), (_FURNACE, _W), (_BOILER, _W)), wastes=True),
    Kind("short_cycling", (0.6, 0.8, 0.95), 0.0, ((_AIR, _BOTH), (_COOLER, _S), (_FURNACE, _W), (_BOILER, _W)), wastes=True),
    Kind("ignition_retries", (0.4, 0.7, 1.0), 0.0, ((_FURNACE, _W), (_BOILER, _W))),
    Kind("no_condensing", (0.7, 1.0), 0.0, ((_FURNACE, _W), (_BOILER, _W))),
    Kind("water_heater_scale", (0.4, 0.6, 0.8), 10.0, _HEATERS),
    Kind("element_failed", (1.0,), 0.0, ((("split", "wh1"), _BOTH), (("cooler", "wh1"), _BOTH)), _ELEMENTS),
    Kind("anode_due", (0.85, 1.0), 8.0, _HEATERS),
    Kind("hygiene_cycle_missed", (1.0,), 0.0, ((_WATER, _W),)),
    Kind("sensor_stuck", (12.0, 21.0, 30.0), 0.0, ((_AIR, _BOTH), (_COOLER, _S), (_FURNACE, _W), (_RTU, _S)), _AIRSIDE),
    Kind("sensor_biased", (-4.0, 3.0, 5.0), 0.0, ((_AIR, _BOTH), (_COOLER, _S), (_RTU, _S)), _AIRSIDE, before=False),
    Kind("sensor_drifting", (-4.0, 3.0, 5.0), 14.0, ((_AIR, _BOTH), (_COOLER, _S), (_RTU, _S)), _AIRSIDE, before=False),
    Kind("sensor_swapped", (1.0,), 0.0, ((_AIR, _BOTH), (_COOLER, _S), (_FURNACE, _W)), ("supply_air_temperature,return_air_temperature",)),
    Kind("simultaneous_heating_cooling", (0.6, 0.9), 0.0, ((_AC, _W),), before=False, wastes=True),
    Kind("thermostat_fighting", (0.4, 0.7, 1.0), 0.0, ((_AIR, _BOTH), (_FURNACE, _W)), before=False, wastes=True),
    Kind("setpoint_not_reached", (0.45, 0.6, 0.75), 0.0, ((_AIR, _BOTH), (_COOLER, _S), (_FURNACE, _W), (_BOILER, _W)), wastes=True),
    Kind("offline", (1.0,), 0.0, ((_AIR, _BOTH), (_FURNACE, _W), (_BOILER, _W), (_COOLER, _S)), before=False),
)  # fmt: skip
_KITS: Mapping[str, tuple[str, ...]] = {
    "winter": ("split", "split", "hydronic", "furnace", "boiler"),
    "summer": ("split", "split", "furnace", "cooler", "rooftop"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A home to be recorded from `start` to `end` (s since 1970 UTC), its season, and the fault drawn for it if any."""

    spec: HomeSpec
    season: str
    start: float
    end: float
    kind: Kind | None


def draw(homes: int, days: int, seed: int) -> list[Plan]:
    """The fleet of this seed: `homes` homes over `days` days, winter and summer by turns. Kinds of faults take turns, too, and their
    severities; of four homes with a fault one has it since before the recording, the others from some day of its middle third on."""
    random = Random(seed)
    turns = {season: _turns(season, random) for season in ENDS}
    faulty = 0.0
    plans = []
    for number in range(homes):
        season = ("winter", "summer")[number % 2]
        end = ENDS[season]
        faulty += FAULTY
        kind, kit, local, severity = None, random.choice(_KITS[season]), "", 0.0
        if faulty >= 1.0:
            faulty -= 1.0
            kind, kit, local, severity = next(turns[season])
        spec = home(f"s{seed % 1000:03d}{number:05d}", kit, random.choice(PLACES), season, random.randrange(2**31))
        if kind is not None:
            spec = _with_fault(spec, kind, local, severity, days, random)
        plans.append(Plan(spec, season, end - days * DAY_S, end, kind))
    return plans


def _turns(season: str, random: Random) -> Iterator[tuple[Kind, str, str, float]]:
    """Kinds of faults that a season can have, one after the other in shuffled rounds; each at its places and severities by turns."""
    possible = [(kind, [place for place, seasons in kind.where if season in seasons]) for kind in KINDS]
    possible = [(kind, places) for kind, places in possible if places]
    turn = random.randrange(6)
    while True:
        random.shuffle(possible)
        for kind, places in possible:
            kit, local = places[turn % len(places)]
            yield kind, kit, local, kind.severities[(turn + len(kind.name)) % len(kind.severities)]
        turn += 1


def _with_fault(spec: HomeSpec, kind: Kind, local: str, severity: float, days: int, random: Random) -> HomeSpec:
    before = kind.name == "oversizing" or (kind.before and random.random() < 0.25)
    begun = days * random.uniform(1.1, 2.0) if before else days * random.uniform(0.4, 0.62)
    ramp = 0.0 if before or kind.ramp_days == 0.0 else random.uniform(0.3, 1.0) * kind.ramp_days * min(days / 42.0, 1.0)
    fitted = tuple(_able(machine, kind.name) if machine.local == local else machine for machine in spec.equipment)
    fault = Fault(local, kind.name, severity, begun, ramp, random.choice(kind.points))
    return msgspec.structs.replace(spec, equipment=fitted, faults=(fault,))


def _able(machine: EquipmentSpec, fault: FaultKind) -> EquipmentSpec:
    """The machine, changed where otherwise it could not have this fault or nobody could see it."""
    replace = msgspec.structs.replace
    if fault == "element_failed" and machine.type != "water_heater_electric":
        return replace(machine, type="water_heater_electric", fuel="electricity", refrigerant="", capacity=4500.0)
    if fault == "no_condensing" and "efficiency" in machine.options:
        return replace(machine, options=machine.options | {"efficiency": 0.96})
    if fault == "anode_due" and machine.sensors == "basic":
        return replace(machine, sensors="standard")
    return machine
