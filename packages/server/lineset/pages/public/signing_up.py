"""Sign up, and confirm the address by the mailed link."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.errors import LinesetError

from ..common.coming import browser_of, enter, evenly, go
from ..common.edge import Ask, edge, form_text, page, principal, reader_of, start_page
from ..common.forms import Form
from ..common.refusals import again
from .agreeing import agreed, told_before
from .dead_links import dead_link, is_dead
from .mailbox import open_here

TEMPLATE = "public/sign_up.html"
FIELDS = ("name", "email", "household", "units", "time_zone")


@get("/sign-up")
async def sign_up_page(request: Ask) -> Response[Any]:
    """The form."""
    who = await principal(request)
    if who is not None:
        return go(start_page(who))
    form = Form(values={"units": usual_units(request)})
    return page(request, TEMPLATE, reader_of(request, None), form=form, **await told_before(request))


@post("/sign-up")
async def sign_up(request: Ask) -> Response[Any]:
    """Make the account and mail the link. The answer and its time are the same for an address that has an account."""
    form = await request.form()
    values = {name: form_text(form, name) for name in FIELDS}
    try:
        async with evenly():
            await accounts.sign_up(
                edge(request).door,
                name=values["name"],
                email=values["email"],
                household=values["household"],
                units=values["units"],
                time_zone=values["time_zone"],
                password=form_text(form, "password"),
                browser=browser_of(request),
                language=reader_of(request, None).language,
                texts=await agreed(request, form),
            )
    except LinesetError as error:
        return await again(request, TEMPLATE, error, values, **await told_before(request))
    return go("/sign-up/sent")


@get("/sign-up/sent")
async def sent(request: Ask) -> Response[Any]:
    """What comes next."""
    return page(request, "public/sign_up_sent.html", reader_of(request, None), mailbox=open_here(edge(request).settings))


@get("/verify")
async def verify_page(request: Ask) -> Response[Any]:
    """The mailed link opens here and asks for the password, so that a mail program that opens links confirms nothing."""
    form = Form(values={"token": request.query_params.get("token", "")})
    return page(request, "public/verify.html", reader_of(request, None), form=form)


@post("/verify")
async def verify(request: Ask) -> Response[Any]:
    """Confirm the address and sign in."""
    form = await request.form()
    token = form_text(form, "token")
    try:
        signed_in = await accounts.verify(edge(request).door, token, form_text(form, "password"), browser_of(request))
    except LinesetError as error:
        if is_dead(error):
            return await dead_link(request, error, "/sign-up")
        return await again(request, "public/verify.html", error, {"token": token})
    return await enter(request, signed_in)


def usual_units(request: Ask) -> str:
    """Degrees Fahrenheit for whoever reads American English, else Celsius: where to start, not where to stay."""
    first = request.headers.get("accept-language", "").split(",")[0].partition(";")[0].strip().lower()
    return "us" if first in {"", "en", "en-us", "es-us"} else "metric"


ROUTES = (sign_up_page, sign_up, sent, verify_page, verify)
