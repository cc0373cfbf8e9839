"""A household: its people with their roles, who is invited, and its name."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import accounts
from lineset.accounts import HOUSEHOLD_ROLES, Principal
from lineset.kit.clock import now
from lineset.kit.errors import LinesetError
from lineset.privacy import Purpose

from ..common.coming import go
from ..common.edge import Ask, edge, form_text
from ..common.forms import Form
from ..common.reader import Reader
from ..common.refusals import refused
from .own import EMPTY, account_page, changed, household_of, owner_of_account


@get("/account/household")
async def first_household(request: Ask) -> Response[Any]:
    """The person's first household, or how to make one."""
    who, reader = await owner_of_account(request)
    if who.households:
        return go(f"/account/household/{who.households[0].id}")
    return account_page(request, "no_household", who, reader, "household", form=EMPTY)


@post("/account/household")
async def create(request: Ask) -> Response[Any]:
    """One more household or business of one's own."""
    who, reader = await owner_of_account(request)
    form = await request.form()
    name, kind = form_text(form, "household"), form_text(form, "kind")
    try:
        household_id = await accounts.create_household(edge(request).door, who.person_id, name, business=kind == "business")
    except LinesetError as error:
        shown = refused(reader, error, {"household": name, "kind": kind})
        return account_page(request, "no_household", who, reader, "household", status=int(error.status), form=shown)
    await changed(request, who)
    return go(f"/account/household/{household_id}?done=created")


@get("/account/household/new")
async def create_page(request: Ask) -> Response[Any]:
    """The form for one more."""
    who, reader = await owner_of_account(request)
    return account_page(request, "no_household", who, reader, "household", form=EMPTY)


@get("/account/household/{household_id:uuid}")
async def household_page(request: Ask, household_id: UUID) -> Response[Any]:
    """Who belongs to it."""
    who, reader = await owner_of_account(request)
    return await _show(request, who, reader, household_id)


@post("/account/household/{household_id:uuid}/name")
async def rename(request: Ask, household_id: UUID) -> Response[Any]:
    """Call it by another name."""
    who, reader = await owner_of_account(request)
    name = form_text(await request.form(), "household")
    household_of(who, household_id)
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            await accounts.rename_household(tx, household_id, name)
    except LinesetError as error:
        return await _show(request, who, reader, household_id, error, {"household": name})
    await changed(request, who)
    return _done(household_id, "renamed")


@post("/account/household/{household_id:uuid}/invitations")
async def invite(request: Ask, household_id: UUID) -> Response[Any]:
    """Invite somebody by mail."""
    who, reader = await owner_of_account(request)
    form = await request.form()
    values = {"email": form_text(form, "email"), "role": form_text(form, "role")}
    household_of(who, household_id)
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            await accounts.invite_member(tx, household_id, values["email"], values["role"])
    except LinesetError as error:
        return await _show(request, who, reader, household_id, error, values)
    return _done(household_id, "invited")


@post("/account/household/{household_id:uuid}/invitations/{invitation_id:uuid}/withdraw")
async def withdraw(request: Ask, household_id: UUID, invitation_id: UUID) -> Response[Any]:
    """Take an invitation back."""
    who, _ = await owner_of_account(request)
    household_of(who, household_id)
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        await accounts.withdraw_invitation(tx, invitation_id)
    return _done(household_id, "withdrawn")


@post("/account/household/{household_id:uuid}/people/{person_id:uuid}/role")
async def change_role(request: Ask, household_id: UUID, person_id: UUID) -> Response[Any]:
    """Give somebody another role."""
    who, reader = await owner_of_account(request)
    role = form_text(await request.form(), "role")
    household_of(who, household_id)
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            await accounts.change_member_role(tx, household_id, person_id, role)
    except LinesetError as error:
        return await _show(request, who, reader, household_id, error)
    await _forget(request, who, person_id)
    return _done(household_id, "role")


@post("/account/household/{household_id:uuid}/people/{person_id:uuid}/remove")
async def remove(request: Ask, household_id: UUID, person_id: UUID) -> Response[Any]:
    """End somebody's membership; one's own is ended by leaving."""
    who, reader = await owner_of_account(request)
    household_of(who, household_id)
    try:
        if person_id == who.person_id:
            await accounts.leave_household(edge(request).door, who.person_id, household_id)
        else:
            async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
                await accounts.remove_member(tx, household_id, person_id)
    except LinesetError as error:
        return await _show(request, who, reader, household_id, error)
    await _forget(request, who, person_id)
    return go("/account/household?done=left") if person_id == who.person_id else _done(household_id, "removed")


@post("/account/household/{household_id:uuid}/people/{person_id:uuid}/pause")
async def pause(request: Ask, household_id: UUID, person_id: UUID) -> Response[Any]:
    """Pause somebody's membership, or, where it is paused, resume it; the form's button says which."""
    who, reader = await owner_of_account(request)
    household_of(who, household_id)
    resume = form_text(await request.form(), "do") == "resume"
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            await (accounts.resume_member if resume else accounts.suspend_member)(tx, household_id, person_id)
    except LinesetError as error:
        return await _show(request, who, reader, household_id, error)
    await _forget(request, who, person_id)
    return _done(household_id, "resumed" if resume else "paused")


async def _forget(request: Ask, who: Principal, person_id: UUID) -> None:
    edge(request).authenticator.forget(person_id)
    await changed(request, who)


def _done(household_id: UUID, what: str) -> Response[Any]:
    return go(f"/account/household/{household_id}?done={what}")


async def _show(
    request: Ask,
    who: Principal,
    reader: Reader,
    household_id: UUID,
    error: LinesetError | None = None,
    values: dict[str, str] | None = None,
) -> Response[Any]:
    household = household_of(who, household_id)
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        members = await accounts.list_members(tx, household_id)
        open_invitations = await accounts.list_invitations(tx, household_id)
    form = refused(reader, error, values) if error else Form()
    form = Form({"household": household.name, "role": "member", **form.values}, form.errors, form.problem, form.advice)
    return account_page(
        request,
        "household",
        who,
        reader,
        "household",
        status=int(error.status) if error else 200,
        household=household,
        households=who.households,
        me=who.person_id,
        members=members,
        invitations=open_invitations,
        last_owner=sum(m.role == "owner" for m in members) == 1,
        roles=HOUSEHOLD_ROLES,
        form=form,
        now=now(),
    )


ROUTES = (first_household, create, create_page, household_page, rename, invite, withdraw, change_role, remove, pause)
