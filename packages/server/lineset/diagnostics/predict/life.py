"""How long parts last: survival analysis of machines that mostly have not failed yet.

Weibull lives with accelerated failure time (Lawless, Statistical Models and Methods for Lifetime Data, 2nd ed. 2003, sections 5.1 and 6.1):
log T = m + b.x + s W, where W has the standard smallest-extreme-value distribution. Machines that still run count as having lasted at
least so long (right-censored), and those that were not watched from their first day as having lasted until then (left-truncated,
section 2.4). What is published of lives is the prior; the fleet's own lives move it as they come (posterior by its mode and curvature).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
import numpy as np

from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import Floats
from lineset.diagnostics.views import Life

COVARIATES = ("hours", "starts", "ageing")
"""Logarithms of: running against 1,500 h a year, starts against 2 an hour of running, ageing of the compressor (`features.wear`)."""
USUAL_HOURS_A_YEAR, USUAL_STARTS_AN_HOUR = 1500.0, 2.0
EFFECT = (-0.4, -0.1, -0.3)
EFFECT_SD = (0.2, 0.1, 0.15)
"""What each does to the logarithm of a life. Half of wear goes with running rather than with years, and a tenth with starts: assumptions,
wide enough for data to say otherwise."""
LOW, HIGH = np.array([-1.0, -5.0, -5.0, -5.0, -4.0]), np.array([6.0, 5.0, 5.0, 5.0, 2.0])
"""Beyond these parameters no life lies: from months to centuries, all at once to at any time."""
LIMITS = (0.9, 0.5, 0.1)
DRAWS = 128
LONGEST_YEARS = 60.0
STEP_YEARS = 0.25
HAZARD_OF_FAULT = 4.0
"""A part whose fault is as severe as can be (1) is taken to fail five times as often. Nothing is ever told safer for a fault."""


class Prior(msgspec.Struct, frozen=True):
    """What is published: median life in years, the Weibull shape, how sure both are (standard deviation of their logarithms), and where."""

    median_years: float
    shape: float
    sd: float
    source: str


_ASHRAE = "ASHRAE Handbook HVAC Applications, Owning and Operating Costs: median service lives"
_LUTZ = "Lutz, Hopkins, Letschert, Franco and Sturges (LBNL), HVAC&R Research 17(5), 2011: lifetimes from national surveys"
PRIORS: dict[str, dict[str, Prior]] = {
    "heat_pump": {"compressor": Prior(15.0, 2.6, 0.2, _ASHRAE)},
    "air_conditioner": {"compressor": Prior(15.0, 2.6, 0.2, _ASHRAE)},
    "rooftop_unit": {"compressor": Prior(15.0, 2.6, 0.2, _ASHRAE)},
    "chiller": {"compressor": Prior(20.0, 2.8, 0.2, _ASHRAE)},
    "furnace": {"heat_exchanger": Prior(20.0, 3.0, 0.2, _LUTZ)},
    "boiler": {"heat_exchanger": Prior(24.0, 3.0, 0.25, _ASHRAE)},
    "water_heater": {"tank": Prior(13.0, 2.4, 0.2, _LUTZ)},
    "pump": {"pump": Prior(10.0, 2.0, 0.25, _ASHRAE)},
}
"""Parts whose end is most often the machine's, by family; rounded from their sources."""


@dataclass(frozen=True, slots=True)
class LifeModel:
    """What is believed of lives of a part: `mode` (m, effects of `COVARIATES`, log s) and its covariance. `lives` and `ends`: how many
    machines and how many ends of theirs it has learnt from; none: published values alone."""

    mode: Floats
    covariance: Floats
    lives: int = 0
    ends: int = 0


@dataclass(frozen=True, slots=True)
class Lives:
    """Machines as survival data, each (machines,): age in years when last known, whether it ended then, age when first watched, and
    `covariates` (machines, 3). `weight`: for how many machines each counts; None: for one."""

    age: Floats
    ended: Floats
    entry: Floats
    covariates: Floats
    weight: Floats | None = None


