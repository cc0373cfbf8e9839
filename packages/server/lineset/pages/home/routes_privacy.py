"""Where "Your data" stands in the home app: at a site, for its household and the person who asks."""

from ..common.desk import At, Desk
from ..common.edge import Ask, edge, home_context
from ..common.flows.data import data_routes
from .area import place_in


async def _enter(request: Ask) -> At:
    """The household of the site in the address."""
    who, context = await home_context(request)
    async with edge(request).door.open(context) as tx:
        place = await place_in(request, tx, who, context, str(request.path_params["site"]))
    household = next((h for h in who.households if h.id == place.site.household_id), None)
    return At(who, place.reader, household, f"{place.base}/privacy", {**place.layout, "tab": "data"}, place.base)


HANDLERS = [data_routes(Desk("/home/{site:str}/privacy", _enter))]
