"""The template environments and the one function that turns a view into a response."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from .assets import Assets
from .notices import Notice
from .quantity import code_words
from .reader import Reader
from .words import LANGUAGES, catalogue

PAGES = Path(__file__).resolve().parent.parent
AREAS = ("common", "public", "account", "home", "portal", "console")
THEMES = ("", "light", "dark", "contrast", "contrast-dark")


class Who(msgspec.Struct, frozen=True):
    """The signed-in person as a page's head shows them."""

    name: str
    role: str
    home: str
    areas: tuple[str, ...] = ()


class Frame(msgspec.Struct, frozen=True):
    """What every page needs around its own view. `contact`: the operator has said who runs this installation; `notice`: of a text.

    `signal`: the privacy signal that the browser sends; `asks`: whether to ask about cookies that are not needed.
    """

    path: str
    theme: str
    nonce: str
    csrf: str
    who: Who | None = None
    live: bool = False
    contact: bool = False
    tagged: bool = False
    notice: Notice | None = None
    signal: str = ""
    asks: bool = False


def new_nonce() -> str:
    """A fresh value for the script nonce of one response."""
    return secrets.token_urlsafe(18)


class Templates:
    """One Jinja environment per language, each with its own catalogue and compiled templates."""

    def __init__(self, assets: Assets, *, reload: bool = False) -> None:
        self._environments = {language: _environment(language, assets, reload) for language in LANGUAGES}

    def render(self, template: str, reader: Reader, frame: Frame, context: Mapping[str, Any]) -> str:
        """The page `template` (``area/name.html``) in the reader's language."""
        environment = self._environments[reader.language]
        return environment.get_template(template).render(reader=reader, frame=frame, **context)


def _environment(language: str, assets: Assets, reload: bool) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PrefixLoader({area: FileSystemLoader(PAGES / area / "templates") for area in AREAS})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=reload,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    environment.globals |= {
        "assets": assets,
        "languages": LANGUAGES,
        "themes": THEMES,
        "icon": _icon,
        "iso": _iso,
        "code_words": code_words,
    }
    environment.policies["ext.i18n.trimmed"] = True
    return environment


def _icon(name: str) -> Markup:
    return Markup('<svg class="ico" aria-hidden="true"><use href="#i-{}"/></svg>').format(name)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
