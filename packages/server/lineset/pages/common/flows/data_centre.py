"""Handlers of "Your data": one page that shows all of it, and the whole lists behind its sections."""

from typing import Any

from litestar import Response, get

from lineset.kit.clock import now
from lineset.privacy import Purpose, inventory, list_erasures, list_inferences, seen_by
from lineset.privacy.changes import list_changes
from lineset.privacy.egress import disclosures
from lineset.privacy.exporting import list_exports_of
from lineset.privacy.model_changes import CHANGE_DAYS

from ..corrected import change_lines
from ..desk import at_desk, desk_page, names_at
from ..edge import Ask, edge
from ..erasures import request_lines
from ..held import kind_lines
from ..looks import RECENT_DAYS, look_lines, people_lately, received_lines, thing_names
from .data_choices import choice_lines
from .data_concluded import concluded_lines
from .data_devices import device_lines
from .data_take import copy_lines

SHOWN_LOOKS = 6
MOST_LOOKS = 500


@get(["", "/"])
async def centre(request: Ask) -> Response[Any]:
    """What is held, who saw it, who received it, what the person chose, and the ways to take and delete it."""
    at = await at_desk(request)
    moment, reader = now(), at.reader
    declared = inventory.kinds_of(edge(request).register, at.scope)
    counts = await inventory.amounts(edge(request).door, at.who.acts, edge(request).register, at.scope, declared)
    kinds = kind_lines(reader, declared, counts, moment)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        seen = await seen_by(tx, at.household.id, MOST_LOOKS) if at.household is not None else []
        passed = await disclosures(tx, at.household.id if at.household is not None else None, SHOWN_LOOKS)
        concluded = await list_inferences(tx, at.household.id) if at.household is not None else []
        copies = await list_exports_of(tx)
        erasures = await list_erasures(tx)
    names = await thing_names(request, at)
    lately = people_lately(seen, moment)
    parties = len({d.recipient for d in passed})
    held = sum(not kind.none for kind in kinds)
    sums = [(reader.number(held), reader.ngettext("kind held", "kinds held", held))]
    if at.household is not None:
        words = reader.ngettext("person looked in %(days)s days", "people looked in %(days)s days", lately, days=RECENT_DAYS)
        sums.append((reader.number(lately), words))
    sums.append((reader.number(parties), reader.ngettext("company received some", "companies received some", parties)))
    requests = request_lines(reader, erasures, names, moment)
    return desk_page(
        request,
        "centre",
        at,
        sums=sums,
        kinds=kinds,
        looks=look_lines(reader, seen[:SHOWN_LOOKS], names, moment),
        look_count=len(seen),
        received=received_lines(reader, passed, moment),
        concluded=concluded_lines(reader, concluded, moment),
        choices=await choice_lines(request, at),
        devices=await device_lines(request, at),
        copies=copy_lines(reader, copies, moment)[:3],
        running=[line for line in requests if line.open],
        earlier=bool(requests),
        keeping=f"/account/household/{at.household.id}/keeping" if at.owner and at.household is not None else "",
    )


@get("/seen")
async def seen_page(request: Ask) -> Response[Any]:
    """Every look by others."""
    at = await at_desk(request)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        seen = await seen_by(tx, at.household.id, MOST_LOOKS) if at.household is not None else []
    return desk_page(request, "seen", at, looks=look_lines(at.reader, seen, await thing_names(request, at), now()))


@get("/changes")
async def changes_page(request: Ask) -> Response[Any]:
    """What the person, and others of the household, corrected."""
    at = await at_desk(request)
    async with edge(request).door.open(at.who.acts(Purpose.RIGHTS)) as tx:
        found = await list_changes(tx, at.household.id if at.household is not None else None)
    lines = change_lines(at.reader, found, await names_at(request, at), now())
    return desk_page(request, "changes", at, changes=lines, days=CHANGE_DAYS)


HANDLERS = [centre, seen_page, changes_page]
