"""Swings: expansion valves that hunt, and water loops with air in them."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import Persistence, recent, rule_verdict

_HUNTING = {"least_s": 3600.0, "swings_per_h": 4.0, "swings_per_reading": 0.25, "least_deviation_K": 2.5}
_HUNTING_DAYS = Persistence(least=2, of=3)
_AIR = {"least_s": 5400.0, "rough_share": 0.25}
_AIR_DAYS = Persistence(least=2, of=3)


def hunting(cases: Cases) -> Verdicts:
    """Bad is a day on which, in an hour or more of settled running, superheat (or the valve's position) goes from one side of its mean to
    the other at least four times an hour (with long steps: at every fourth reading), superheat with a standard deviation over 2.5 K.
    Severity: the deviation over 10 K. Loss: half a per cent for each kelvin, since the evaporator is fed too little half of the time."""
    seconds, rows = cases.daily("swing.s"), cases.daily("swing.rows")
    known = np.nan_to_num(seconds) >= _HUNTING["least_s"]
    deviation = np.sqrt(ratio(cases.daily("swing.superheat.v"), cases.daily("swing.superheat.s")))
    limit = np.minimum(_HUNTING["swings_per_h"] * seconds / 3600.0, np.maximum(_HUNTING["swings_per_reading"] * rows, 2.0))
    superheat, valve = cases.daily("swing.superheat.n"), cases.daily("swing.valve.n")
    swings = (superheat >= limit) & (deviation >= _HUNTING["least_deviation_K"])
    travels = (valve >= limit) & ~(deviation < 0.6 * _HUNTING["least_deviation_K"])
    bad = known & (swings | travels)
    size = recent(deviation, bad)
    return rule_verdict(
        "expansion_valve_hunting",
        bad,
        known,
        _HUNTING_DAYS,
        off=np.nan_to_num(cases.total("swing.s")) < _HUNTING["least_s"],
        margin=size / _HUNTING["least_deviation_K"],
        severity=np.clip(size / 10.0, 0.1, 1.0),
        loss=np.clip(size * 0.005, 0.005, 0.1),
        evidence={
            "superheat_deviation_K": recent(deviation, known),
            "swings_per_h": recent(np.fmax(superheat, valve) / seconds * 3600.0, known),
        },
    )


def air(cases: Cases) -> Verdicts:
    """Bad is a day on which, with the pump's speed unchanged, the flow jumps by over 8 % of its mean from one reading to the next (20 %
    where nothing tells the speed), or the pressure by over 12 kPa, in a quarter of the readings. Severity: the root mean square of the
    jumps over half of the flow. Loss: a fifth of it, for heat exchange that fails with the flow."""
    seconds = cases.daily("rough.s")
    known = np.nan_to_num(seconds) >= _AIR["least_s"]
    share = np.fmax(ratio(cases.daily("rough.flow.s"), seconds), ratio(cases.daily("rough.pressure.s"), seconds))
    bad = known & (share >= _AIR["rough_share"])
    size = np.sqrt(recent(ratio(cases.daily("rough.flow.v"), seconds), bad))
    return rule_verdict(
        "air_in_water",
        bad,
        known,
        _AIR_DAYS,
        off=np.nan_to_num(cases.total("rough.s")) < _AIR["least_s"],
        margin=recent(share, bad) / _AIR["rough_share"],
        severity=np.clip(size * 2.0, 0.1, 1.0),
        loss=np.clip(size * 0.2, 0.01, 0.1),
        evidence={"rough_share_1": recent(share, known), "flow_jumps_1": size},
    )


HUNTING = Detector(
    "expansion_valve_hunting",
    ("expansion_valve_hunting",),
    frozenset({"heat_pump", "air_conditioner", "ventilation", "chiller", "water_heater"}),
    (
        ("superheat",),
        ("suction_line_temperature", "suction_line_pressure"),
        ("suction_line_temperature", "evaporating_temperature"),
        ("expansion_valve_position",),
    ),
    {**_HUNTING, **_HUNTING_DAYS.parameters},
    "Broersen and van der Jagt 1980, Hunting of evaporators controlled by a thermostatic expansion valve, J. Dyn. Sys. Meas. Control 102; "
    "Huelle 1972, minimum stable superheat",
    ("superheat", "expansion_valve_position", "suction_line_temperature", "compressor_speed"),
    hunting,
)
AIR = Detector(
    "air_in_water",
    ("air_in_water",),
    frozenset({"heat_pump", "boiler", "pump", "chiller"}),
    (("water_flow_rate", "pump_speed"), ("water_flow_rate",)),
    {**_AIR, **_AIR_DAYS.parameters},
    "VDI 2035 part 1 (gas in heating water); EN 12828, venting; flow meters scatter by 1 to 3 % of the reading",
    ("water_flow_rate", "pump_speed", "water_pressure", "pump_power"),
    air,
)
