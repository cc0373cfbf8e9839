"""Reads what a report tells of, in the reader's own transaction: who may not see a home gets no report of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from lineset_contract.points import POINTS

from lineset import diagnostics, sites, telemetry
from lineset.diagnostics import views
from lineset.diagnostics.changepoint import fit
from lineset.diagnostics.savings import BEYOND_K, FEWEST_BASELINE, savings
from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.privacy import Tx
from lineset.reports.facts import WHOLE_DAY_S, Fleet, Floats, HomeMonth, MachineDays, Service, added, column, outdoor_of, together, total
from lineset.reports.fleet import make_fleet

BASELINE_DAYS = 365
SERVICE_DAYS = 90
"""How many days on each side of a repair are looked at."""
FLEET_DAYS = 90
DUE_DAYS = 45
"""What comes due later than this is told by a later report."""
MOST_ADVICE = 3
_JOULES_A_KWH = 3.6e6
_POINTS = (
    "electric_power", "electric_energy", "gas_input", "gas_energy", "heat_output", "heat_energy", "cooling_output", "cooling_energy",
    "operating_mode", "compressor_starts", "starts", "room_temperature", "heating_setpoint", "cooling_setpoint", "outdoor_temperature",
    "burner_starts",
)  # fmt: skip
_MODES = {number: word for word, number in POINTS["operating_mode"].codes.items()}
_COUNTED = ("compressor_starts", "burner_starts", "starts")


async def machine_days(tx: Tx, machine: sites.Equipment, zone: str, first: date, last: date) -> MachineDays:
    """A machine from its first to its last day (both included) by the site's clock.

    Raises:
        NotFound: no such machine for the asker.
    """
    there = ZoneInfo(zone)
    start, end = (datetime.combine(day, time(), there).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    found: dict[str, dict[date, list[telemetry.Sum]]] = {name: {} for name in _POINTS}
    for row in await telemetry.sums(tx, machine.id, _POINTS, start, end, "day"):
        found[row.point].setdefault(datetime.fromtimestamp(row.t + 1.0, there).date(), []).append(row)
    plain = {name: {day: rows[0] for day, rows in by_day.items()} for name, by_day in found.items() if name != "operating_mode"}
    modes: dict[str, float] = {}
    counts: dict[str, int] = {}
    heats: dict[date, float] = {}
    for day, rows in found["operating_mode"].items():
        for row in rows:
            word = _MODES.get(row.code if row.code is not None else -1, "")
            modes[word] = modes.get(word, 0.0) + row.seconds
            counts[word] = counts.get(word, 0) + (row.starts or 0)
            heats[day] = heats.get(day, 0.0) + (row.seconds if word == "heating" else -row.seconds if word == "cooling" else 0.0)
    aims = _aims(plain, days, heats)
    seconds = sum(max((_seconds(found[name].get(day, [])) for name in _POINTS), default=0.0) for day in days)
    return MachineDays(
        id=machine.id,
        name=machine.name,
        type=machine.type,
        make=machine.make,
        model=machine.model,
        days=days,
        electric=_energy(plain["electric_power"], plain["electric_energy"], days),
        gas=_energy(plain["gas_input"], plain["gas_energy"], days),
        heat=_energy(plain["heat_output"], plain["heat_energy"], days),
        cooling=_energy(plain["cooling_output"], plain["cooling_energy"], days),
        room=_means(plain["room_temperature"], days),
        low=[that.low if (that := plain["room_temperature"].get(day)) else None for day in days],
        high=[that.high if (that := plain["room_temperature"].get(day)) else None for day in days],
        aim=aims,
        outdoor=_means(plain["outdoor_temperature"], days),
        modes={word: s for word, s in modes.items() if word},
        starts=_starts(plain, counts),
        installer=machine.installer,
        covered=min(1.0, seconds / max((min(end, now()) - start).total_seconds(), 1.0)),
    )


def _seconds(rows: Sequence[telemetry.Sum]) -> float:
    return sum(row.seconds for row in rows)


def _energy(rate: Mapping[date, telemetry.Sum], counter: Mapping[date, telemetry.Sum], days: Sequence[date]) -> list[float | None]:
    """kWh by day: of the meter's counter where there is one, else the power added up; of days that were measured as a whole."""
    found: list[float | None] = []
    for day in days:
        metered, added_up = counter.get(day), rate.get(day)
        if metered is not None and metered.total is not None and metered.seconds >= WHOLE_DAY_S:
            found.append(max(metered.total, 0.0))
        elif added_up is not None and added_up.total is not None and added_up.seconds >= WHOLE_DAY_S:
            found.append(max(added_up.total, 0.0) / _JOULES_A_KWH)
        else:
            found.append(None)
    return found


