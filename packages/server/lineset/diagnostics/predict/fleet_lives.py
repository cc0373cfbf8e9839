"""How long vital parts last, learnt from the machines of households that say yes to it.

A machine tells since when it was installed, at which age it was first and last measured, how it was used in its last year, and whether it
was retired, which counts as the end of its vital part; one that still runs, or was not heard of any more, lasted at least so long
(`life.learnt`). Each household counts once for a type, make or model, however many machines it has. What is learnt of a type starts from
published lives, that of a make from its type, that of a model from its make: a hierarchy with known spread between groups (Gelman et al.,
Bayesian Data Analysis, 3rd ed. 2013, chapter 5). It is used where lives of homes that were left out in turn are likelier under it than
under what it started from, by more than the doubt about that. The likelihood is a proper score (Gneiting and Raftery, JASA 102, 2007).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec
import numpy as np
from sqlalchemy import text

from lineset.diagnostics.keeping import EPOCH
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.life import (
    PRIORS,
    LifeModel,
    Lives,
    covariates,
    learnt,
    log_likelihood,
    published,
    risk_of_year,
)
from lineset.diagnostics.predict.told import LEAST_HOUSEHOLDS, Kind, kinds_of, load_days, rounded, tens
from lineset.diagnostics.predict.use import LEAST_DAYS, YEAR_DAYS, year_of
from lineset.diagnostics.samples import Floats
from lineset.privacy import Tx

FOLDS = 5
BETWEEN_SD = 0.15
"""How far median lives, and the shapes of their spread, of makes of a type and of models of a make lie apart: one standard deviation of
their logarithm, an assumption. As a type has learnt from its makes too, it is wide enough that their own lives decide."""
DAYS_A_YEAR = 365.25


class Lived(msgspec.Struct, frozen=True):
    """A machine as it tells of its vital part: ages in years when it was first and last known, whether it had ended then, and its use as
    `life.covariates`. `household`: a number that tells homes apart while they teach."""

    household: int
    kinds: tuple[Kind, ...]
    entry: float
    age: float
    ended: bool
    used: tuple[float, float, float]


class FleetLife(msgspec.Struct, frozen=True):
    """What a fleet's machines taught of lives of a part. `mode`, `deviation` (one standard deviation) and `correlation` of the parameters
    of `life.LifeModel`, rounded. At least so many `households`, `machines` and `ends` taught it, in steps of ten.

    Of homes that were left out in turn: `gain`, the mean of the logarithm of how much likelier their lives are than under what it started
    from, `doubt`, one standard error of that; `brier`, the mean squared error of the risk told for each year (lower is better), beside
    `brier_published`. `good`: whether it is used."""

    mode: tuple[float, ...]
    deviation: tuple[float, ...]
    correlation: tuple[tuple[float, ...], ...]
    households: int
    machines: int
    ends: int
    gain: float
    doubt: float
    brier: float | None
    brier_published: float | None
    good: bool

    @property
    def median_years(self) -> float:
        """Half of the machines in usual use last longer."""
        return float(np.exp(self.mode[0] + np.exp(self.mode[-1]) * np.log(np.log(2.0))))

    def model(self) -> LifeModel:
        """As `life.left` takes it."""
        values, vectors = np.linalg.eigh(np.array(self.correlation))
        spread = np.array(self.deviation)
        whole = (vectors * np.maximum(values, 1e-3)) @ vectors.T
        return LifeModel(np.array(self.mode), whole * np.outer(spread, spread), self.machines, self.ends)


async def tell(tx: Tx, household: UUID, number: int) -> list[Lived]:
    """What the machines of a household tell, for `System("training")` with the household's yes: those of which it is known when they were
    installed, and that were measured for two weeks or more."""
    about = text(
        "SELECT e.id, e.type, e.make, e.model, e.installed_on, CAST(e.retired_at AS date), d.first, d.last FROM equipment e"
        " JOIN (SELECT equipment_id, min(day) AS first, max(day) AS last FROM machine_days WHERE household_id = :household"
        " GROUP BY equipment_id HAVING count(*) >= :least) d ON d.equipment_id = e.id"
        " WHERE e.household_id = :household AND e.erased_at IS NULL AND e.installed_on IS NOT NULL ORDER BY e.id"
    )
    found = (await tx.session.execute(about, {"household": household, "least": LEAST_DAYS})).all()
    machines = [Machine(id=str(row[0]), type=row[1], make=row[2], model=row[3], installed=row[4]) for row in found]
    asked = (
        "SELECT d.layout, d.equipment_id, d.day - date '1970-01-01', d.sums FROM machine_days d JOIN (SELECT equipment_id, max(day) AS last"
        " FROM machine_days WHERE household_id = :household GROUP BY equipment_id) l ON l.equipment_id = d.equipment_id"
        " WHERE d.household_id = :household AND d.day > l.last - CAST(:back AS integer)"
    )
    years = year_of(await load_days(tx, machines, asked, household, YEAR_DAYS)) if machines else {}
    told = (_lived(number, machine, row[5:8], years.get(n, {})) for n, (machine, row) in enumerate(zip(machines, found, strict=True)))
    return [each for each in told if each is not None]


def _lived(number: int, machine: Machine, days: Sequence[date | None], year: Mapping[str, float]) -> Lived | None:
    retired, first, last = days
    if machine.family not in PRIORS or machine.installed is None or first is None or last is None:
        return None
    built = (machine.installed - EPOCH).days
    entry, age = (((day - EPOCH).days - built) / DAYS_A_YEAR for day in (first, retired or last))
    if age <= max(entry, 0.0):  # a plate of a later machine
        return None
    used = covariates(*(np.array([year.get(name, np.nan)]) for name in ("hours_a_year", "starts_an_hour", "ageing")))[0].tolist()
    return Lived(number, kinds_of(machine), max(entry, 0.0), age, retired is not None, (used[0], used[1], used[2]))


def lives_taught(lived: Sequence[Lived], family: str) -> dict[Kind, dict[str, FleetLife]]:
    """What machines of a type teach of each vital part of their `family`, of all that enough households have: the type, makes, models."""
    together: dict[Kind, list[Lived]] = {}
    for each in lived:
        for kind in each.kinds:
            together.setdefault(kind, []).append(each)
    homes = {kind: len({each.household for each in those}) for kind, those in together.items()}
    wide_first = sorted(together, key=lambda kind: (bool(kind[1]), bool(kind[2]), kind))
    by_kind = {kind: together[kind] for kind in wide_first if homes[kind] >= LEAST_HOUSEHOLDS}
    told: dict[Kind, dict[str, FleetLife]] = {}
    for part, prior in PRIORS[family].items() if by_kind else ():
        start = published(prior)
        left_out = _left_out(start, by_kind)
        for kind, model in _learn(start, by_kind).items():
            told.setdefault(kind, {})[part] = _card(model, homes[kind], left_out[kind])
    return told


def wider(kind: Kind) -> Kind | None:
    """The kind that this one is a part of; None of a type."""
    type_, make, model = kind
    return (type_, make, "") if model else (type_, "", "") if make else None


def _learn(start: LifeModel, by_kind: Mapping[Kind, Sequence[Lived]]) -> dict[Kind, LifeModel]:
    """Models of these kinds, of which wider ones come first."""
    between = np.zeros_like(start.covariance)
    between[0, 0] = between[-1, -1] = BETWEEN_SD**2
    found: dict[Kind, LifeModel] = {}
    for kind, mine in by_kind.items():
        above = wider(kind)
        prior = LifeModel(found[above].mode, found[above].covariance + between) if above else start
        found[kind] = learnt(prior, _lives(mine)) if mine else prior
    return found


def _lives(lived: Sequence[Lived]) -> Lives:
    """As survival data, in which each household counts once."""
    machines = Counter(each.household for each in lived)
    columns = np.array([(each.age, each.ended, each.entry, 1.0 / machines[each.household]) for each in lived])
    return Lives(columns[:, 0], columns[:, 1], columns[:, 2], np.array([each.used for each in lived]), columns[:, 3])


class _Scores(msgspec.Struct):
    """Of homes that were left out: gain of each; squared errors of the risk of each year, weighted, with it and with published lives."""

    gains: list[float]
    squares: list[tuple[float, float, float]]


def _left_out(start: LifeModel, by_kind: Mapping[Kind, Sequence[Lived]]) -> dict[Kind, _Scores]:
    """How well each kind's model tells the lives of homes that did not teach it, nor what it started from."""
    scores = {kind: _Scores([], []) for kind in by_kind}
    for fold in range(FOLDS):
        models = _learn(start, {kind: [each for each in those if each.household % FOLDS != fold] for kind, those in by_kind.items()})
        for kind, those in by_kind.items():
            mine = [each for each in those if each.household % FOLDS == fold]
            if not mine:
                continue
            lives, above = _lives(mine), wider(kind)
            beside = models[above] if above else start
            better = log_likelihood(models[kind].mode, lives)[0] - log_likelihood(beside.mode, lives)[0]
            gains: dict[int, float] = {}
            for each, more in zip(mine, better.tolist(), strict=True):
                gains[each.household] = gains.get(each.household, 0.0) + more
            scores[kind].gains += gains.values()
            scores[kind].squares.append(_squares(models[kind].mode, start.mode, lives))
    return scores


