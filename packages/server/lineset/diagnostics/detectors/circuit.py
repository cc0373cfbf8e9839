"""Faults of the refrigerant circuit, competing with each other and with sensors that are off.

The last days' deviations of each machine from its own memory (`baseline.residuals`) are explained by published signatures. A machine that
was never healthy here has no such deviations; it is compared with what its kind should read (`kinds.py`), which is much less sure. A
conclusion needs days that agree with each other.

Severity and loss: the share of efficiency (of capacity, where that fell more) that is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from lineset.diagnostics.cases import Cases, Detector, Status, Verdicts, ratio
from lineset.diagnostics.detectors.likelihood import HYPOTHESES, UNSEEN, Explained, Hypothesis, explain
from lineset.diagnostics.detectors.sensors import misread
from lineset.diagnostics.detectors.signatures import PREVALENCE, SENSORS
from lineset.diagnostics.expectations import CHANNELS, COLUMNS, MODES, RELATIVE, REST
from lineset.diagnostics.kinds import deviations
from lineset.diagnostics.samples import Flags, Floats, Ints

FAULTS = (*PREVALENCE, "sensor_biased", "sensor_drifting")
TYPES = frozenset({"heat_pump_air_air", "heat_pump_air_water", "air_conditioner", "rooftop_unit", "chiller", "water_heater_heat_pump"})
FAMILIES = frozenset({"heat_pump", "air_conditioner", "ventilation", "chiller", "water_heater"})

PARAMETERS = {
    "recent_days": 4.0,
    "least_steady_s": 2400.0,
    "least_day_s": 600.0,
    "sure": 0.85,
    "sure_absolute": 0.83,
    "least_days_absolute": 2.0,
    "sure_of_two": 0.93,
    "agreeing_share": 0.7,
    "least_severity": 0.04,
    "least_bias_K": 1.5,
    "suspicious_squares": 9.0,
    "trust_in_absolute": 0.85,
}

_FLOOR = {
    "superheat": 0.65, "subcooling": 0.5, "evaporating": 0.45, "condensing": 0.45, "discharge": 1.2, "suction_line": 0.6,
    "liquid_line": 0.6, "split": 0.4, "water_difference": 0.22, "power": 0.027, "capacity": 0.032, "cop": 0.04, "air_flow": 0.035,
    "water_flow": 0.035, "current": 0.035, "valve": 2.7, "outdoor_coil": 0.6, "indoor_coil": 0.6, "recovery": 100.0, "carnot": 0.05,
}  # fmt: skip
"""By how much the mean of days may differ from a memory's for reasons that are no fault: sensors' ageing within weeks and what the drivers
leave out (one standard deviation; a third of the classes of sensors in EN 60751 B and AHRI 37 annexes, whose constant part the memory has
learnt). What a tank takes to recover says nothing of the circuit."""
_FLOOR_AT_REST = 0.5

_MODE_OF = np.array([mode for mode, _ in COLUMNS])
_CHANNEL_OF = np.array([channel for _, channel in COLUMNS])
_FLOORS = np.array([_FLOOR_AT_REST if mode == REST else _FLOOR[channel] for mode, channel in COLUMNS])
_NAMES = [f"residual.{mode}.{channel}" for mode, channel in COLUMNS]
_REDUNDANT = {
    "cop": ("power", "capacity"),
    "suction_line": ("superheat", "evaporating"),
    "liquid_line": ("subcooling", "condensing"),
    "current": ("power",),
}
"""Channels that say nothing more once these are there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Deviations of cases: `mean`, `variance` (cases, columns), NaN where unknown; `daily` (cases, days, columns); `recent` (cases,
    days): the days that `mean` is of."""

    mean: Floats
    variance: Floats
    daily: Floats
    recent: Flags


def _steady(cases: Cases) -> Floats:
    """Steady seconds by day (cases, days)."""
    return np.asarray(np.sum([np.nan_to_num(cases.daily(f"steady.{mode}.s")) for mode in MODES], axis=0))


def _recent(steady: Floats) -> Flags:
    """The newest days with steady running, shape (cases, days)."""
    ran = steady >= PARAMETERS["least_day_s"]
    rank = np.cumsum(ran[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(ran & (rank <= PARAMETERS["recent_days"]))


def _own(cases: Cases, steady: Floats, unusable: Flags) -> Seen:
    """Deviations from the machines' own memories over their newest days of running."""
    recent = _recent(steady)
    total = np.stack([cases.daily(f"{name}.x") for name in _NAMES], axis=2)
    weight = np.stack([cases.daily(f"{name}.s") for name in _NAMES], axis=2)
    doubt = np.stack([cases.daily(f"{name}.v") for name in _NAMES], axis=2)
    total, weight, doubt = (np.where(unusable[:, None, :], np.nan, each) for each in (total, weight, doubt))
    daily = np.where(np.nan_to_num(weight) >= PARAMETERS["least_day_s"] / 2, ratio(total, weight), np.nan)
    taken = np.where(_MODE_OF == REST, ~np.isnan(total), recent[:, :, None])
    seconds = np.nansum(np.where(taken, weight, 0.0), axis=1)
    mean = ratio(np.nansum(np.where(taken, total, 0.0), axis=1), seconds)
    days = np.maximum((taken & ~np.isnan(total)).sum(axis=1), 1)
    variance = ratio(np.nansum(np.where(taken, doubt, 0.0), axis=1), seconds) / days + _FLOORS**2
    return Seen(_without_redundant(mean), variance, daily, recent)


