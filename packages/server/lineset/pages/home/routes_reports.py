"""Handlers of a home's monthly reports: as a page and as PDF, made when they are asked for."""

from datetime import date, timedelta
from typing import Any

from litestar import Response, get

from lineset import reports
from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound

from ..common.edge import Ask, edge, home_context, page
from ..common.report_voice import ReaderVoice, month_of, pdf_response
from .area import place_in

MOST_MONTHS = 13


@get("/home/{site:str}/reports")
async def report(request: Ask, site: str, month: str = "") -> Response[Any]:
    """A month of this home; the last one that is over, unless another is asked for."""
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        today = place.reader.local(now()).date()
        wanted = month_of(month) if month else reports.last_month(today, place.site.created_at.date())
        voice = ReaderVoice(place.reader)
        try:
            document = reports.household_report(voice, await reports.home_month(tx, place.site, wanted), now())
        except Invalid:
            document = None
    months = [(f"{m:%Y-%m}", voice.month_of(m)) for m in _months(today)]
    return page(request, "home/reports.html", place.reader, who, document=document, month=f"{wanted:%Y-%m}", months=months, **place.layout)


@get("/home/{site:str}/reports/{file:str}")
async def paper(request: Ask, site: str, file: str) -> Response[bytes]:
    """The same as PDF, by the address `2026-10.pdf`."""
    who, context = await home_context(request)
    if not file.endswith(".pdf"):
        raise NotFound("page")
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        found = await reports.home_month(tx, place.site, month_of(file.removesuffix(".pdf")))
    return await pdf_response(reports.household_report(ReaderVoice(place.reader), found, now()), place.reader)


def _months(today: date) -> list[date]:
    """This month and those of the year before it, the newest first."""
    found = [today.replace(day=1)]
    while len(found) < MOST_MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found


HANDLERS = [report, paper]
