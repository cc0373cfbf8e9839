"""Every sentence of the pages, found where it stands, against the catalogues. `python -m tests.words` lists what has no Spanish yet."""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from lineset import schema
from lineset.pages.common.words import LANGUAGES, LOCALE
from lineset.privacy import policy
from lineset.privacy.egress.processors import PROCESSORS
from lineset.privacy.vocabulary import CATEGORIES, PURPOSES

SERVER = Path(__file__).parent.parent / "packages/server/lineset"
_METHODS = [("pages/**/templates/**.html", "jinja2"), ("pages/**.py", "python"), ("reports/**.py", "python")]
_PAGES: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None}
_REFUSALS = {"Invalid": (2,), "Denied": (2,), "Conflict": (2,)}
_TEXTS: dict[str, tuple[int, ...] | None] = {"say": (1,), "fact": None, "word": None}
"""What marks the sentences of policy and terms; the arguments after the first of `say` are ids of promises."""
DOMAINS = ("accounts", "gateways")
"""Whose refusals people read in pages as the domain words them."""

Message = str | tuple[str, ...]


def sentences() -> Iterator[tuple[str, Message]]:
    """Place and text of every sentence in templates and code of the pages, and of the refusals that pages show."""
    options = {"pages/**/templates/**.html": {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do"}}
    for place, line, message, _, _ in extract_from_dir(SERVER, _METHODS, options, keywords=_PAGES):
        yield f"{place}:{line}", message
    for place, line, message, _, _ in extract_from_dir(SERVER / "privacy/policy", [("**.py", "python")], keywords=_PAGES | _TEXTS):
        yield f"policy/{place}:{line}", message
    yield from (("declared", text) for text in declared())
    for domain in DOMAINS:
        for place, line, message, _, _ in extract_from_dir(SERVER / domain, [("**.py", "python")], keywords=_REFUSALS):
            yield f"{domain}/{place}:{line}", message


def declared() -> list[str]:
    """The words of the declarations that people read: categories, purposes, sources, recipients, and what each thing is about."""
    facts = policy.facts_of(schema.register(), policy.Contact("", "", "", "", ""), "", ())
    words = [*(CATEGORIES[c.key] for c in facts.categories), *(c.source for c in facts.categories)]
    words += [r for c in facts.categories for r in c.recipients]
    words += [text for p in PURPOSES.values() for text in (p.title, p.say)]
    words += [h.about for h in facts.holders] + [b.about for b in facts.browser] + [p.does for p in PROCESSORS.values()]
    return list(dict.fromkeys(words))


def translated(language: str) -> set[str]:
    """The English sentences that the catalogues of that language have words for."""
    found: set[str] = set()
    for path in sorted((LOCALE / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as source:
            for message in read_po(source, locale=language):
                texts = message.string if isinstance(message.string, tuple) else (message.string,)
                if message.id and all(texts) and not message.fuzzy:
                    found.add(message.id if isinstance(message.id, str) else message.id[0])
    return found


def missing(language: str) -> list[tuple[str, Message]]:
    """What has no words in that language; a sentence that is the same in both stands in the catalogue too."""
    known = translated(language)
    return [(place, m) for place, m in sentences() if (m if isinstance(m, str) else m[0]) not in known]


if __name__ == "__main__":
    gaps = [(language, *gap) for language in LANGUAGES if language != "en" for gap in missing(language)]
    for language, place, message in gaps:
        print(f"{language} {place}: {message}")
    sys.exit(1 if gaps else 0)