def _absolute(cases: Cases, recent: Flags, unusable: Flags) -> tuple[Floats, Floats]:
    """Deviations from what the kind of machine should read, and their variances (cases, columns)."""

    def over(part: str) -> Callable[[str], Floats]:
        @cache
        def total(stem: str) -> Floats:
            found = cases.daily(f"{stem}.{part}")
            return np.asarray(np.nansum(found if stem.startswith(REST) else np.where(recent, found, 0.0), axis=1))

        return total

    integral, seconds = over("x"), over("s")
    least = PARAMETERS["least_steady_s"]
    mean, variance = deviations(lambda stem: ratio(integral(stem), seconds(stem)), seconds, cases.machines, least, cases.norms)
    return np.where(unusable, np.nan, mean), variance


def _without_redundant(mean: Floats) -> Floats:
    out = mean.copy()
    for mode in MODES:
        for channel, others in _REDUNDANT.items():
            there = np.logical_and.reduce([~np.isnan(mean[:, (mode == _MODE_OF) & (other == _CHANNEL_OF)][:, 0]) for other in others])
            out[there, np.flatnonzero((mode == _MODE_OF) & (channel == _CHANNEL_OF))[0]] = np.nan
    return out


def _possible(cases: Cases, mean: Floats, at: Ints) -> Callable[[Hypothesis], Flags]:
    """Tells which hypotheses can be at all, for the cases `at` (rows of `mean`)."""
    machines = [cases.machines[n] for n in at.tolist()]
    heater = np.array([machine.family == "water_heater" for machine in machines], bool)
    reverses = np.array([machine.family == "heat_pump" for machine in machines], bool)
    electronic = np.nansum([np.nan_to_num(cases.total(f"steady.{mode}.valve.s")[at]) for mode in MODES], axis=0) > 0

    def any_of(*channels: str) -> Flags:
        return np.asarray((~np.isnan(mean[:, np.isin(_CHANNEL_OF, channels) & (_MODE_OF != REST)])).any(axis=1))

    needed = {
        "low_air_flow": any_of("split", "air_flow") | heater,
        "indoor_coil_fouling": any_of("split", "air_flow"),
        "low_water_flow": any_of("water_difference", "water_flow"),
        "reversing_valve": reverses,
        "capacity_degradation": any_of("capacity", "split", "water_difference"),
        "cop_degradation": any_of("power", "cop"),
    }

    def possible(each: Hypothesis) -> Flags:
        can = needed.get(each.name, np.ones(len(at), bool)).copy()
        if each.heater is not None:
            can &= heater == each.heater
        if each.device == "fixed":
            can &= ~electronic
        if each.point:
            can &= np.nan_to_num(cases.total(f"sense.{each.point}.rows")[at]) > 0
        return np.asarray(can)

    return possible


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one comparison says of cases: `probability` (cases, faults) in the order of `FAULTS`, `severity` (cases, faults), `bias` (cases,
    sensors) in units of the sensor, `sure` (cases,) whether it may be said aloud."""

    probability: Floats
    severity: Floats
    bias: Floats
    sure: Flags


_SENSOR_AT = np.array([n for n, each in enumerate(HYPOTHESES) if each.point])
_FAULT_AT = {fault: np.array([n for n, each in enumerate(HYPOTHESES) if each.name == fault]) for fault in PREVALENCE}
_SIGNATURES = np.stack([each.mean for each in HYPOTHESES])


def _opinion(told: Explained, drifts: Floats, threshold: Floats) -> Opinion:
    """The hypotheses summed up by fault; `drifts` (cases,): how likely a sensor's error grows instead of standing still."""
    cases = len(told.probability)
    probability, severity = np.zeros((cases, len(FAULTS))), np.zeros((cases, len(FAULTS)))
    for n, fault in enumerate(PREVALENCE):
        at = _FAULT_AT[fault]
        probability[:, n] = told.probability[:, at].sum(axis=1)
        severity[:, n] = np.nan_to_num(ratio((told.probability[:, at] * told.size[:, at]).sum(axis=1), probability[:, n]))
    sensor = told.probability[:, _SENSOR_AT].sum(axis=1)
    probability[:, -2], probability[:, -1] = sensor * (1 - drifts), sensor * drifts
    own = ratio(told.probability[:, _SENSOR_AT], sensor[:, None])
    bias = np.where(own > 0.3, told.size[:, _SENSOR_AT], np.nan)
    strongest = np.nan_to_num(np.nanmax(np.abs(np.nan_to_num(bias)), axis=1))
    severity[:, -2:] = np.minimum(strongest / 20.0, 1.0)[:, None]
    best = probability.argmax(axis=1)
    large = np.where(
        best >= len(PREVALENCE), strongest >= PARAMETERS["least_bias_K"], severity[np.arange(cases), best] >= PARAMETERS["least_severity"]
    )
    return Opinion(probability, severity, bias, (probability.sum(axis=1) >= threshold) & large)


