"""Stored measurements diagnosed: hour by hour as they come, or anew over history. What it concludes is stored with how far it has come,
in one transaction, so a run that is killed has done nothing, and one that runs twice does nothing the second time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np

from lineset import telemetry
from lineset.diagnostics import keeping, ledger
from lineset.diagnostics.baseline import Memory
from lineset.diagnostics.cases import WINDOW_DAYS, Detector
from lineset.diagnostics.course import Course, Window
from lineset.diagnostics.days import Days
from lineset.diagnostics.detectors import DETECTORS
from lineset.diagnostics.engine import Found
from lineset.diagnostics.features import features
from lineset.diagnostics.keeping import EPOCH, Hours, day_of
from lineset.diagnostics.population import Member
from lineset.diagnostics.predict.fleet import norms_of
from lineset.diagnostics.predict.loads import loads_by_day
from lineset.diagnostics.samples import DAY_S, HOUR_S, Flags, Floats, Ints, Samples
from lineset.privacy import Tx

CATCH_UP_DAYS = 30
"""So far back a machine is followed that is looked at for the first time."""
LEAD_S = 2 * HOUR_S
"""Readings from before the first hour that is wanted, so that runs that began earlier are known as such (s)."""
ROWS_AT_ONCE = 2_000_000
USUAL_STEP_S = 10.0
"""How often machines are read at most (s); only for guessing how many rows there will be."""


@dataclass(slots=True)
class Outcome:
    """What a run did: machines followed, hours of readings taken in, findings that opened and that closed."""

    machines: int = 0
    hours: int = 0
    opened: list[Found] = field(default_factory=list)
    closed: list[Found] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Count another run in."""
        self.machines += other.machines
        self.hours += other.hours
        self.opened += other.opened
        self.closed += other.closed


async def follow(tx: Tx, members: Sequence[Member], until: datetime, detectors: Sequence[Detector] = DETECTORS) -> Outcome:
    """Diagnose what these machines measured since they were last looked at, to the last full hour before `until`, and store it.

    For `System("diagnosis")`; the caller holds the locks of the machines (`population.lock`).
    """
    end = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    outcome = Outcome()
    together: dict[tuple[datetime, int, str], list[Member]] = {}
    for member in members:
        if (start := _start(member, end)) < end:
            together.setdefault((start, *_days(member.machine.time_zone, start, end)), []).append(member)
    for (start, day, _), group in sorted(together.items(), key=lambda item: item[0]):
        course = await ledger.resumed(tx, group, day, detectors)
        outcome.add(await _advance(tx, group, course, start, end))
    return outcome


def _start(member: Member, end: datetime) -> datetime:
    """The first hour of which a machine's readings have not been looked at."""
    start = max(member.through or datetime.fromtimestamp(0.0, UTC), member.from_, end - timedelta(days=CATCH_UP_DAYS))
    return start.replace(minute=0, second=0, microsecond=0)


def _days(zone: str, start: datetime, end: datetime) -> tuple[int, str]:
    """The local day in which that time begins and, where it has more days than that, the zone. Machines for which both are the same are
    followed together: their clocks matter only where a day ends, and arrays work best on many machines."""
    first, last = (day_of(at.astimezone(ZoneInfo(zone))) for at in (start, end - timedelta(microseconds=1)))
    return first, "" if first == last else zone


async def again(
    tx: Tx, members: Sequence[Member], since: datetime | None, until: datetime, detectors: Sequence[Detector], *, keep: bool = True
) -> Outcome:
    """Diagnose these machines anew over stored history from `since` (their first reading) on, and store that in the place of what was
    stored; findings on which people work keep their state. Without `keep` nothing is stored. For `System("diagnosis")`, as `follow`."""
    end = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    outcome = Outcome()
    for _, together in groupby(sorted(members, key=lambda m: m.machine.time_zone), key=lambda m: m.machine.time_zone):
        group = list(together)
        span = await telemetry.span(tx, [m.whose.series for m in group])
        if span is None:
            continue
        start = max(span[0], since or span[0]).replace(minute=0, second=0, microsecond=0)
        over = end if span[1] > end - timedelta(days=WINDOW_DAYS) else span[1] + timedelta(days=1)
        machines = [m.machine for m in group]
        course = Course.begun(machines, detectors, await norms_of(tx, machines))
        await ledger.prepare(tx, group, course)
        course.open = {}
        if start < over:
            outcome.add(await _advance(tx, group, course, start, over, anew=True, keep=keep))
    return outcome


async def _advance(
    tx: Tx, group: list[Member], course: Course, start: datetime, end: datetime, *, anew: bool = False, keep: bool = True
) -> Outcome:
    zone = ZoneInfo(group[0].machine.time_zone)
    outcome = Outcome(machines=len(group))
    before = {f.key for each in course.open.values() for f in each}
    closed: list[Found] = []
    at = start
    while at < end:
        ahead = min(at + _stride(len(group)), end)
        samples = await _samples(tx, group, at - timedelta(seconds=LEAD_S), ahead)
        step = await asyncio.to_thread(_chunk, course, samples, at.timestamp(), ahead.timestamp(), zone)
        for days in step.days if keep else ():
            await keeping.store(tx, [m.whose for m in group], days, ahead, step.loads)
        closed += step.closed
        outcome.hours += step.hours
        at = ahead
    if keep:
        await ledger.store(tx, group, course, closed, end, anew=anew)
    still = [f for each in course.open.values() for f in each]
    outcome.opened = [f for f in still + closed if f.key not in before]
    outcome.closed = closed
    return outcome


