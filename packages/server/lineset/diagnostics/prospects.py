"""What comes next of each machine, foretold once a day and kept for pages, advice and programs: use of the next two days, care that comes
due, and what is left of its life."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from lineset.diagnostics import keeping
from lineset.diagnostics.days import Days
from lineset.diagnostics.findings import list_findings
from lineset.diagnostics.keeping import EPOCH, day_of
from lineset.diagnostics.population import Member
from lineset.diagnostics.predict.drift import LOOK_BACK_DAYS, dues
from lineset.diagnostics.predict.fleet import LifeModels, life_models
from lineset.diagnostics.predict.forecast import HISTORY_DAYS, forecast
from lineset.diagnostics.predict.life import covariates, lives_of
from lineset.diagnostics.predict.loads import of_days
from lineset.diagnostics.predict.model import ProspectRow
from lineset.diagnostics.predict.use import YEAR_DAYS, year_of
from lineset.diagnostics.samples import Floats
from lineset.diagnostics.views import Due, Forecast, Life, Prospect
from lineset.privacy import Tx

AT_ONCE = 50
"""Machines whose last year is in memory at once."""
EVERY = timedelta(hours=23, minutes=30)
WEEK = 7
"""What a machine did in its last year is added up anew once a week; each day a seventh of the fleet's."""

SAME_BLOWER = 0.2
"""Hours of air a day that differ by no more than this share are those of one blower, counted by the heat pump and by its air handler."""
_HANDLERS = text(
    "SELECT e.id, p.dues FROM equipment e JOIN equipment a ON a.site_id = e.site_id AND a.type = 'air_handler' AND a.retired_at IS NULL"
    " AND (a.zone_id = e.zone_id OR a.zone_id IS NULL OR e.zone_id IS NULL) JOIN prospects p ON p.equipment_id = a.id"
    " JOIN tenures n ON n.series_id = p.series_id AND n.ends_at IS NULL"
    " WHERE e.id = ANY(:machines) AND e.type IN ('heat_pump_air_air', 'air_conditioner')"
)
"""What comes due at the air handlers that stand where these machines do: a filter there is told of there alone."""
_OF_TODAYS_OWNER = text("EXISTS (SELECT FROM tenures n WHERE n.series_id = prospects.series_id AND n.ends_at IS NULL)")
"""What was foretold for an earlier owner is not the next one's."""


async def stale(tx: Tx, members: Sequence[Member], until: datetime) -> list[Member]:
    """Those of which nothing was foretold in the last `EVERY`, and of which something has been measured."""
    asked = select(ProspectRow.series_id).where(
        ProspectRow.series_id.in_([m.whose.series for m in members]), ProspectRow.made > until - EVERY
    )
    fresh = set(await tx.session.scalars(asked))
    return [m for m in members if m.whose.series not in fresh and m.through is not None]


async def foretell(tx: Tx, members: Sequence[Member], until: datetime) -> int:
    """Foretell what comes next of these machines, from what is known of them up to the last full hour before `until`, and keep it in the
    place of what was foretold before; of how many. For `System("diagnosis")`."""
    models = await life_models(tx) if members else {}
    for zone, alike in groupby(sorted(members, key=lambda m: m.machine.time_zone), key=lambda m: m.machine.time_zone):
        group = list(alike)
        for at in range(0, len(group), AT_ONCE):
            await _foretell(tx, group[at : at + AT_ONCE], until.astimezone(ZoneInfo(zone)), models)
    return len(members)


async def _foretell(tx: Tx, group: Sequence[Member], local: datetime, models: LifeModels) -> None:
    machines, series = [m.machine for m in group], [m.whose.series for m in group]
    today = day_of(local)
    hours = await keeping.load_hours(tx, series, range(today - HISTORY_DAYS - 1, today + 1))
    recent = await keeping.load(tx, machines, series, today - LOOK_BACK_DAYS, today)
    years = await _years(tx, group, today)
    grave = await _severity(tx, group)
    origin = 24 * today + local.hour
    told = await asyncio.to_thread(_told, group, hours, recent, years, grave, origin, models)
    rows = [
        {
            "series_id": member.whose.series,
            "equipment_id": member.whose.equipment,
            "household_id": member.whose.household,
            **msgspec.to_builtins(each),
            "made": local.astimezone(UTC),
        }
        for member, each in zip(group, told, strict=True)
    ]
    put = insert(ProspectRow)
    fresh = {name: put.excluded[name] for name in ("household_id", "forecast", "dues", "lives", "year", "made")}
    await tx.session.execute(put.on_conflict_do_update(index_elements=["series_id"], set_=fresh), rows)


