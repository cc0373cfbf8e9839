"""Languages of the pages and their catalogues.

English stands in the templates; every other language is a catalogue beside them, read once at start.
"""

import io
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES: dict[str, str] = {"en": "English", "es": "Español"}
LOCALE = Path(__file__).resolve().parent.parent / "locale"
DOMAIN = "lineset"


def catalogue(language: str) -> NullTranslations:
    """The translations of `language`, one file an area; English is its own catalogue."""
    paths = sorted((LOCALE / language / "LC_MESSAGES").glob("*.po"))
    if language == "en" or not paths:
        return NullTranslations()
    whole = Catalog(locale=language, domain=DOMAIN)
    for path in paths:
        with path.open("rb") as source:
            for message in read_po(source, locale=language, domain=DOMAIN):
                if message.id:
                    whole[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def choose_language(wanted: Sequence[str | None], accept: str | None) -> str:
    """The first of `wanted` that the pages speak, else the best of an Accept-Language header, else English."""
    for language in wanted:
        if language in LANGUAGES:
            return language
    for part in _ranked(accept or ""):
        if part in LANGUAGES:
            return part
    return "en"


def _ranked(accept: str) -> list[str]:
    ranked: list[tuple[float, str]] = []
    for part in accept.split(",")[:20]:
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        ranked.append((weight, tag.split("-")[0].lower()))
    return [tag for weight, tag in sorted(ranked, key=lambda item: -item[0]) if weight > 0]
