"""Privacy choices for everybody, also signed out: what the browser says, cookies that are not needed, and what never happens."""

from typing import Any

from litestar import Response, get, post

from lineset import apps
from lineset.kit.errors import Conflict, Invalid
from lineset.privacy import Purpose
from lineset.privacy.egress import end_opt_outs, opt_outs

from ..common.coming import go
from ..common.edge import TAG, Ask, drop_cookie, edge, form_text, page, principal, reader_of, require, safe_next, set_cookie
from ..common.signals import CHOICE, SIGNAL, optional_stores, signals_of

HERE = "/privacy/choices"
GPC_SINCE = "2026-11-22"
"""When this support of Global Privacy Control was last changed, as its support resource has to say (section 4 there)."""


@get(HERE)
async def choices_page(request: Ask) -> Response[Any]:
    """What this browser sends and what is made of it; with an account, also what stands for the account."""
    who = await principal(request)
    here, kept = edge(request), []
    if who is not None:
        async with here.door.open(who.acts(Purpose.RIGHTS)) as tx:
            kept = await opt_outs(tx, who.person_id)
    return page(
        request,
        "public/choices.html",
        reader_of(request, who),
        who,
        signals=signals_of(request),
        optional=optional_stores(here.register),
        kept=kept,
        done=request.query_params.get("done", ""),
    )


@post(HERE)
async def choose(request: Ask) -> Response[Any]:
    """Keep yes or no about cookies that are not needed; a no also takes back those that are there."""
    form = await request.form()
    answer = form_text(form, "optional")
    if answer not in ("yes", "no"):
        raise Invalid("bad_choice", "Answer yes or no.")
    response = go(safe_next(form_text(form, "back"), f"{HERE}?done=chosen"))
    set_cookie(request, response, CHOICE, answer)
    if answer == "no":
        stores = optional_stores(edge(request).register)
        for cookie in stores:
            if cookie.store == "cookie":
                drop_cookie(response, cookie.name)
        if any(cookie.store != "cookie" for cookie in stores):
            response.headers["clear-site-data"] = '"storage"'
    return response


@post("/preferences/signal")
async def tell_signal(request: Ask) -> Response[Any]:
    """A script tells what the browser says to scripts alone (navigator.globalPrivacyControl)."""
    response: Response[Any] = Response(None, status_code=204)
    set_cookie(request, response, SIGNAL, "gpc")
    return response


@post(f"{HERE}/signals/end")
async def end_signals(request: Ask) -> Response[Any]:
    """Take back what signals of other browsers left at the account."""
    who = await require(request)
    if signals_of(request).sent:
        raise Conflict("signal_sent", "This browser sends the signal with every page. Switch it off in the browser first.")
    here = edge(request)
    async with here.door.open(who.acts(Purpose.RIGHTS)) as tx:
        await end_opt_outs(tx, who.person_id)
    here.heeded.forget(who.person_id)
    return go(f"{HERE}?done=ended")


@get("/.well-known/gpc.json", sync_to_thread=False)
def gpc_support() -> dict[str, Any]:
    """That this site obeys Global Privacy Control (section 4 of its specification)."""
    return {"gpc": True, "lastUpdate": GPC_SINCE}


@post("/privacy/choices/tag/reset")
async def forget_tag(request: Ask) -> Response[Any]:
    """Delete this browser's random number and all that hung on it. A new one, if any, has nothing to do with it."""
    tag = request.cookies.get(TAG)
    if tag:
        async with edge(request).door.open(apps.TAGS) as tx:
            await apps.reset_tag(tx, tag)
    response = go("/cookies?done=reset")
    drop_cookie(response, TAG)
    return response


ROUTES = (choices_page, choose, tell_signal, end_signals, gpc_support, forget_tag)
