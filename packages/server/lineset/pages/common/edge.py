"""Where pages meet the platform: who asks, under which context, and how an answer becomes a response.

The composition root puts one `Edge` into the application's state; handlers reach it by `edge(request)`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect
from litestar.utils.scope.state import ScopeState

from lineset.accounts import Authenticator, Principal
from lineset.kit.bus import Bus
from lineset.kit.errors import NotFound
from lineset.kit.ids import parse_id
from lineset.kit.settings import Settings
from lineset.privacy import Context, Door, Purpose, Register

from .live import Hub
from .notices import Notice, Notices
from .reader import Reader, Units
from .render import THEMES, Frame, Templates, Who, new_nonce
from .security import PAGE_HEADERS, content_security_policy
from .signals import Heeded, signals_of
from .words import LANGUAGES

SESSION = "ls_session"
CSRF = "ls_csrf"
TAG = "ls_tag"
THEME = "ls_theme"
LANGUAGE = "ls_language"

Ask = Request[Any, Any, Any]


class NotSignedIn(Exception):
    """The page needs a signed-in person; the edge sends the browser to sign in and back."""


class Edge(msgspec.Struct, frozen=True):
    """What handlers need of the platform."""

    settings: Settings
    door: Door
    bus: Bus
    register: Register
    authenticator: Authenticator
    templates: Templates
    hub: Hub
    notices: Notices
    heeded: Heeded


def edge(request: Ask) -> Edge:
    """The application's edge."""
    found = request.app.state.edge
    assert isinstance(found, Edge)  # noqa: S101 - the composition root puts it there
    return found


async def principal(request: Ask) -> Principal | None:
    """Who is signed in, or None."""
    if "principal" not in request.state:
        here = edge(request)
        request.state.principal = who = await here.authenticator.session(request.cookies.get(SESSION, ""))
        request.state.notice = await here.notices.of(who) if who is not None else None
        if who is not None:
            await here.heeded.heed(request, who)
    found: Principal | None = request.state.principal
    return found


async def require(request: Ask) -> Principal:
    """Who is signed in.

    Raises:
        NotSignedIn: nobody is.
    """
    found = await principal(request)
    if found is None:
        raise NotSignedIn
    return found


async def home_context(request: Ask) -> tuple[Principal, Context]:
    """The context of a household's own pages."""
    who = await require(request)
    return who, who.acts(Purpose.OPERATE)


async def portal_context(request: Ask) -> tuple[Principal, Context]:
    """The context of a contractor's pages.

    Raises:
        NotFound: the person works at no company, so there is no portal.
    """
    who = await require(request)
    if not who.companies:
        raise NotFound("page")
    return who, who.acts(Purpose.SERVICE, named(request))


async def console_context(request: Ask) -> tuple[Principal, Context]:
    """The context of the operator's console.

    Raises:
        NotFound: the person is not staff.
    """
    who = await require(request)
    if not who.staff:
        raise NotFound("page")
    return who, who.acts(Purpose.ADMINISTER)


def named(request: Ask) -> UUID | None:
    """What the address is about, for the access log: a machine or gateway, else the site; None for lists.

    Raises:
        NotFound: the address spells no id there.
    """
    for name in ("machine", "gateway", "equipment", "site", "household"):
        text = request.path_params.get(name)
        if text is not None:
            found = parse_id(str(text))
            if found is None:
                raise NotFound(name)
            return found
    return None


def start_page(who: Principal) -> str:
    """Where a person lands after signing in."""
    if who.companies:
        return "/portal"
    return "/home" if who.households or not who.staff else "/console"


def reader_of(request: Ask, who: Principal | None, *, zone: str | None = None, clock24: bool | None = None) -> Reader:
    """How this person reads; a visitor reads as the browser asks."""
    if who is None:
        return Reader(_visitor_language(request), "us", zone or "UTC")
    units: Units = "metric" if who.units == "metric" else "us"
    return Reader(who.language, units, zone or who.time_zone or "UTC", clock24=units == "metric" if clock24 is None else clock24)


def _visitor_language(request: Ask) -> str:
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen in LANGUAGES:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        language = part.partition(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return "en"


def page(
    request: Ask,
    template: str,
    reader: Reader,
    who: Principal | None = None,
    *,
    status: int = 200,
    live: bool = False,
    scripts: bool = True,
    **context: object,
) -> Response[str]:
    """A template as a response with a policy of its own."""
    nonce = new_nonce() if scripts else ""
    theme, signals = request.cookies.get(THEME, ""), signals_of(request)
    frame = Frame(
        path=request.url.path,
        theme=theme if theme in THEMES else "",
        nonce=nonce,
        csrf=csrf_token(request),
        who=_head(who),
        live=live and who is not None,
        contact=edge(request).settings.contact.complete,
        notice=_notice(request) if who is not None else None,
        signal=signals.sent[0] if signals.sent else "",
        asks=signals.asks(edge(request).register),
        tagged=signals.optional and who is None,
    )
    html = edge(request).templates.render(template, reader, frame, context)
    headers = PAGE_HEADERS | {"content-security-policy": content_security_policy(nonce)}
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=headers)


def _notice(request: Ask) -> Notice | None:
    """What the signed-in person has to be told; the account's own page about it says so by itself."""
    found = request.state.get("notice")
    return found if isinstance(found, Notice) and request.url.path != "/account/texts" else None


def csrf_token(request: Ask) -> str:
    """The token that forms of this page must carry; the same as in the cookie that the middleware sets."""
    token = ScopeState.from_scope(request.scope).csrf_token
    return token if isinstance(token, str) else request.cookies.get(CSRF, "")


def _head(who: Principal | None) -> Who | None:
    if who is None:
        return None
    role = who.companies[0].name if who.companies else ""
    areas = [name for name, has in (("home", who.households), ("portal", who.companies), ("console", who.staff)) if has]
    return Who(name=who.name, role=role, home=start_page(who), areas=tuple(areas))


def set_cookie(request: Ask, response: Response[Any], name: str, value: str) -> None:
    """Set a declared cookie with the life that its declaration names. One that is not needed waits for the visitor's yes.

    Raises:
        Undeclared: the cookie is not declared.
    """
    declared = edge(request).register.cookie(name)
    if not declared.needed and not signals_of(request).optional:
        return
    life = None if declared.life_days is None else declared.life_days * 86_400
    secure = edge(request).settings.url.startswith("https://")
    response.set_cookie(Cookie(name, path="/", value=value, max_age=life, httponly=name in (SESSION, TAG), secure=secure, samesite="lax"))


def drop_cookie(response: Response[Any], name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(name, path="/")


def to_sign_in(request: Ask) -> Response[Any]:
    """Send the browser to sign in, and back here afterwards."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = "/sign-in" if request.method != "GET" or back == "/" else f"/sign-in?next={quote(back, safe='/')}"
    if request.headers.get("hx-request"):
        return Response("", status_code=200, headers={"hx-redirect": target}, media_type=MediaType.HTML)
    return Redirect(target, status_code=303)


def safe_next(text: str | None, otherwise: str) -> str:
    """A path of ours to go on to, never another site. Browsers drop tabs and line ends, and read a backslash as a slash."""
    if text and text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable():
        return text
    return otherwise


def form_text(form: Mapping[str, Any], name: str) -> str:
    """A field of a form as text, empty where it is missing."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