def _means(rows: Mapping[date, telemetry.Sum], days: Sequence[date]) -> list[float | None]:
    return [row.mean if (row := rows.get(day)) is not None and row.seconds >= WHOLE_DAY_S / 2 else None for day in days]


def _aims(plain: Mapping[str, Mapping[date, telemetry.Sum]], days: Sequence[date], heats: Mapping[date, float]) -> list[float | None]:
    """The set point that ruled each day: of cooling where it cooled longer than it heated."""
    warm, cold = _means(plain["heating_setpoint"], days), _means(plain["cooling_setpoint"], days)
    return [(cold[n] if heats.get(day, 0.0) < 0 else warm[n]) or warm[n] or cold[n] for n, day in enumerate(days)]


def _starts(plain: Mapping[str, Mapping[date, telemetry.Sum]], counts: Mapping[str, int]) -> int | None:
    for name in _COUNTED:
        if plain[name]:
            return round(sum(row.total or 0.0 for row in plain[name].values()))
    if not counts:
        return None
    return max(0, counts.get("heating", 0) - counts.get("defrost", 0)) + counts.get("cooling", 0) + counts.get("hot_water", 0)


def month_span(month: date, zone: str) -> tuple[date, date]:
    """First day of a month and its last day that is over by the site's clock.

    Raises:
        Invalid: the month has not had a whole day yet.
    """
    first = month.replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    yesterday = datetime.now(UTC).astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    last = min(last, yesterday)
    if last < first:
        raise Invalid("no_day_yet", "That month has no whole day yet. Choose an earlier one.", "month")
    return first, last


async def home_month(tx: Tx, site: sites.Site, month: date) -> HomeMonth:
    """A home's month with what the year before lets one expect of it.

    Raises:
        Invalid: the month has not had a whole day yet.
    """
    first, last = month_span(month, site.time_zone)
    machines, past = [], []
    for machine in site.equipment:
        if machine.retired_at is not None and machine.retired_at.date() < first:
            continue
        machines.append(await machine_days(tx, machine, site.time_zone, first, last))
        past.append(await machine_days(tx, machine, site.time_zone, first - timedelta(days=BASELINE_DAYS), first - timedelta(days=1)))
    machines = [machine for machine in machines if machine.covered > 0]
    known = {machine.id for machine in machines}
    start = datetime.combine(first, time(), ZoneInfo(site.time_zone))
    found, dues = await findings_of(tx, site.id, start), await _dues(tx, known, last, site.time_zone)
    machines = await _with_figures(tx, machines, first, last)
    compared = await diagnostics.compared(tx, site.id, first, last)
    advice = await _advice(tx, site.id, known) if _newest(last, site.time_zone) else []
    home = HomeMonth(
        *(site.id, site.name, site.time_zone, first, last, machines),
        findings=found, dues=dues, advice=advice, compared=compared,
    )  # fmt: skip
    return _expected(home, [machine for machine in past if machine.id in known])


async def _dues(tx: Tx, machines: Collection[UUID], last: date, zone: str) -> list[views.Due]:
    """What comes due soon, the soonest first, where the report is of the newest month; an older one is not told what came after."""
    if not _newest(last, zone):
        return []
    coming = (await diagnostics.prospects_of(tx, machines)).values()
    return sorted((due for each in coming for due in each.dues if due.days <= DUE_DAYS), key=lambda due: due.days)


def _newest(last: date, zone: str) -> bool:
    return datetime.now(UTC).astimezone(ZoneInfo(zone)).date() - last <= timedelta(days=DUE_DAYS)


async def _with_figures(tx: Tx, machines: Sequence[MachineDays], first: date, last: date) -> list[MachineDays]:
    """These machines with their figures of performance over all these days."""
    found = await diagnostics.performance_of(tx, [machine.id for machine in machines], first, last + timedelta(days=1), "whole")
    ran = {id_: each[-1].figures for id_, each in found.items() if each}
    return [msgspec.structs.replace(machine, figures=ran.get(machine.id, {})) for machine in machines]


async def _advice(tx: Tx, site: UUID, machines: Collection[UUID]) -> list[views.Advice]:
    """The best advice that neither a finding nor what comes due says already."""
    stands = diagnostics.rank(await diagnostics.list_advice(tx, site=site))
    rest = [a for a in stands if a.equipment in machines and a.kind in ("setting", "replacement", "product")]
    return rest[:MOST_ADVICE]


