"""Findings as people work with them: seen, acknowledged, assigned, repaired, judged by a technician.

Whoever may see a household's machines sees its findings; whoever may change its equipment, as a member or by a grant, works on them.
"""

import time
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from lineset_contract.faults import FAULTS
from sqlalchemy import select

from lineset.diagnostics.model import FindingRow, FindingStepRow
from lineset.diagnostics.views import OPEN_STATES, Candidate, Finding, FindingState, Step, told
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.privacy import Tx
from lineset.privacy.rights import may

MOST_WORDS = 2_000
MOST_AT_ONCE = 5_000
NO_FAULT = "none"
"""The verdict of whoever looked and found nothing wrong."""


async def list_findings(
    tx: Tx,
    *,
    site: UUID | None = None,
    equipment: UUID | Collection[UUID] | None = None,
    household: UUID | None = None,
    open_only: bool = False,
    since: datetime | None = None,
    limit: int = MOST_AT_ONCE,
) -> list[Finding]:
    """The findings that the actor may see, open ones first, then those seen last; `since`: only those that lasted until then."""
    f = FindingRow
    asked = select(f).order_by(f.closed.is_not(None), f.seen.desc(), f.id).limit(min(max(limit, 1), MOST_AT_ONCE))
    if site is not None:
        asked = asked.where(f.site_id == site)
    if equipment is not None:
        asked = asked.where(f.equipment_id.in_([equipment] if isinstance(equipment, UUID) else list(equipment)))
    if household is not None:
        asked = asked.where(f.household_id == household)
    if open_only:
        asked = asked.where(f.closed.is_(None))
    if since is not None:
        asked = asked.where(f.closed.is_(None) | (f.closed >= since))
    return [_view(row) for row in await tx.session.scalars(asked)]


async def get_finding(tx: Tx, finding: UUID) -> Finding:
    """One finding.

    Raises:
        NotFound: no such finding is shared with the asker.
    """
    return _view(await _row(tx, finding))


async def steps(tx: Tx, finding: UUID) -> list[Step]:
    """A finding's steps, in the order in which they were taken. Raises NotFound as `get_finding` does."""
    await _row(tx, finding)
    s = FindingStepRow
    rows = await tx.session.scalars(select(s).where(s.finding_id == finding).order_by(s.id))
    return [Step(r.at, cast("FindingState", r.state), r.by_id, r.note, r.verdict) for r in rows]


async def acknowledge(tx: Tx, finding: UUID, note: str = "") -> Finding:
    """Say that it was seen and will be looked after.

    Raises (as all steps do):
        NotFound: no such finding is shared with the asker.
        Denied: the asker may look at the machine, but not work on it.
        Conflict: the finding is closed, or further on already.
        Invalid: the note is too long.
    """
    row = await _to_change(tx, finding, note, {"open"})
    return await _move(tx, row, "acknowledged", note)


async def assign(tx: Tx, finding: UUID, person: UUID, note: str = "") -> Finding:
    """Give it to somebody whom the asker may know. Raises as `acknowledge` does, and NotFound for an unknown person."""
    row = await _to_change(tx, finding, note, set(OPEN_STATES))
    people = FindingRow.metadata.tables["people"].c
    if await tx.session.scalar(select(people.id).where(people.id == person)) is None:
        raise NotFound("person")
    row.assigned_to = person
    return await _move(tx, row, "in_repair" if row.state == "in_repair" else "assigned", note)


async def start_repair(tx: Tx, finding: UUID, note: str = "") -> Finding:
    """Work on the machine begins. Raises as `acknowledge` does."""
    row = await _to_change(tx, finding, note, {"open", "acknowledged", "assigned"})
    return await _move(tx, row, "in_repair", note)


async def repaired(tx: Tx, finding: UUID, note: str = "", at: datetime | None = None) -> Finding:
    """It is mended, since `at` (now). From then on only later readings count: enough sound running verifies it, and a fault that is still
    there opens it again. Raises as `acknowledge` does, and Invalid for a time that is in the future or before the finding."""
    row = await _to_change(tx, finding, note, set(OPEN_STATES))
    when = at or now()
    if when.tzinfo is None or not row.opened <= when <= now():
        raise Invalid("bad_time", "Say when it was mended: after it was found, and not in the future.", "at")
    row.repaired, row.clear_since = when, None
    return await _move(tx, row, "in_repair", note)


async def false_alarm(tx: Tx, finding: UUID, note: str = "") -> Finding:
    """There is nothing wrong with the machine. The same is not found again for a time, unless it grows. Raises as `acknowledge` does."""
    row = await _to_change(tx, finding, note, set(OPEN_STATES))
    row.closed = now()
    done = await _move(tx, row, "false_alarm", note, NO_FAULT)
    await _learn(tx, row)
    return done


