"""Troubles of the whole fleet as numbers: what kind, how often, how many are affected, in which versions."""

from datetime import timedelta
from typing import Any

from litestar import Response, get

from lineset.kit.clock import now
from lineset.privacy.rights import fleet_troubles

from ..common.edge import Ask, console_context, edge, reader_of
from ..common.trouble_view import fleet_lines
from .desk import console_page

COUNTS_TROUBLES = frozenset({"operator", "support", "security"})
SPANS = (1, 7, 30, 90)


@get("/console/troubles")
async def troubles_page(request: Ask) -> Response[Any]:
    """Equal troubles of all gateways and pages; whose they are is not on this page."""
    who, context = await console_context(request)
    reader, moment = reader_of(request, who), now()
    asked = request.query_params.get("days", "")
    days = int(asked) if asked.isascii() and asked.isdigit() and int(asked[:4]) in SPANS else 7
    may_count = bool(COUNTS_TROUBLES & set(who.staff))
    async with edge(request).door.open(context) as tx:
        found = await fleet_troubles(tx, moment - timedelta(days=days)) if may_count else []
    gateways = fleet_lines(reader, [t for t in found if t.source == "gateway"], moment)
    pages = fleet_lines(reader, [t for t in found if t.source == "app"], moment)
    return console_page(
        request, "troubles", who, reader, "troubles", gateways=gateways, pages=pages, days=days, spans=SPANS, may_count=may_count
    )


ROUTES = (troubles_page,)
