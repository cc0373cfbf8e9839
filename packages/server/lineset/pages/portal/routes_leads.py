"""Handlers of leads: what machines need, at homes whose people said yes to being offered it."""

from typing import Any

import msgspec
from litestar import Response, get

from lineset import diagnostics, sites
from lineset.kit.clock import now

from ..common.advised import AdviceLine, advice_lines
from ..common.edge import Ask, edge, page, portal_context, reader_of
from .area import clients_of

MOST_HOMES = 100


class Lead(msgspec.Struct, frozen=True):
    """A home that asks for offers, and what its machines need."""

    site: str
    name: str
    household: str
    lines: tuple[AdviceLine, ...]


@get("/portal/leads")
async def leads(request: Ask) -> Response[Any]:
    """Advice of the homes that share it, those that gain most first."""
    who, context = await portal_context(request)
    reader, moment = reader_of(request, who, clock24=True), now()
    async with edge(request).door.open(context) as tx:
        shared = await clients_of(tx, who)
        found = diagnostics.rank(await diagnostics.list_advice(tx))
        mine = {s.id: s for s in await sites.list_sites(tx) if str(s.household_id) in shared} if found else {}
    homes: list[Lead] = []
    for id_ in list(dict.fromkeys(a.site for a in found if a.site in mine))[:MOST_HOMES]:
        site = mine[id_]
        names = {str(m.id): m.name for m in site.equipment}
        lines = advice_lines(reader, [a for a in found if a.site == id_], names, moment, technician=True)
        homes.append(Lead(str(id_), site.name, shared[str(site.household_id)].name, lines))
    return page(request, "portal/leads.html", reader, who, homes=tuple(homes))


HANDLERS = [leads]
