"""News by mail in the console: how many want them, what was sent, and sending."""

from typing import Any

from litestar import Response, get, post

from lineset import messaging
from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import Denied, LinesetError
from lineset.privacy import Context

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from .desk import console_page

FIELDS = ("subject_en", "text_en", "subject_es", "text_es")


@get("/console/news")
async def news_page(request: Ask) -> Response[Any]:
    """A number, never an address: who subscribed is nobody's to read."""
    who, context = await console_context(request)
    return await _show(request, who, context, Form())


@post("/console/news")
async def send(request: Ask) -> Response[Any]:
    """Send to everybody who confirmed.

    Raises:
        Denied: not the operator asks.
    """
    who, context = await console_context(request)
    if "operator" not in who.staff:
        raise Denied("not_yours", "Only the operator sends news.")
    form = await request.form()
    values = {name: form_text(form, name) for name in FIELDS}
    try:
        async with edge(request).door.open(context) as tx:
            await messaging.send_news(
                tx,
                {"en": values["subject_en"], "es": values["subject_es"]},
                {"en": values["text_en"], "es": values["text_es"]},
            )
    except LinesetError as error:
        return await _show(request, who, context, refused(reader_of(request, who), error, values), int(error.status))
    return go("/console/news?done=sent")


async def _show(request: Ask, who: Principal, context: Context, form: Form, status: int = 200) -> Response[Any]:
    here, reader = edge(request), reader_of(request, who)
    async with here.door.open(messaging.NEWS) as tx:
        number = await messaging.count_subscribers(tx)
    async with here.door.open(context) as tx:
        issues = await messaging.list_issues(tx)
    return console_page(request, "news", who, reader, "texts", status=status, number=number, issues=issues, form=form, now=now())


ROUTES = (news_page, send)
