"""What the pages of an account share: who asks, and the page with the navigation around it."""

from typing import Any
from uuid import UUID

from litestar import Response

from lineset.accounts import Household, Principal
from lineset.kit.errors import NotFound

from ..common.edge import Ask, edge, page, principal, reader_of, require
from ..common.forms import Form
from ..common.reader import Reader

EMPTY = Form()


async def owner_of_account(request: Ask) -> tuple[Principal, Reader]:
    """Who is signed in, and how they read.

    Raises:
        NotSignedIn
    """
    who = await require(request)
    return who, reader_of(request, who)


def account_page(
    request: Ask, template: str, who: Principal, reader: Reader, tab: str, *, status: int = 200, **context: Any
) -> Response[Any]:
    """A page of the account. `done` in the address says what has just been done; the template knows the words."""
    done = request.query_params.get("done", "")
    return page(request, f"account/{template}.html", reader, who, status=status, tab=tab, done=done, **context)


async def changed(request: Ask, who: Principal) -> None:
    """Forget what is remembered of a person after something about them changed."""
    edge(request).authenticator.forget(who.person_id)
    request.state.pop("principal", None)
    await principal(request)


def household_of(who: Principal, household_id: UUID) -> Household:
    """One of the person's households.

    Raises:
        NotFound: they do not belong to it.
    """
    for household in who.households:
        if household.id == household_id:
            return household
    raise NotFound("household")
