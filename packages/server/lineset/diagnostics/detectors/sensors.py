"""Sensors that tell something impossible by themselves: stuck ones, and pairs that are swapped or that a fault has turned round.

Severity: the share of the machine's circuit channels that can't be believed. Loss: none is known of.
"""

import numpy as np

from lineset.diagnostics.cases import WINDOW_DAYS, Cases, Detector, Status, Verdicts, ratio
from lineset.diagnostics.detectors.signatures import SENSORS
from lineset.diagnostics.expectations import COLUMNS, REST, REST_CHANNELS
from lineset.diagnostics.features.sensors import AT_REST, PAIRS, SENSED
from lineset.diagnostics.samples import Flags, Floats

FAULTS = ("sensor_stuck", "sensor_swapped", "reversing_valve", "liquid_line_restriction")
PARAMETERS = {
    "stuck_days": 2.0,
    "stuck_days_of_rooms": 5.0,
    "least_rows_a_day": 20.0,
    "least_flips_a_day": 2.0,
    "least_flips": 6.0,
    "swapped_share": 0.85,
    "swapped_s": 3600.0,
    "swapped_days": 2.0,
    "nearer_K": 1.5,
}

_SLOW = frozenset({"room_temperature", "outdoor_temperature"})
"""Sensors that don't follow the machine's starts."""
_CLIMATE = frozenset({"outdoor_temperature"})

_PAIR_NAMES = tuple(PAIRS)
_COLUMN_OF = {block: n for n, block in enumerate(COLUMNS)}


def _reads() -> dict[str, Flags]:
    """By point: the columns (columns,) that are wrong when it is."""
    found = {}
    for sensor in SENSORS:
        mask = np.zeros(len(COLUMNS), bool)
        for mode, effects in sensor.effects.items():
            for channel in effects:
                mask[_COLUMN_OF.get((mode, channel), 0)] |= (mode, channel) in _COLUMN_OF
        found[sensor.point] = mask
    for name, points in AT_REST.items():
        for point in points:
            found.setdefault(point, np.zeros(len(COLUMNS), bool))[_COLUMN_OF[REST, name]] = True
    for rest in REST_CHANNELS:
        if rest not in AT_REST:
            found["outdoor_temperature"][_COLUMN_OF[REST, rest]] = True
    return found


READS = _reads()


def stuck(cases: Cases) -> Floats:
    """For how many days up to now each of `SENSED` has read one and the same while it could not (cases, points); 0 where it moves."""
    out = np.zeros((len(cases), len(SENSED)))
    flips = np.nan_to_num(cases.daily("sense.flips"))
    for n, point in enumerate(SENSED):
        rows, moved = cases.daily(f"sense.{point}.rows"), cases.daily(f"sense.{point}.moved")
        enough = np.nan_to_num(rows) >= PARAMETERS["least_rows_a_day"]
        still = enough & (moved <= 1e-6)
        witness = enough if point in _SLOW else enough & (flips >= PARAMETERS["least_flips_a_day"])
        moves = np.nan_to_num(moved) > 1e-6
        since = np.where(moves.any(axis=1), moves[:, ::-1].argmax(axis=1), WINDOW_DAYS)
        run = np.arange(WINDOW_DAYS)[::-1][None, :] < since[:, None]
        days = (still & witness & run).sum(axis=1)
        needed = PARAMETERS["stuck_days_of_rooms"] if point in _SLOW - _CLIMATE else PARAMETERS["stuck_days"]
        fair = (days >= needed) & ((flips * (still & run)).sum(axis=1) >= (0.0 if point in _SLOW else PARAMETERS["least_flips"]))
        out[:, n] = np.where(fair & ~_reads_nothing(cases, point), days, 0.0)
    return out


def _reads_nothing(cases: Cases, point: str) -> Flags:
    """Flows and powers may rest at one value for good reason while nothing is asked of the machine; they count only where it ran a lot."""
    if not point.endswith(("flow_rate", "flow", "power")):
        return np.zeros(len(cases), bool)
    steady = np.nansum([np.nan_to_num(cases.total(f"steady.{mode}.s")) for mode in ("heating", "cooling", "hot_water")], axis=0)
    return np.asarray((steady < 4 * 3600.0) | (point in ("water_flow_rate", "supply_air_flow")))


