"""The console's first page: does everything run, how much is there, and what was set aside."""

from typing import Any

from litestar import Response, get

from lineset import telemetry
from lineset.kit.clock import now
from lineset.privacy.egress import gaps

from ..common.edge import Ask, console_context, edge, reader_of
from .desk import console_page
from .health import look

READS_POISON = frozenset({"operator", "support", "security"})


@get("/console")
async def overview(request: Ask) -> Response[Any]:
    """Numbers only: no household's data is on this page."""
    who, context = await console_context(request)
    here = edge(request)
    parts, numbers = await look(here, context)
    async with here.door.open(context) as tx:
        poison = await telemetry.poison(tx) if READS_POISON & set(who.staff) else None
        unfilled = await gaps(tx, here.settings)
    return console_page(
        request,
        "overview",
        who,
        reader_of(request, who),
        "overview",
        parts=parts,
        away=[part for part in parts if not part.works],
        numbers=numbers,
        poison=poison,
        url=here.settings.url,
        unfilled=unfilled,
        contact_open=not here.settings.contact.complete,
        mailbox=here.settings.loopback and not here.settings.smtp_url,
        now=now(),
    )


ROUTES = (overview,)
