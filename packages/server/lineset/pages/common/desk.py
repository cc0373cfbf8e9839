"""Where the pages of "Your data" stand: in the home app for a household, or at the account for a person alone."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from lineset.accounts import Household, Principal
from lineset.kit.errors import Denied
from lineset.privacy.inventory import Scope

from .edge import Ask, page
from .people import names_of
from .reader import Reader


class At(msgspec.Struct, frozen=True):
    """One request: who asks, for which of their households (None: for themselves alone), and the frame around the page.

    `site`: the address of the site's pages that they came from, "" at the account.
    """

    who: Principal
    reader: Reader
    household: Household | None
    base: str
    layout: dict[str, Any]
    site: str = ""

    @property
    def scope(self) -> Scope:
        """Whose data the pages show."""
        return Scope(self.who.person_id, self.household.id if self.household is not None else None)

    @property
    def owner(self) -> bool:
        """Whether the person decides for the household."""
        return self.household is not None and self.household.role == "owner"

    def owned(self) -> UUID:
        """The household that the person decides for.

        Raises:
            Denied: they do not own it.
        """
        if self.household is None or not self.owner:
            raise Denied("owners_only", "Only an owner of the household can decide this.")
        return self.household.id


class Desk(msgspec.Struct, frozen=True):
    """`prefix` is the route of these pages."""

    prefix: str
    enter: Callable[[Ask], Awaitable[At]]


async def at_desk(request: Ask) -> At:
    """Who asks, at the desk whose router serves this request."""
    desk = request.route_handler.opt["desk"]
    assert isinstance(desk, Desk)  # noqa: S101 - each shared router is made with one
    return await desk.enter(request)


def desk_page(request: Ask, template: str, at: At, *, status: int = 200, **context: Any) -> Response[Any]:
    """A page of "Your data" inside the desk's frame; `done` in the address says what has just been done."""
    done = request.query_params.get("done", "")
    return page(
        request, f"common/data/{template}.html", at.reader, at.who, status=status, at=at, here=at.base, done=done, **at.layout, **context
    )


async def names_at(request: Ask, at: At) -> Mapping[UUID, str]:
    """Names of people and companies that rows may point to."""
    names: dict[UUID, str] = {at.who.person_id: at.reader.gettext("You")}
    names |= {c.id: c.name for c in at.who.companies}
    if at.household is not None:
        known = await names_of(request, at.who, at.household.id)
        names |= {**known.companies, **known.people, at.who.person_id: names[at.who.person_id]}
    return names
