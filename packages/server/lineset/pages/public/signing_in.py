"""Sign in, sign out."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.errors import LinesetError

from ..common.coming import browser_of, enter, go, leave
from ..common.edge import Ask, edge, form_text, page, principal, reader_of, safe_next, start_page
from ..common.forms import Form
from ..common.refusals import again
from .mailbox import open_here

TEMPLATE = "public/sign_in.html"


@get("/sign-in")
async def sign_in_page(request: Ask) -> Response[Any]:
    """The form; whoever is signed in goes straight on. `next` is where to go afterwards."""
    target = safe_next(request.query_params.get("next"), "")
    who = await principal(request)
    if who is not None:
        return go(target or start_page(who))
    notice = "reset" if "reset" in request.query_params else ""
    form = Form(values={"next": target})
    return page(request, TEMPLATE, reader_of(request, None), form=form, notice=notice, mailbox=open_here(edge(request).settings))


@post("/sign-in")
async def sign_in(request: Ask) -> Response[Any]:
    """Try e-mail and password."""
    form = await request.form()
    values = {"email": form_text(form, "email"), "next": safe_next(form_text(form, "next"), "")}
    here = edge(request)
    try:
        signed_in = await accounts.sign_in(here.door, values["email"], form_text(form, "password"), browser_of(request))
    except LinesetError as error:
        return await again(request, TEMPLATE, error, values, notice="", mailbox=open_here(here.settings))
    return await enter(request, signed_in, values["next"])


@post("/sign-out")
async def sign_out(request: Ask) -> Response[Any]:
    """End this browser's session."""
    return await leave(request)


ROUTES = (sign_in_page, sign_in, sign_out)
