"""Sign in, sign out."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts, apps
from lineset.kit.errors import LinesetError

from ..common.coming import browser_of, enter, go, leave
from ..common.edge import TAG, Ask, drop_cookie, edge, form_text, page, principal, reader_of, safe_next, start_page
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
    told = await _told(request)
    return page(request, TEMPLATE, reader_of(request, None), form=form, notice=notice, mailbox=open_here(edge(request).settings), told=told)


@post("/sign-in")
async def sign_in(request: Ask) -> Response[Any]:
    """Try e-mail and password."""
    form = await request.form()
    values = {"email": form_text(form, "email"), "next": safe_next(form_text(form, "next"), "")}
    here = edge(request)
    try:
        signed_in = await accounts.sign_in(here.door, values["email"], form_text(form, "password"), browser_of(request))
    except LinesetError as error:
        return await again(request, TEMPLATE, error, values, notice="", mailbox=open_here(here.settings), told=await _told(request))
    response = await enter(request, signed_in, values["next"])
    if (tag := request.cookies.get(TAG)) and form_text(form, "adopt") == "yes":
        async with here.door.open(apps.TAGS) as tx:
            await apps.adopt_tag(tx, tag, signed_in.person_id)
        drop_cookie(response, TAG)
    return response


async def _told(request: Ask) -> int:
    """How many errors this browser reported while nobody was signed in; they join an account only if its person says so here."""
    tag = request.cookies.get(TAG)
    if not tag:
        return 0
    async with edge(request).door.open(apps.TAGS) as tx:
        return await apps.tagged(tx, tag)


@post("/sign-out")
async def sign_out(request: Ask) -> Response[Any]:
    """End this browser's session."""
    return await leave(request)


ROUTES = (sign_in_page, sign_in, sign_out)
