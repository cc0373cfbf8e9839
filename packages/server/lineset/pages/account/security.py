"""Password, the browsers and apps that are signed in, and tokens for programs."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from lineset import accounts, apps
from lineset.accounts import Principal
from lineset.kit.clock import now
from lineset.kit.errors import Denied, LinesetError
from lineset.kit.tombstones import Tombstones
from lineset.privacy import Purpose
from lineset.privacy.erasure import remember_item

from ..common.coming import go, leave
from ..common.edge import Ask, edge, form_text
from ..common.forms import Form
from ..common.reader import Reader
from ..common.refusals import refused
from ..common.trouble_view import app_trouble_lines
from .own import EMPTY, account_page, owner_of_account


@get("/account/security")
async def security_page(request: Ask) -> Response[Any]:
    """How the account is kept."""
    who, reader = await owner_of_account(request)
    return await _show(request, who, reader)


@post("/account/password")
async def change_password(request: Ask) -> Response[Any]:
    """Another password; all other browsers and apps are signed out."""
    who, reader = await owner_of_account(request)
    form = await request.form()
    current, new = form_text(form, "current"), form_text(form, "password")
    try:
        await accounts.change_password(edge(request).door, who.person_id, current, new, keep_session=who.session_id)
    except LinesetError as error:
        shown = refused(reader, error)
        if isinstance(error, Denied):
            shown = Form(errors={"current": shown.problem})
        return await _show(request, who, reader, status=int(error.status), form=shown)
    edge(request).authenticator.forget(who.person_id)
    return go("/account/security?done=password")


@post("/account/sessions/{session_id:uuid}/end")
async def end_session(request: Ask, session_id: UUID) -> Response[Any]:
    """Sign one browser or app out."""
    who, _ = await owner_of_account(request)
    if session_id == who.session_id:
        return await leave(request)
    async with edge(request).door.open(who.acts(Purpose.SECURITY)) as tx:
        await accounts.sign_out(tx, session_id)
    edge(request).authenticator.forget(who.person_id)
    return go("/account/security?done=session#sessions")


@post("/account/sessions/end-others")
async def end_others(request: Ask) -> Response[Any]:
    """Sign all other browsers and apps out."""
    who, _ = await owner_of_account(request)
    async with edge(request).door.open(who.acts(Purpose.SECURITY)) as tx:
        await accounts.sign_out_everywhere(tx, keep=who.session_id)
    edge(request).authenticator.forget(who.person_id)
    return go("/account/security?done=others#sessions")


@post("/account/sessions/end-all")
async def end_all(request: Ask) -> Response[Any]:
    """Sign out everywhere, here too."""
    who, _ = await owner_of_account(request)
    async with edge(request).door.open(who.acts(Purpose.SECURITY)) as tx:
        await accounts.sign_out_everywhere(tx)
    edge(request).authenticator.forget(who.person_id)
    return await leave(request, "/sign-in")


@post("/account/tokens")
async def make_token(request: Ask) -> Response[Any]:
    """A token for a program, shown this once: this answer is the only one that holds it."""
    who, reader = await owner_of_account(request)
    name = form_text(await request.form(), "token_name")
    try:
        async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
            token = await accounts.make_token(tx, name)
    except LinesetError as error:
        shown = refused(reader, error, {"token_name": name})
        if "name" in shown.errors:
            shown = Form(values=shown.values, errors={"token_name": shown.errors["name"]})
        return await _show(request, who, reader, status=int(error.status), tokens_form=shown)
    return await _show(request, who, reader, token=token, token_name=name)


@post("/account/tokens/{token_id:uuid}/revoke")
async def revoke_token(request: Ask, token_id: UUID) -> Response[Any]:
    """End a token; the program that has it is refused from now on."""
    who, _ = await owner_of_account(request)
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        await accounts.revoke_token(tx, token_id)
        # a backup made before must not bring the token back to life
        await remember_item(Tombstones(edge(request).bus), "api_tokens", token_id)
    return go("/account/security?done=token#tokens")


@post("/account/reports/forget")
async def forget_reports(request: Ask) -> Response[Any]:
    """Delete what one's pages reported."""
    who, _ = await owner_of_account(request)
    async with edge(request).door.open(who.acts(Purpose.SECURITY)) as tx:
        await apps.forget(tx)
    return go("/account/security?done=forgotten#reports")


async def _show(
    request: Ask,
    who: Principal,
    reader: Reader,
    *,
    status: int = 200,
    form: Form = EMPTY,
    tokens_form: Form = EMPTY,
    token: str = "",
    token_name: str = "",
) -> Response[Any]:
    async with edge(request).door.open(who.acts(Purpose.SECURITY)) as tx:
        sessions = await accounts.list_sessions(tx, who.session_id)
        tokens = await accounts.list_tokens(tx)
        reports, opened = await apps.troubles(tx), await apps.openings(tx)
    sessions.sort(key=lambda s: not s.current)
    return account_page(
        request,
        "security",
        who,
        reader,
        "security",
        status=status,
        form=form,
        tokens_form=tokens_form,
        sessions=sessions,
        tokens=tokens,
        token=token,
        token_name=token_name,
        reports=app_trouble_lines(reader, reports, now()),
        opened=opened,
        now=now(),
    )


ROUTES = (security_page, change_password, end_session, end_others, end_all, make_token, revoke_token, forget_reports)
