"""Rooms that do not get what they are asked to be, and machines of a zone that work against each other."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Status, Verdicts, ratio
from lineset.diagnostics.detectors.rules import Persistence, certainty, lasting, recent, rule_verdict

_UNMET = {"room_s": 14_400.0, "idle_s": 14_400.0, "water_s": 14_400.0, "supply_share": 0.8, "supply_s": 10_800.0}
_UNMET_DAYS = Persistence(least=2, of=3)
_OPPOSED = {
    "together_s": 5400.0,
    "share": 0.15,
    "turns_a_day": 2.0,
    "each_s": 3600.0,
    "crossed_s": 7200.0,
}
_OPPOSED_DAYS = Persistence(least=2, of=3)


def unmet(cases: Cases) -> Verdicts:
    """Bad is a day with four hours more than 1.5 K off the set point though the machine works on it, or while it is called and stands
    still; of a tank four hours more than 8 K under it; of chillers and boilers most of three hours of settled running.
    Recovery from a setback takes less. Severity: the share of the day. Loss 0: what is missing is comfort."""
    working = np.nan_to_num(cases.daily("unmet.heating.s")) + np.nan_to_num(cases.daily("unmet.cooling.s"))
    idle, water = np.nan_to_num(cases.daily("unmet.idle.s")), np.nan_to_num(cases.daily("unmet.water.far.s"))
    supply_s, supply = np.nan_to_num(cases.daily("unmet.supply.s")), np.nan_to_num(cases.daily("unmet.supply.far.s"))
    bad = (working >= _UNMET["room_s"]) | (idle >= _UNMET["idle_s"]) | (water >= _UNMET["water_s"])
    bad |= (supply >= _UNMET["supply_s"]) & (supply >= _UNMET["supply_share"] * supply_s)
    hours = np.fmax(np.nan_to_num(cases.daily("unmet.s")), np.nan_to_num(cases.daily("unmet.water.s")))
    known = (hours >= 6 * 3600.0) | (supply_s >= _UNMET["supply_s"])
    worst = np.maximum(np.maximum(working + idle, water), supply)
    return rule_verdict(
        "setpoint_not_reached",
        bad & known,
        known,
        _UNMET_DAYS,
        off=np.nan_to_num(cases.total("s.covered")) > 0,
        margin=recent(worst, bad & known) / _UNMET["room_s"],
        severity=recent(worst, bad & known) / 86_400.0,
        evidence={
            "off_set_point_h": recent(worst, bad & known) / 3600.0,
            "standing_still_h": recent(idle, bad & known) / 3600.0,
            "mean_gap_K": ratio(cases.total("unmet.gap.x", 3), cases.total("unmet.s", 3)),
        },
    )


def opposed(cases: Cases) -> Verdicts:
    """Two that look alike. `simultaneous_heating_cooling`: an hour and a half a day in which machines of one zone heat and cool in the
    same hours, 15 % of its running at least, or one machine does both at once. `thermostat_fighting`: an hour of heating and one of
    cooling a day that follow each other within two hours, or two hours of running under set points that cross (heating over cooling).
    The first is likelier where set points are in order, the second where they cross or the two alternate. Severity: the hours over
    eight. Loss: half of the heat or cold that is worked off against each other."""
    cool, heat = np.nan_to_num(cases.daily("opposed.cooling.s")), np.nan_to_num(cases.daily("opposed.heating.s"))
    together = np.maximum(cool, heat)
    own, turns = np.nan_to_num(cases.daily("opposed.own.s")), np.nan_to_num(cases.daily("turns.n"))
    crossed = np.nan_to_num(cases.daily("crossed.s"))
    running = np.nan_to_num(cases.daily("s.heating")) + np.nan_to_num(cases.daily("s.cooling"))
    each = np.minimum(np.nan_to_num(cases.daily("s.heating")), np.nan_to_num(cases.daily("s.cooling")))
    known = np.nan_to_num(cases.daily("opposed.s")) >= 6 * 3600.0
    at_once = known & ((own >= _OPPOSED["together_s"]) | (together >= np.maximum(_OPPOSED["together_s"], _OPPOSED["share"] * running)))
    quarrel = (turns >= _OPPOSED["turns_a_day"]) & (each >= _OPPOSED["each_s"])
    fights = known & (quarrel | (crossed >= _OPPOSED["crossed_s"]))
    enough, one, one_days = lasting(at_once, known, _OPPOSED_DAYS)
    _, two, two_days = lasting(fights, known, _OPPOSED_DAYS)
    found = one | two
    status = np.where(found, Status.FAULT, np.where(enough, Status.OK, Status.NOT_ENOUGH_DATA))
    sure = np.where(found, certainty(np.maximum(one_days, two_days), 1.5), 0.0)
    fighting = np.where(two, np.where(one, 0.75, 0.95), np.where(one, 0.05, 0.0))
    # The one that works against the weather is the place to look at: who cools in the cold, or heats in the heat.
    against = _against_weather(cases)
    sure *= np.where(one & ~two & ~against & ~(own >= _OPPOSED["together_s"]).any(axis=1), 0.9, 1.0)
    against_each = np.maximum(np.maximum(together, own), np.maximum(crossed, np.where(quarrel, each, 0.0)))
    hours = recent(against_each, at_once | fights) / 3600.0
    size = np.clip(np.nan_to_num(hours) / 8.0, 0.1, 1.0)
    running_h = np.maximum(recent(running, at_once | fights), 3600.0) / 3600.0
    loss = np.clip(np.nan_to_num(0.5 * hours / running_h), 0.02, 0.5)
    names = ("simultaneous_heating_cooling", "thermostat_fighting")
    return Verdicts(
        status.astype(np.int8),
        {names[0]: sure * (1.0 - fighting), names[1]: sure * fighting},
        dict.fromkeys(names, np.where(found, size, 0.0)),
        dict.fromkeys(names, np.where(found, loss, 0.0)),
        {
            "together_h": recent(together, known) / 3600.0,
            "both_at_once_h": recent(own, known) / 3600.0,
            "changes_per_d": recent(turns, known),
            "set_points_crossed_h": recent(crossed, known) / 3600.0,
        },
    )


def _against_weather(cases: Cases) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether the machine does what the weather does not ask for; who cools, where the outdoor temperature is unknown."""
    outdoor = cases.mean("outdoor.x", "outdoor.s", 3)
    cools = np.nan_to_num(cases.total("opposed.cooling.s", 3)) >= np.nan_to_num(cases.total("opposed.heating.s", 3))
    return np.asarray(np.where(outdoor > 18.0, ~cools, cools), bool)