def covariates(hours_a_year: Floats, starts_an_hour: Floats, ageing: Floats) -> Floats:
    """How machines are used, as the model takes it: (machines, 3), 0 where unknown; factors beyond a tenth and ten count as these."""
    relative = np.stack([hours_a_year / USUAL_HOURS_A_YEAR, starts_an_hour / USUAL_STARTS_AN_HOUR, ageing], axis=1)
    return np.where(np.isnan(relative), 0.0, np.log(np.clip(np.nan_to_num(relative, nan=1.0), 0.1, 10.0)))


def published(prior: Prior) -> LifeModel:
    """What is believed before any machine of the fleet has told anything."""
    scale = np.log(prior.median_years) - np.log(np.log(2.0)) / prior.shape
    mode = np.array([scale, *EFFECT, -np.log(prior.shape)])
    return LifeModel(mode, np.diag(np.array([prior.sd, *EFFECT_SD, prior.sd]) ** 2))


def learnt(prior: LifeModel, lives: Lives) -> LifeModel:
    """What is believed after these lives. Raises ValueError where an age is not above its entry."""
    from scipy.optimize import minimize  # noqa: PLC0415 - heavy, for workers alone

    if not len(lives.age):
        return prior
    if not (lives.age > lives.entry).all() or (lives.entry < 0).any():
        raise ValueError("each age must be above the age at which the machine was first watched")
    weight = np.linalg.inv(prior.covariance)
    scale = np.minimum(np.sqrt(np.diag(prior.covariance)), 0.5)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        values, gradient = log_likelihood(parameters, lives)
        off = parameters - prior.mode
        return -float(values.sum()) + 0.5 * float(off @ weight @ off), weight @ off - gradient

    def scaled(at: Floats) -> tuple[float, Floats]:
        value, gradient = loss(prior.mode + scale * at)
        return value, scale * gradient

    limits = list(zip((LOW - prior.mode) / scale, (HIGH - prior.mode) / scale, strict=True))
    options = {"maxiter": 500, "ftol": 1e-11, "gtol": 1e-6}
    mode = prior.mode + scale * minimize(scaled, np.zeros(len(prior.mode)), jac=True, method="L-BFGS-B", bounds=limits, options=options).x
    steps = 1e-4 * np.eye(len(mode))
    curvature = np.array([(loss(mode + step)[1] - loss(mode - step)[1]) / 2e-4 for step in steps])
    return LifeModel(mode, np.linalg.inv(0.5 * (curvature + curvature.T)), len(lives.age), int(lives.ended.sum()))


def log_likelihood(parameters: Floats, lives: Lives) -> tuple[Floats, Floats]:
    """Logarithm of the likelihood of each right-censored, left-truncated Weibull life, weighted (machines,), and the gradient of their
    sum."""
    m, effects, spread = parameters[0], parameters[1:-1], np.exp(parameters[-1])
    x = np.column_stack([np.ones(len(lives.age)), lives.covariates])
    weight = np.ones(len(lives.age)) if lives.weight is None else lives.weight
    place = m + lives.covariates @ effects
    z = (np.log(lives.age) - place) / spread
    watched = lives.entry > 0
    z0 = np.where(watched, (np.log(np.maximum(lives.entry, 1e-9)) - place) / spread, -np.inf)
    gone, gone0 = np.exp(z), np.exp(z0)
    values = weight * (lives.ended * (z - np.log(spread) - np.log(lives.age)) - gone + gone0)
    by_z, by_z0 = weight * (lives.ended - gone), weight * gone0
    inner = x.T @ (by_z + by_z0) / -spread
    by_spread = -np.sum(by_z * z + weight * lives.ended) - np.sum(by_z0[watched] * z0[watched])
    return values, np.append(inner, by_spread)


def risk_of_year(parameters: Floats, age: Floats, used: Floats) -> Floats:
    """The risk (machines,) of ending within a year of machines that are `age` years old and still run; `used` as `covariates`."""
    place, spread = parameters[0] + used @ parameters[1:-1], np.exp(parameters[-1])
    before, after = (np.exp((np.log(np.maximum(years, 1e-6)) - place) / spread) for years in (age, age + 1.0))
    return np.asarray(-np.expm1(before - after))


