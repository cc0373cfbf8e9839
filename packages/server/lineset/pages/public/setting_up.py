"""The first operator, by the link that the terminal prints once."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.errors import Conflict, LinesetError

from ..common.coming import browser_of, enter
from ..common.edge import Ask, edge, form_text, page, reader_of
from ..common.forms import Form
from ..common.refusals import again
from .dead_links import dead_link, is_dead

TEMPLATE = "public/operator.html"


@get("/operator")
async def set_up_page(request: Ask) -> Response[Any]:
    """The form. Whether the link still works is told when it is used."""
    form = Form(values={"token": request.query_params.get("token", "")})
    return page(request, TEMPLATE, reader_of(request, None), form=form)


@post("/operator")
async def set_up(request: Ask) -> Response[Any]:
    """Make the operator with its first person, and go to the console."""
    form = await request.form()
    values = {name: form_text(form, name) for name in ("token", "name", "email")}
    try:
        signed_in = await accounts.set_up_operator(
            edge(request).door,
            values["token"],
            name=values["name"],
            email=values["email"],
            password=form_text(form, "password"),
            browser=browser_of(request),
            language=reader_of(request, None).language,
        )
    except LinesetError as error:
        if is_dead(error) or (isinstance(error, Conflict) and error.code == "operator_exists"):
            return await dead_link(request, error, "/sign-in")
        return await again(request, TEMPLATE, error, values)
    return await enter(request, signed_in, "/console")


ROUTES = (set_up_page, set_up)