class _Told(msgspec.Struct):
    forecast: Forecast | None
    dues: list[Due]
    lives: list[Life]
    year: dict[str, float]


def _told(
    group: Sequence[Member],
    hours: keeping.Hours,
    recent: Days,
    years: Sequence[dict[str, float]],
    grave: Floats,
    origin: int,
    models: LifeModels,
) -> list[_Told]:
    machines = [member.machine for member in group]
    coming = {each.equipment: each for each in forecast(of_days(machines, hours, origin, HISTORY_DAYS))}
    day = EPOCH + timedelta(days=origin // 24)
    used = covariates(*(np.array([year.get(name, np.nan) for year in years]) for name in ("hours_a_year", "starts_an_hour", "ageing")))
    due, left = dues(recent, origin // 24), lives_of(machines, _year_of(day), used, grave, models)
    return [
        _Told(
            coming.get(member.whose.equipment),
            [each for each in due if each.equipment == member.whose.equipment],
            [each for each in left if each.equipment == member.whose.equipment],
            year,
        )
        for member, year in zip(group, years, strict=True)
    ]


def _year_of(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 365.25


async def _years(tx: Tx, group: Sequence[Member], today: int) -> list[dict[str, float]]:
    """What each machine did in its last year: as it was added up last, or anew where that is a week ago."""
    asked = select(ProspectRow.series_id, ProspectRow.year).where(ProspectRow.series_id.in_([m.whose.series for m in group]))
    known: dict[int, dict[str, float]] = {row[0]: row[1] for row in await tx.session.execute(asked)}
    stale = [m for m in group if not known.get(m.whose.series) or (m.whose.series + today) % WEEK == 0]
    if stale:
        days = await keeping.load(tx, [m.machine for m in stale], [m.whose.series for m in stale], today - YEAR_DAYS, today - 1)
        fresh = await asyncio.to_thread(year_of, days)
        known |= {member.whose.series: fresh.get(n, {}) for n, member in enumerate(stale)}
    return [known.get(m.whose.series, {}) for m in group]


async def _severity(tx: Tx, group: Sequence[Member]) -> Floats:
    """Of the gravest open finding of each machine, (machines,)."""
    place = {member.whose.equipment: n for n, member in enumerate(group)}
    grave = np.zeros(len(group))
    for finding in await list_findings(tx, equipment=list(place), open_only=True):
        n = place[finding.equipment]
        if finding.household == group[n].whose.household:
            grave[n] = max(grave[n], finding.severity)
    return grave


async def prospects_of(tx: Tx, equipment: Collection[UUID]) -> dict[UUID, Prospect]:
    """What was foretold last of these machines for those who have them now, as far as they are shared with the asker, by machine."""
    asked = select(ProspectRow).where(ProspectRow.equipment_id.in_(list(equipment)), _OF_TODAYS_OWNER)
    found = {row.equipment_id: _view(row) for row in await tx.session.scalars(asked)}
    for machine, stored in await tx.session.execute(_HANDLERS, {"machines": list(found)}):
        theirs = msgspec.convert(stored, tuple[Due, ...])
        mine = tuple(due for due in found[machine].dues if not any(_same_filter(due, other) for other in theirs))
        found[machine] = msgspec.structs.replace(found[machine], dues=mine)
    return found


def _same_filter(mine: Due, handler: Due) -> bool:
    """Whether both count the air of one blower towards one filter: the hours a day agree, which those of a ventilator of its own don't."""
    if not mine.part == handler.part == "filter" or not mine.reason == handler.reason == "filter_run_time":
        return False
    return abs(mine.figures["a_day"] - handler.figures["a_day"]) <= SAME_BLOWER * handler.figures["a_day"]


def _view(row: ProspectRow) -> Prospect:
    def read(value: Any, kind: Any) -> Any:
        return msgspec.convert(value, kind)

    return Prospect(
        forecast=read(row.forecast, Forecast | None),
        dues=read(row.dues, tuple[Due, ...]),
        lives=read(row.lives, tuple[Life, ...]),
        year=read(row.year, dict[str, float]),
        made=row.made,
    )
