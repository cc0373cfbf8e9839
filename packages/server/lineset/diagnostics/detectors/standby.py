"""Machines that take too much while they rest."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import Persistence, recent, rule_verdict
from lineset.diagnostics.machine import column
from lineset.diagnostics.samples import Floats

_RULE = {"least_s": 7200.0, "own_times": 1.7, "own_plus_W": 25.0, "compressor_W": 70.0, "compressor_W_per_kW": 6.0, "burner_W": 60.0}
_TANK_W, _OTHER_W = 40.0, 120.0
_DAYS = Persistence(least=3, of=4)
_FIRST_DAYS = 7


def excess(cases: Cases) -> Verdicts:
    """Bad is a day on which the mean power at rest, over two hours at least, is over what its kind takes (70 W and 6 W for each kW of rated
    output with a compressor, twice the off-mode limit of 10 CFR 430.32 and a crankcase heater; 60 W with a burner; 40 W of a water heater),
    or above 1.7 times what it was in the first week of the window and 25 W more. Severity: the excess over 200 W. Loss: its energy."""
    seconds = cases.daily("s.standby")
    watts = ratio(cases.daily("kwh.standby"), seconds) * 3.6e6
    known = np.nan_to_num(seconds) >= _RULE["least_s"]
    usual = _limits(cases)
    early = known.copy()
    early[:, _FIRST_DAYS:] = False
    before = np.where(early.sum(axis=1) >= 3, recent(watts, early), np.nan)
    grown = np.fmax(_RULE["own_times"] * np.maximum(before, 0.0), before + _RULE["own_plus_W"])
    limit = np.fmin(usual, grown)
    late = known.copy()
    late[:, :_FIRST_DAYS] = False
    bad = (known & (watts > usual[:, None])) | (late & (watts > grown[:, None]))
    now = recent(watts, bad)
    over = now - np.fmin(np.where(np.isnan(before) | (before > 0.6 * usual), 0.5 * usual, before), now)
    wasted = over * cases.total("s.standby", 4) / 3.6e6
    return rule_verdict(
        "standby_excess",
        bad,
        known,
        _DAYS,
        off=np.nan_to_num(cases.total("s.covered")) > 0,
        unable=np.isnan(seconds).all(axis=1),
        margin=now / limit,
        severity=over / 200.0,
        loss=np.clip(ratio(wasted, cases.total("kwh.electric", 4)), 0.0, 0.9),
        evidence={
            "standby_W": np.fmax(now, recent(watts, known & (np.isnan(now)[:, None]))),
            "standby_before_W": before,
            "standby_limit_W": limit,
        },
    )


def _limits(cases: Cases) -> Floats:
    families = column(cases.machines, "family")
    rated_kw = np.nan_to_num(column(cases.machines, "capacity_w").astype(np.float64)) / 1000.0
    compressor = _RULE["compressor_W"] + _RULE["compressor_W_per_kW"] * np.where(rated_kw > 0, rated_kw, 10.0)
    burner = np.isin(families, ["furnace", "boiler"])
    tank = families == "water_heater"
    plain = np.isin(families, ["heat_pump", "air_conditioner"])
    return np.select(
        [burner, tank, plain], [np.full(len(cases), _RULE["burner_W"]), np.full(len(cases), _TANK_W), compressor], compressor + _OTHER_W
    )


STANDBY = Detector(
    "standby_excess",
    ("standby_excess",),
    frozenset({"heat_pump", "air_conditioner", "furnace", "boiler", "water_heater", "ventilation", "chiller"}),
    (("electric_power", "operating_mode"), ("electric_power", "compressor_state")),
    {**_RULE, **_DAYS.parameters, "tank_W": _TANK_W},
    "10 CFR 430.32(c): off-mode power of 30 W (air conditioners) and 33 W (heat pumps) at most; crankcase heaters of 30 to 100 W; "
    "Regulation (EU) 206/2012, crankcase and standby power",
    ("electric_power", "operating_mode", "crankcase_heater", "outdoor_temperature"),
    excess,
)
