"""What is worth doing, and in which order: advice made of findings, of what comes due, of lives that end, and of how a machine ran.

Pure: everything that is known of one machine goes in, its advice comes out. Money is in the installation's currency throughout.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from itertools import chain
from types import MappingProxyType
from uuid import UUID, uuid5

import msgspec

from lineset.diagnostics.knowledge import KNOWLEDGE
from lineset.diagnostics.views import OPEN_STATES, Advice, Due, Finding, Life

LABOUR_AN_HOUR = 120.0
"""What an hour of a technician costs, in the installation's currency: an assumption that pages name."""
DAYS = 365.0
SOON_DAYS = 120.0
"""What comes due later than this is no advice yet."""
AGED_YEARS = 2.0
RISKY = 0.25
"""A part with less left, or a greater risk of failing within a year, lets us compute a replacement."""
LEAST_SAVING = 20.0
"""A change of settings that saves less in a year is not worth a line."""
COOLER_WATER_K = 3.0
WELL = 0.95
"""Share of time within 1 K of the set point from which on there is room for cooler water."""
WEIGHTS = {"heating": 400.0, "hot_water": 400.0, "air": 150.0, "cost": 0.0, "machine": 100.0, "health": 2000.0}
"""What a year of a machine that lets its people down counts for in the ranking, beside money; by what suffers."""
URGENT_DAYS = 14.0
COVERED = {"filter": {"low_air_flow"}, "coil": {"outdoor_coil_fouling", "indoor_coil_fouling"}, "anode": {"anode_due"}}
"""Findings that say already what comes due."""
VITAL = frozenset({"compressor", "tank", "heat_exchanger", "burner", "machine"})
_SERVICE = frozenset({"service", "inspection"})


class Replacement(msgspec.Struct, frozen=True):
    """What a new machine of a type is reckoned with: price installed, seasonal efficiency and its standard; `instead`: the old one's."""

    price: float
    efficiency: float
    instead: float
    standard: str


def _load() -> Mapping[str, Replacement]:
    text = files("lineset.diagnostics").joinpath("replacement.yaml").read_bytes()
    return MappingProxyType(msgspec.yaml.decode(text, type=dict[str, Replacement]))