def reversed_pairs(cases: Cases) -> Floats:
    """The share of steady time of the newest days in which each of `PAIRS` stands the wrong way round (cases, pairs); NaN where there is
    too
    little to tell."""
    out = np.full((len(cases), len(_PAIR_NAMES)), np.nan)
    for n, name in enumerate(_PAIR_NAMES):
        seconds, wrong = cases.daily(f"way.{name}.s"), cases.daily(f"way.{name}.wrong")
        known = np.nan_to_num(seconds) >= 300.0
        recent = known & (np.cumsum(known[:, ::-1], axis=1)[:, ::-1] <= 4)
        total = np.where(recent, np.nan_to_num(seconds), 0.0).sum(axis=1)
        share = ratio(np.where(recent, np.nan_to_num(wrong), 0.0).sum(axis=1), total)
        fair = (total >= PARAMETERS["swapped_s"]) & (recent.sum(axis=1) >= PARAMETERS["swapped_days"])
        out[:, n] = np.where(fair, share, np.nan)
    return out


def misread(cases: Cases) -> Flags:
    """Which columns (cases, columns) can't be believed because a sensor behind them is stuck or swapped."""
    still = stuck(cases) > 0
    out = np.zeros((len(cases), len(COLUMNS)), bool)
    for n, point in enumerate(SENSED):
        if point in READS and still[:, n].any():
            out |= still[:, [n]] & READS[point]
    wrong = reversed_pairs(cases)
    for n, name in enumerate(_PAIR_NAMES):
        turned = np.nan_to_num(wrong[:, n]) >= PARAMETERS["swapped_share"]
        for point in PAIRS[name]:
            if point in READS and turned.any():
                out |= turned[:, None] & READS[point]
    return out


def _air_turned(cases: Cases, wrong: Floats) -> tuple[Floats, Floats]:
    """Air or water that leaves on the wrong side: how likely two sensors are swapped, and how likely the reversing valve is stuck,
    (cases,).

    The air that comes back from the room has the room's temperature. Where instead the supply has it, the sensors are swapped; where the
    return
    has it, the machine does cool while it should heat. Turned in both modes are sensors only.
    """
    swapped, valve = np.zeros(len(cases)), np.zeros(len(cases))
    reverses = np.array([machine.family == "heat_pump" for machine in cases.machines], bool)
    both = {mode: np.zeros(len(cases), bool) for mode in ("heating", "cooling")}
    for kind in ("air", "water", "chilled"):
        for mode in ("heating", "cooling"):
            if f"{kind}.{mode}" in PAIRS:
                share = wrong[:, _PAIR_NAMES.index(f"{kind}.{mode}")]
                both[mode] |= np.nan_to_num(share) >= PARAMETERS["swapped_share"]
    for mode, turned in both.items():
        nearer = np.nan_to_num(cases.mean(f"way.{mode}.room.x", f"way.{mode}.room.s"))
        clear = np.clip(0.5 + nearer / (4 * PARAMETERS["nearer_K"]), 0.05, 0.95)
        coils = np.nan_to_num(wrong[:, _PAIR_NAMES.index(f"coils.{mode}")], nan=-1.0)
        clear = np.where(coils < 0, clear, np.where(coils > PARAMETERS["swapped_share"], np.minimum(clear, 0.1), np.maximum(clear, 0.9)))
        clear = np.where(~reverses | (both["heating"] & both["cooling"]), 1.0, clear)
        swapped = np.maximum(swapped, np.where(turned, 0.95 * clear, 0.0))
        valve = np.maximum(valve, np.where(turned, 0.95 * (1 - clear), 0.0))
    return swapped, valve


