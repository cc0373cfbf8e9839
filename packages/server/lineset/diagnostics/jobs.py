"""The jobs of diagnosis: each hour what was measured since, in lots that many workers share, and once a day what comes next of each
machine; each night days that became fuller, findings of machines that went, and what technicians' verdicts teach."""

import itertools
import math
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import procrastinate
import structlog
from sqlalchemy import delete, func, insert, select, text

from lineset.diagnostics import population
from lineset.diagnostics.advising import renew_advice
from lineset.diagnostics.findings import list_findings, said
from lineset.diagnostics.keeping import day_of
from lineset.diagnostics.model import FaultPriorRow, FindingRow, FindingStepRow
from lineset.diagnostics.population import DIAGNOSE, LOTS
from lineset.kit.clock import now
from lineset.kit.errors import Invalid
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.privacy import Context, Door, Purpose, System

log = structlog.get_logger(__name__)

MACHINES_AT_ONCE = 2_000
"""About so many machines are followed in one transaction."""
LATE_DAYS = 7
"""So far back a night looks for days that became fuller, because a gateway was away."""
LEARN = Context(System("diagnosis"), Purpose.FLEET_MODELS)


def add_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register the jobs `diagnosis.` `share_out`, `follow`, `tidy`, `recompute` and `learn_verdicts`."""

    @app.periodic(cron="4 * * * *")
    @app.task(name="diagnosis.share_out", queueing_lock="diagnosis.share_out")
    async def share_out(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await ask_soon(door)

    @app.task(name="diagnosis.follow", retry=2)
    async def follow(first: int, last: int) -> None:
        await follow_lots(door, range(first, last + 1), now())
        await foretell_lots(door, range(first, last + 1), now())

    @app.periodic(cron="41 4 * * *")
    @app.task(name="diagnosis.tidy", queueing_lock="diagnosis.tidy")
    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - as above
        await close_gone(door)
        await learn_verdicts(door)
        async with door.open(DIAGNOSE) as tx:
            for first, last in shares(await population.count(tx)):
                await defer(tx.session, "diagnosis.recompute", lock=f"diagnosis.recompute.{first}", first=first, last=last)

    @app.task(name="diagnosis.recompute", retry=2)
    async def again(first: int, last: int) -> None:
        await recompute_lots(door, range(first, last + 1), now())

    @app.task(name="diagnosis.learn_verdicts", retry=3)
    async def learn(finding: str) -> None:  # noqa: ARG001 - which one does not matter: all are counted anew
        await learn_verdicts(door)


def shares(machines: int) -> list[tuple[int, int]]:
    """The lots from first to last of each job, for so many machines."""
    number = min(max(math.ceil(machines / MACHINES_AT_ONCE), 1), LOTS)
    edges = [LOTS * n // number for n in range(number + 1)]
    return [(a, b - 1) for a, b in itertools.pairwise(edges)]


async def ask_soon(door: Door) -> None:
    """Queue the following of all machines, shared out."""
    async with door.open(DIAGNOSE) as tx:
        for first, last in shares(await population.count(tx)):
            await defer(tx.session, "diagnosis.follow", lock=f"diagnosis.follow.{first}", first=first, last=last)


async def follow_lots(door: Door, lots: Sequence[int], until: datetime) -> int:
    """Follow the machines of these lots to the last full hour; how many hours of readings were taken in."""
    from lineset.diagnostics import following  # noqa: PLC0415 - an idle worker never loads what it needs

    async with door.open(DIAGNOSE) as tx:
        await population.lock(tx, lots)
        done = await following.follow(tx, await population.of_lots(tx, lots), until)
        changed = {UUID(f.machine) for f in (*done.opened, *done.closed)}
    log.info("diagnosed", machines=done.machines, hours=done.hours, opened=len(done.opened), closed=len(done.closed))
    if changed:
        await renew_advice(door, changed)
    return done.hours


async def recompute_lots(door: Door, lots: Sequence[int], until: datetime) -> int:
    """Make the sums of the last days anew where readings came late; how many machine days changed."""
    from lineset.diagnostics import following  # noqa: PLC0415 - as above

    changed = 0
    today = day_of(until.astimezone(UTC))
    for day in range(today - LATE_DAYS, today):
        async with door.open(DIAGNOSE) as tx:
            await population.lock(tx, lots)
            late = [m for m in await population.of_lots(tx, lots) if m.through is not None and day_of(m.through) > day + 1]
            gappy = await following.gappy(tx, late, day)
            if gappy:
                changed += await following.recompute(tx, gappy, day)
    return changed


async def foretell_lots(door: Door, lots: Sequence[int], until: datetime) -> int:
    """Foretell what comes next of those machines of these lots of which nothing was foretold for a day; of how many."""
    from lineset.diagnostics import prospects  # noqa: PLC0415 - as above

    told: set[UUID] = set()
    for lot in lots:
        async with door.open(DIAGNOSE) as tx:
            stale = await prospects.stale(tx, await population.of_lots(tx, [lot]), until)
            await prospects.foretell(tx, stale, until)
            told |= {member.whose.equipment for member in stale}
    if told:
        await renew_advice(door, told)
    return len(told)


async def close_gone(door: Door) -> int:
    """Close the findings of machines that were retired or went to somebody else; how many."""
    found = text("SELECT f.id, n.ends_at FROM findings f JOIN tenures n USING (series_id) WHERE f.closed IS NULL AND n.ends_at IS NOT NULL")
    async with door.open(DIAGNOSE) as tx:
        rows = (await tx.session.execute(found)).all()
        for id_, ended in rows:
            row = await tx.session.get(FindingRow, id_, with_for_update=True)
            if row is not None and row.closed is None:
                row.closed, row.state = max(ended, row.opened), "closed"
                step = {"finding_id": id_, "household_id": row.household_id, "at": now(), "state": "closed", "note": GONE, "verdict": ""}
                tx.session.add(FindingStepRow(id=new_id(), by_id=None, **step))
    return len(rows)


GONE = "machine_gone"
"""The platform's note where the machine went."""


