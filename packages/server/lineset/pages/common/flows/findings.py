"""What people do with a finding, on the pages of a home and of a contractor alike."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response, Router, post

from lineset import diagnostics, sites
from lineset.diagnostics import Finding
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Purpose, Tx
from lineset.privacy.rights import may

from ..ahead import since
from ..area import Area, Place, area_of, machine_id
from ..coming import go
from ..edge import Ask, edge, form_text
from ..health import Health, health_view
from ..people import Names

MOST_DRAWN = 4
PAST, SHOWN = timedelta(days=365), timedelta(days=30)


async def health_of(tx: Tx, place: Place, machine: sites.Equipment, names: Names) -> Health:
    """What diagnosis says of a machine of this place, for its page: in a technician's words in the portal, in plain ones at home."""
    moment = now()
    found = await diagnostics.list_findings(tx, equipment=machine.id, since=moment - PAST)
    today = moment.astimezone(ZoneInfo(place.site.time_zone)).date()
    ran = await diagnostics.performance_of(tx, [machine.id], today - SHOWN, today, "whole")
    coming = (await diagnostics.prospects_of(tx, [machine.id])).get(machine.id)
    return health_view(
        place.reader,
        machine.name,
        moment,
        findings=found,
        steps={f.id: await diagnostics.steps(tx, f.id) for f in found[:8]},
        courses={f.id: await diagnostics.courses_of(tx, f, place.site.time_zone) for f in found[:MOST_DRAWN] if f.closed is None},
        names=names.people,
        performance=next(iter(ran.get(machine.id, ())), None),
        usual=await diagnostics.usual_of(tx, machine.type, machine.make, machine.model) if ran else None,
        forecast=None if coming is None else coming.forecast,
        dues=() if coming is None else since(coming.dues, coming.made, moment),
        lives=() if coming is None else coming.lives,
        may_act=await may(tx, machine.household_id, "equipment"),
        technician=place.context.purpose is Purpose.SERVICE,
    )


async def act(tx: Tx, finding: UUID, do: str, note: str, verdict: str, person: UUID) -> Finding:
    """Take a step.

    Raises:
        Invalid: no such step, a note that is too long, or an unknown verdict.
        NotFound, Denied, Conflict: as each step of `lineset.diagnostics` does.
    """
    if do == "assign":
        return await diagnostics.assign(tx, finding, person, note)
    if do == "confirm":
        return await diagnostics.confirm(tx, finding, verdict, note)
    steps = {
        "acknowledge": diagnostics.acknowledge,
        "start_repair": diagnostics.start_repair,
        "false_alarm": diagnostics.false_alarm,
        "reopen": diagnostics.reopen,
    }
    if do == "repaired":
        return await diagnostics.repaired(tx, finding, note)
    if do not in steps:
        raise Invalid("bad_step", "Choose one of the buttons.")
    return await steps[do](tx, finding, note)


@post("/machines/{machine:str}/findings/{finding:str}", status_code=200)
async def step(request: Ask, site: str, machine: str, finding: str) -> Response[Any]:
    """Take a step with a finding of one of the site's machines."""
    area = area_of(request)
    who, context = await area.enter(request)
    form, found = await request.form(), parse_id(finding)
    if found is None:
        raise NotFound("finding")
    async with edge(request).door.open(context) as tx:
        place = await area.place(request, tx, who, context, site)
        place.machine(machine_id(machine))
        await act(tx, found, form_text(form, "do"), form_text(form, "note"), form_text(form, "verdict"), who.person_id)
    return go(f"{area.machine(site, machine)}#finding-{found}")


def finding_routes(area: Area) -> Router:
    """The router of them for one area."""
    return Router(area.prefix, route_handlers=[step], opt={"area": area}, include_in_schema=False)
