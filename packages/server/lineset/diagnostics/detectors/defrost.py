"""Defrosts that go wrong: those that do not end or end too early, and those that never come."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import HEAT_PUMPS, Persistence, recent, rule_verdict
from lineset.diagnostics.samples import Floats

_STUCK = {
    "long_defrosts": 2.0,
    "most_share": 0.2,
    "least_heating_s": 5400.0,
    "failing_share": 0.6,
    "failing_defrosts": 3.0,
    "again_share": 0.5,
    "deeper_than_dry": 1.6,
    "least_depth_K": 9.0,
}
_LOSS_PER_K = 0.025
"""Share of the efficiency that evaporation colder by 1 K costs (Carnot between -5 and 40 degC)."""
_LEAST_COIL_S = 3600.0
_BEST_OF_DAYS = 4
_STUCK_DAYS = Persistence(least=2, of=3)
_USUAL_SHARE = 0.06
"""Share of heating time that defrosts usually take in frosty weather."""
_MISSED = {"frost_s": 10_800.0, "deep_share": 0.3, "deeper_than_dry": 1.6, "least_depth_K": 9.0}
_MISSED_DAYS = Persistence(least=2, of=4)


def stuck(cases: Cases) -> Verdicts:
    """Bad is a day with several defrosts of over 14 min, or with over a fifth of the heating time in defrost, or on which most defrosts
    ended with a cold coil or came again at once, or left ice: between several of them the coil lies 1.6 times as deep under its air
    as in air without frost, where a coil that is only dirty is as deep in all weather. Severity: the share of heating time in
    defrost over what is usual, or of defrosts that fail. Loss: that share, since a defrost takes heat from the house and gives none,
    or what the colder evaporation under ice costs."""
    count, seconds = cases.daily("defrost.n"), np.nan_to_num(cases.daily("s.defrost"))
    heating = np.nan_to_num(cases.daily("s.heating")) + seconds
    share = ratio(seconds, heating)
    long = np.nan_to_num(cases.daily("defrost.long.n")) >= _STUCK["long_defrosts"]
    endless = (heating >= _STUCK["least_heating_s"]) & (share > _STUCK["most_share"])
    failed = np.nan_to_num(cases.daily("defrost.cut.n")) + np.nan_to_num(cases.daily("defrost.cold.n"))
    again = np.nan_to_num(cases.daily("defrost.again.n"))
    several = np.nan_to_num(count) >= _STUCK["failing_defrosts"]
    failing = several & (failed >= _STUCK["failing_share"] * np.nan_to_num(count))
    repeating = several & (again >= np.maximum(_STUCK["again_share"] * np.nan_to_num(count), _STUCK["failing_defrosts"]))
    depth, dry = _depth(cases), _dry(cases)
    left_ice = (depth > _STUCK["deeper_than_dry"] * dry) & (depth > _STUCK["least_depth_K"])
    iced = left_ice & (_defrosts(cases) >= _STUCK["failing_defrosts"])
    bad = long | endless | failing | repeating | iced
    ice = np.clip(np.nan_to_num(recent(depth - dry, iced)) * _LOSS_PER_K, 0.0, 0.5)
    known = (np.nan_to_num(count) > 0) | (seconds > 600.0)
    excess = np.clip(recent(share, bad) - _USUAL_SHARE, 0.0, 1.0)
    return rule_verdict(
        "defrost_stuck",
        bad,
        known,
        _STUCK_DAYS,
        off=~known.any(axis=1),
        margin=np.fmax(recent(share, bad) / _STUCK["most_share"], 1.0),
        severity=np.fmax(np.fmax(excess * 2.0, ice * 2.0), np.where(recent(failed, bad) > 0, 0.3, 0.1)),
        loss=np.fmax(np.fmax(excess, ice), 0.03),
        evidence={
            "defrost_share_1": recent(share, bad | known),
            "defrost_length_s": ratio(cases.total("s.defrost"), cases.total("defrost.n")),
            "long_defrosts_1": cases.total("defrost.long.n", 3),
            "cold_coil_defrosts_1": cases.total("defrost.cut.n", 3) + cases.total("defrost.cold.n", 3),
            "repeated_defrosts_1": cases.total("defrost.again.n", 3),
            "coil_under_air_K": recent(depth, iced),
            "coil_under_dry_air_K": np.where(iced.any(axis=1), dry[:, 0], np.nan),
        },
    )


def missed(cases: Cases) -> Verdicts:
    """Bad is a day with over three hours of heating while frost can form, without a defrost, on which the outdoor coil lies far under its
    air: over 14 K for a third of the time, or 1.6 times as deep as in air without frost. Severity and loss: evaporation that is colder by
    1 K costs about 2.5 % of the efficiency (Carnot between -5 and 40 degC), and an iced coil loses capacity as well."""
    frost = np.nan_to_num(cases.daily("frost.s"))
    count, coil_s = _defrosts(cases), cases.daily("frost.coil.s")
    depth, deep = _depth(cases), ratio(cases.daily("frost.deep.s"), coil_s)
    dry = cases.mean("frost.dry.x", "frost.dry.s")[:, None]
    iced = (deep > _MISSED["deep_share"]) | ((depth > _MISSED["deeper_than_dry"] * dry) & (depth > _MISSED["least_depth_K"]))
    known = (frost >= _MISSED["frost_s"]) & (np.nan_to_num(coil_s) >= _LEAST_COIL_S)
    bad = known & iced & (count == 0) & (np.nan_to_num(cases.daily("s.defrost")) == 0)
    over = recent(depth, bad) - np.where(np.isnan(dry[:, 0]), 8.0, dry[:, 0])
    return rule_verdict(
        "defrost_missed",
        bad,
        known,
        _MISSED_DAYS,
        off=frost.sum(axis=1) < _MISSED["frost_s"],
        margin=recent(depth, bad) / 12.0,
        severity=np.clip(over * 0.04, 0.1, 1.0),
        loss=np.clip(over * _LOSS_PER_K, 0.0, 0.5),
        evidence={
            "coil_under_air_K": recent(depth, bad | known),
            "coil_under_dry_air_K": dry[:, 0],
            "frost_heating_h": cases.total("frost.s", 4) / 3600.0,
            "defrosts_1": count[:, -4:].sum(axis=1),
        },
    )


def _defrosts(cases: Cases) -> Floats:
    """Defrosts of each day, (cases, days), as seen and by the machine's own counter, whichever are more."""
    return np.fmax(np.nan_to_num(cases.daily("defrost.n")), np.nan_to_num(cases.daily("defrost.count")))