def _squares(mode: Floats, beside: Floats, lives: Lives) -> tuple[float, float, float]:
    """Weight of all watched years, and squared errors of the risk told for each of them by two models. A year in which watching stopped
    before its end, and before the machine's, tells nothing."""
    weight = np.ones(len(lives.age)) if lives.weight is None else lives.weight
    total = np.zeros(3)
    for year in range(int(np.ceil((lives.age - lives.entry).max()))):
        since = lives.entry + year
        came = (lives.ended > 0) & (lives.age <= since + 1.0)
        told = (lives.age > since) & (came | (lives.age >= since + 1.0))
        off = [(risk_of_year(each, since, lives.covariates) - came) ** 2 for each in (mode, beside)]
        total += [float(np.sum((weight * values)[told])) for values in (np.ones(len(came)), *off)]
    return float(total[0]), float(total[1]), float(total[2])


def _card(model: LifeModel, households: int, scores: _Scores) -> FleetLife:
    deviation = np.sqrt(np.diag(model.covariance))
    correlation = np.round(model.covariance / np.outer(deviation, deviation), 1)
    gains = np.array(scores.gains)
    gain, doubt = float(gains.mean()), float(gains.std(ddof=1) / len(gains) ** 0.5)
    years, mine, theirs = np.sum(scores.squares, axis=0).tolist()
    return FleetLife(
        tuple(rounded(value, error) for value, error in zip(model.mode.tolist(), deviation.tolist(), strict=True)),
        tuple(rounded(error, error / (2 * households) ** 0.5) for error in deviation.tolist()),
        tuple(tuple(row) for row in correlation.tolist()),
        tens(households),
        tens(model.lives),
        tens(model.ends),
        round(gain, 3),
        round(doubt, 3),
        round(mine / years, 3) if years else None,
        round(theirs / years, 3) if years else None,
        bool(gain > doubt),
    )
