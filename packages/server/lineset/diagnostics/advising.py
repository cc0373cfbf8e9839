"""Advice kept: made anew by the platform as findings come and go, read and dismissed by people, and shown to companies with a yes."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

import procrastinate
from sqlalchemy import Row, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from lineset.diagnostics.advice import Known, advise, payback
from lineset.diagnostics.findings import list_findings
from lineset.diagnostics.model_advice import AdviceRow
from lineset.diagnostics.prices import PRICES
from lineset.diagnostics.prospects import prospects_of
from lineset.diagnostics.views import Advice, Finding, Prospect
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.privacy import Context, Door, Purpose, System, Tx

DAY_S = 86_400.0


async def list_advice(
    tx: Tx, *, household: UUID | None = None, site: UUID | None = None, equipment: UUID | None = None, dismissed: bool = False
) -> list[Advice]:
    """The advice that stands, or that was dismissed, as far as the asker may see it, in no order: `rank` has it.

    A company sees that of a household which says yes to offers of its companies ("leads"), and no other.
    """
    a = AdviceRow
    asked = select(a).where(a.stands, a.dismissed_at.is_not(None) if dismissed else a.dismissed_at.is_(None))
    for column, value in ((a.household_id, household), (a.site_id, site), (a.equipment_id, equipment)):
        if value is not None:
            asked = asked.where(column == value)
    return [_view(row) for row in await tx.session.scalars(asked)]


async def dismiss_advice(tx: Tx, advice: UUID) -> None:
    """It stays away from now on, also when it would be given again. Raises NotFound for whoever may not set the household's machines."""
    await _mark(tx, advice, gone=True)


async def restore_advice(tx: Tx, advice: UUID) -> None:
    """Advice that was dismissed is shown again. Raises as `dismiss_advice`."""
    await _mark(tx, advice, gone=False)


async def _mark(tx: Tx, advice: UUID, *, gone: bool) -> None:
    values = {"dismissed_at": now() if gone else None, "dismissed_by": tx.context.person if gone else None}
    done = await tx.session.execute(update(AdviceRow).where(AdviceRow.id == advice).values(values).returning(AdviceRow.id))
    if done.first() is None:
        raise NotFound("advice")


async def keep_advice(tx: Tx, known: Sequence[Known]) -> int:
    """Give the advice that follows from what is known of these machines, in place of what was given before; how much stands.

    What was dismissed stays so. For the platform's own actor "diagnosis".
    """
    moment = now()
    rows = [_row(each, a) for each in known for a in advise(each, moment)]
    if rows:
        made = insert(AdviceRow)
        again = {c: made.excluded[c] for c in ("suffers", "saving_a_year", "cost", "figures", "act_by", "made", "site_id")}
        await tx.session.execute(made.on_conflict_do_update(index_elements=["id"], set_={**again, "stands": True}), rows)
    gone = AdviceRow.equipment_id.in_([each.equipment for each in known]) & AdviceRow.id.not_in([row["id"] for row in rows])
    await tx.session.execute(update(AdviceRow).where(gone, AdviceRow.dismissed_at.is_not(None)).values(stands=False))
    await tx.session.execute(delete(AdviceRow).where(gone, AdviceRow.dismissed_at.is_(None)))
    return len(rows)


def _row(known: Known, advice: Advice) -> dict[str, object]:
    return {
        "id": advice.id,
        "household_id": known.household,
        "site_id": advice.site,
        "equipment_id": advice.equipment,
        "finding_id": advice.finding,
        "kind": advice.kind,
        "code": advice.code,
        "suffers": advice.suffers,
        "saving_a_year": advice.saving_a_year,
        "cost": advice.cost,
        "figures": advice.figures,
        "act_by": advice.made + timedelta(days=advice.urgency_days),
        "made": advice.made,
    }


