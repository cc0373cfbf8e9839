"""Diagnosis: faults that were found, their steps, and what technicians do about them."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from lineset import diagnostics, sites
from lineset.api.edge import Caller, Desk, id_of
from lineset.api.things import moment_of
from lineset.diagnostics import views
from lineset.kit.clock import now
from lineset.kit.errors import Invalid

MOST_DAYS = 3_660
Do = Literal["acknowledge", "assign", "start_repair", "repaired", "false_alarm", "confirm", "reopen"]


class FindingDetail(msgspec.Struct, frozen=True):
    """A fault that was found, with its steps, oldest first."""

    finding: views.Finding
    steps: list[views.Step]


class NewStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do with a finding. `assign` needs a `person`, `confirm` the `fault` that was found on site, or "none"; `repaired` may say
    since when, by `at`."""

    do: Do
    note: str = ""
    person: UUID | None = None
    fault: str | None = None
    at: datetime | None = None


@get("/findings", summary="Faults that were found")
async def get_findings(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    site: Annotated[str | None, QueryParameter(description="Only of this site")] = None,
    equipment: Annotated[str | None, QueryParameter(description="Only of this machine")] = None,
    household: Annotated[str | None, QueryParameter(description="Only of this household")] = None,
    show: Annotated[Literal["open", "all"], QueryParameter(description="open, or all with those that are closed")] = "open",
    since: Annotated[str | None, QueryParameter(description="With all: only those that lasted until then (ISO 8601)")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=5_000, description="How many at most")] = 1_000,
) -> list[views.Finding]:
    """The faults of every machine that is shared with the asker, open ones first, then those seen last."""
    async with desk.platform.door.open(caller.context) as tx:
        return await diagnostics.list_findings(
            tx,
            site=id_of(site, "site") if site else None,
            equipment=id_of(equipment, "machine") if equipment else None,
            household=id_of(household, "household") if household else None,
            open_only=show == "open",
            since=moment_of(since, "since") if since else None,
            limit=limit,
        )


@get("/findings/{finding_id:str}", summary="A fault")
async def get_finding(caller: NamedDependency[Caller], desk: NamedDependency[Desk], finding_id: FromPath[str]) -> FindingDetail:
    """One fault with all its steps."""
    known = id_of(finding_id, "finding")
    async with desk.platform.door.open(caller.context) as tx:
        return FindingDetail(await diagnostics.get_finding(tx, known), await diagnostics.steps(tx, known))


@post("/findings/{finding_id:str}/steps", summary="Do something about a fault", status_code=201)
async def post_finding_step(
    caller: NamedDependency[Caller], desk: NamedDependency[Desk], finding_id: FromPath[str], data: JSONBody[NewStep]
) -> FindingDetail:
    """The fault as it is then. Enough sound running after `repaired` verifies a repair; a fault that is still there opens again."""
    known = id_of(finding_id, "finding")
    async with desk.platform.door.open(caller.context) as tx:
        if data.do == "assign":
            if data.person is None:
                raise Invalid("person_needed", "Say in person who is to look after it.", "person")
            await diagnostics.assign(tx, known, data.person, data.note)
        elif data.do == "confirm":
            if data.fault is None:
                raise Invalid("fault_needed", "Say in fault what was found on site, or none.", "fault")
            await diagnostics.confirm(tx, known, data.fault, data.note)
        elif data.do == "repaired":
            await diagnostics.repaired(tx, known, data.note, data.at)
        else:
            plain = {
                "acknowledge": diagnostics.acknowledge,
                "start_repair": diagnostics.start_repair,
                "false_alarm": diagnostics.false_alarm,
                "reopen": diagnostics.reopen,
            }
            await plain[data.do](tx, known, data.note)
        return FindingDetail(await diagnostics.get_finding(tx, known), await diagnostics.steps(tx, known))


@get("/equipment/{equipment_id:str}/performance", summary="How a machine ran")
async def get_performance(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    equipment_id: FromPath[str],
    start: Annotated[date | None, QueryParameter(description="First day of the site's calendar; without it 31 days before the end")] = None,
    end: Annotated[date | None, QueryParameter(description="The day after the last; without it tomorrow")] = None,
    step: Annotated[Literal["day", "month", "season", "year", "whole"], QueryParameter(description="What is added up")] = "day",
) -> list[views.Performance]:
    """Figures of each day, month or season, each with its unit, doubt and basis; or absent, with a code that says why."""
    until = end or now().date() + timedelta(days=1)
    since = start or until - timedelta(days=31)
    if not timedelta(0) < until - since <= timedelta(days=MOST_DAYS):
        raise Invalid("bad_span", f"Give a start before the end, at most {MOST_DAYS} days apart.", "start")
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.get_equipment(tx, id_of(equipment_id, "machine"))
        return (await diagnostics.performance_of(tx, [found.id], since, until, step)).get(found.id, [])