async def confirm(tx: Tx, finding: UUID, fault: str, note: str = "") -> Finding:
    """What a technician found on site: the name of a fault, or "none". The finding stays in its state; what diagnosis expects of this
    make and model learns from it. Raises as `acknowledge` does, but of closed findings too, and Invalid for an unknown fault."""
    if fault != NO_FAULT and fault not in FAULTS:
        raise Invalid("unknown_fault", f"{fault[:64]!r} is not a fault that Lineset knows. Name one of the list, or none.", "fault")
    row = await _to_change(tx, finding, note, None)
    done = await _move(tx, row, cast("FindingState", row.state), note, fault)
    await _learn(tx, row)
    return done


async def reopen(tx: Tx, finding: UUID, note: str = "") -> Finding:
    """It is not over. Raises as `acknowledge` does, and Conflict where it is open, or where another finding of this fault is."""
    row = await _to_change(tx, finding, note, {"verified_fixed", "closed", "false_alarm"})
    f = FindingRow
    same = select(f.id).where(f.series_id == row.series_id, f.fault == row.fault, f.closed.is_(None))
    if await tx.session.scalar(same) is not None:
        raise Conflict("open_already", "A newer finding of this fault is open. Work on that one.")
    row.closed, row.repaired, row.clear_since = None, None, None
    return await _move(tx, row, "open", note)


async def _row(tx: Tx, finding: UUID) -> FindingRow:
    row = await tx.session.get(FindingRow, finding)
    if row is None:
        raise NotFound("finding")
    return row


async def _to_change(tx: Tx, finding: UUID, note: str, states: Collection[str] | None) -> FindingRow:
    """The finding's row, locked, if the asker may work on it and it is in one of these states."""
    row = await _row(tx, finding)
    if not await may(tx, row.household_id, "equipment"):
        raise Denied("may_not_change", "You may look at this machine, but not change what is kept about it.")
    if len(note) > MOST_WORDS:
        raise Invalid("too_long", f"A note has at most {MOST_WORDS} characters.", "note")
    await tx.session.refresh(row, with_for_update=True)
    if states is not None and row.state not in states:
        raise Conflict("not_in_this_state", f"The finding is {row.state.replace('_', ' ')} already.")
    return row


async def _move(tx: Tx, row: FindingRow, state: FindingState, note: str, verdict: str = "") -> Finding:
    row.state = state
    keep_step(tx, row, state, now(), tx.context.person, note, verdict)
    await tx.session.flush()
    return _view(row)


def keep_step(
    tx: Tx, row: FindingRow, state: str, at: datetime, by: UUID | None, note: str = "", verdict: str = "", *, after: int = 0
) -> None:
    """Write a step down; `by` None: the platform itself. `after`: so many others are written in the same moment before it."""
    said = "".join(c if c.isprintable() or c == "\n" else " " for c in note).strip()
    step = {"state": state, "at": at, "by_id": by, "note": said, "verdict": verdict}
    tx.session.add(FindingStepRow(id=new_id(time.time() + after * 0.002), finding_id=row.id, household_id=row.household_id, **step))


async def _learn(tx: Tx, row: FindingRow) -> None:
    await defer(tx.session, "diagnosis.learn_verdicts", lock="diagnosis.learn_verdicts", finding=str(row.id))


def _view(row: FindingRow) -> Finding:
    return Finding(
        id=row.id,
        equipment=row.equipment_id,
        site=row.site_id,
        household=row.household_id,
        fault=row.fault,
        candidates=candidates_of(row.candidates),
        effects=tuple(row.effects),
        confidence=row.confidence,
        severity=row.severity,
        cost_a_day=row.cost_a_day,
        evidence=dict(row.evidence),
        plot=tuple(row.plot),
        state=cast("FindingState", row.state),
        opened=row.opened,
        seen=row.seen,
        closed=row.closed,
        assigned_to=row.assigned_to,
        repaired=row.repaired,
    )


def candidates_of(stored: dict[str, Any]) -> tuple[Candidate, ...]:
    """Candidates as they are stored, the likeliest first."""
    return tuple(Candidate(fault, float(p)) for fault, p in sorted(stored.items(), key=lambda item: (-float(item[1]), item[0])))


def said(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """Findings as programs read them, with exactly the keys of `lineset findings --json`; times in ISO 8601 UTC."""
    return [told(str(f.site), str(f.equipment), f.fault, f.opened, f.closed, f.confidence, f.candidates) for f in findings]
