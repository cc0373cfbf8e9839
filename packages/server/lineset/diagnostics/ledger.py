"""Between what is stored and a course that goes on: window, memory and findings read at its start, and written at its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select, text

from lineset.diagnostics import keeping
from lineset.diagnostics.baseline import Memory
from lineset.diagnostics.cases import WINDOW_DAYS, Detector
from lineset.diagnostics.course import Course, Window
from lineset.diagnostics.engine import Found
from lineset.diagnostics.findings import candidates_of, keep_step
from lineset.diagnostics.grouping import Conclusion
from lineset.diagnostics.keeping import day_of, utc
from lineset.diagnostics.model import FaultPriorRow, FindingRow
from lineset.diagnostics.population import Member
from lineset.diagnostics.predict.fleet import norms_of
from lineset.diagnostics.prices import PRICES, cost_a_day
from lineset.diagnostics.verdicts import shift
from lineset.privacy import Tx

MUTED_DAYS = 90
"""For so long after a false alarm the same fault is not found again, unless it grows."""


async def resumed(tx: Tx, group: Sequence[Member], day: int, detectors: Sequence[Detector]) -> Course:
    """The course of these machines as it was left, `day` (local, since 1970) being the day that goes on."""
    machines = [m.machine for m in group]
    window = Window(machines, await norms_of(tx, machines))
    window.roll(day)
    window.put(await keeping.load(tx, machines, [m.whose.series for m in group], day - WINDOW_DAYS + 1, day))
    course = Course(window, Memory.from_bytes([m.state for m in group]), detectors=detectors)
    await prepare(tx, group, course)
    return course


async def prepare(tx: Tx, group: Sequence[Member], course: Course) -> None:
    """Read into a course the findings that are open, what people called false alarms, repairs, and what verdicts taught."""
    place = {m.whose.series: n for n, m in enumerate(group)}
    f = FindingRow
    recent = utc(_today(group) - MUTED_DAYS * 86_400.0)
    rows = await tx.session.scalars(
        select(f)
        .where(f.series_id.in_(place), f.closed.is_(None) | (f.closed > recent) | (f.repaired > recent))
        .order_by(f.opened, f.id)
        .execution_options(populate_existing=True)
    )
    muted: dict[str, dict[str, float]] = {}
    for row in rows:
        machine = group[place[row.series_id]].machine
        if row.closed is None:
            course.open.setdefault(machine.id, []).append(_found(machine.id, row))
        if row.state == "false_alarm":
            muted.setdefault(machine.id, {})[row.fault] = max(row.severity, muted.get(machine.id, {}).get(row.fault, 0.0))
        if row.repaired is not None and row.state != "false_alarm":
            day = day_of(row.repaired.astimezone(ZoneInfo(machine.time_zone))) + 1
            course.window.fresh[place[row.series_id]] = max(day, int(course.window.fresh[place[row.series_id]]))
    course.muted = muted
    course.shifts = await _shifts(tx, group)


def _today(group: Sequence[Member]) -> float:
    return max((m.through.timestamp() for m in group if m.through is not None), default=0.0)


async def _shifts(tx: Tx, group: Sequence[Member]) -> dict[tuple[str, str], Mapping[str, float]]:
    p = FaultPriorRow
    makes = sorted({m.machine.make for m in group if m.machine.make and m.machine.model})
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in await tx.session.scalars(select(p).where(p.make.in_(makes))) if makes else ():
        found.setdefault((row.make, row.model), {})[row.fault] = shift(row.confirmed, row.rejected)
    return cast("dict[tuple[str, str], Mapping[str, float]]", found)


def _found(machine: str, row: FindingRow) -> Found:
    evidence = {name: float(value) for name, value in row.evidence.items()}
    candidates, effects = candidates_of(row.candidates), tuple(row.effects)
    what = Conclusion(row.fault, candidates, effects, row.confidence, row.severity, row.loss, evidence, tuple(row.plot))
    clear = None if row.clear_since is None else row.clear_since.timestamp()
    return Found(machine, what, row.opened.timestamp(), row.seen.timestamp(), None, clear, str(row.id))


async def store(tx: Tx, group: Sequence[Member], course: Course, closed: Sequence[Found], through: datetime, *, anew: bool = False) -> None:
    """Write down what a course came to: memories with how far they are, findings and their steps.

    `anew`: the course began at nothing, so its findings are matched with stored ones of the same time, which keep what people did; what
    nobody touched and is not found any more goes.
    """
    await _store_memories(tx, group, course, through)
    place = {m.machine.id: n for n, m in enumerate(group)}
    known = await _known(tx, group, anew=anew)
    found = [*closed, *(f for each in course.open.values() for f in each)]
    added: list[FindingRow] = []
    for each in sorted(found, key=lambda f: f.opened):
        member = group[place[each.machine]]
        row = known.pop(UUID(each.key), None) if not anew else _taken(known, member, each)
        cost = _cost(course, place[each.machine], each)
        if row is None:
            added.append(_added(tx, member, each, cost))
        else:
            _update(tx, row, each, cost)
    await tx.session.flush()  # findings before their steps, which refer to them
    for fresh in added:
        keep_step(tx, fresh, "open", fresh.opened, None)
        if fresh.closed is not None:
            keep_step(tx, fresh, "closed", fresh.closed, None, after=1)
    await tx.session.flush()
    if anew:
        await _forget(tx, known)


async def _store_memories(tx: Tx, group: Sequence[Member], course: Course, through: datetime) -> None:
    rows: list[dict[str, Any]] = []
    same: list[int] = []
    for member, state in zip(group, course.memory.to_bytes(), strict=True):
        if member.through is not None and state == member.state:
            same.append(member.whose.series)  # its bytes, which are many, need not be written again
            continue
        whose = {"series_id": member.whose.series, "equipment_id": member.whose.equipment, "household_id": member.whose.household}
        rows.append({**whose, "state": state})
    if same:
        moved = text("UPDATE machine_memories SET through = :through WHERE series_id = ANY(:series)")
        await tx.session.execute(moved, {"through": through, "series": same})
    if rows:
        await tx.session.execute(_KEPT, {name: [row[name] for row in rows] for name in rows[0]} | {"through": through})


_KEPT = text(
    "INSERT INTO machine_memories (series_id, equipment_id, household_id, state, through) SELECT *, :through"
    " FROM unnest(CAST(:series_id AS int[]), CAST(:equipment_id AS uuid[]), CAST(:household_id AS uuid[]), CAST(:state AS bytea[]))"
    " ON CONFLICT (series_id) DO UPDATE SET state = excluded.state, through = excluded.through"
)
"""One statement for all, since the guards of a table are asked once a statement."""


async def _known(tx: Tx, group: Sequence[Member], *, anew: bool) -> dict[UUID, FindingRow]:
    f = FindingRow
    asked = select(f).where(f.series_id.in_([m.whose.series for m in group]))
    rows = await tx.session.scalars((asked if anew else asked.where(f.closed.is_(None))).with_for_update())
    return {row.id: row for row in rows}


def _taken(known: dict[UUID, FindingRow], member: Member, found: Found) -> FindingRow | None:
    """The stored finding that is this one: of a fault that it may be, at the same time."""
    faults = {found.what.fault, *(c.fault for c in found.what.candidates)}
    for id_, row in known.items():
        end = float("inf") if row.closed is None else row.closed.timestamp()
        overlaps = row.opened.timestamp() < (found.closed or float("inf")) and found.opened < end
        if row.series_id == member.whose.series and row.fault in faults and overlaps:
            return known.pop(id_)
    return None


def _cost(course: Course, place: int, found: Found) -> float | None:
    """What it costs a day: its share of the energy that the machine uses a day, as measured in the last days."""
    means = {name: values[place] for name, values in course.window.sums.items() if name in PRICES}
    known = {name: float(np.nanmean(values)) for name, values in means.items() if not np.isnan(values).all()}
    return cost_a_day(known, found.what.loss)


def _values(found: Found, cost: float | None) -> dict[str, Any]:
    what = found.what
    return {
        "fault": what.fault,
        "candidates": {c.fault: c.probability for c in what.candidates},
        "effects": list(what.effects),
        "confidence": min(max(what.confidence, 0.0), 1.0),
        "severity": what.severity,
        "loss": what.loss,
        "cost_a_day": cost,
        "evidence": what.evidence,
        "plot": list(what.plot),
        "seen": utc(found.seen),
        "clear_since": None if found.clear_since is None else utc(found.clear_since),
    }


def _added(tx: Tx, member: Member, found: Found, cost: float | None) -> FindingRow:
    whose, machine = member.whose, member.machine
    belongs = {"equipment_id": whose.equipment, "site_id": whose.site, "household_id": whose.household}
    named = {"make": machine.make, "model": machine.model, "opened": utc(found.opened)}
    over = None if found.closed is None else utc(found.closed)
    row = FindingRow(
        id=UUID(found.key),
        series_id=whose.series,
        state="open" if over is None else "closed",
        closed=over,
        **belongs,
        **named,
        **_values(found, cost),
    )
    tx.session.add(row)
    return row


def _update(tx: Tx, row: FindingRow, found: Found, cost: float | None) -> None:
    """A stored finding as it is now. One that was said to be repaired is verified by enough sound running, and opens again when its fault
    is seen in readings from after the repair."""
    if row.closed is not None:
        return  # people or an earlier run closed it
    for name, value in _values(found, cost).items():
        setattr(row, name, value)
    if found.closed is not None:
        row.closed = utc(found.closed)
        row.state = "verified_fixed" if row.repaired is not None else "closed"
        keep_step(tx, row, row.state, row.closed, None)
    elif row.repaired is not None and row.seen > row.repaired + timedelta(days=1):
        row.repaired, row.state = None, "open"
        keep_step(tx, row, "open", row.seen, None, CAME_BACK)


CAME_BACK = "came_back"
"""The platform's note where a fault is still there after a repair."""


async def _forget(tx: Tx, left: Mapping[UUID, FindingRow]) -> None:
    """Delete findings that nobody touched."""
    touched = text("SELECT DISTINCT finding_id FROM finding_steps WHERE finding_id = ANY(:ids) AND by_id IS NOT NULL")
    keep = set(await tx.session.scalars(touched, {"ids": list(left)})) if left else set()
    for id_, row in left.items():
        if id_ not in keep:
            await tx.session.delete(row)
    await tx.session.flush()
