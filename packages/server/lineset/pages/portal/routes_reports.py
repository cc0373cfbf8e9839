"""Handlers of the contractor's reports: a machine before and after work on it, and the fleet by make, model and type."""

from datetime import date
from typing import Any

from litestar import Response, get, post

from lineset import diagnostics, reports, sites
from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.privacy import CHOICES, Purpose, consent_of, give, withdraw

from ..common.area import machine_id
from ..common.coming import go
from ..common.edge import Ask, edge, form_text, page, portal_context, reader_of
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
    managed = _managed(who)
    reader = reader_of(request, who, clock24=True)
    async with edge(request).door.open(who.acts(Purpose.SERVICE)) as tx:
        found = await reports.fleet_of(tx, ", ".join(managed), reader.local(now()).date())
    document = reports.fleet_report(ReaderVoice(reader), found, now())
    if paper:
        return await pdf_response(document, reader)
    async with edge(request).door.open(who.acts(Purpose.RIGHTS)) as tx:
        mail = await consent_of(tx, who.person_id, *reports.FLEET_WANTED, reader.language)
    words, few = mail.choice.said(reader.language), found.homes < found.floor
    return page(request, "portal/fleet_report.html", reader, who, document=document, few=few, mail=mail, words=words, tab="team")


@post("/portal/report/mail", status_code=200)
async def by_mail(request: Ask) -> Response[Any]:
    """Say yes or no to the fleet's report by mail, for oneself.

    Raises:
        NotFound: the person manages no company.
        Invalid: the answer is neither.
    """
    who, _ = await portal_context(request)
    _managed(who)
    reader = reader_of(request, who)
    said = form_text(await request.form(), "answer")
    if said not in ("yes", "no"):
        raise Invalid("bad_choice", "Choose yes or no for one of the choices on the page.")
    steps = ("/portal/report", CHOICES["fleet_report"].said(reader.language).title, said)
    async with edge(request).door.open(who.acts(Purpose.RIGHTS)) as tx:
        act = give if said == "yes" else withdraw
        await act(tx, who.person_id, *reports.FLEET_WANTED, channel="page", language=reader.language, steps=steps)
    return go("/portal/report#by-mail")


def _managed(who: Principal) -> list[str]:
    """The companies that the person manages, by name. Raises NotFound where there is none."""
    managed = [company.name for company in who.companies if company.role == "manager"]
    if not managed:
        raise NotFound("page")
    return managed


HANDLERS = [serviced, fleet, by_mail]
