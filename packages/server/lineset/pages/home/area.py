"""The home app's way to a site: one of the person's own households."""

from typing import Any

from lineset import sites
from lineset.accounts import Principal
from lineset.kit.errors import NotFound
from lineset.privacy import Context, Tx

from ..common.area import Area, Place, site_id
from ..common.edge import Ask, home_context, reader_of
from ..common.load import site_of


async def place_in(request: Ask, tx: Tx, who: Principal, context: Context, site: str) -> Place:
    """The site of this address, in an open transaction.

    Raises:
        NotFound: it is no site of this person's households.
    """
    wanted = site_id(site)
    mine = await sites.list_sites(tx, with_equipment=False)
    if all(s.id != wanted for s in mine):
        raise NotFound("site")
    found = await sites.get_site(tx, wanted)
    shown = site_of(found)
    reader = reader_of(request, who, zone=found.time_zone)
    layout: dict[str, Any] = {
        "layout": "home/frame.html",
        "site": shown,
        "sites": [site_of(s) for s in mine],
        "tab": "machines",
        "base": f"/home/{found.id}",
    }
    return Place(who, context, reader, found, f"/home/{found.id}", layout)


def role_at(place: Place) -> str:
    """The person's role in the site's household: owner, member or guest."""
    return next((h.role for h in place.who.households if h.id == place.site.household_id), "guest")


HOME = Area(prefix="/home/{site:str}", enter=home_context, place=place_in, machine=lambda site, machine: f"/home/{site}/machines/{machine}")
