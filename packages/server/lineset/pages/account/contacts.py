"""Addresses and telephone numbers, each with its kind and the person's own word for it."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import accounts
from lineset.accounts import Contact, NewContact, Principal
from lineset.kit.errors import LinesetError, NotFound
from lineset.kit.tombstones import Tombstones
from lineset.privacy import Purpose
from lineset.privacy.erasure import remember_item

from ..common.coming import go
from ..common.edge import Ask, edge, form_text
from ..common.forms import Form
from ..common.reader import Reader
from ..common.refusals import refused
from .own import account_page, owner_of_account


@get("/account/contacts/new")
async def new_page(request: Ask) -> Response[Any]:
    """A form for one more."""
    who, reader = await owner_of_account(request)
    kind = request.query_params.get("kind", "")
    return _form_page(request, who, reader, Form(values={"kind": kind if kind in accounts.CONTACT_KINDS else "residence"}))


@post("/account/contacts/new")
async def add(request: Ask) -> Response[Any]:
    """Keep one more."""
    who, reader = await owner_of_account(request)
    contact = await _typed(request)
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            await accounts.add_contact(tx, contact)
    except LinesetError as error:
        return _form_page(request, who, reader, refused(reader, error, _values(contact)), status=int(error.status))
    return go("/account?done=contact#contacts")


@get("/account/contacts/{contact_id:uuid}")
async def change_page(request: Ask, contact_id: UUID) -> Response[Any]:
    """A form with one of them."""
    who, reader = await owner_of_account(request)
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        contacts = (await accounts.get_profile(tx)).contacts
    found = next((c for c in contacts if c.id == contact_id), None)
    if found is None:
        raise NotFound("address or number")
    return _form_page(request, who, reader, Form(values=_values(found)), contact_id)


@post("/account/contacts/{contact_id:uuid}")
async def change(request: Ask, contact_id: UUID) -> Response[Any]:
    """Replace one of them."""
    who, reader = await owner_of_account(request)
    contact = await _typed(request)
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            await accounts.change_contact(tx, contact_id, contact)
    except NotFound:
        raise
    except LinesetError as error:
        return _form_page(request, who, reader, refused(reader, error, _values(contact)), contact_id, status=int(error.status))
    return go("/account?done=contact#contacts")


@post("/account/contacts/{contact_id:uuid}/remove")
async def remove(request: Ask, contact_id: UUID) -> Response[Any]:
    """Forget one of them."""
    who, _ = await owner_of_account(request)
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        await accounts.remove_contact(tx, contact_id)
        await remember_item(Tombstones(edge(request).bus), "contacts", contact_id)
    return go("/account?done=contact_gone#contacts")


async def _typed(request: Ask) -> NewContact:
    form = await request.form()
    return NewContact(form_text(form, "kind"), form_text(form, "value"), form_text(form, "label").strip())


def _values(contact: Contact | NewContact) -> dict[str, str]:
    return {"kind": contact.kind, "value": contact.value, "label": contact.label}


def _form_page(
    request: Ask, who: Principal, reader: Reader, form: Form, contact_id: UUID | None = None, *, status: int = 200
) -> Response[Any]:
    return account_page(request, "contact", who, reader, "profile", status=status, form=form, contact_id=contact_id)


ROUTES = (new_page, add, change_page, change, remove)
