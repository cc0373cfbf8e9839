"""The operator's own staff: who works here in which role, and inviting more."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import accounts
from lineset.accounts import STAFF_ROLES
from lineset.kit.clock import now
from lineset.kit.errors import Denied, LinesetError

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from ..common.roles import role_name
from .desk import console_page


@get("/console/staff")
async def staff_page(request: Ask) -> Response[Any]:
    """Everybody who works at the operator, and who is invited."""
    return await _show(request, Form(values={"role": "support"}))


@post("/console/staff")
async def invite(request: Ask) -> Response[Any]:
    """Invite somebody by mail."""
    who, context = await console_context(request)
    form = await request.form()
    values = {"email": form_text(form, "email").strip(), "role": form_text(form, "role")}
    try:
        async with edge(request).door.open(context) as tx:
            await accounts.invite_to_company(tx, (await accounts.get_operator(tx)).id, values["email"], values["role"])
    except Denied:
        raise
    except LinesetError as error:
        return await _show(request, refused(reader_of(request, who), error, values), int(error.status))
    return go("/console/staff?done=invited")


@post("/console/staff/{person_id:uuid}")
async def change(request: Ask, person_id: UUID) -> Response[Any]:
    """Give somebody another role, or end their work; the form's button says which."""
    who, context = await console_context(request)
    form = await request.form()
    remove = form_text(form, "do") == "remove"
    try:
        async with edge(request).door.open(context) as tx:
            operator = await accounts.get_operator(tx)
            if remove:
                await accounts.remove_staff(tx, operator.id, person_id)
            else:
                await accounts.change_staff_role(tx, operator.id, person_id, form_text(form, "role"))
    except Denied:
        raise
    except LinesetError as error:
        return await _show(request, refused(reader_of(request, who), error, {"role": "support"}), int(error.status))
    edge(request).authenticator.forget(person_id)
    return go(f"/console/staff?done={'removed' if remove else 'saved'}")


@post("/console/staff/invitations/{invitation_id:uuid}/withdraw")
async def withdraw(request: Ask, invitation_id: UUID) -> Response[Any]:
    """Take an invitation back."""
    _, context = await console_context(request)
    async with edge(request).door.open(context) as tx:
        await accounts.withdraw_invitation(tx, invitation_id)
    return go("/console/staff?done=withdrawn")


async def _show(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, context = await console_context(request)
    reader = reader_of(request, who)
    async with edge(request).door.open(context) as tx:
        operator = await accounts.get_operator(tx)
        people = await accounts.list_staff(tx, operator.id)
        invitations = await accounts.list_invitations(tx, operator.id) if "operator" in who.staff else []
    return console_page(
        request,
        "staff",
        who,
        reader,
        "staff",
        status=status,
        company=operator,
        people=people,
        invitations=invitations,
        roles=[(role, role_name(reader, role)) for role in STAFF_ROLES],
        me=who.person_id,
        form=form,
        now=now(),
    )


ROUTES = (staff_page, invite, change, withdraw)
