"""What machines of a make and model have in common, learnt only from households that say yes to it, and anew each time.

A household tells one figure of each kind for each make and model, the mean of its machines, so that a home with many machines weighs as
much as any other. A model is the mean of the households' figures and their spread, rounded to its own standard error: what one
household more or less would change is hidden in the rounding. Fewer than `LEAST_HOUSEHOLDS` make no model. As every version is made from
nothing but today's yeses, a household that leaves is not in the next one; the parameters of older versions are deleted with it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import numpy as np
import procrastinate
import structlog
from lineset_contract.profiles import PROFILES
from sqlalchemy import func, insert, select, text, tuple_, update

from lineset.diagnostics.days import Days
from lineset.diagnostics.kinds import Norms
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict import norms
from lineset.diagnostics.predict.fleet_lives import FleetLife, Lived, lives_taught, tell
from lineset.diagnostics.predict.life import LifeModel
from lineset.diagnostics.predict.model import FleetModelRow
from lineset.diagnostics.predict.told import LEAST_HOUSEHOLDS, Kind, kinds_of, load_days, rounded, tens
from lineset.diagnostics.samples import HOUR_S
from lineset.kit.clock import now
from lineset.kit.errors import Denied, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System, Tx

LOOK_BACK_DAYS = 365
LEAST_STEADY_S = 4 * HOUR_S
CHANNELS = ("cop", "superheat", "subcooling", "split", "water_difference", "condensing_over_sink", "source_over_evaporating")
RATIOS = {
    **{
        f"{mode}.{c}": (f"steady.{mode}.{c}.x", f"steady.{mode}.{c}.s", LEAST_STEADY_S) for mode in ("heating", "cooling") for c in CHANNELS
    },
    "starts_an_hour": ("n.starts", "s.running", LEAST_STEADY_S),
    "standby_w": ("kwh.standby", "s.standby", LEAST_STEADY_S),
}
"""Figures: a sum over another, with the least that the other must be. Seconds of running are those of heating, cooling and hot water."""
SCALE = {"starts_an_hour": 3600.0, "standby_w": 3.6e6}
TRAINING = System("training")
LIVES, NORMS = "lives", "norms"
"""Among a version's parameters, beside its figures."""
LifeModels = Mapping[tuple[str, str, str, str], LifeModel]
"""Models of lives by type, make, model and part."""

_log = structlog.get_logger(__name__)


class FleetModel(msgspec.Struct, frozen=True):
    """A version of a model as people read it: its card. `figures`: mean and spread (one standard deviation between homes) by name.
    `households`: at least so many taught it. `covered`: the share of homes left out in turn whose figure lay within what the others made
    expect of four in five. `state`: published, or withdrawn since too few households are left. `lives`: of parts. `norms`: how far its
    readings lie from its kind's, as `predict/norms.py` learns them."""

    id: UUID
    type: str
    make: str
    model: str
    version: int
    state: str
    trained_at: datetime
    households: int
    figures: dict[str, tuple[float, float]]
    covered: float | None
    lives: dict[str, FleetLife] = {}
    norms: dict[str, tuple[float, float]] = {}


class Taught(msgspec.Struct, frozen=True):
    """What households said of one kind: their figures, their norms, and what is learnt of lives."""

    figures: list[dict[str, float]] = msgspec.field(default_factory=list)
    norms: list[dict[str, float]] = msgspec.field(default_factory=list)
    lives: dict[str, FleetLife] = msgspec.field(default_factory=dict)


