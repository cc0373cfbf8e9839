"""Burners that do not light at once, and condensing appliances that do not condense."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import BURNERS, TANKS, Persistence, recent, rule_verdict

_IGNITION = {"retries_a_day": 3.0, "retries_per_start": 0.15, "lockouts_a_day": 1.0}
_IGNITION_DAYS = Persistence(least=2, of=3)
_CONDENSING = {"least_s": 2700.0, "not_share": 0.85, "able_s": 1800.0, "return_over_dew_K": 2.0}
_CONDENSING_DAYS = Persistence(least=3, of=4)


def retries(cases: Cases) -> Verdicts:
    """Bad is a day with three retries that are 15 % of the starts, or with a lockout of the flame. Severity: retries for each start over
    one. Loss: each retry is purged and cools the heat exchanger, taken as 3 % of a start's heat."""
    tries, starts, lockouts = cases.daily("ignition.retries"), cases.daily("ignition.starts"), cases.daily("ignition.lockouts")
    known = (np.nan_to_num(starts) > 0) | (np.nan_to_num(tries) > 0) | (np.nan_to_num(lockouts) > 0)
    share = ratio(tries, np.maximum(np.nan_to_num(starts), 1.0))
    again = (tries >= _IGNITION["retries_a_day"]) & (share >= _IGNITION["retries_per_start"])
    bad = known & (again | (lockouts >= _IGNITION["lockouts_a_day"]))
    each = recent(share, bad)
    return rule_verdict(
        "ignition_retries",
        bad,
        known,
        _IGNITION_DAYS,
        off=np.nan_to_num(cases.total("ignition.starts")) == 0,
        margin=each / _IGNITION["retries_per_start"],
        severity=np.fmax(each, np.where(recent(lockouts, bad) > 0, 0.5, 0.1)),
        loss=np.clip(0.03 * each, 0.0, 0.1),
        evidence={
            "retries_per_start_1": recent(share, known),
            "retries_per_d": recent(tries, known),
            "lockouts_1": cases.total("ignition.lockouts", 3),
        },
    )


def dry(cases: Cases) -> Verdicts:
    """Of appliances made for it, as half an hour of settled burning with flue gas under 100 degC in the last two weeks shows. Bad is a day
    with 45 min of settled burning, of boilers over 0 degC outdoors, in 85 % of which the return water is above the dew point of the
    flue gas, or the flue gas 8 K above it. Severity and loss: the latent heat is 9.8 % of the higher heating value of natural gas
    (CH4: 50.0 of 55.5 MJ/kg), of which condensing gets about four fifths."""
    seconds = cases.daily("condense.s")
    known = np.nan_to_num(seconds) >= _CONDENSING["least_s"]
    share = ratio(cases.daily("condense.not.s"), seconds)
    flue_s = np.nan_to_num(cases.total("condense.flue.s"))
    able = np.nan_to_num(cases.total("condense.able.s")) >= _CONDENSING["able_s"]
    bad = known & (share >= _CONDENSING["not_share"]) & able[:, None] & (flue_s > 0)[:, None]
    return rule_verdict(
        "no_condensing",
        bad,
        known & (flue_s > 0)[:, None],
        _CONDENSING_DAYS,
        off=np.nan_to_num(cases.total("condense.s")) == 0,
        unable=(flue_s >= _CONDENSING["least_s"]) & ~able,
        margin=1.5,
        severity=0.3 * recent(share, bad),
        loss=0.08 * recent(share, bad),
        evidence={
            "not_condensing_share_1": recent(share, known),
            "flue_gas_degC": cases.mean("condense.flue.x", "condense.flue.s", 4),
            "return_water_degC": cases.mean("condense.return.x", "condense.return.s", 4),
            "dew_point_degC": cases.mean("condense.dew.x", "condense.s", 4),
        },
    )


IGNITION = Detector(
    "ignition_retries",
    ("ignition_retries",),
    BURNERS | TANKS | {"ventilation"},
    (("ignition_retries",), ("flame",)),
    {**_IGNITION, **_IGNITION_DAYS.parameters},
    "ANSI Z21.20 / EN 298: automatic burner controls try a few times and lock out; a burner in order lights at the first trial",
    ("ignition_retries", "flame", "flame_current", "gas_input"),
    retries,
)
CONDENSING = Detector(
    "no_condensing",
    ("no_condensing",),
    BURNERS,
    (("flue_gas_temperature",), ("flue_gas_temperature", "inlet_water_temperature")),
    {**_CONDENSING, **_CONDENSING_DAYS.parameters},
    "ASHRAE Handbook, HVAC Systems and Equipment, Boilers: condensing needs return water under the dew point, about 54 degC; "
    "EN 15502-1, condensing boilers",
    ("inlet_water_temperature", "outlet_water_temperature", "flue_gas_temperature", "thermal_efficiency"),
    dry,
)
