"""Handlers that add a home to a household."""

from typing import Any

from litestar import Response, get, post

from lineset.kit.errors import LinesetError, NotFound
from lineset.kit.ids import parse_id

from ..common.coming import go
from ..common.edge import Ask, edge, form_text, home_context, page, reader_of
from ..common.flows.sites import ZONES, create, read_form, site_kinds
from ..common.forms import Form
from ..common.refusals import refused


@get("/home/sites/new")
async def new(request: Ask) -> Response[Any]:
    """An empty form."""
    who, _ = await home_context(request)
    return await _form(request, Form(values={"time_zone": who.time_zone or "", "kind": "residential"}))


@post("/home/sites/new", status_code=200)
async def add(request: Ask) -> Response[Any]:
    """Add the home."""
    who, context = await home_context(request)
    data = await request.form()
    values = read_form(data)
    household = parse_id(form_text(data, "household")) or next((h.id for h in who.households), None)
    if household is None:
        raise NotFound("household")
    try:
        async with edge(request).door.open(context) as tx:
            made = await create(tx, household, values)
    except LinesetError as error:
        return await _form(request, refused(reader_of(request, who), error, values), int(error.status))
    return go(f"/home/{made}")


async def _form(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, _ = await home_context(request)
    reader = reader_of(request, who)
    households = [(str(h.id), h.name) for h in who.households if h.role != "guest"]
    return page(
        request,
        "home/site_new.html",
        reader,
        who,
        status=status,
        form=form,
        households=households,
        kinds=site_kinds(reader),
        time_zones=ZONES,
    )


HANDLERS = [new, add]
