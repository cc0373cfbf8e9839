"""An invitation into a household or company, opened by its link."""

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post

from lineset import accounts
from lineset.kit.errors import LinesetError

from ..common.coming import browser_of, enter, go
from ..common.edge import Ask, edge, form_text, page, principal, reader_of, start_page
from ..common.forms import Form
from ..common.refusals import refused
from ..common.roles import role_name
from .agreeing import agreed, told_before
from .dead_links import dead_link, is_dead
from .signing_up import usual_units

FIELDS = ("name", "units", "time_zone")


@get("/invitation")
async def invitation_page(request: Ask) -> Response[Any]:
    """What the invitation is into; with a button for whoever is signed in, and a form for whoever has no account yet."""
    token = request.query_params.get("token", "")
    return await _show(request, token, Form(values={"units": usual_units(request)}))


@post("/invitation/accept")
async def accept(request: Ask) -> Response[Any]:
    """Accept as the signed-in person."""
    token = form_text(await request.form(), "token")
    here, who = edge(request), await principal(request)
    if who is None:
        return go(f"/sign-in?next={quote(f'/invitation?token={token}', safe='')}")
    try:
        await accounts.accept_invitation(here.door, token, who.person_id)
    except LinesetError as error:
        return await _refuse(request, token, error, {})
    here.authenticator.forget(who.person_id)
    request.state.pop("principal", None)
    return go(start_page(await principal(request) or who))


@post("/invitation/new")
async def accept_as_new(request: Ask) -> Response[Any]:
    """Accept with a new account for the address that was invited, and sign in."""
    form = await request.form()
    token, values = form_text(form, "token"), {name: form_text(form, name) for name in FIELDS}
    try:
        signed_in = await accounts.accept_as_new(
            edge(request).door,
            token,
            password=form_text(form, "password"),
            browser=browser_of(request),
            language=reader_of(request, None).language,
            texts=await agreed(request, form),
            **values,
        )
    except LinesetError as error:
        return await _refuse(request, token, error, values)
    return await enter(request, signed_in)


async def _refuse(request: Ask, token: str, error: LinesetError, values: dict[str, str]) -> Response[Any]:
    if is_dead(error):
        return await dead_link(request, error)
    reader = reader_of(request, await principal(request))
    return await _show(request, token, refused(reader, error, values), int(error.status))


async def _show(request: Ask, token: str, form: Form, status: int = 200) -> Response[Any]:
    who = await principal(request)
    reader = reader_of(request, who)
    try:
        found = await accounts.read_invitation(edge(request).door, token, browser_of(request))
    except LinesetError as error:
        if is_dead(error):
            return await dead_link(request, error)
        raise
    return page(
        request,
        "public/invitation.html",
        reader,
        who,
        status=status,
        form=form,
        invitation=found,
        role=role_name(reader, found.role),
        token=token,
        sign_in=f"/sign-in?next={quote(f'/invitation?token={token}', safe='')}",
        **await told_before(request),
    )


ROUTES = (invitation_page, accept, accept_as_new)
