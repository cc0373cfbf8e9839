"""Handlers of what is worth doing in a home, how its machines ran, and what comes next."""

from typing import Any

from litestar import Response, get, post

from lineset import diagnostics, reports
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.ids import parse_id

from ..common.advised import advice_lines
from ..common.coming import go
from ..common.edge import Ask, edge, form_text, home_context, page
from ..common.flows.findings import health_of
from ..common.people import names_of
from ..common.report_voice import ReaderVoice
from .area import place_in, role_at

FIRST = 3
"""So much advice is in sight at once; the rest stands behind one line."""


@get("/home/{site:str}/advice")
async def advice(request: Ask, site: str, done: str = "") -> Response[Any]:
    """Advice, best first; how each machine ran, its next day, what comes due."""
    who, context = await home_context(request)
    moment = now()
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        names = await names_of(request, who, place.site.household_id)
        stands = diagnostics.rank(await diagnostics.list_advice(tx, site=place.site.id))
        gone = diagnostics.rank(await diagnostics.list_advice(tx, site=place.site.id, dismissed=True))
        live = [m for m in place.site.equipment if m.retired_at is None]
        machines = [(m.name, str(m.id), await health_of(tx, place, m, names)) for m in live]
        month, last = diagnostics.month_before(place.reader.local(moment).date())
        compared = await diagnostics.compared(tx, place.site.id, month, last)
    voice = ReaderVoice(place.reader)
    saved = reports.saved_lines(voice, compared) if compared.own.baseline is not None else []
    called = {str(m.id): m.name for m in place.site.equipment}
    return page(
        request,
        "home/advice.html",
        place.reader,
        who,
        lines=advice_lines(place.reader, stands, called, moment),
        first=FIRST,
        saved=saved,
        month=(f"{month:%Y-%m}", voice.month_of(month)),
        dismissed=advice_lines(place.reader, gone, called, moment),
        machines=machines,
        may_dismiss=role_at(place) != "guest",
        done=done,
        **place.layout,
    )


@post("/home/{site:str}/advice", status_code=200)
async def dismiss(request: Ask, site: str) -> Response[Any]:
    """Advice stays away, or is shown again."""
    who, context = await home_context(request)
    form = await request.form()
    wanted = parse_id(form_text(form, "advice"))
    if wanted is None:
        raise NotFound("advice")
    back = bool(form_text(form, "back"))
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, site)
        await (diagnostics.restore_advice if back else diagnostics.dismiss_advice)(tx, wanted)
    return go(f"{place.base}/advice?done={'restored' if back else 'dismissed'}")


HANDLERS = [advice, dismiss]
