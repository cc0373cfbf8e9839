"""Every sentence of the pages stands in every language's catalogue, with the same places to fill."""

import io
import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from lineset.pages.common.words import LANGUAGES, LOCALE, choose_language

PAGES = LOCALE.parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
FILLED = re.compile(r"%\(\w+\)s|\{n\}")


@cache
def wanted() -> frozenset[str | tuple[str, ...]]:
    """Every message that templates and code name."""
    options = {"**/templates/**.html": {"trimmed": "true", "silent": "false"}}
    found = extract_from_dir(PAGES, METHODS, options, KEYWORDS)
    return frozenset(message for _, _, message, _, _ in found if message)


def catalogues(language: str) -> list[Catalog]:
    """All files of the language: the pages' own, and those for the domains' refusals."""
    return [read_po(io.BytesIO(path.read_bytes())) for path in sorted((LOCALE / language / "LC_MESSAGES").glob("*.po"))]


def sentences(message: Message) -> list[tuple[str, str]]:
    if isinstance(message.id, (tuple, list)):
        return list(zip(message.id, message.string or (), strict=True))
    return [(message.id, str(message.string))]


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_catalogue_is_whole(language: str) -> None:
    have = {tuple(m.id) if isinstance(m.id, (tuple, list)) else m.id: m for one in catalogues(language) for m in one if m.id}
    assert sorted(str(message) for message in wanted() - have.keys()) == [], "translate these"
    for message in have.values():
        assert not message.fuzzy
        for english, text in sentences(message):
            assert text, english
            if not isinstance(message.id, (tuple, list)):
                assert set(FILLED.findall(english)) == set(FILLED.findall(text)), english


def test_language_of_a_visitor() -> None:
    assert choose_language([None, "es"], "en") == "es"
    assert choose_language([None], "fr-CH, es;q=0.8, en;q=0.5") == "es"
    assert choose_language(["xx"], "de;q=x,,*") == "en"