def _agreement(told: Explained, seen: Seen, at: Ints) -> tuple[Floats, Floats]:
    """How large each day finds the likeliest explanation, in shares of what all recent days find, (cases, days), NaN where a day says
    nothing; and for which share of the recent days that is at least two fifths, (cases,)."""
    place = told.probability[:, 2:].argmax(axis=1) + 2
    size = told.size[np.arange(len(at)), place]
    shift = _SIGNATURES[place] * np.where(np.isin(place, _SENSOR_AT), size, (np.maximum(size, 1e-3) / 0.1) ** 0.85)[:, None]
    worth = np.where(np.isnan(seen.mean[at]), 0.0, shift / seen.variance[at])
    daily = seen.daily[at]
    known = ~np.isnan(daily)
    above = np.einsum("ndb,nb->nd", np.where(known, daily, 0.0), worth)
    below = np.einsum("ndb,nb->nd", known.astype(np.float64), worth * shift)
    full = (worth * shift).sum(axis=1, keepdims=True)
    by_day = np.where(below > 0.3 * full, ratio(above, below), np.nan)
    told_by = seen.recent[at] & ~np.isnan(by_day)
    return by_day, np.nan_to_num(ratio((told_by & (by_day >= 0.4)).sum(axis=1).astype(np.float64), told_by.sum(axis=1).astype(np.float64)))


def _drifts(by_day: Floats) -> Floats:
    """How likely a quantity (cases, days) grows steadily instead of having jumped: by the Bayesian information criterion of a line and of a
    step, the latter with one parameter more."""
    days = np.arange(by_day.shape[1], dtype=np.float64)
    known = ~np.isnan(by_day)
    count = known.sum(axis=1).astype(np.float64)
    y = np.where(known, by_day, 0.0)

    def left(where: Flags, slope: bool) -> Floats:
        n = np.maximum(where.sum(axis=1), 1)
        centre = (y * where).sum(axis=1) / n
        middle = (days * where).sum(axis=1) / n
        dy, dx = (y - centre[:, None]) * where, (days - middle[:, None]) * where
        rest = (dy * dy).sum(axis=1)
        return np.asarray(rest - np.nan_to_num(ratio((dx * dy).sum(axis=1) ** 2, (dx * dx).sum(axis=1))) if slope else rest)

    step = np.min([left(known & (days < cut), False) + left(known & (days >= cut), False) for cut in range(1, len(days))], axis=0)
    line, level = left(known, True), left(known, False)
    floor = 0.02 * np.maximum(count, 1.0)
    score = 0.5 * count * (np.log(np.minimum(step, level) + floor) - np.log(line + floor)) + 0.5 * np.log(np.maximum(count, 1.0))
    grows = 1.0 / (1.0 + np.exp(-np.clip(score - 0.5, -20.0, 20.0)))
    return np.asarray(np.where((count >= 6) & (level > 2 * line + floor), np.clip(grows, 0.1, 0.9), 0.15))


def _judge_own(cases: Cases, seen: Seen, suspicious: Ints) -> Opinion:
    mean = seen.mean[suspicious]
    told = explain(mean, seen.variance[suspicious], _possible(cases, mean, suspicious))
    by_day, agreeing = _agreement(told, seen, suspicious)
    channels = (~np.isnan(mean) & (_MODE_OF != REST)).sum(axis=1)
    opinion = _opinion(told, _drifts(by_day), np.where(channels > 2, PARAMETERS["sure"], PARAMETERS["sure_of_two"]))
    lasting = (agreeing >= PARAMETERS["agreeing_share"]) & (seen.recent[suspicious].sum(axis=1) >= 2)
    return replace(opinion, sure=opinion.sure & lasting)


