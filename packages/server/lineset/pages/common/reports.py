"""Where our own scripts report their errors and that they were opened, for the signed-in person alone."""

from uuid import UUID

import msgspec
from litestar import Response, Router, post

from lineset import accounts, apps
from lineset.kit.buckets import Buckets
from lineset.kit.errors import Invalid, TooMany
from lineset.privacy import Purpose

from .coming import browser_of
from .edge import TAG, Ask, edge, principal, require, set_cookie
from .signals import signals_of

MAX_BYTES = 8_192
_pace = Buckets(0.5, 60)
_too_fast: dict[UUID, int] = {}


@post("/app/reports", status_code=204, request_max_body_size=MAX_BYTES)
async def report(request: Ask) -> None:
    """Keep one report. Sixty at once and one in two seconds are read; what comes faster is counted and told with the next."""
    who = await require(request)
    try:
        _pace.take(who.person_id)
    except TooMany:
        if len(_too_fast) < 10_000:
            _too_fast[who.person_id] = _too_fast.get(who.person_id, 0) + 1
        raise
    try:
        told = msgspec.json.decode(await request.body(), type=apps.Report)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Invalid("bad_report", f"This is no report: {str(error)[:120]}.") from error
    came = browser_of(request)
    purpose = Purpose.SECURITY if told.kind == "opened" else Purpose.OPERATE
    async with edge(request).door.open(who.acts(purpose)) as tx:
        await apps.record(tx, told, browser=accounts.describe_agent(came.agent), address=came.address)
        if missed := _too_fast.pop(who.person_id, 0):
            await apps.record_flood(tx, missed, version=told.version, browser=accounts.describe_agent(came.agent))


@post("/app/tagged", status_code=204, request_max_body_size=MAX_BYTES)
async def report_signed_out(request: Ask) -> Response[None]:
    """Keep an error that a browser reports in which nobody is signed in, under its random number; without its yes, nothing."""
    response: Response[None] = Response(None, status_code=204)
    if not signals_of(request).optional or await principal(request) is not None:
        return response
    came = browser_of(request)
    _pace.take(came.address)
    try:
        told = msgspec.json.decode(await request.body(), type=apps.Report)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Invalid("bad_report", f"This is no report: {str(error)[:120]}.") from error
    tag = request.cookies.get(TAG) or apps.new_tag()
    async with edge(request).door.open(apps.TAGS) as tx:
        await apps.record_tagged(tx, tag, told, browser=accounts.describe_agent(came.agent))
    set_cookie(request, response, TAG, tag)
    return response


def report_routes() -> Router:
    """The router of reports."""
    return Router("/", route_handlers=[report, report_signed_out], include_in_schema=False)
