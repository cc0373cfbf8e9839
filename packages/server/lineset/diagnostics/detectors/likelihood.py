"""Which known signature explains deviations best: a likelihood ratio test over faults of unknown size that compete with each other.

Deviations are Gaussian with heavy tails around size times signature; sizes are summed over (Bayes factors instead of the maximum of the
generalised likelihood ratio, so that a signature that can be anything has no advantage; Kass & Raftery 1995). Channels that are missing
take no part, so faults that the remaining ones can't tell apart come out equally likely.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.detectors.signatures import CARNOT, CIRCUIT, HEATER, PREVALENCE, RESTING, SENSORS, Effects, SensorFault
from lineset.diagnostics.expectations import COLUMNS, RELATIVE, REST
from lineset.diagnostics.samples import Flags, Floats

SIZES = np.array([0.03, 0.05, 0.075, 0.11, 0.16, 0.23, 0.33, 0.48])
"""Sizes of circuit faults that are tried: shares of the efficiency lost."""
BIASES_K = np.array([1.5, 2.2, 3.2, 4.6, 6.6, 9.5, 14.0])
"""Errors of temperature sensors that are tried, both ways (K); those of powers and flows are a tenth of that, in tens of per cent."""
TAIL_SHARE, TAIL_WIDTH = 1e-8, 5.0
"""This share of deviations is that many times wider than a Gaussian would have it: means of days have few outliers."""
TEMPER = 0.7
"""Channels of one machine err together; what they say together counts as if they were fewer by this factor."""
FAULT_PRIOR, SENSOR_PRIOR, UNKNOWN_PRIOR = 0.012, 0.015, 0.0002
"""Probability, before anything is seen, that a machine has any circuit fault, a sensor that is off, or something nobody knows."""
UNSEEN_FAULT, UNSEEN_SENSOR, UNSEEN_UNKNOWN = 0.15, 0.02, 0.003
"""The same of a machine that nobody saw sound: what is wrong with it has gathered over years. Of air conditioners in the field more than
half are off in charge or air flow (Downey and Proctor 2002; Proctor 2004), one in seven by as much as matters here."""
UNLISTED_K, UNLISTED_SHARE = 0.6, 0.015
"""By how much a fault at a tenth of efficiency lost may move a channel that its signature leaves out (one standard deviation)."""


ELECTRICAL = 0.25
"""That share of it is left where power is wasted in motor or electronics and the refrigerant does not notice."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One explanation: `name` a fault, or `none` and `unknown`; `point` the sensor that it is about; `device` the metering device it is
    for;
    `mean` and `spread` (columns,) at the size `unit`; `prior` its probability; `heater`: for water heaters, or for all others."""

    name: str
    point: str
    device: str
    heater: bool | None
    mean: Floats
    spread: Floats
    sizes: Floats
    prior: float


_RELATIVE = np.array([channel in RELATIVE for _, channel in COLUMNS])
_AT_REST = np.array([mode == REST for mode, _ in COLUMNS])
_PLACE = {block: n for n, block in enumerate(COLUMNS)}


def _vector(effects: Mapping[str, Effects], looseness: float) -> tuple[Floats, Floats]:
    mean, spread = np.zeros(len(COLUMNS)), np.zeros(len(COLUMNS))
    for mode, each in effects.items():
        for channel, effect in each.items():
            if (mode, channel) not in _PLACE:
                continue
            shift, sd = effect if isinstance(effect, tuple) else (effect, abs(effect) * looseness)
            mean[_PLACE[mode, channel]], spread[_PLACE[mode, channel]] = shift, sd
    return mean, spread


def _circuit() -> list[Hypothesis]:
    found = []
    total = sum(PREVALENCE.values())
    base = np.where(_AT_REST, 0.0, np.where(_RELATIVE, UNLISTED_SHARE, UNLISTED_K))
    for heater in (False, True):
        tables = HEATER if heater else CIRCUIT
        for fault, share in PREVALENCE.items():
            devices = dict.fromkeys(device for table in tables.values() if fault in table for device in table[fault])
            for device in devices:
                shown = {mode: table[fault].get(device, table[fault]["valve"]) for mode, table in tables.items() if fault in table}
                effects = {mode: {**each, "carnot": CARNOT[fault]} for mode, each in shown.items()}
                mean, spread = _vector({**effects, REST: RESTING.get(fault, {})}, 0.4)
                prior = FAULT_PRIOR * share / total / len(devices)
                loose = base * (ELECTRICAL if fault == "cop_degradation" else 1.0)
                found.append(Hypothesis(fault, "", device, heater, mean, np.hypot(spread, loose), SIZES, prior))
    return found


def _with_carnot(sensor: SensorFault) -> Mapping[str, Effects]:
    """A sensor's effects, and what it makes of the circuit's efficiency: that of the COP it feeds, and a kelvin of lift is 2 %."""
    if sensor.point == "outdoor_temperature":
        return sensor.effects

    def of(each: Effects, channel: str) -> float:
        effect = each.get(channel, 0.0)
        return effect[0] if isinstance(effect, tuple) else effect

    lift = 0.02 if sensor.point.endswith("pressure") else 0.0
    return {
        mode: {**each, "carnot": of(each, "cop") + lift * (of(each, "condensing") - of(each, "evaporating"))}
        for mode, each in sensor.effects.items()
    }


def _sensors() -> list[Hypothesis]:
    found = []
    total = sum(sensor.share for sensor in SENSORS)
    for sensor in SENSORS:
        mean, spread = _vector(_with_carnot(sensor), 0.3)
        sizes = np.concatenate([-BIASES_K[::-1], BIASES_K]) * (1.0 if sensor.unit == "K" else 0.6)
        found.append(Hypothesis("sensor", sensor.point, "", None, mean, spread, sizes, SENSOR_PRIOR * sensor.share / total))
    return found


NOTHING = Hypothesis(
    "none", "", "", None, np.zeros(len(COLUMNS)), np.zeros(len(COLUMNS)), np.ones(1), 1 - FAULT_PRIOR - SENSOR_PRIOR - UNKNOWN_PRIOR
)
UNKNOWN = Hypothesis(
    "unknown", "", "", None, np.zeros(len(COLUMNS)), np.where(_RELATIVE, 0.08, 3.0), np.array([0.4, 0.8, 1.6, 3.2]), UNKNOWN_PRIOR
)
HYPOTHESES: tuple[Hypothesis, ...] = (NOTHING, UNKNOWN, *_circuit(), *_sensors())
_WEIGHT = np.log([each.prior for each in HYPOTHESES])


def _unseen() -> Floats:
    """The logarithm of each hypothesis' probability for a machine that nobody saw sound."""
    rest = 1.0 - UNSEEN_FAULT - UNSEEN_SENSOR - UNSEEN_UNKNOWN
    times = {"none": rest / NOTHING.prior, "unknown": UNSEEN_UNKNOWN / UNKNOWN_PRIOR, "sensor": UNSEEN_SENSOR / SENSOR_PRIOR}
    return np.log([each.prior * times.get(each.name, UNSEEN_FAULT / FAULT_PRIOR) for each in HYPOTHESES])


