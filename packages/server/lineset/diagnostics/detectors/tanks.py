"""Hot-water tanks: scale, elements, anodes and hygiene."""

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import TANKS, Persistence, recent, rule_verdict
from lineset.diagnostics.samples import Flags, Floats

_SCALE = {"less_1": 0.15, "sigmas": 4.0, "observations": 10.0}
_SCALE_DAYS = Persistence(least=5, of=7)
_ELEMENT = {"least_s": 600.0, "dead_share": 0.6, "still_spans": 2.0}
_ELEMENT_DAYS = Persistence(least=2, of=3)
_ANODE = {"least_mA": 0.3, "fallen_to_1": 0.25, "least_h": 12.0}
_ANODE_DAYS = Persistence(least=3, of=4)
_HYGIENE = {"hot_degC": 58.0, "days": 9.0, "missed_s": 3600.0}


def scale(cases: Cases) -> Verdicts:
    """A recovery warms the tank by as many kelvins for each kWh as its volume and its efficiency say, and only the second changes. Bad is a
    day on which that is 15 % less than the machine's own memory expects, by four standard deviations. Severity: what is missing over
    30 %. Loss: what is missing."""
    seconds = cases.daily("residual.hot_water.recovery.s")
    less = -ratio(cases.daily("residual.hot_water.recovery.x"), seconds)
    doubt = np.sqrt(ratio(cases.daily("residual.hot_water.recovery.v"), seconds))
    grown = ratio(cases.daily("residual.hot_water.recovery.n"), seconds) >= _SCALE["observations"]
    known = (np.nan_to_num(seconds) > 0) & grown
    together = recent(less, known & _newest(known, _SCALE_DAYS.of))
    error = recent(doubt, known) / np.sqrt(np.maximum(known.sum(axis=1), 1))
    bad = known & (less > 0.6 * _SCALE["less_1"]) & (together > np.fmax(_SCALE["sigmas"] * error, _SCALE["less_1"]))[:, None]
    missing = -np.expm1(-together)
    return rule_verdict(
        "water_heater_scale",
        bad,
        known,
        _SCALE_DAYS,
        margin=together / _SCALE["less_1"] - 1.5,
        severity=missing / 0.3,
        loss=missing,
        evidence={
            "recovery_less_1": together,
            "recovery_K_per_kWh": ratio(cases.total("recovery.rise", 6), cases.total("recovery.kwh", 6)),
        },
    )


def _newest(known: Flags, days: int) -> Flags:
    """The last `days` of the days that tell something."""
    return np.asarray(known & (known[:, ::-1].cumsum(axis=1)[:, ::-1] <= days))


def element(cases: Cases) -> Verdicts:
    """Bad is a day on which an element that is switched on, for ten minutes in all, takes no power in 60 % of that time; or, without a
    power reading, does not warm its water in 40 minutes though that is colder than wanted, twice and each time. Severity 1: half of the
    heater is gone. Loss 0: what does not heat takes nothing."""
    bad, known = np.zeros((2, len(cases), cases.day.size and cases.daily("s.covered").shape[1]), bool)
    shown: dict[str, Floats] = {}
    for name in ("upper", "lower", "call"):
        seconds = cases.daily(f"element.{name}.s")
        dead = cases.daily(f"element.{name}.dead.s")
        metered = np.nan_to_num(seconds) >= _ELEMENT["least_s"]
        tried, still = np.nan_to_num(cases.daily(f"element.{name}.n")), np.nan_to_num(cases.daily(f"element.{name}.still.n"))
        blind = ~(np.nan_to_num(seconds) > 0) & (tried >= _ELEMENT["still_spans"])
        bad |= (metered & (ratio(dead, seconds) >= _ELEMENT["dead_share"])) | (blind & (still >= tried))
        known |= metered | blind
        if name != "call":
            shown[f"{name}_element_dead_h"] = cases.total(f"element.{name}.dead.s", 3) / 3600.0
    return rule_verdict(
        "element_failed",
        bad,
        known,
        _ELEMENT_DAYS,
        off=np.nan_to_num(cases.total("s.covered")) > 0,
        margin=2.0,
        severity=1.0,
        evidence=shown,
    )