def judge(cases: Cases) -> Verdicts:
    """The newest days' deviations of each machine from its own memory (superheat, subcooling, saturation, line, coil and discharge
    temperatures, split, flows, power, capacity, by the conditions they were learnt in) are weighed against published signatures of faults
    of
    unknown size and of sensors that are off. All compete, and those that the channels at hand can't tell apart are named together. Days
    have to
    agree. A machine that was never sound here is compared with what its kind should read, at lower confidence. Severity and loss are the
    share of efficiency lost; of a sensor, its error over 20 K."""
    steady = _steady(cases)
    unusable = misread(cases)
    seen = _own(cases, steady, unusable)
    count, none = len(cases), np.zeros((len(cases), len(FAULTS)))
    probability, severity, bias, sure = none.copy(), none.copy(), np.full((count, len(SENSORS)), np.nan), np.zeros(count, bool)
    kinds, variances = _absolute(cases, seen.recent, unusable)

    def suspicious(mean: Floats, variance: Floats) -> Ints:
        squares = np.where(np.isnan(mean), 0.0, np.minimum(mean**2 / variance, 25.0)).sum(axis=1)
        return np.flatnonzero(squares >= PARAMETERS["suspicious_squares"])

    for absolute in (True, False):
        mean, variance = (kinds, variances) if absolute else (seen.mean, seen.variance)
        at = suspicious(mean, variance)
        if not len(at):
            continue
        if absolute:
            told = explain(mean[at], variance[at], _possible(cases, mean[at], at), UNSEEN, temper=1.0)
            opinion = _opinion(told, np.full(len(at), 0.15), np.full(len(at), PARAMETERS["sure_absolute"]))
            lasting = seen.recent[at].sum(axis=1) >= PARAMETERS["least_days_absolute"]
            opinion = replace(opinion, sure=opinion.sure & lasting)
        else:
            opinion = _judge_own(cases, seen, at)
        trust = PARAMETERS["trust_in_absolute"] if absolute else 1.0
        better = opinion.sure | ~sure[at]
        probability[at[better]] = opinion.probability[better] * trust
        severity[at[better]], bias[at[better]] = opinion.severity[better], opinion.bias[better]
        sure[at] |= opinion.sure
    enough = np.where(seen.recent, steady, 0.0).sum(axis=1) >= PARAMETERS["least_steady_s"]
    status = np.where(~enough, Status.NOT_ENOUGH_DATA, np.where(sure, Status.FAULT, Status.OK)).astype(np.int8)
    status[~np.array([machine.type in TYPES for machine in cases.machines], bool)] = Status.NOT_APPLICABLE
    return Verdicts(
        status,
        {fault: probability[:, n] for n, fault in enumerate(FAULTS)},
        {fault: severity[:, n] for n, fault in enumerate(FAULTS)},
        {fault: severity[:, n] if fault in PREVALENCE else np.zeros(count) for n, fault in enumerate(FAULTS)},
        _evidence(seen, steady, bias),
    )


def _evidence(seen: Seen, steady: Floats, bias: Floats) -> dict[str, Floats]:
    """Deviations by channel (mean of the modes), the errors of sensors, and how long all that was seen."""
    found: dict[str, Floats] = {"steady_h": np.where(seen.recent, steady, 0.0).sum(axis=1) / 3600.0}
    for channel in CHANNELS:
        mine = seen.mean[:, (channel == _CHANNEL_OF) & (_MODE_OF != REST)]
        known = ~np.isnan(mine)
        if known.any():
            mean = ratio(np.where(known, mine, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))
            if channel in RELATIVE:
                found[f"{channel}_deviation_percent"] = 100.0 * np.expm1(mean)
            else:
                found[f"{channel}_deviation_{'percent' if channel == 'valve' else 'K'}"] = mean
    for n, sensor in enumerate(SENSORS):
        if not np.isnan(bias[:, n]).all():
            each = bias[:, n]
            found[f"{sensor.point}_error_{'K' if sensor.unit == 'K' else 'percent'}"] = (
                each if sensor.unit == "K" else 100.0 * np.expm1(0.1 * each)
            )
    return found


DETECTOR = Detector(
    name="circuit",
    faults=FAULTS,
    families=FAMILIES,
    needs=(
        ("suction_line_temperature", "liquid_line_temperature", "suction_line_pressure", "liquid_line_pressure"),
        ("supply_air_temperature", "return_air_temperature", "electric_power"),
        ("inlet_water_temperature", "outlet_water_temperature", "electric_power"),
        ("chilled_water_supply_temperature", "chilled_water_return_temperature", "electric_power"),
        ("electric_power", "tank_top_temperature"),
    ),
    parameters=PARAMETERS,
    source="Rossi & Braun 1997; Li & Braun 2007; Cho et al. 2014; Yoon, Payne & Domanski 2011",
    plot=(
        "superheat",
        "subcooling",
        "suction_line_temperature",
        "liquid_line_temperature",
        "discharge_line_temperature",
        "temperature_split",
        "water_temperature_difference",
        "electric_power",
        "outdoor_temperature",
    ),
    judge=judge,
)