def told(days: Days) -> dict[Kind, dict[str, float]]:
    """What one household tells of each make and model of its machines, and of each make and type: the means of its machines' figures."""
    sums = dict(days.sums)
    parts = [sums[name] for name in ("s.heating", "s.cooling", "s.hot_water") if name in sums]
    if parts:
        sums["s.running"] = np.nansum(parts, axis=0)
    found: dict[Kind, dict[str, list[float]]] = {}
    for place, machine in enumerate(days.machines):
        mine = days.machine == place
        for name, (above, below, least) in RATIOS.items():
            if above not in sums or below not in sums:
                continue
            both = mine & ~np.isnan(sums[above]) & ~np.isnan(sums[below])
            weight = float(sums[below][both].sum())
            if weight >= least:
                value = float(sums[above][both].sum()) / weight * SCALE.get(name, 1.0)
                for kind in kinds_of(machine):
                    found.setdefault(kind, {}).setdefault(name, []).append(value)
    return {kind: {name: float(np.mean(values)) for name, values in figures.items()} for kind, figures in found.items()}


def taught(households: Sequence[Mapping[str, float]]) -> tuple[dict[str, tuple[float, float]], float | None]:
    """Mean and spread of each figure that enough of these households tell, rounded; and the share of homes within four in five of what the
    others make expect (Student's t would widen it by less than a tenth at eleven; the normal distribution is used)."""
    figures, within = {}, []
    for name in sorted({name for household in households for name in household}):
        values = np.array([household[name] for household in households if name in household])
        count = len(values)
        if count < LEAST_HOUSEHOLDS:
            continue
        mean, spread = float(values.mean()), float(values.std(ddof=1))
        figures[name] = rounded(mean, spread / count**0.5), rounded(spread, spread / (2 * count) ** 0.5)
        others = (mean * count - values) / (count - 1)
        squares = ((values**2).sum() - values**2) / (count - 1) - others**2
        expected = np.sqrt(np.maximum(squares, 0.0) * (count - 1) / (count - 2))
        within += (np.abs(values - others) <= 1.2816 * expected * np.sqrt(count / (count - 1))).tolist()
    return figures, float(np.mean(within)) if within else None


async def train(door: Door) -> int:
    """Make the next version of every model from what households with a yes have today; how many were published."""
    async with door.open(Context(TRAINING, Purpose.FLEET_MODELS)) as tx:
        asked = text("SELECT DISTINCT household_id FROM equipment WHERE erased_at IS NULL")
        households = list(await tx.session.scalars(asked))
    taught_of: dict[Kind, Taught] = {}
    lived: dict[str, list[Lived]] = {}
    for number, household in enumerate(households):
        try:
            async with door.open(Context(TRAINING, Purpose.FLEET_MODELS, household)) as tx:
                days = await days_of(tx, household)
                for each in await tell(tx, household, number):
                    lived.setdefault(each.kinds[0][0], []).append(each)
        except Denied:  # it has taken its yes back in between
            continue
        for kind, figures in told(days).items():
            taught_of.setdefault(kind, Taught()).figures.append(figures)
        for kind, differences in norms.told(days).items():
            taught_of.setdefault(kind, Taught()).norms.append(differences)
    for type_, those in sorted(lived.items()):
        for kind, parts in (await asyncio.to_thread(lives_taught, those, PROFILES[type_].family)).items():
            taught_of.setdefault(kind, Taught()).lives.update(parts)
    async with door.open(Context(TRAINING, Purpose.FLEET_MODELS)) as tx:
        published = await _publish(tx, taught_of)
    _log.info("fleet models trained", households=len(households), published=published)
    return published


async def days_of(tx: Tx, household: UUID, back_days: int = LOOK_BACK_DAYS) -> Days:
    """The days of a household's machines, of the last `back_days`; for `System("training")` at a household that said yes."""
    about = await tx.session.execute(
        text("SELECT id, type, make, model FROM equipment WHERE household_id = :household AND erased_at IS NULL ORDER BY id"),
        {"household": household},
    )
    machines = [Machine(id=str(id_), type=type_, make=make, model=model) for id_, type_, make, model in about]
    asked = (
        "SELECT layout, equipment_id, day - date '1970-01-01', sums FROM machine_days"
        " WHERE household_id = :household AND day >= current_date - CAST(:back AS integer)"
    )
    return await load_days(tx, machines, asked, household, back_days)