def judge(cases: Cases) -> Verdicts:
    """A sensor is stuck when it stands still for days on which the machine started and stopped. Two sensors are swapped when in steady
    running
    they stand the wrong way round; whether it is not rather the reversing valve, the room's temperature and the coils tell, and a liquid
    line
    colder than the suction line may be a restriction as well. What such sensors feed takes no part in the circuit's diagnosis."""
    days, wrong = stuck(cases), reversed_pairs(cases)
    swapped, valve = _air_turned(cases, wrong)
    turned = np.nan_to_num(wrong) >= PARAMETERS["swapped_share"]
    for name in ("discharge", "pressures"):
        swapped = np.maximum(swapped, np.where(turned[:, _PAIR_NAMES.index(name)], 0.9, 0.0))
    # A liquid line colder than the suction line is either the other sensor, or liquid that flashes behind a restriction.
    lines = turned[:, _PAIR_NAMES.index("lines")] & (swapped < 0.9)
    swapped, flashing = np.where(lines, np.maximum(swapped, 0.5), swapped), np.where(lines & (valve == 0.0), 0.42, 0.0)
    air = [n for n, name in enumerate(_PAIR_NAMES) if name.partition(".")[0] in ("air", "water", "chilled")]
    for mode in ("heating", "cooling"):
        alone = turned[:, _PAIR_NAMES.index(f"coils.{mode}")] & ~turned[:, air].any(axis=1)
        swapped = np.maximum(swapped, np.where(alone, 0.85, 0.0))
    still = np.where(days.max(axis=1) > 0, 1 - 0.5 ** (1 + days.max(axis=1)), 0.0)
    share = 1 - still
    others = {"sensor_swapped": swapped, "reversing_valve": valve, "liquid_line_restriction": flashing}
    probability = {"sensor_stuck": still} | {fault: each * share for fault, each in others.items()}
    fault = np.sum(list(probability.values()), axis=0) > 0.5
    read = np.nansum([np.nan_to_num(cases.total(f"sense.{point}.rows")) for point in SENSED], axis=0)
    status = np.where(fault, Status.FAULT, np.where(read < 3 * PARAMETERS["least_rows_a_day"], Status.NOT_ENOUGH_DATA, Status.OK)).astype(
        np.int8
    )
    blind = misread(cases).mean(axis=1)
    none, all_of_it = np.zeros(len(cases)), np.where(valve > 0, 1.0, 0.0)
    # By how much a restriction that shows like this weakens the machine, these readings don't tell: a tenth is the least that it takes.
    flash = np.where(flashing > 0, 0.1, 0.0)
    severity = {"sensor_stuck": blind, "sensor_swapped": blind, "reversing_valve": all_of_it, "liquid_line_restriction": flash}
    loss = {"sensor_stuck": none, "sensor_swapped": none, "reversing_valve": all_of_it, "liquid_line_restriction": flash}
    evidence = {
        f"{point}_stuck_d": np.where(days[:, n] > 0, days[:, n], np.nan) for n, point in enumerate(SENSED) if (days[:, n] > 0).any()
    }
    for n, name in enumerate(_PAIR_NAMES):
        if turned[:, n].any():
            evidence[f"{name.replace('.', '_')}_reversed_percent"] = np.where(turned[:, n], 100.0 * wrong[:, n], np.nan)
    return Verdicts(status, probability, severity, loss, evidence)


DETECTOR = Detector(
    name="sensors",
    faults=FAULTS,
    families=frozenset({"heat_pump", "air_conditioner", "ventilation", "chiller", "water_heater", "furnace", "boiler"}),
    needs=tuple((point,) for point in SENSED),
    parameters=PARAMETERS,
    source="Checks of persistence and order as in ASHRAE Guideline 36-2021, 5.16.14, and NISTIR 7365 (AHU performance assessment rules)",
    plot=(
        "supply_air_temperature",
        "return_air_temperature",
        "inlet_water_temperature",
        "outlet_water_temperature",
        "suction_line_temperature",
        "liquid_line_temperature",
        "room_temperature",
        "outdoor_temperature",
    ),
    judge=judge,
)
