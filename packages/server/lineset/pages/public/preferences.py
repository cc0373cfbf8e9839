"""Language and theme, from the foot of every page."""

from typing import Any

from litestar import Response, post

from lineset import accounts
from lineset.kit.errors import Invalid
from lineset.privacy import Purpose

from ..common.coming import go
from ..common.edge import LANGUAGE, THEME, Ask, drop_cookie, edge, form_text, principal, safe_next, set_cookie
from ..common.render import THEMES
from ..common.words import LANGUAGES


@post("/preferences/language")
async def choose_language(request: Ask) -> Response[Any]:
    """Remember the language in this browser, and in the profile of whoever is signed in."""
    form = await request.form()
    language = form_text(form, "language")
    if language not in LANGUAGES:
        raise Invalid("bad_language", f"Choose one of these languages: {', '.join(LANGUAGES)}.")
    here, who = edge(request), await principal(request)
    if who is not None:
        async with here.door.open(who.acts(Purpose.ACCOUNT)) as tx:
            await accounts.change_profile(tx, language=language)
        here.authenticator.forget(who.person_id)
    response = go(safe_next(form_text(form, "back"), "/"))
    set_cookie(request, response, LANGUAGE, language)
    return response


@post("/preferences/theme")
async def choose_theme(request: Ask) -> Response[Any]:
    """Remember light or dark in this browser; "" leaves it to the system."""
    form = await request.form()
    theme = form_text(form, "theme")
    if theme not in THEMES:
        raise Invalid("bad_theme", "Choose one of the themes that the page offers.")
    response = go(safe_next(form_text(form, "back"), "/"))
    if theme:
        set_cookie(request, response, THEME, theme)
    else:
        drop_cookie(response, THEME)
    return response


ROUTES = (choose_language, choose_theme)