async def findings_of(tx: Tx, site: UUID, since: datetime) -> list[views.Finding]:
    """The findings of a site that lasted until `since` or later, what costs most first; mistaken ones are left out."""
    found = await diagnostics.list_findings(tx, site=site, since=since)
    told = [f for f in found if f.state != "false_alarm"]
    return sorted(told, key=lambda f: (f.state not in views.OPEN_STATES, -(f.cost_a_day or 0.0), -f.severity))


def _expected(home: HomeMonth, past: Sequence[MachineDays]) -> HomeMonth:
    """With the energy that the weather explains, where a home has been known long enough and in such weather."""
    before = added(together(past, "electric"), together(past, "gas"))
    weather, outdoor = outdoor_of(past), outdoor_of(home.machines)
    length = (home.month - timedelta(days=1)).day
    month_before = total(before[-length:]) if before and sum(v is not None for v in before[-length:]) >= length - 3 else None
    home = msgspec.structs.replace(home, before=month_before)
    if not before or not weather or not outdoor:
        return home
    t, e = column(weather), column(before)
    there = np.isfinite(t) & np.isfinite(e)
    if there.sum() < FEWEST_BASELINE:
        return home
    response = fit(t[there], e[there])
    now_t = column(outdoor)
    like = (now_t > t[there].min() - BEYOND_K) & (now_t < t[there].max() + BEYOND_K)
    explained = [float(v) if ok else None for v, ok in zip(response.predict(now_t), like, strict=True)]
    return msgspec.structs.replace(home, expected=explained, response=response)


async def service(tx: Tx, site: sites.Site, machine: sites.Equipment, on: date) -> Service:
    """A machine in the days before and after work that was done on it, each side at most three months.

    Raises:
        Invalid: the day is not over yet.
    """
    yesterday = datetime.now(UTC).astimezone(ZoneInfo(site.time_zone)).date() - timedelta(days=1)
    if on > yesterday:
        raise Invalid("not_over", "Choose a day of work that is over; the report compares the days before and after it.", "on")
    first, last = on - timedelta(days=SERVICE_DAYS), min(on + timedelta(days=SERVICE_DAYS), yesterday)
    before = await machine_days(tx, machine, site.time_zone, first, on - timedelta(days=1))
    after = await machine_days(tx, machine, site.time_zone, on + timedelta(days=1), max(last, on + timedelta(days=1)))
    weather = {side: await _weather(tx, site, machine, half) for side, half in (("before", before), ("after", after))}
    saved = savings(
        weather["before"], column(added(before.electric, before.gas)), weather["after"], column(added(after.electric, after.gas))
    )
    whole = await machine_days(tx, machine, site.time_zone, first, last)
    since = datetime.combine(first, time(), ZoneInfo(site.time_zone))
    found = [f for f in await findings_of(tx, site.id, since) if f.equipment == machine.id]
    return Service(site.name, site.time_zone, whole, machine.serial_number, on, before, after, saved, found)


async def _weather(tx: Tx, site: sites.Site, machine: sites.Equipment, half: MachineDays) -> Floats:
    """The outdoor temperature of these days: the machine's own, else that of another machine of the site."""
    if any(v is not None for v in half.outdoor):
        return column(half.outdoor)
    for other in site.equipment:
        if other.id != machine.id and other.retired_at is None:
            found = await machine_days(tx, other, site.time_zone, half.days[0], half.days[-1])
            if any(v is not None for v in found.outdoor):
                return column(found.outdoor)
    return np.full(len(half.days), np.nan)


def last_month(today: date, since: date) -> date:
    """The last month that is over, or the present one for a home that came after that."""
    over = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return over if since < today.replace(day=1) else today.replace(day=1)


async def fleet_of(tx: Tx, company: str, today: date) -> Fleet:
    """A company's fleet over the last three months: the homes that the asker may see, as far as the report's floor lets through."""
    span = today - timedelta(days=FLEET_DAYS), today - timedelta(days=1)
    machines: list[tuple[UUID, MachineDays]] = []
    for site in await sites.list_sites(tx):
        mine = [await machine_days(tx, machine, site.time_zone, *span) for machine in site.equipment]
        weather = outdoor_of(mine)
        for machine in mine:
            if not any(v is not None for v in machine.outdoor) and weather:
                machine = msgspec.structs.replace(machine, outdoor=weather)  # noqa: PLW2901 - of another machine of the site
            machines.append((site.household_id, machine))
    since = datetime.combine(span[0], time(), UTC)
    found = [f for f in await diagnostics.list_findings(tx, since=since) if f.state != "false_alarm"]
    return make_fleet(company, span, machines, found)