UNSEEN = _unseen()


def _grown(hypothesis: Hypothesis, size: float) -> float:
    """How many times the signature's own size a fault of that size shows: effects of charge and flow level off (Cho et al. 2014)."""
    if hypothesis.sizes is not SIZES:
        return size
    times = size / 0.1
    return times if times <= 1.0 else times**0.75


def _log_density(x: Floats, variance: Floats) -> Floats:
    square = x * x / variance
    narrow = -0.5 * square + np.log1p(-TAIL_SHARE)
    wide = -0.5 * square / TAIL_WIDTH**2 + np.log(TAIL_SHARE / TAIL_WIDTH)
    return np.asarray(np.logaddexp(narrow, wide) - 0.5 * np.log(variance))


@dataclass(frozen=True, slots=True)
class Explained:
    """For cases: `probability` (cases, hypotheses), and the expected `size` (cases, hypotheses) of each if it is the one."""

    probability: Floats
    size: Floats


def explain(
    deviation: Floats, variance: Floats, possible: Callable[[Hypothesis], Flags], prior: Floats = _WEIGHT, temper: float = TEMPER
) -> Explained:
    """Weigh all `HYPOTHESES` for deviations (cases, columns), NaN where unknown, with their variances; `possible` says for which cases
    (cases,) a hypothesis can be at all, `prior` (hypotheses,) the logarithm of its probability before anything is seen."""
    used = np.flatnonzero(~np.isnan(deviation).all(axis=0))
    x, noise = deviation[:, used], variance[:, used]
    known = ~np.isnan(x)
    x, noise = np.where(known, x, 0.0), np.where(known, noise, 1.0)
    weight = np.full((len(x), len(HYPOTHESES)), -np.inf)
    size = np.zeros((len(x), len(HYPOTHESES)))
    for n, each in enumerate(HYPOTHESES):
        mine = np.flatnonzero(possible(each))
        if not len(mine):
            continue
        fits = np.empty((len(mine), len(each.sizes)))
        for k, amount in enumerate(each.sizes.tolist()):
            times = _grown(each, amount)
            shift, extra = each.mean[used] * times, (each.spread[used] * times) ** 2
            fits[:, k] = np.where(known[mine], _log_density(x[mine] - shift, noise[mine] + extra), 0.0).sum(axis=1) * temper
        best = fits.max(axis=1, keepdims=True)
        shares = np.exp(fits - best)
        weight[mine, n] = prior[n] + best[:, 0] + np.log(shares.mean(axis=1))
        size[mine, n] = shares @ each.sizes / shares.sum(axis=1)
    top = weight.max(axis=1, keepdims=True)
    odds = np.exp(weight - top)
    return Explained(odds / odds.sum(axis=1, keepdims=True), size)
