"""Where our own scripts report their errors and that they were opened, for the signed-in person alone."""

from uuid import UUID

import msgspec
from litestar import Router, post

from lineset import accounts, apps
from lineset.kit.buckets import Buckets
from lineset.kit.errors import Invalid, TooMany
from lineset.privacy import Purpose

from .coming import browser_of
from .edge import Ask, edge, require

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


def report_routes() -> Router:
    """The router of reports."""
    return Router("/", route_handlers=[report], include_in_schema=False)
