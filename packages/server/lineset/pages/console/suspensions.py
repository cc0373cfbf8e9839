"""Suspended accounts: who is shut out, why, since when; suspending one more, and letting somebody in again."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.clock import now
from lineset.kit.errors import Denied, LinesetError

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from .desk import SUSPENDS, console_page


@get("/console/accounts")
async def suspensions(request: Ask) -> Response[Any]:
    """Accounts that are suspended, and those that were."""
    return await _show(request, Form(values={}))


@post("/console/accounts")
async def suspend(request: Ask) -> Response[Any]:
    """Suspend an account by its e-mail address, for a reason."""
    who, _ = await console_context(request)
    form = await request.form()
    values = {"email": form_text(form, "email").strip(), "reason": form_text(form, "reason").strip()}
    try:
        await accounts.suspend_account(edge(request).door, who.person_id, values["email"], values["reason"])
    except Denied:
        raise
    except LinesetError as error:
        return await _show(request, refused(reader_of(request, who), error, values), int(error.status))
    return go("/console/accounts?done=suspended")


@post("/console/accounts/{suspension_id:uuid}/lift")
async def lift(request: Ask, suspension_id: UUID) -> Response[Any]:
    """Let somebody in again."""
    who, _ = await console_context(request)
    await accounts.lift_suspension(edge(request).door, who.person_id, suspension_id)
    return go("/console/accounts?done=lifted")


async def _show(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, context = await console_context(request)
    if not SUSPENDS & set(who.staff):
        raise Denied("operator_needed", "Only the operator's staff for operation or security can do this.")
    reader = reader_of(request, who)
    async with edge(request).door.open(context) as tx:
        found = await accounts.list_suspensions(tx)
    lasting = [s for s in found if s.ended_at is None]
    over = [s for s in found if s.ended_at is not None]
    return console_page(
        request, "suspensions", who, reader, "accounts", status=status, lasting=lasting, over=over[:50], form=form, now=now()
    )


ROUTES = (suspensions, suspend, lift)
