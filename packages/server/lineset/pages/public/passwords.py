"""Choose a new password by a mailed link."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.errors import LinesetError

from ..common.coming import browser_of, evenly, go, leave
from ..common.edge import Ask, edge, form_text, page, reader_of
from ..common.forms import Form
from ..common.refusals import again
from .dead_links import dead_link, is_dead
from .mailbox import open_here


@get("/reset")
async def ask_page(request: Ask) -> Response[Any]:
    """Ask for the link."""
    return page(request, "public/reset.html", reader_of(request, None), form=Form())


@post("/reset")
async def ask(request: Ask) -> Response[Any]:
    """Mail the link. The answer and its time are the same for an address without an account."""
    form = await request.form()
    email = form_text(form, "email")
    try:
        async with evenly():
            await accounts.ask_reset(edge(request).door, email, browser_of(request))
    except LinesetError as error:
        return await again(request, "public/reset.html", error, {"email": email})
    return go("/reset/sent")


@get("/reset/sent")
async def sent(request: Ask) -> Response[Any]:
    """What comes next."""
    return page(request, "public/reset_sent.html", reader_of(request, None), mailbox=open_here(edge(request).settings))


@get("/reset/new")
async def choose_page(request: Ask) -> Response[Any]:
    """The mailed link opens here."""
    form = Form(values={"token": request.query_params.get("token", "")})
    return page(request, "public/reset_new.html", reader_of(request, None), form=form)


@post("/reset/new")
async def choose(request: Ask) -> Response[Any]:
    """Take the new password; every session ends, this browser's too."""
    form = await request.form()
    token, password = form_text(form, "token"), form_text(form, "password")
    try:
        await accounts.reset_password(edge(request).door, token, password, browser_of(request))
    except LinesetError as error:
        if is_dead(error):
            return await dead_link(request, error, "/reset")
        return await again(request, "public/reset_new.html", error, {"token": token})
    return await leave(request, "/sign-in?reset")


ROUTES = (ask_page, ask, sent, choose_page, choose)
