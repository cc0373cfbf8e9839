"""The access log for privacy officers and security: who saw a household, what somebody looked at, and whether the chain holds."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.clock import now
from lineset.kit.errors import LinesetError, NotFound
from lineset.privacy import Context, Purpose, System, acting, seen_by
from lineset.privacy.audit.chain import public_key
from lineset.privacy.audit.copying import last_checkpoint, verify_here

from ..common.actions import seen_words
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from ..common.roles import role_name
from .desk import READS_LOG, console_page

_KEEPER = Context(System("housekeeping"), Purpose.KEEP)


@get("/console/log")
async def log_page(request: Ask) -> Response[Any]:
    """Search, the newest checkpoint, and the accesses of staff."""
    return await _show(request, Form())


@post("/console/log", status_code=200)
async def search(request: Ask) -> Response[Any]:
    """Who saw a household. The search is an access itself: it needs a reason and is told to the household."""
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in ("find", "reason")}
    return await _show(request, Form(values=values), search=True)


@post("/console/log/verify", status_code=200)
async def verify(request: Ask) -> Response[Any]:
    """Check the whole chain now."""
    return await _show(request, Form(), verify=True)


async def _show(request: Ask, form: Form, *, search: bool = False, verify: bool = False) -> Response[Any]:
    who, context = await console_context(request)
    if not READS_LOG & set(who.staff):
        raise NotFound("page")
    reader, door, status = reader_of(request, who), edge(request).door, 200
    found, verdict = None, None
    if search:
        try:
            reason = accounts.clean_reason(form.values["reason"])
            home = await accounts.find_home(door, form.values["find"])
            with acting("look_log"):
                async with door.open(who.acts(Purpose.ADMINISTER, home, reason)) as tx:
                    found = [(s, seen_words(reader, s, {}), role_name(reader, s.role)) for s in await seen_by(tx, home, 300)]
        except LinesetError as error:
            form, status = refused(reader, error, form.values), int(error.status)
    if verify:
        async with door.open(_KEEPER) as tx:
            verdict = await verify_here(tx)
    async with door.open(context) as tx:
        checkpoint, key = await last_checkpoint(tx), public_key(tx.vault).hex()
        accesses = await accounts.list_staff_accesses(tx, limit=50)
    return console_page(
        request,
        "log",
        who,
        reader,
        "log",
        status=status,
        form=form,
        found=found,
        verdict=verdict,
        checkpoint=checkpoint,
        key=key,
        accesses=accesses,
        now=now(),
    )


ROUTES = (log_page, search, verify)
