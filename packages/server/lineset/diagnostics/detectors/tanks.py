"""Hot-water tanks: scale, elements, anodes and hygiene."""

from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Verdicts, ratio
from lineset.diagnostics.detectors.rules import TANKS, Persistence, recent, rule_verdict
from lineset.diagnostics.machine import column
from lineset.diagnostics.samples import Flags, Floats

_SCALE = {"less_1": 0.15, "sigmas": 4.0, "observations": 10.0}
_SCALE_DAYS = Persistence(least=5, of=7)
_ELEMENT = {"least_s": 600.0, "dead_share": 0.6, "still_spans": 2.0}
_ELEMENT_DAYS = Persistence(least=2, of=3)
_ANODE = {"least_mA": 0.3, "fallen_to_1": 0.25, "least_h": 12.0}
_ANODE_DAYS = Persistence(least=3, of=4)
_HYGIENE = {"hot_degC": 58.0, "cycle_degC": 55.0, "days": 9.0, "missed_s": 3600.0}
_SHOWN = {"flue_K": 190.0, "flue_more_K": 35.0, "efficiency_1": 0.7, "element_1": 0.7, "element_less_1": 0.12, "least_s": 240.0}
_USUAL_EFFICIENCY = 0.78
_FIRST_DAYS = 5


def scale(cases: Cases) -> Verdicts:
    """A recovery warms the tank by as many kelvins for each kWh as its volume and its efficiency say, and only the second changes. Bad is a
    day on which that is 15 % less than the machine's own memory expects, by four standard deviations. Bad is also one on which flue gas
    leaves over 190 K hotter than the tank (scale keeps the heat from the water; 120 to 170 K are usual), the burner says that it is less
    than 70 % efficient, or an element that scale makes its limiter switch takes under 70 % of its rating; and one that is worse than the
    first five days of the window by 35 K or by 12 % of the power. Severity: what is missing over 30 %. Loss: what is missing."""
    seconds = cases.daily("residual.hot_water.recovery.s")
    less = -ratio(cases.daily("residual.hot_water.recovery.x"), seconds)
    doubt = np.sqrt(ratio(cases.daily("residual.hot_water.recovery.v"), seconds))
    grown = ratio(cases.daily("residual.hot_water.recovery.n"), seconds) >= _SCALE["observations"]
    known = (np.nan_to_num(seconds) > 0) & grown
    together = recent(less, known & _newest(known, _SCALE_DAYS.of))
    error = recent(doubt, known) / np.sqrt(np.maximum(known.sum(axis=1), 1))
    bad = known & (less > 0.6 * _SCALE["less_1"]) & (together > np.fmax(_SCALE["sigmas"] * error, _SCALE["less_1"]))[:, None]
    shown = _shown(cases)
    missing = np.fmax(np.where(bad.any(axis=1), -np.expm1(-together), np.nan), shown.missing)
    return rule_verdict(
        "water_heater_scale",
        bad | shown.bad,
        known | shown.known,
        _SCALE_DAYS,
        margin=np.fmax(together / _SCALE["less_1"] - 1.5, 1.0),
        severity=missing / 0.3,
        loss=missing,
        evidence={
            "recovery_less_1": together,
            "recovery_K_per_kWh": ratio(cases.total("recovery.rise", 6), cases.total("recovery.kwh", 6)),
            "flue_over_tank_K": cases.mean("burnt.flue.x", "burnt.flue.s", 6),
            "element_power_W": cases.mean("element.lone.x", "element.lone.s", 6),
        },
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """What burner or elements show of scale by themselves: bad and known days (cases, days), and the share of the efficiency (of the
    heater's power, of elements) that is missing, (cases,)."""

    bad: Flags
    known: Flags
    missing: Floats


def _shown(cases: Cases) -> _Shown:
    def by_day(name: str) -> tuple[Floats, Flags]:
        seconds = cases.daily(f"{name}.s")
        return ratio(cases.daily(f"{name}.x"), seconds), np.nan_to_num(seconds) >= _SHOWN["least_s"]

    (flue, burns), (share, tells), (power, heats) = by_day("burnt.flue"), by_day("burnt.share"), by_day("element.lone")
    rated = column(cases.machines, "capacity_w").astype(np.float64)
    by_elements = column(cases.machines, "type") == "water_heater_electric"
    rated = np.where(by_elements & (rated > 0), rated, np.nan)[:, None]
    cool, full = _before(flue, burns), _before(power, heats)
    hot = burns & ((flue > _SHOWN["flue_K"]) | (flue > cool + _SHOWN["flue_more_K"]))
    poor = tells & (share < _SHOWN["efficiency_1"])
    weak = heats & ((power < _SHOWN["element_1"] * rated) | (power < (1.0 - _SHOWN["element_less_1"]) * full))
    # Of what burning gives, a kelvin of flue gas takes about 0.05 % (Siegert's formula for natural gas at 5 % oxygen).
    lost = np.fmax(
        1.0 - recent(share, poor) / _USUAL_EFFICIENCY, 0.0005 * (recent(flue, hot) - np.fmin(recent(cool + 0 * flue, hot), 145.0))
    )
    return _Shown(hot | poor | weak, burns | tells | heats, np.fmax(lost, np.where(weak.any(axis=1), 0.02, np.nan)))


def _before(values: Floats, known: Flags) -> Floats:
    """The mean of the first days of the window that tell something, (cases, 1); NaN where less than four of them do."""
    early = known.copy()
    early[:, _FIRST_DAYS:] = False
    return np.asarray(np.where(early.sum(axis=1) >= 4, recent(values, early), np.nan)[:, None])


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
    # A cycle that runs and does not get there is none.
    hot = (hottest >= _HYGIENE["hot_degC"]) | (
        (np.nan_to_num(cases.daily("hygiene.cycle.s")) > 1800.0) & (hottest >= _HYGIENE["cycle_degC"])
    )
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
    (("tank_top_temperature", "electric_power"), ("tank_top_temperature", "gas_input"), ("flue_gas_temperature",), ("thermal_efficiency",)),
    {**_SCALE, **_SHOWN, **_SCALE_DAYS.parameters},
    "Paul et al. 2010, Study on benefits of removal of water hardness (Battelle for WQRF): with scale, gas water heaters lose "
    "efficiency and electric ones their elements. Recovery efficiency of 76 to 82 % (10 CFR 430, app. E; AHRI directory); stack "
    "temperatures of draft-hood appliances, ASHRAE Handbook, HVAC Systems and Equipment, Chimneys",
    ("tank_top_temperature", "tank_bottom_temperature", "electric_power", "gas_input", "flue_gas_temperature"),
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
