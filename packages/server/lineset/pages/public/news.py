"""News by mail without an account: subscribe, confirm by the mailed link, leave by one click."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts, messaging
from lineset.kit.errors import LinesetError

from ..common.coming import browser_of, evenly, go
from ..common.edge import Ask, edge, form_text, page, principal, reader_of
from ..common.forms import Form
from ..common.refusals import again
from .dead_links import dead_link
from .mailbox import open_here

TEMPLATE = "public/news.html"


@get("/news")
async def news_page(request: Ask) -> Response[Any]:
    """The form."""
    who = await principal(request)
    return page(request, TEMPLATE, reader_of(request, who), who, form=Form(), step="")


@post("/news")
async def subscribe(request: Ask) -> Response[Any]:
    """Mail the link that confirms the address. The answer is the same whether it was known."""
    form, here = await request.form(), edge(request)
    email = form_text(form, "email")
    reader = reader_of(request, await principal(request))
    try:
        async with evenly():
            address = accounts.clean_email(email)
            browser = browser_of(request)
            await accounts.admit(here.door, accounts.Counter("news to", address, 3), accounts.Counter("news from", browser.network, 10))
            async with here.door.open(messaging.NEWS) as tx:
                await messaging.subscribe(tx, address, reader.language)
    except LinesetError as error:
        return await again(request, TEMPLATE, error, {"email": email}, step="")
    return go("/news/sent")


@get("/news/sent")
async def sent(request: Ask) -> Response[Any]:
    """What comes next."""
    who = await principal(request)
    mailbox = open_here(edge(request).settings)
    return page(request, TEMPLATE, reader_of(request, who), who, form=Form(), step="sent", mailbox=mailbox)


@get("/news/confirm")
async def confirm_page(request: Ask) -> Response[Any]:
    """The mailed link opens here; a button confirms, since mail programs open links by themselves."""
    who = await principal(request)
    return page(request, TEMPLATE, reader_of(request, who), who, form=_token(request), step="confirm")


@post("/news/confirm")
async def confirm(request: Ask) -> Response[Any]:
    """The second step."""
    token = form_text(await request.form(), "token")
    try:
        async with edge(request).door.open(messaging.NEWS) as tx:
            await messaging.confirm(tx, token)
    except LinesetError as error:
        return await dead_link(request, error, "/news")
    return go("/news/confirmed")


@get("/news/leave")
async def leave_page(request: Ask) -> Response[Any]:
    """The link in each mail opens here; one click leaves."""
    who = await principal(request)
    return page(request, TEMPLATE, reader_of(request, who), who, form=_token(request), step="leave")


@post("/news/leave")
async def leave(request: Ask) -> Response[Any]:
    """Leave, and erase the address. Mail programs post here by themselves (RFC 8058), with the token in the address."""
    token = request.query_params.get("token", "") or form_text(await request.form(), "token")
    try:
        async with edge(request).door.open(messaging.NEWS) as tx:
            await messaging.leave(tx, token)
    except LinesetError as error:
        return await dead_link(request, error, "/news")
    return go("/news/left")


@get(["/news/confirmed", "/news/left"])
async def done(request: Ask) -> Response[Any]:
    """What has been done."""
    who = await principal(request)
    step = request.url.path.rpartition("/")[2]
    return page(request, TEMPLATE, reader_of(request, who), who, form=Form(), step=step)


def _token(request: Ask) -> Form:
    return Form(values={"token": request.query_params.get("token", "")})


ROUTES = (news_page, subscribe, sent, confirm_page, confirm, leave_page, leave, done)
