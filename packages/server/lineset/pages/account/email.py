"""Another e-mail address: asked for with the password, used once the link to it has been opened."""

from typing import Any

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.errors import Denied, Invalid, LinesetError

from ..common.coming import go
from ..common.edge import Ask, edge, form_text
from ..common.forms import Form
from ..common.refusals import refused, said
from .own import account_page, changed, owner_of_account
from .profile import show


@post("/account/email")
async def change(request: Ask) -> Response[Any]:
    """Mail the link. The answer is the same for an address that another account has."""
    who, reader = await owner_of_account(request)
    form = await request.form()
    address = form_text(form, "new_email").strip()
    try:
        await accounts.change_email(edge(request).door, who.person_id, form_text(form, "current"), address)
    except LinesetError as error:
        return await show(
            request, who, reader, status=int(error.status), email=_at_field(refused(reader, error, {"new_email": address}), error)
        )
    return go("/account?done=email_sent")


def _at_field(form: Form, error: LinesetError) -> Form:
    """The form's own field names: the domain's `email` is the new address here, and a wrong password has a field too."""
    if isinstance(error, Denied):
        return Form(values=form.values, errors={"current": form.problem})
    if isinstance(error, Invalid) and error.field == "email":
        return Form(values=form.values, errors={"new_email": form.errors["email"]})
    return form


@get("/account/email")
async def confirm_page(request: Ask) -> Response[Any]:
    """The mailed link opens here and waits for a button, so that a mail program that opens links changes nothing."""
    who, reader = await owner_of_account(request)
    return account_page(request, "email", who, reader, "profile", token=request.query_params.get("token", ""), say="")


@post("/account/email/confirm")
async def confirm(request: Ask) -> Response[Any]:
    """Use the new address from now on."""
    who, reader = await owner_of_account(request)
    token = form_text(await request.form(), "token")
    try:
        await accounts.confirm_email(edge(request).door, who.person_id, token)
    except Invalid as error:
        return account_page(request, "email", who, reader, "profile", status=410, token="", say=said(reader, error))
    await changed(request, who)
    return go("/account?done=email")


ROUTES = (change, confirm_page, confirm)