def _depth(cases: Cases) -> Floats:
    """How far the coil lies under its air while frost can form, (cases, days) in K; NaN on days with less than an hour of that."""
    seconds = cases.daily("frost.coil.s")
    return np.where(np.nan_to_num(seconds) >= _LEAST_COIL_S, ratio(cases.daily("frost.depth.x"), seconds), np.nan)


def _dry(cases: Cases) -> Floats:
    """How far it lies under air that brings no frost, (cases, 1) in K; without such weather, on the best of at least four days."""
    dry, depth = cases.mean("frost.dry.x", "frost.dry.s"), _depth(cases)
    best = np.where(np.isnan(depth), np.inf, depth).min(axis=1)
    best = np.where((~np.isnan(depth)).sum(axis=1) >= _BEST_OF_DAYS, best, np.nan)
    return np.where(np.isnan(dry), best, dry)[:, None]


STUCK = Detector(
    "defrost_stuck",
    ("defrost_stuck",),
    HEAT_PUMPS,
    (("operating_mode",), ("defrost_state",)),
    {**_STUCK, **_STUCK_DAYS.parameters},
    "ASHRAE Handbook, HVAC Systems and Equipment, Unitary heat pumps: defrost ends by coil temperature, else by time, usually 10 min; "
    "timers start one every 30 to 90 min. AHRI 210/240, defrost controls",
    ("outdoor_coil_temperature", "outdoor_temperature", "defrost_state", "operating_mode"),
    stuck,
)
MISSED = Detector(
    "defrost_missed",
    ("defrost_missed",),
    HEAT_PUMPS,
    (("outdoor_temperature", "outdoor_coil_temperature"), ("outdoor_temperature", "evaporating_temperature")),
    {**_MISSED, **_MISSED_DAYS.parameters},
    "Frost on air-source coils between about -10 and 5.5 degC over 60 % humidity (Guo et al. 2008, Applied Thermal Engineering 28); "
    "demand defrost by the difference of air and coil (AHRI 210/240, demand defrost credit)",
    ("outdoor_coil_temperature", "outdoor_temperature", "defrost_state", "heat_output"),
    missed,
)