async def _publish(tx: Tx, taught_of: Mapping[Kind, Taught]) -> int:
    """Store the next version of each kind that has enough households, and withdraw those that have too few by now."""
    before = {(card.type, card.make, card.model): card for card in await list_models(tx)}
    await tx.session.execute(update(FleetModelRow).values(parameters={}))
    published = 0
    for kind in sorted({*taught_of, *before}):
        mine = taught_of.get(kind, Taught())
        figures, covered = taught(mine.figures)
        differences, parts = norms.taught(mine.norms), mine.lives
        last = before.get(kind)
        if not figures and not differences and not parts and (last is None or last.state == "withdrawn"):
            continue
        known = {
            **figures,
            **({NORMS: msgspec.to_builtins(differences)} if differences else {}),
            **({LIVES: msgspec.to_builtins(parts)} if parts else {}),
        }
        about = dict(zip(("type", "make", "model"), kind, strict=True))
        households = max(tens(len(mine.figures)), tens(len(mine.norms)), *(part.households for part in parts.values()))
        row = {"id": new_id(), **about, "version": 1 if last is None else last.version + 1, "trained_at": now()}
        row |= {"state": "published", "households": households} if known else {"state": "withdrawn", "households": 0}
        await tx.session.execute(insert(FleetModelRow).values(**row, parameters=known, metrics={"covered": covered} if figures else {}))
        published += bool(known)
    return published


async def list_models(tx: Tx) -> list[FleetModel]:
    """The newest version of each model, by type, make and model; withdrawn ones as such."""
    key = (FleetModelRow.type, FleetModelRow.make, FleetModelRow.model)
    newest = select(*key, func.max(FleetModelRow.version)).group_by(*key)
    rows = await tx.session.scalars(select(FleetModelRow).where(tuple_(*key, FleetModelRow.version).in_(newest)).order_by(*key))
    return [_card(row) for row in rows]


async def usual_of(tx: Tx, type_: str, make: str, model: str) -> FleetModel | None:
    """What is usual for a machine: the published model of its make and model, else of its make, else of its type; None without any."""
    kinds = [(type_, make.strip(), model.strip()), (type_, make.strip(), ""), (type_, "", "")]
    known = {(card.type, card.make, card.model): card for card in await list_models(tx) if card.state == "published"}
    return next((known[kind] for kind in kinds if kind in known), None)


async def model_card(tx: Tx, model: UUID) -> FleetModel:
    """One version of a model. Raises NotFound where there is none."""
    row = await tx.session.get(FleetModelRow, model)
    if row is None:
        raise NotFound("model")
    return _card(row)


async def life_models(tx: Tx) -> LifeModels:
    """What the newest versions have learnt of lives, where it is good enough to be used."""
    return {
        (card.type, card.make, card.model, part): life.model()
        for card in await list_models(tx)
        for part, life in card.lives.items()
        if life.good
    }


async def norms_of(tx: Tx, machines: Sequence[Machine]) -> Norms | None:
    """How the makes of these machines differ from their kinds, by the newest versions."""
    known = {(card.type, card.make, card.model): card.norms for card in await list_models(tx) if card.norms}
    return norms.norms_for(machines, known)


def _card(row: FleetModelRow) -> FleetModel:
    figures, differences = (
        {name: (float(both[0]), float(both[1])) for name, both in each.items() if name not in (LIVES, NORMS)}
        for each in (row.parameters, row.parameters.get(NORMS, {}))
    )
    about = (row.id, row.type, row.make, row.model, row.version, row.state, row.trained_at, row.households)
    lives = msgspec.convert(row.parameters.get(LIVES, {}), dict[str, FleetLife])
    return FleetModel(*about, figures, row.metrics.get("covered"), lives, differences)


def add_fleet_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register `diagnostics.train`, once a week: whoever leaves is out of the versions of the next Monday."""

    @app.periodic(cron="41 3 * * 1")
    @app.task(name="diagnostics.train", queueing_lock="diagnostics.train")
    async def train_all(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await train(door)