def _view(row: AdviceRow) -> Advice:
    return Advice(
        id=row.id,
        equipment=row.equipment_id,
        site=row.site_id,
        kind=row.kind,  # type: ignore[arg-type]  # only `keep_advice` writes it
        code=row.code,
        finding=row.finding_id,
        saving_a_year=row.saving_a_year,
        cost=row.cost,
        payback_years=payback(row.cost, row.saving_a_year),
        urgency_days=max(0.0, (row.act_by - now()).total_seconds() / DAY_S),
        figures=dict(row.figures),
        made=row.made,
        suffers=row.suffers,
    )


# -- the job -------------------------------------------------------------------------------------------------------------

DIAGNOSE = Context(System("diagnosis"), Purpose.OPERATE)
AT_ONCE = 500
FRESH = timedelta(hours=1)
"""Machines of which something was foretold since are looked at again; the job runs more often than that."""
_ONLY = text(
    "SELECT e.id, e.household_id, e.site_id, e.type FROM equipment e WHERE e.id > :after AND e.retired_at IS NULL AND e.erased_at IS NULL"
    " AND e.id = ANY(:only) ORDER BY e.id LIMIT :most"
)
_WANTED = text(
    "SELECT e.id, e.household_id, e.site_id, e.type FROM equipment e WHERE e.id > :after AND e.retired_at IS NULL AND e.erased_at IS NULL"
    " AND (EXISTS (SELECT 1 FROM findings f WHERE f.equipment_id = e.id AND f.household_id = e.household_id AND f.closed IS NULL)"
    " OR EXISTS (SELECT 1 FROM advice a WHERE a.equipment_id = e.id AND a.stands)"
    " OR EXISTS (SELECT 1 FROM prospects p WHERE p.equipment_id = e.id AND p.made > CAST(:fresh AS timestamptz))) ORDER BY e.id LIMIT :most"
)


def add_advice_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register `diagnosis.advise`, four times an hour."""

    @app.periodic(cron="9,24,39,54 * * * *")
    @app.task(name="diagnosis.advise", queueing_lock="diagnosis.advise")
    async def again(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await renew_advice(door)


async def renew_advice(door: Door, only: Collection[UUID] | None = None) -> int:
    """Give advice anew for every machine that has an open finding, had advice, or of which more was foretold, or for `only`
    these; how much stands. Safe to run twice, or to be killed."""
    after, stands = UUID(int=0), 0
    while True:
        async with door.open(DIAGNOSE) as tx:
            which: dict[str, object] = {"fresh": now() - FRESH} if only is None else {"only": list(only)}
            asked = _WANTED if only is None else _ONLY
            machines = (await tx.session.execute(asked, {"after": after, "most": AT_ONCE, **which})).all()
            if not machines:
                return stands
            found: dict[UUID, list[Finding]] = {}
            for finding in await list_findings(tx, equipment=[m.id for m in machines], open_only=True):
                found.setdefault(finding.equipment, []).append(finding)
            coming = await prospects_of(tx, [m.id for m in machines])
            stands += await keep_advice(tx, [_known(m, found.get(m.id, ()), coming.get(m.id)) for m in machines])
        after = machines[-1].id


def _known(machine: Row[tuple[UUID, UUID, UUID, str]], findings: Sequence[Finding], coming: Prospect | None) -> Known:
    mine = [f for f in findings if f.household == machine.household_id]
    year = {} if coming is None else coming.year
    bought = {name: year[key] for name, key in (("kwh.electric", "electric"), ("kwh.gas", "gas")) if key in year}
    energy = sum(bought.values())
    comfort = year.get("comfort")
    return Known(
        household=machine.household_id,
        equipment=machine.id,
        site=machine.site_id,
        type=machine.type,
        findings=mine,
        dues=() if coming is None else coming.dues,
        lives=() if coming is None else coming.lives,
        energy_kwh=energy or None,
        price=sum(PRICES[name] * kwh for name, kwh in bought.items()) / energy if energy else None,
        efficiency=year.get("efficiency"),
        evaporating=year.get("evaporating"),
        condensing=year.get("condensing"),
        comfort=None if comfort is None else comfort / 100.0,
    )