UNMET = Detector(
    "setpoint_not_reached",
    ("setpoint_not_reached",),
    frozenset({"heat_pump", "air_conditioner", "furnace", "boiler", "ventilation", "water_heater", "chiller"}),
    (
        ("room_temperature", "heating_setpoint"),
        ("room_temperature", "cooling_setpoint"),
        ("tank_top_temperature", "hot_water_setpoint"),
        ("chilled_water_supply_temperature", "chilled_water_setpoint"),
        ("outlet_water_temperature", "supply_water_setpoint"),
    ),
    {**_UNMET, **_UNMET_DAYS.parameters},
    "EN 16798-1, category II: 2 K to either side of the comfort temperature; ASHRAE 90.1 app. G, unmet load hours: beyond throttle range",
    ("room_temperature", "heating_setpoint", "cooling_setpoint", "operating_mode", "outdoor_temperature"),
    unmet,
)
OPPOSED = Detector(
    "opposed",
    ("simultaneous_heating_cooling", "thermostat_fighting"),
    frozenset({"heat_pump", "air_conditioner", "furnace", "boiler", "ventilation"}),
    (("operating_mode",), ("thermostat_call",)),
    {**_OPPOSED, **_OPPOSED_DAYS.parameters},
    "ASHRAE Guideline 36, 5.1 (no heating and cooling at once); ASHRAE 90.1, 6.4.3.2.2: set points overlap restrictions",
    ("operating_mode", "room_temperature", "heating_setpoint", "cooling_setpoint"),
    opposed,
)