def anode(cases: Cases) -> Verdicts:
    """Bad is a day with a mean protection current under 0.3 mA, at which makers of tanks say the anode is used up (or not connected), or
    under a quarter of what it was at the beginning of the window. Severity 0.2: nothing fails today, but the tank rusts from now on.
    Loss 0."""
    seconds = cases.daily("anode.s")
    current = ratio(cases.daily("anode.x"), seconds)
    known = np.nan_to_num(seconds) >= _ANODE["least_h"] * 3600.0
    early = known & (known.cumsum(axis=1) <= _ANODE_DAYS.of)
    fallen = current < _ANODE["fallen_to_1"] * recent(current, early)[:, None]
    return rule_verdict(
        "anode_due",
        known & ((current < _ANODE["least_mA"]) | (fallen & ~early)),
        known,
        _ANODE_DAYS,
        unable=np.isnan(seconds).all(axis=1),
        severity=0.2,
        evidence={"anode_current_mA": recent(current, known)},
    )


def hygiene(cases: Cases) -> Verdicts:
    """Of tanks whose controller keeps a hot cycle: it says itself that the cycle was missed, or the tank has not seen 58 degC for more than
    nine days (60 degC weekly, less what a sensor may lie, and two days). Severity: the days without over 28. Loss 0."""
    hottest, seconds = cases.daily("hygiene.highest.max"), np.nan_to_num(cases.daily("hygiene.s"))
    told = np.nan_to_num(cases.total("hygiene.told.s")) > 0
    away = np.nan_to_num(cases.daily("hygiene.off.s")) > 0.5 * seconds
    known = (seconds > 12 * 3600.0) & ~away
    hot = (hottest >= _HYGIENE["hot_degC"]) | (np.nan_to_num(cases.daily("hygiene.cycle.s")) > 1800.0)
    since = np.where(hot, 0, known).astype(float)
    after = np.cumsum(hot[:, ::-1], axis=1)[:, ::-1] == 0
    cold_days = (since * after).sum(axis=1)
    said = (np.nan_to_num(cases.daily("hygiene.missed.s")) >= _HYGIENE["missed_s"]) & after
    missed = (cold_days > _HYGIENE["days"]) | said[:, -3:].any(axis=1)
    enough = hot.any(axis=1) | (cold_days > _HYGIENE["days"]) | said.any(axis=1)
    return rule_verdict(
        "hygiene_cycle_missed",
        (missed & told)[:, None],
        (enough & told)[:, None],
        Persistence(1, 1),
        off=away[:, -3:].all(axis=1),
        unable=~told & (seconds.sum(axis=1) > 0),
        margin=2.0 + said.any(axis=1),
        severity=np.clip(cold_days / 28.0, 0.2, 1.0),
        evidence={"hottest_degC": cases.total("hygiene.highest.max"), "days_without_d": cold_days},
    )


SCALE = Detector(
    "water_heater_scale",
    ("water_heater_scale",),
    TANKS,
    (("tank_top_temperature", "electric_power"), ("tank_top_temperature", "gas_input")),
    {**_SCALE, **_SCALE_DAYS.parameters},
    "Paul et al. 2010, Study on benefits of removal of water hardness (Battelle for WQRF): with scale, gas water heaters lose "
    "efficiency and electric ones their elements",
    ("tank_top_temperature", "tank_bottom_temperature", "electric_power", "gas_input"),
    scale,
)
ELEMENT = Detector(
    "element_failed",
    ("element_failed",),
    TANKS,
    (
        ("upper_element_state", "electric_power"),
        ("lower_element_state", "electric_power"),
        ("operating_mode", "electric_power"),
        ("upper_element_state", "tank_top_temperature"),
    ),
    {**_ELEMENT, **_ELEMENT_DAYS.parameters},
    "UL 174 / IEC 60335-2-21: elements take their rated power or none; makers' fault tables of storage water heaters",
    ("upper_element_state", "lower_element_state", "electric_power", "tank_top_temperature", "tank_bottom_temperature"),
    element,
)
ANODE = Detector(
    "anode_due",
    ("anode_due",),
    TANKS,
    (("anode_current",),),
    {**_ANODE, **_ANODE_DAYS.parameters},
    "EN 12499 and DIN 4753-3, cathodic protection of tanks; makers' service instructions: an anode under 0.3 mA is used up",
    ("anode_current",),
    anode,
)
HYGIENE = Detector(
    "hygiene_cycle_missed",
    ("hygiene_cycle_missed",),
    TANKS | {"heat_pump", "boiler"},
    (("tank_top_temperature", "legionella_cycle_state"),),
    _HYGIENE,
    "DVGW W 551 and ASHRAE Guideline 12: 60 degC in storage; weekly hot cycles of heat pumps",
    ("tank_top_temperature", "tank_bottom_temperature", "legionella_cycle_state", "hot_water_setpoint"),
    hygiene,
)