REPLACEMENTS: Mapping[str, Replacement] = _load()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All that advice on one machine is made of; None where it is not known.

    `energy_kwh` bought in a year, `price` of a kWh, `efficiency` seasonal (heat per energy bought); `evaporating` and `condensing` in degC,
    means of heating; `comfort` share of time within 1 K of the set point.
    """

    household: UUID
    equipment: UUID
    site: UUID
    type: str
    findings: Sequence[Finding] = ()
    dues: Sequence[Due] = ()
    lives: Sequence[Life] = ()
    energy_kwh: float | None = None
    price: float | None = None
    efficiency: float | None = None
    evaporating: float | None = None
    condensing: float | None = None
    comfort: float | None = None


def advise(known: Known, now: datetime) -> list[Advice]:
    """Everything worth doing at one machine, best first."""
    opened = [f for f in known.findings if f.state in OPEN_STATES and f.state != "in_repair"]
    made = chain(
        (_mend(known, finding, now) for finding in opened),
        (_due(known, due, now) for due in known.dues if due.days <= SOON_DAYS and not _said_already(due, opened)),
        _replace(known, opened, now),
        _cooler_water(known, opened, now),
        _products(known, opened, now),
    )
    return rank(made)


def rank(advice: Iterable[Advice], dismissed: Collection[UUID] = ()) -> list[Advice]:
    """The best first, without what was dismissed: by `worth`, then by how soon, then by id so that the order stays."""
    return sorted((a for a in advice if a.id not in dismissed), key=lambda a: (-worth(a), a.urgency_days, a.id))


def worth(advice: Advice) -> float:
    """What following it is worth, in money a year. The saving, what failing would cost (`figures["risk_a_year"]` of
    `figures["price"]`), and what comfort or health counts for (`WEIGHTS`), less a tenth of the cost; the sooner it has to be done, the more
    it counts: twice as much at once, and half as much again in `URGENT_DAYS`."""
    risk = advice.figures.get("risk_a_year", 0.0) * advice.figures.get("price", 0.0)
    gain = max(advice.saving_a_year or 0.0, 0.0) + risk + WEIGHTS.get(advice.suffers, 0.0)
    haste = 1.0 + URGENT_DAYS / (URGENT_DAYS + max(advice.urgency_days, 0.0))
    return gain * haste - 0.1 * (advice.cost or 0.0)


def identity(household: UUID, equipment: UUID, kind: str, code: str, finding: UUID | None) -> UUID:
    """The id of a piece of advice: the same each time it is given to a household for the same machine and reason, so that a dismissed one
    stays away."""
    return uuid5(household, f"{equipment}/{kind}/{code}/{finding or ''}")


def payback(cost: float | None, saving: float | None) -> float | None:
    """Simple pay-back in years; None where nothing is saved or either is unknown."""
    return cost / saving if cost is not None and saving is not None and saving > 0 else None


def repair_cost(fault: str) -> float:
    """What mending a fault is reckoned to cost: hours on site and parts."""
    known = KNOWLEDGE[fault]
    return known.repair_hours * LABOUR_AN_HOUR + known.parts


def _made(
    known: Known,
    now: datetime,
    kind: str,
    code: str,
    *,
    finding: UUID | None = None,
    saving: float | None = None,
    cost: float | None = None,
    days: float,
    suffers: str = "cost",
    **figures: float,
) -> Advice:
    return Advice(
        id=identity(known.household, known.equipment, kind, code, finding),
        equipment=known.equipment,
        site=known.site,
        kind=kind,  # type: ignore[arg-type]  # each caller's literal
        code=code,
        finding=finding,
        saving_a_year=saving,
        cost=cost,
        payback_years=payback(cost, saving),
        urgency_days=days,
        figures=figures,
        made=now,
        suffers=suffers,
    )


def _mend(known: Known, finding: Finding, now: datetime) -> Advice:
    """What follows from a finding. The saving is a year of what the fault costs a day now."""
    what = KNOWLEDGE[finding.fault]
    age = (now - finding.opened).total_seconds() / 86_400
    return _made(
        known,
        now,
        what.advice,
        finding.fault,
        finding=finding.id,
        saving=None if finding.cost_a_day is None else finding.cost_a_day * DAYS,
        cost=repair_cost(finding.fault),
        days=what.days_left(finding.severity, age),
        suffers=what.suffers,
        confidence=finding.confidence,
        severity=finding.severity,
        hours=what.repair_hours,
        parts=what.parts,
        labour_an_hour=LABOUR_AN_HOUR,
    )


def _said_already(due: Due, opened: Sequence[Finding]) -> bool:
    return any(f.fault in COVERED.get(due.part, ()) for f in opened)


def _due(known: Known, due: Due, now: datetime) -> Advice:
    kind = "service" if due.part in _SERVICE else "maintenance"
    return _made(known, now, kind, due.part, days=max(0.0, due.days), suffers="machine", days_left=due.days, doubt_days=due.doubt_days)


def _replace(known: Known, opened: Sequence[Finding], now: datetime) -> Iterable[Advice]:
    """A replacement, where a vital part nears its end, or a repair costs more than the years that are left are worth of a new machine.

    The years left are those of the part that ends first (median); a machine's whole time is taken as what its oldest part had and has.
    Saving: what the new machine's efficiency spares of a year's energy, and what the fault costs.
    """
    new = REPLACEMENTS.get(known.type)
    vital = [life for life in known.lives if life.part in VITAL]
    if new is None or not vital:
        return
    first = min(vital, key=lambda life: life.left_years[1])
    risk = max(life.risk_a_year for life in vital)
    left = max(first.left_years[1], 0.0)
    whole = max(first.figures.get("age_years", 0.0) + left, 1.0)
    dearest = max(opened, key=lambda f: repair_cost(f.fault), default=None)
    repair = repair_cost(dearest.fault) if dearest is not None else 0.0
    too_dear = dearest is not None and repair > new.price * left / whole
    if not (left < AGED_YEARS or risk >= RISKY or too_dear):
        return
    old = known.efficiency or new.instead
    spared = (
        None if known.energy_kwh is None or known.price is None else known.energy_kwh * known.price * max(0.0, 1 - old / new.efficiency)
    )
    wasted = (dearest.cost_a_day or 0.0) * DAYS if dearest is not None else 0.0
    yield _made(
        known,
        now,
        "replacement",
        "machine",
        finding=dearest.id if dearest is not None else None,
        saving=None if spared is None else spared + wasted,
        cost=new.price,
        days=min(max(first.left_years[0], 0.0) * DAYS, 2 * DAYS),
        suffers="machine",
        price=new.price,
        repair=repair,
        left_years=left,
        left_low=first.left_years[0],
        left_high=first.left_years[2],
        risk_a_year=risk,
        efficiency_old=old,
        efficiency_new=new.efficiency,
        measured=float(known.efficiency is not None),
    )


def _cooler_water(known: Known, opened: Sequence[Finding], now: datetime) -> Iterable[Advice]:
    """A heating curve lower by `COOLER_WATER_K`, where rooms keep their set point with room to spare and nothing is wrong.

    The saving holds the machine's per cent of Carnot (heat over (condensing - evaporating) in K) and lowers condensing by as much as the
    water: power for the same heat is proportional to lift over absolute condensing temperature.
    """
    told = known.evaporating, known.condensing, known.energy_kwh, known.price, known.comfort
    if known.type != "heat_pump_air_water" or opened or any(value is None for value in told):
        return
    evaporating, condensing, energy, price, comfort = (float(value or 0.0) for value in told)
    if comfort < WELL or condensing - COOLER_WATER_K < max(evaporating + 10.0, 28.0):
        return
    share = 1.0 - power_ratio(evaporating, condensing, COOLER_WATER_K)
    saving = share * energy * price
    if saving >= LEAST_SAVING:
        yield _made(known, now, "setting", "cooler_water", saving=saving, cost=0.0, days=30.0, cooler_K=COOLER_WATER_K, share=share)


def power_ratio(evaporating: float, condensing: float, lower: float) -> float:
    """Electric power for the same heat once condensing falls by `lower` (K), over that before; temperatures in degC.

    Source: coefficient of performance of the reversed Carnot cycle, ASHRAE Fundamentals (2021), ch. 2, at the same per cent of it.
    """
    before = (condensing - evaporating) / (condensing + 273.15)
    after = (condensing - lower - evaporating) / (condensing - lower + 273.15)
    return after / before


def _products(known: Known, opened: Sequence[Finding], now: datetime) -> Iterable[Advice]:
    """Things to buy that a finding asks for: sensors where the measurements leave two causes open, a softener where scale came."""
    unsure = [f for f in opened if len(f.candidates) > 1 and f.candidates[1].probability >= 0.2]
    if unsure:
        yield _made(
            known, now, "product", "sensors", finding=unsure[0].id, cost=250.0, days=60.0, suffers="cost", causes=len(unsure[0].candidates)
        )
    scaled = next((f for f in opened if f.fault == "water_heater_scale"), None)
    if scaled is not None:
        saving = None if scaled.cost_a_day is None else scaled.cost_a_day * DAYS
        yield _made(known, now, "product", "softener", finding=scaled.id, saving=saving, cost=1500.0, days=180.0)