async def learn_verdicts(door: Door) -> int:
    """Count anew what technicians found where diagnosis had named a fault, by make and model; how many counts.

    Only of households that let the fleet's models learn: whoever takes that back is out of the next count.
    """
    f, s = FindingRow, FindingStepRow
    last = select(s.finding_id, s.verdict).where(s.verdict != "").distinct(s.finding_id).order_by(s.finding_id, s.at.desc(), s.id.desc())
    counts: dict[tuple[str, str, str], list[int]] = {}
    async with door.open(LEARN) as tx:
        told = last.subquery()
        asked = (
            select(f.make, f.model, f.candidates, told.c.verdict).join(told, told.c.finding_id == f.id).where(f.make != "", f.model != "")
        )
        for make, model, candidates, verdict in await tx.session.execute(asked):
            for fault in {*candidates, *({verdict} if verdict != "none" else ())}:
                both = counts.setdefault((make, model, fault), [0, 0])
                both[0 if fault == verdict else 1] += 1
    rows = [
        {"make": make, "model": model, "fault": fault, "confirmed": yes, "rejected": no}
        for (make, model, fault), (yes, no) in counts.items()
    ]
    async with door.open(DIAGNOSE) as tx:
        await tx.session.execute(select(func.pg_advisory_xact_lock(func.hashtext("lineset.verdicts"))))
        await tx.session.execute(delete(FaultPriorRow))
        if rows:
            await tx.session.execute(insert(FaultPriorRow), rows)
    return len(rows)


async def look_at_site(door: Door, site: UUID, since: datetime | None, until: datetime | None = None) -> None:
    """Diagnose a site anew over its stored history and store what is found."""
    from lineset.diagnostics import following  # noqa: PLC0415 - as above
    from lineset.diagnostics.detectors import DETECTORS  # noqa: PLC0415 - as above

    async with door.open(DIAGNOSE) as tx:
        await population.lock(tx, [await population.lot_of(tx, site)])
        await following.again(tx, await population.of_site(tx, site), since, until or now(), DETECTORS)


async def backtest(door: Door, detector: str, since: datetime | None) -> AsyncIterator[dict[str, object]]:
    """What this build would find over stored history, beside what is stored, of one detector's faults: by finding a line as programs read
    it, with `change` open (new), same, close (open, and not found any more) or gone (closed, and not found any more). Nothing is stored.

    Raises:
        Invalid: no such detector.
    """
    from lineset.diagnostics import following  # noqa: PLC0415 - as above
    from lineset.diagnostics.detectors import DETECTORS  # noqa: PLC0415 - as above
    from lineset.diagnostics.recorded import line  # noqa: PLC0415 - as above

    mine = next((d for d in DETECTORS if d.name == detector), None)
    if mine is None:
        raise Invalid("which", f"No detector is called {detector}. There are {', '.join(d.name for d in DETECTORS)}.")
    for lot in range(LOTS):
        async with door.open(DIAGNOSE) as tx:
            members = await population.of_lots(tx, [lot])
            if not members:
                continue
            made = await following.again(tx, members, since, now(), DETECTORS, keep=False)
            stored = await list_findings(tx, equipment=[m.whose.equipment for m in members], since=since)
        sites = {m.machine.id: m.machine.site for m in members}
        known = {(str(f.equipment), f.fault): f for f in stored if f.fault in mine.faults and f.state != "false_alarm"}
        for found in {f.key: f for f in made.opened if f.what.fault in mine.faults}.values():
            change = "open" if known.pop((found.machine, found.what.fault), None) is None else "same"
            yield {**line(sites[found.machine], found.machine, found), "change": change}
        for left, view in zip(said(list(known.values())), known.values(), strict=True):
            yield {**left, "change": "close" if view.closed is None else "gone"}
