"""Flows that home app and portal share know where they stand by an area: its addresses, its frame, its way to a site."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec

from lineset import sites
from lineset.accounts import Principal
from lineset.kit.errors import NotFound
from lineset.kit.ids import parse_id
from lineset.privacy import Context, Tx

from .edge import Ask
from .reader import Reader


class Place(msgspec.Struct, frozen=True):
    """One request's person, site and way of reading; `layout` fills the area's frame. Times on the page are the site's own."""

    who: Principal
    context: Context
    reader: Reader
    site: sites.Site
    base: str
    layout: dict[str, Any]

    def machine(self, equipment_id: UUID | str) -> sites.Equipment:
        """A machine of this site. Raises NotFound for any other."""
        wanted = str(equipment_id)
        for machine in self.site.equipment:
            if str(machine.id) == wanted:
                return machine
        raise NotFound("machine")


class Area(msgspec.Struct, frozen=True):
    """`prefix` is the route of a site's pages, with `{site:str}` in it; `machine` the address of a machine's page."""

    prefix: str
    enter: Callable[[Ask], Awaitable[tuple[Principal, Context]]]
    place: Callable[[Ask, Tx, Principal, Context, str], Awaitable[Place]]
    machine: Callable[[str, str], str]


def area_of(request: Ask) -> Area:
    """The area whose router serves this request."""
    found = request.route_handler.opt["area"]
    assert isinstance(found, Area)  # noqa: S101 - each shared router is made with one
    return found


def site_id(text: str) -> UUID:
    """The id that an address spells. Raises NotFound for anything else."""
    return _id(text, "site")


def machine_id(text: str) -> UUID:
    """The machine's id that an address or a form spells. Raises NotFound for anything else."""
    return _id(text, "machine")


def gateway_id(text: str) -> UUID:
    """The gateway's id that an address spells. Raises NotFound for anything else."""
    return _id(text, "gateway")


def _id(text: str, what: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound(what)
    return found
