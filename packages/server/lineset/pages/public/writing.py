"""Write to the operator: a mail from whoever is there, signed in or not."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts, messaging
from lineset.kit.errors import Invalid, LinesetError, NotFound

from ..common.coming import browser_of, go
from ..common.edge import Ask, edge, form_text, page, principal, reader_of
from ..common.forms import Form
from ..common.refusals import refused

FIELDS = ("topic", "email", "message")
MOST_MESSAGE = 5_000


@get("/contact")
async def contact(request: Ask) -> Response[Any]:
    """Who runs this installation. While the operator has not said so, the page says that instead and counts as not there."""
    return await _show(request, Form(values={"topic": request.query_params.get("topic", "")}))


@post("/contact")
async def write(request: Ask) -> Response[Any]:
    """Mail the message to the operator, or to the privacy contact where it is about data."""
    here = edge(request)
    details = here.settings.contact
    if not details.complete:
        raise NotFound("page")
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in FIELDS}
    try:
        sender, message = accounts.clean_email(values["email"]), _clean(values["message"])
        browser = browser_of(request)
        await accounts.admit(here.door, accounts.Counter("written by", sender, 5), accounts.Counter("written from", browser.network, 10))
        to = details.privacy if values["topic"] == "privacy" and "@" in details.privacy else details.email
        async with here.door.open(messaging.NEWS) as tx:
            await messaging.write_to_operator(tx, to, sender, "privacy" if values["topic"] == "privacy" else "other", message)
    except LinesetError as error:
        reader = reader_of(request, await principal(request))
        return await _show(request, refused(reader, error, values), int(error.status))
    return go("/contact?sent")


def _clean(text: str) -> str:
    """A message of several lines, without control characters."""
    lines = ("".join(c for c in line if c.isprintable() or c == "\t").rstrip() for line in text.splitlines())
    message = "\n".join(lines).strip()
    if not message:
        raise Invalid("missing", "Fill this in.", "message")
    if len(message) > MOST_MESSAGE:
        raise Invalid("too_long", f"Use at most {MOST_MESSAGE} characters.", "message")
    return message


async def _show(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who = await principal(request)
    details = edge(request).settings.contact
    status = status if details.complete else 404
    sent = "sent" in request.query_params
    response = page(request, "public/contact.html", reader_of(request, who), who, status=status, contact=details, form=form, sent=sent)
    if not details.complete:
        response.headers["x-robots-tag"] = "noindex"
    return response


ROUTES = (contact, write)
