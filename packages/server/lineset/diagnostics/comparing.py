"""How a home's energy changed beside other homes: what all homes did alike (a price, a mild autumn that models miss) is not its own saving.

Each household that lets models learn from it tells one number a month: by how much its energy changed at the same weather. Of these only
the mean and the spread are kept, rounded as in fleet models, of 11 homes or more, and made anew from the yeses of that day. A home is then
set beside that mean. Nobody's number is kept, and no home is shown another's.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
import numpy as np
import procrastinate
import structlog
from sqlalchemy import delete, insert, select, text

from lineset.diagnostics import keeping
from lineset.diagnostics.days import Days
from lineset.diagnostics.keeping import EPOCH
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.fleet import TRAINING, days_of
from lineset.diagnostics.predict.model import HomeChangeRow
from lineset.diagnostics.predict.told import LEAST_HOUSEHOLDS, rounded
from lineset.diagnostics.samples import DAY_S, Floats
from lineset.diagnostics.savings import Savings, beside_mean, change_of, savings
from lineset.kit.clock import now
from lineset.kit.errors import Denied
from lineset.privacy import Context, Door, Purpose, Tx

BASELINE_DAYS = 365
WHOLE_DAY_S = 0.8 * DAY_S
LARGEST = 1.5
"""A household whose energy changed by more than e to this (4.5 times) moved house or broke its meter, and says nothing of others."""

_log = structlog.get_logger(__name__)


class Compared(msgspec.Struct, frozen=True):
    """What a home saved in the days of `month` that are over. `own`: against its own year before, at the same weather; `beside`: against
    what other homes did as well, at least `homes` of them; None where there is no comparison of that month."""

    month: date
    own: Savings
    beside: Savings | None = None
    homes: int = 0
    others: float = 0.0


def by_day(days: Days, first: int, last: int) -> tuple[Floats, Floats]:
    """Outdoor temperature (degC, mean of the machines that know it) and energy (kWh, of all machines) of each day from `first` through
    `last` (since 1970), NaN where unknown. A day on which a machine with a meter was not known for four fifths has no energy."""
    count = last - first + 1
    outdoor, energy = (np.full((len(days.machines), count), np.nan) for _ in range(2))
    inside = (days.day >= first) & (days.day <= last)
    at = days.machine[inside], days.day[inside] - first

    def named(name: str) -> Floats:
        return days.sums[name][inside] if name in days.sums else np.full(int(inside.sum()), np.nan)

    heard = named("outdoor.s")
    outdoor[at] = np.divide(named("outdoor.x"), heard, out=np.full(len(heard), np.nan), where=np.nan_to_num(heard) > 0.0)
    parts = np.stack([named("kwh.electric"), named("kwh.gas")])
    used = np.where(np.isnan(parts).all(axis=0), np.nan, np.nansum(parts, axis=0))
    energy[at] = np.where(np.nan_to_num(named("s.covered")) >= WHOLE_DAY_S, used, np.nan)
    metered = energy[~np.isnan(energy).all(axis=1)]
    warm = ~np.isnan(outdoor).all(axis=0)
    weather = np.full(count, np.nan)
    weather[warm] = np.nanmean(outdoor[:, warm], axis=0)
    return weather, metered.sum(axis=0) if len(metered) else np.full(count, np.nan)


def saved(days: Days, month: date, last: date) -> Savings:
    """What these machines' home saved from the first of `month` through `last`, against the year before, at the same weather."""
    first = (month - EPOCH).days
    outdoor, energy = by_day(days, first - BASELINE_DAYS, (last - EPOCH).days)
    return savings(outdoor[:BASELINE_DAYS], energy[:BASELINE_DAYS], outdoor[BASELINE_DAYS:], energy[BASELINE_DAYS:])


def month_before(day: date) -> tuple[date, date]:
    """First and last day of the month that was over on that day."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


async def compare(door: Door, today: date) -> int:
    """Keep how the homes that said yes changed in the last month that is over, in place of all before; how many did."""
    month, last = month_before(today)
    async with door.open(Context(TRAINING, Purpose.FLEET_MODELS)) as tx:
        households = list(await tx.session.scalars(text("SELECT DISTINCT household_id FROM equipment WHERE erased_at IS NULL")))
    changes = []
    for household in households:
        try:
            async with door.open(Context(TRAINING, Purpose.FLEET_MODELS, household)) as tx:
                changes.append(change_of(saved(await days_of(tx, household, (today - month).days + BASELINE_DAYS + 1), month, last)))
        except Denied:  # it has taken its yes back in between
            continue
    async with door.open(Context(TRAINING, Purpose.FLEET_MODELS)) as tx:
        kept = await _keep(tx, month, changes)
    _log.info("homes compared", month=month.isoformat(), households=kept)
    return kept


async def _keep(tx: Tx, month: date, changes: Sequence[float]) -> int:
    known = np.array([change for change in changes if abs(change) < LARGEST])
    await tx.session.execute(delete(HomeChangeRow))
    count = len(known)
    if count < LEAST_HOUSEHOLDS:
        return 0
    mean, spread = float(known.mean()), float(known.std(ddof=1))
    values = {"mean": rounded(mean, spread / count**0.5), "spread": rounded(spread, spread / (2 * count) ** 0.5)}
    await tx.session.execute(insert(HomeChangeRow).values(month=month, households=count // 10 * 10, made=now(), **values))
    return count


async def compared(tx: Tx, site: UUID, month: date, last: date) -> Compared:
    """What a site's machines saved from the first of `month` through `last`, as far as the actor may see them."""
    asked = text(
        "SELECT n.series_id, e.id FROM equipment e JOIN tenures n ON n.equipment_id = e.id AND n.ends_at IS NULL"
        " WHERE e.site_id = :site AND e.retired_at IS NULL ORDER BY n.series_id"
    )
    rows = (await tx.session.execute(asked, {"site": site})).all()
    machines = [Machine(id=str(id_), type="") for _, id_ in rows]
    since = (month - EPOCH).days - BASELINE_DAYS
    own = saved(await keeping.load(tx, machines, [row[0] for row in rows], since, (last - EPOCH).days), month, last)
    others = await tx.session.scalar(select(HomeChangeRow).where(HomeChangeRow.month == month))
    if others is None:
        return Compared(month, own)
    span = own.baseline_days, own.reported_days
    beside = beside_mean(change_of(own), others.mean, others.spread, others.households, own.used, span)
    return Compared(month, own, beside, others.households, others.mean)


def add_comparing_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register `diagnostics.compare`, on the second of each month, before reports are mailed, and each Monday, so that whoever takes a yes
    back is out within a week."""

    @app.periodic(cron="53 4 2 * 1")  # where both are named, cron means either
    @app.task(name="diagnostics.compare", queueing_lock="diagnostics.compare")
    async def again(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await compare(door, now().date())
