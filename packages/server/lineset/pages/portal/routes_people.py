"""Handlers of the people of a household that lets the company administer its account: each deed as far as it was given."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.errors import LinesetError, NotFound
from lineset.kit.ids import parse_id

from ..common.coming import go
from ..common.edge import Ask, edge, form_text, page, portal_context, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from ..common.roles import role_name
from .area import clients_of


@get("/portal/households/{household:str}")
async def people(request: Ask, household: str) -> Response[Any]:
    """Who belongs to the household, and what the company may do about them."""
    return await _show(request, household, Form())


@post("/portal/households/{household:str}/members/{member:str}", status_code=200)
async def change(request: Ask, household: str, member: str) -> Response[Any]:
    """Start a new password, pause, give back or end access; the form's button says which. Owners get a mail."""
    _, context = await portal_context(request)
    home, person, form = parse_id(household), parse_id(member), await request.form()
    if home is None or person is None:
        raise NotFound("member")
    try:
        await accounts.administer(edge(request).door, context, home, person, form_text(form, "do"))
    except NotFound:
        raise
    except LinesetError as error:
        who, _ = await portal_context(request)
        return await _show(request, household, refused(reader_of(request, who), error, {}), int(error.status))
    return go(f"/portal/households/{household}?done={form_text(form, 'do')}")


async def _show(request: Ask, household: str, form: Form, status: int = 200) -> Response[Any]:
    who, context = await portal_context(request)
    home, reader = parse_id(household), reader_of(request, who, clock24=True)
    async with edge(request).door.open(context) as tx:
        shared = (await clients_of(tx, who)).get(household)
        if home is None or shared is None or "people" not in shared.scopes:
            raise NotFound("household")
        members = await accounts.list_members(tx, home)
    return page(
        request,
        "portal/people.html",
        reader,
        who,
        status=status,
        form=form,
        tab="sites",
        household=household,
        name=shared.name,
        scopes=shared.scopes,
        members=[(m, role_name(reader, m.role)) for m in members],
        done=request.query_params.get("done", ""),
    )


HANDLERS = [people, change]
