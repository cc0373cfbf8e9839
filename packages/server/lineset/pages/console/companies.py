"""Contractor companies: make one with an invitation to its first manager, change it, invite more of its people."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import accounts
from lineset.accounts import COMPANY_ROLES
from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, LinesetError
from lineset.privacy import Tx

from ..common.coming import go
from ..common.edge import Ask, console_context, edge, form_text, reader_of
from ..common.forms import Form
from ..common.refusals import refused
from .desk import console_page

FIELDS = ("name", "phone", "email", "manager_email")


@get("/console/companies")
async def companies_page(request: Ask) -> Response[Any]:
    """All companies, and a form for one more."""
    return await _list(request, Form())


@post("/console/companies")
async def create(request: Ask) -> Response[Any]:
    """Make a company and mail its first manager an invitation."""
    who, context = await console_context(request)
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in FIELDS}
    try:
        async with edge(request).door.open(context) as tx:
            company_id = await accounts.create_company(tx, name=values["name"], phone=values["phone"], email=values["email"])
            await _invite(tx, company_id, values["manager_email"], "manager", "manager_email")
    except Denied:
        raise
    except LinesetError as error:
        return await _list(request, refused(reader_of(request, who), error, values), int(error.status))
    return go(f"/console/companies/{company_id}?done=created")


@get("/console/companies/{company_id:uuid}")
async def company_page(request: Ask, company_id: UUID) -> Response[Any]:
    """One company: what everybody sees of it, and who is invited."""
    return await _one(request, company_id)


@post("/console/companies/{company_id:uuid}")
async def change(request: Ask, company_id: UUID) -> Response[Any]:
    """Change what everybody sees of it."""
    _, context = await console_context(request)
    form = await request.form()
    values = {name: form_text(form, name).strip() for name in ("name", "phone", "email")}
    try:
        async with edge(request).door.open(context) as tx:
            await accounts.change_company(tx, company_id, **values)
    except Denied:
        raise
    except LinesetError as error:
        return await _one(request, company_id, error, values)
    return go(f"/console/companies/{company_id}?done=saved")


@post("/console/companies/{company_id:uuid}/invitations")
async def invite(request: Ask, company_id: UUID) -> Response[Any]:
    """Invite somebody to work there."""
    _, context = await console_context(request)
    form = await request.form()
    values = {"invite_email": form_text(form, "invite_email").strip(), "role": form_text(form, "role")}
    try:
        async with edge(request).door.open(context) as tx:
            await _invite(tx, company_id, values["invite_email"], values["role"], "invite_email")
    except Denied:
        raise
    except LinesetError as error:
        return await _one(request, company_id, error, values)
    return go(f"/console/companies/{company_id}?done=invited")


@post("/console/companies/{company_id:uuid}/invitations/{invitation_id:uuid}/withdraw")
async def withdraw(request: Ask, company_id: UUID, invitation_id: UUID) -> Response[Any]:
    """Take an invitation back."""
    _, context = await console_context(request)
    async with edge(request).door.open(context) as tx:
        await accounts.withdraw_invitation(tx, invitation_id)
    return go(f"/console/companies/{company_id}?done=withdrawn")


async def _invite(tx: Tx, company_id: UUID, email: str, role: str, field: str) -> None:
    """Invite by mail; an address that can't be one is told at the form's own field, since forms here have another one."""
    try:
        await accounts.invite_to_company(tx, company_id, email, role)
    except Invalid as error:
        raise Invalid(error.code, error.say, field if error.field == "email" else error.field) from error


async def _list(request: Ask, form: Form, status: int = 200) -> Response[Any]:
    who, context = await console_context(request)
    async with edge(request).door.open(context) as tx:
        found = await accounts.list_companies(tx)
    return console_page(request, "companies", who, reader_of(request, who), "companies", status=status, companies=found, form=form)


async def _one(
    request: Ask,
    company_id: UUID,
    error: LinesetError | None = None,
    values: dict[str, str] | None = None,
) -> Response[Any]:
    who, context = await console_context(request)
    reader = reader_of(request, who)
    async with edge(request).door.open(context) as tx:
        company = await accounts.get_company(tx, company_id)
        invitations = await accounts.list_invitations(tx, company_id)
    form = refused(reader, error, values) if error else Form()
    kept = {"name": company.name, "phone": company.phone, "email": company.email, "role": "manager", **form.values}
    return console_page(
        request,
        "company",
        who,
        reader,
        "companies",
        status=int(error.status) if error else 200,
        company=company,
        invitations=invitations,
        roles=COMPANY_ROLES,
        form=Form(kept, form.errors, form.problem, form.advice),
        now=now(),
    )


ROUTES = (companies_page, create, company_page, change, invite, withdraw)