def left(model: LifeModel, age: Floats, used: Floats, severity: Floats) -> tuple[Floats, Floats]:
    """Years left (machines, 3): lower limit, median, upper limit of four in five; and the risk of failing within a year (machines,).

    `age` (machines,) in years, `used` (machines, 3) as `covariates` gives them, `severity` (machines,) of open faults at the part, 0 to 1.
    Both what is not known of the model and the chance of each machine are in the limits. Beyond 60 years nothing is told.
    """
    drawn = np.random.default_rng(20_110_501).multivariate_normal(model.mode, model.covariance, DRAWS)
    ahead = np.arange(0.0, LONGEST_YEARS + STEP_YEARS, STEP_YEARS)
    place = drawn[:, 0] + used @ drawn[:, 1:-1].T
    spread = np.exp(drawn[:, -1])
    worse = (1.0 + HAZARD_OF_FAULT * np.clip(np.nan_to_num(severity), 0.0, 1.0))[:, None]
    cumulated = np.exp((np.log(np.maximum(age, 1e-6))[:, None] - place) / spread)
    # draws in which a machine as old as this would long be gone count for less
    weight = np.exp(np.maximum(-cumulated, -500.0))
    weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, 1.0)
    weight /= weight.sum(axis=1, keepdims=True)
    survival = np.empty((len(age), len(ahead)))
    for n, years in enumerate(ahead):
        gone = np.exp((np.log(np.maximum(age + years, 1e-6))[:, None] - place) / spread) - cumulated
        survival[:, n] = (weight * np.exp(-worse * gone)).sum(axis=1)
    limits = np.stack([ahead[np.minimum((survival > limit).sum(axis=1), len(ahead) - 1)] for limit in LIMITS], axis=1)
    return limits, 1.0 - survival[:, round(1.0 / STEP_YEARS)]


def lives_of(
    machines: Sequence[Machine],
    today_year: float,
    used: Floats,
    severity: Floats,
    models: Mapping[tuple[str, str, str, str], LifeModel] | None = None,
) -> list[Life]:
    """What is left of the vital parts of machines of which it is known when they were installed; others have none.

    `today_year`: now as a year with its fraction; `used` (machines, 3); `severity` (machines,) of the gravest open fault. `models`: what
    the fleet has taught, by type, make, model and part; an empty model stands for all of the make, an empty make for all of the type, and
    the closest is taken. Machines' ids are UUIDs.
    """
    result: list[Life] = []
    known = [n for n, machine in enumerate(machines) if machine.installed is not None]
    for family in sorted({machines[n].family for n in known}):
        for part, prior in PRIORS.get(family, {}).items():
            usual = published(prior)
            mine = [n for n in known if machines[n].family == family]
            believed = [_believed(machines[n], part, models or {}) or usual for n in mine]
            for model in {id(each): each for each in believed}.values():
                those = np.array([n for n, each in zip(mine, believed, strict=True) if each is model])
                age = np.maximum(np.array([today_year - _year(machines[n]) for n in those.tolist()]), 0.0)
                limits, risk = left(model, age, used[those], severity[those])
                told = f"fleet of {model.lives}" if model.lives else "published lives"
                for place, n in enumerate(those.tolist()):
                    low, median, high = limits[place].tolist()
                    figures = {"age_years": float(age[place]), "severity": float(np.nan_to_num(severity[n]))}
                    figures |= dict(zip(COVARIATES, np.exp(used[n]).tolist(), strict=True))
                    result.append(Life(UUID(machines[n].id), part, (low, median, high), float(risk[place]), told, figures, model.lives))
    return result


def _believed(machine: Machine, part: str, models: Mapping[tuple[str, str, str, str], LifeModel]) -> LifeModel | None:
    make, model = machine.make.strip(), machine.model.strip()
    kinds = ((machine.type, make, model), (machine.type, make, ""), (machine.type, "", ""))
    return next((models[(*kind, part)] for kind in kinds if (*kind, part) in models), None)


def _year(machine: Machine) -> float:
    day = machine.installed
    return 0.0 if day is None else day.year + (day.timetuple().tm_yday - 1) / 365.25
