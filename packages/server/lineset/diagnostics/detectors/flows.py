"""Too little water or air through machines that have no refrigerant circuit to show it."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import Persistence, recent, rule_verdict

_WATER = {"least_s": 1800.0, "wide_share": 0.6, "pump_less_share": 0.35, "blocked_s": 600.0}
_WATER_DAYS = Persistence(least=2, of=3)
_AIR = {"least_s": 1800.0, "steep_share": 0.6, "limit_s": 300.0, "clogged_share": 0.5}
_AIR_DAYS = Persistence(least=2, of=3)
_FIRST_DAYS = 6


def water(cases: Cases) -> Verdicts:
    """Bad is a day on which a boiler's water is over 32 K warmer leaving than entering in 60 % of half an hour of settled burning; or on
    which a pump gives 35 % less for its speed than in the first days of the window, or says that it is blocked or runs dry. Severity: what
    is missing of the flow. Loss: a tenth of it; hotter flow water condenses less."""
    burn, pump = cases.daily("flow.burn.s"), cases.daily("flow.pump.s")
    wide = ratio(cases.daily("flow.wide.s"), burn)
    by_speed = ratio(cases.daily("flow.pump.x"), pump)
    burns, pumps = np.nan_to_num(burn) >= _WATER["least_s"], np.nan_to_num(pump) >= _WATER["least_s"]
    early = pumps.copy()
    early[:, _FIRST_DAYS:] = False
    before = np.where(early.sum(axis=1) >= 3, recent(by_speed, early), np.nan)[:, None]
    blocked = np.nan_to_num(cases.daily("flow.blocked.s")) >= _WATER["blocked_s"]
    less = pumps & (by_speed < (1.0 - _WATER["pump_less_share"]) * before)
    bad = (burns & (wide >= _WATER["wide_share"])) | less | blocked
    known = burns | pumps | blocked
    difference = recent(ratio(cases.daily("flow.burn.x"), burn), burns)
    missing = np.fmax(1.0 - recent(by_speed / before, less), np.where((bad & burns).any(axis=1), 1.0 - 20.0 / difference, np.nan))
    missing = np.where(blocked.any(axis=1), 1.0, missing)
    return rule_verdict(
        "low_water_flow",
        bad,
        known,
        _WATER_DAYS,
        off=np.nan_to_num(cases.total("s.covered")) > 0,
        margin=1.0 + missing,
        severity=missing,
        loss=0.1 * missing,
        evidence={
            "water_difference_K": difference,
            "flow_share_of_before_1": recent(by_speed / before, less),
            "blocked_h": cases.total("flow.blocked.s", 3) / 3600.0,
        },
    )


def air(cases: Cases) -> Verdicts:
    """Bad is a day on which a furnace warms its air by over 42 K in 60 % of half an hour of settled burning, or its high limit is open for
    five minutes, or the filter holds back over 250 Pa for half of the fan's time. Severity: what is missing of the flow by the temperature
    rise (30 K is usual), or the pressure drop over 500 Pa. Loss: a tenth of it."""
    burn, filtered = cases.daily("flow.rise.s"), cases.daily("flow.filter.s")
    steep, clogged = ratio(cases.daily("flow.steep.s"), burn), ratio(cases.daily("flow.clogged.s"), filtered)
    burns, blows = np.nan_to_num(burn) >= _AIR["least_s"], np.nan_to_num(filtered) >= _AIR["least_s"]
    limit = np.nan_to_num(cases.daily("flow.limit.s")) >= _AIR["limit_s"]
    bad = (burns & (steep >= _AIR["steep_share"])) | (blows & (clogged >= _AIR["clogged_share"])) | (burns & limit)
    rise, drop = recent(ratio(cases.daily("flow.rise.x"), burn), burns), recent(ratio(cases.daily("flow.filter.x"), filtered), blows)
    missing = np.fmax(1.0 - 30.0 / rise, drop / 500.0)
    return rule_verdict(
        "low_air_flow",
        bad,
        burns | blows,
        _AIR_DAYS,
        off=np.nan_to_num(cases.total("s.covered")) > 0,
        margin=1.0 + np.clip(missing, 0.0, 1.0),
        severity=missing,
        loss=0.1 * missing,
        evidence={"air_rise_K": rise, "filter_drop_Pa": drop, "limit_open_h": cases.total("flow.limit.s", 3) / 3600.0},
    )


WATER = Detector(
    "low_water_flow_hydronic",
    ("low_water_flow",),
    frozenset({"boiler", "pump"}),
    (("inlet_water_temperature", "outlet_water_temperature"), ("pump_speed", "water_flow_rate"), ("pump_state",)),
    {**_WATER, **_WATER_DAYS.parameters},
    "EN 12828 (layout at 10 to 20 K); affinity laws: flow follows speed in an unchanged circuit (ASHRAE Handbook, HVAC Systems, Pumps)",
    ("outlet_water_temperature", "inlet_water_temperature", "water_flow_rate", "pump_speed"),
    water,
)
AIR = Detector(
    "low_air_flow_furnace",
    ("low_air_flow",),
    frozenset({"furnace"}),
    (("supply_air_temperature", "return_air_temperature"), ("filter_pressure_drop",)),
    {**_AIR, **_AIR_DAYS.parameters},
    "ANSI Z21.47: temperature rise within the rating plate, commonly 35 to 70 degF; EN 16798-3: final pressure drop of filters",
    ("supply_air_temperature", "return_air_temperature", "filter_pressure_drop", "limit_switch"),
    air,
)