def _stride(machines: int) -> timedelta:
    """How much time of so many machines is worked on at once: whole hours, at most a week."""
    hours = ROWS_AT_ONCE * USUAL_STEP_S / HOUR_S / max(machines, 1)
    return timedelta(hours=int(min(max(hours, 1.0), 168.0)))


async def _samples(tx: Tx, group: list[Member], start: datetime, end: datetime) -> Samples:
    """Readings of the group, each machine's from where it may be read on."""
    frames = await telemetry.frames(tx, [m.whose.series for m in group], start, end)
    series = np.array([m.whose.series for m in group], np.int64)
    order = np.argsort(series)
    place = order[np.searchsorted(series[order], frames.series)] if len(frames) else np.zeros(0, np.int64)
    may = frames.t >= np.array([m.from_.timestamp() for m in group])[place] if len(frames) else np.zeros(0, bool)
    rows = np.flatnonzero(may)[np.argsort(place[may], kind="stable")]
    points = {name: values[rows] for name, values in frames.points.items()}
    return Samples([m.machine for m in group], place[rows], frames.t[rows], points)


@dataclass(slots=True)
class _Step:
    """What a chunk of readings brought."""

    days: list[Days] = field(default_factory=list)
    loads: Hours = field(default_factory=dict)
    closed: list[Found] = field(default_factory=list)
    hours: int = 0


def _chunk(course: Course, samples: Samples, since: float, until: float, zone: ZoneInfo) -> _Step:
    """Follow all local days of a chunk: hours that ended after `since`, and not after `until` (s since 1970)."""
    found = features(samples) if len(samples) else {}
    ends = samples.hour_start + HOUR_S
    wanted = (ends > since) & (ends <= until)
    step = _Step(hours=int(wanted.sum()), loads=loads_by_day(samples, found, wanted))
    first, last = (day_of(datetime.fromtimestamp(t, UTC).astimezone(zone)) for t in (since, until - 1.0))
    for day in range(first, last + 1):
        mine = np.flatnonzero(wanted & (samples.hour_day == day))
        machine = samples.hour_machine[mine]
        at = min(_midnight(day + 1, zone), until)
        step.closed += course.follow(day, machine, {name: values[mine] for name, values in found.items()}, at)
        heard: Ints = np.unique(machine)
        if len(heard):
            step.days.append(course.newest(heard))
    return step


def _midnight(day: int, zone: ZoneInfo) -> float:
    """The start of a local day, in s since 1970."""
    return datetime.combine(EPOCH + timedelta(days=day), time(), zone).timestamp()


FULL = 0.97
"""A day of which at least this share is covered by readings is not looked at again."""


async def gappy(tx: Tx, members: Sequence[Member], day: int) -> list[Member]:
    """Those of which less than `FULL` of a local day (since 1970) is known, or nothing."""
    days = await keeping.load(tx, [m.machine for m in members], [m.whose.series for m in members], day, day)
    covered = days.sums.get("s.covered", np.zeros(len(days.day)))
    full = set(days.machine[np.nan_to_num(covered) >= FULL * DAY_S].tolist())
    return [member for n, member in enumerate(members) if n not in full]


async def recompute(tx: Tx, members: Sequence[Member], day: int) -> int:
    """Make the sums of one local day anew from all readings that there are of it by now, as far as they became more; how many machine days
    changed. What was learnt and found stays: the next run judges by the new sums. For `System("diagnosis")`."""
    changed = 0
    for zone, together in groupby(sorted(members, key=lambda m: m.machine.time_zone), key=lambda m: m.machine.time_zone):
        group = list(together)
        start, end = (datetime.fromtimestamp(_midnight(d, ZoneInfo(zone)), UTC) for d in (day, day + 1))
        machines = [m.machine for m in group]
        before = await keeping.load(tx, machines, [m.whose.series for m in group], day, day)
        samples = await _samples(tx, group, start - timedelta(seconds=LEAD_S), end)
        memory = Memory.from_bytes([m.state for m in group])
        fresh, hours = await asyncio.to_thread(_summed, samples, memory, day)
        more = _fuller(before, fresh)
        await keeping.store(tx, [m.whose for m in group], more, end, hours)
        changed += len(more.day)
    return changed


def _summed(samples: Samples, memory: Memory, day: int) -> tuple[Days, Hours]:
    course = Course(Window(samples.machines), memory, detectors=())
    found = features(samples) if len(samples) else {}
    mine = np.flatnonzero(samples.hour_day == day)
    course.follow(day, samples.hour_machine[mine], {name: values[mine] for name, values in found.items()}, (day + 1) * DAY_S)
    return course.newest(np.unique(samples.hour_machine[mine])), loads_by_day(samples, found, samples.hour_day == day)


def _fuller(before: Days, fresh: Days) -> Days:
    """The machines' days that have become longer than they were known."""
    known = dict(zip(before.machine.tolist(), before.sums.get("s.covered", np.zeros(len(before.day))).tolist(), strict=True))
    covered: Floats = fresh.sums.get("s.covered", np.zeros(len(fresh.day)))
    keep: Flags = np.array([c > known.get(m, 0.0) + 1.0 for m, c in zip(fresh.machine.tolist(), covered.tolist(), strict=True)], bool)
    return Days(fresh.machines, fresh.machine[keep], fresh.day[keep], {name: values[keep] for name, values in fresh.sums.items()})
