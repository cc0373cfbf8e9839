"""Where "Your data" stands at the account: for the person, and their first household if they have one."""

from ..common.desk import At, Desk
from ..common.edge import Ask
from ..common.flows.data import data_routes
from .own import owner_of_account


async def _enter(request: Ask) -> At:
    """The person, whoever they are: people of companies and the operator's staff have data here too."""
    who, reader = await owner_of_account(request)
    household = next(iter(who.households), None)
    return At(who, reader, household, "/account/data", {"layout": "account/frame.html", "tab": "data"})


ROUTES = (data_routes(Desk("/account/data", _enter)),)
