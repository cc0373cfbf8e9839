"""The portal's way to a site: one that a household shares with the person's company."""

from typing import Any

import msgspec

from lineset import accounts, sites
from lineset.accounts import Client, Principal
from lineset.kit.errors import NotFound
from lineset.privacy import Context, Tx

from ..common.area import Area, Place, site_id
from ..common.edge import Ask, portal_context, reader_of
from ..common.load import site_of


class Shared(msgspec.Struct, frozen=True):
    """What a household shares with one of the person's companies."""

    name: str
    scopes: frozenset[str]


async def clients_of(tx: Tx, who: Principal) -> dict[str, Shared]:
    """By household's id, what is shared with the companies at which the person works."""
    found: dict[str, Shared] = {}
    for company in who.companies:
        for client in await accounts.list_clients(tx, company.id):
            _add(found, client)
    return found


def _add(found: dict[str, Shared], client: Client) -> None:
    key = str(client.household_id)
    before = found.get(key)
    found[key] = Shared(client.name, client.scopes | (before.scopes if before is not None else frozenset()))


async def place_in(request: Ask, tx: Tx, who: Principal, context: Context, site: str) -> Place:
    """The site of this address, in an open transaction.

    Raises:
        NotFound: no household shares it with the person's company.
    """
    found = await sites.get_site(tx, site_id(site))
    shared = (await clients_of(tx, who)).get(str(found.household_id))
    if shared is None:
        raise NotFound("site")
    reader = reader_of(request, who, zone=found.time_zone, clock24=True)
    layout: dict[str, Any] = {
        "layout": "portal/frame.html",
        "site": site_of(found),
        "tab": "sites",
        "base": f"/portal/sites/{found.id}",
        "household": shared.name,
        "household_id": str(found.household_id),
        "scopes": shared.scopes,
    }
    return Place(who, context, reader, found, f"/portal/sites/{found.id}", layout)


PORTAL = Area(
    prefix="/portal/sites/{site:str}",
    enter=portal_context,
    place=place_in,
    machine=lambda _site, machine: f"/portal/equipment/{machine}",
)
