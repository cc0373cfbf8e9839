"""Handlers of the contractor's reports: a machine before and after work on it, and the fleet by make, model and type."""

from datetime import date
from typing import Any

from litestar import Response, get

from lineset import diagnostics, reports, sites
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.privacy import Purpose

from ..common.area import machine_id
from ..common.edge import Ask, edge, page, portal_context, reader_of
from ..common.report_voice import ReaderVoice, pdf_response
from .area import place_in


@get("/portal/equipment/{machine:str}/report")
async def serviced(request: Ask, machine: str, on: str = "", paper: str = "") -> Response[Any]:
    """A machine before and after a day of work, the last reported one unless another is asked for; with `paper` as PDF."""
    who, context = await portal_context(request)
    document, problem = None, ""
    async with edge(request).door.open(context) as tx:
        found = await sites.get_equipment(tx, machine_id(machine))
        place = await place_in(request, tx, who, context, str(found.site_id))
        days = reports.work_days(await diagnostics.list_findings(tx, equipment=found.id))
        local = [place.reader.local(day).date() for day in days]
        wanted = _day(on) if on else next(iter(local), None)
        if wanted is not None:
            try:
                document = reports.service_report(ReaderVoice(place.reader), await reports.service(tx, place.site, found, wanted), now())
            except Invalid as error:
                problem = place.reader.gettext(error.say)
    if paper:
        if document is None:
            raise NotFound("page")
        return await pdf_response(document, place.reader)
    return page(
        request,
        "portal/report.html",
        place.reader,
        who,
        status=422 if problem else 200,
        document=document,
        problem=problem,
        machine=found,
        on=wanted.isoformat() if wanted is not None else "",
        here=f"/portal/equipment/{machine}",
        **place.layout,
    )


def _day(text: str) -> date:
    """The day that a form spells. Raises NotFound for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("page") from None


@get("/portal/report")
async def fleet(request: Ask, paper: str = "") -> Response[Any]:
    """The fleet by make, model and type, for managers; with `paper` as PDF.

    Raises:
        NotFound: the person manages no company.
    """
    who, _ = await portal_context(request)
    managed = [company.name for company in who.companies if company.role == "manager"]
    if not managed:
        raise NotFound("page")
    reader = reader_of(request, who, clock24=True)
    async with edge(request).door.open(who.acts(Purpose.SERVICE)) as tx:
        found = await reports.fleet_of(tx, ", ".join(managed), reader.local(now()).date())
    document = reports.fleet_report(ReaderVoice(reader), found, now())
    if paper:
        return await pdf_response(document, reader)
    return page(request, "portal/fleet_report.html", reader, who, document=document, tab="team")


HANDLERS = [serviced, fleet]
