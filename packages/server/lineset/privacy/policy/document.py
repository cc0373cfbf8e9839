"""Facts and sentences become a text in each language, with an address made of its content."""

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from importlib import resources
from typing import Final, Literal

import msgspec

from lineset.privacy.policy import sections, terms
from lineset.privacy.policy.facts import LASTING, Facts, Holder
from lineset.privacy.policy.statute import LETTERS
from lineset.privacy.policy.words import (
    BASES,
    Grid,
    Line,
    Part,
    Section,
    Sentence,
    Speaker,
    Text,
    category_words,
    keeping,
    purpose_title,
    span,
    word,
)
from lineset.privacy.vocabulary import CATEGORIES, PURPOSES, Purpose

Kind = Literal["policy", "terms"]
KINDS: Final[dict[Kind, tuple[str, tuple[Section, ...]]]] = {
    "policy": (sections.TITLE, sections.SECTIONS),
    "terms": (terms.TITLE, terms.SECTIONS),
}
_NO_SALE: Final = word(
    "We do not sell personal information, nor share it for advertising across other services, and have "
    "not in the last 12 months: every agreement records what is given in return, and any price stops the "
    "flow."
)
_NO_REASON: Final = frozenset({Purpose.KEEP.value, Purpose.RIGHTS.value})
"""Deleting in time and showing it to its owner are no reasons to have something, so the table of categories leaves them out."""
_STORES: Final = {"cookie": word("cookie"), "local": word("local store"), "session": word("session store")}


class Draft(msgspec.Struct, frozen=True):
    """A text in every language, with the facts it was made from. Its digest is its address."""

    kind: Kind
    facts: Facts
    texts: dict[str, Text]

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, as 64 hexadecimal digits: the same content has the same address on every installation."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def kept_promises() -> frozenset[str]:
    """Ids of the promises that docs/promises.md names code and a test for; `make check` proves that both agree."""
    return frozenset(resources.files("lineset.privacy.policy").joinpath("kept.txt").read_text().split())


def sentences() -> dict[str, tuple[str, ...]]:
    """Every sentence of every text with the promises behind it."""
    found = {p.text: p.promises for _, parts in KINDS.values() for s in parts for p in s.parts if isinstance(p, Sentence)}
    return found | {_NO_SALE: ("SHR_08",)}


def compose(kind: Kind, facts: Facts, speakers: Sequence[Speaker], kept: Set[str] | None = None) -> Draft:
    """The text of these facts in each language; sentences of open promises are left out."""
    promised = kept_promises() if kept is None else kept
    title, parts = KINDS[kind]
    said = tuple(sorted({i for text, ids in sentences().items() if set(ids) <= promised for i in ids}))
    told = msgspec.structs.replace(facts, promises=said)
    texts = {s.language: Text(s.gettext(title), tuple(_parts(parts, told, s, promised))) for s in speakers}
    return Draft(kind, told, texts)


def _parts(parts: Sequence[Section], facts: Facts, speaker: Speaker, kept: Set[str]) -> list[Part]:
    result = []
    for section in parts:
        body: list[tuple[Line | None, Grid | None]] = []
        for part in section.parts:
            if isinstance(part, str):
                body += _MADE[part](facts, speaker, kept)
            elif set(part.promises) <= kept:
                body.append((Line(speaker.gettext(part.text), part.promises), None))
        if body:
            result.append(Part(section.key, speaker.gettext(section.title), tuple(body)))
    return result


Body = list[tuple[Line | None, Grid | None]]


def _grid(speaker: Speaker, name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Body:
    """A table, or nothing where it has no rows."""
    return [(None, Grid(name, tuple(speaker.gettext(h) for h in head), tuple(tuple(r) for r in rows)))] if rows else []


def _contact(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:  # noqa: ARG001 - all makers are called alike
    names = (word("Name"), word("Postal address"), word("E-mail"), word("Telephone"), word("Privacy contact"))
    values = (getattr(facts.contact, f).replace("\\n", "\n") for f in facts.contact.__struct_fields__)
    rows = [(speaker.gettext(name), ", ".join(value.splitlines())) for name, value in zip(names, values, strict=True)]
    return _grid(speaker, "contact", (word("What"), word("Of the operator")), rows)


def _categories(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:  # noqa: ARG001 - as above
    rows = [
        (
            _words(speaker, [CATEGORIES[c.key]]),
            _words(speaker, [c.source]),
            _list([purpose_title(speaker, p) for p in c.purposes if p not in _NO_REASON]),
            _kept_for(speaker, [h for h in facts.holders if c.key in h.categories]),
            _recipients(speaker, c.recipients),
        )
        for c in facts.categories
    ]
    head = (word("What"), word("Where it comes from"), word("What for"), word("How long, at most"), word("Who receives it"))
    return _grid(speaker, "categories", head, rows)


def _statutory(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:
    rows = []
    for letter, words in LETTERS.items():
        ours = [c for c in facts.categories if letter in c.letters]
        sensitive = sorted({c.sensitive for c in ours if c.sensitive}) if letter == "L" else []
        what = _words(speaker, [CATEGORIES[c.key] for c in ours]) or speaker.gettext("none")
        got = _recipients(speaker, sorted({r for c in ours for r in c.recipients})) if ours else speaker.gettext("nobody")
        rows.append(
            (
                f"({letter}) {speaker.gettext(words)}{' ' + ', '.join(sensitive) if sensitive else ''}",
                what,
                got,
                _sold(facts, speaker, kept),
            )
        )
    head = (word("Category of § 1798.140(v)(1)"), word("What of it we hold"), word("Disclosed to"), word("Sold or shared"))
    return _grid(speaker, "statutory", head, rows)


def _sold(facts: Facts, speaker: Speaker, kept: Set[str]) -> str:
    """ "No" is said only while the register proves it."""
    return speaker.gettext("no") if "SHR_08" in kept and not facts.sale else speaker.gettext("see the register of recipients")


def _purposes(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:  # noqa: ARG001 - as above
    rows = [
        (purpose_title(speaker, p), speaker.gettext(PURPOSES[Purpose(p)].say), speaker.gettext(BASES[PURPOSES[Purpose(p)].basis]))
        for p in facts.purposes
    ]
    return _grid(speaker, "purposes", (word("Purpose"), word("What we do"), word("It rests on")), rows)


def _retention(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:  # noqa: ARG001 - as above
    ends: dict[str, list[str]] = {}
    for h in sorted(facts.holders, key=lambda h: (h.days > 0, h.days, h.anchor)):
        ends.setdefault(keeping(speaker, h.anchor, h.days), []).append(speaker.gettext(h.about))
    rows = [(_capital(end), _list(sorted(dict.fromkeys(whats)), "; ")) for end, whats in ends.items()]
    return _grid(speaker, "retention", (word("How long"), word("What")), rows)


def _processors(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:  # noqa: ARG001 - as above
    rows = [
        (
            p.name,
            speaker.gettext(p.does) if p.does else "",
            _list([category_words(speaker, c) for c in p.categories]),
            _list([purpose_title(speaker, x) for x in p.purposes]),
            p.region,
        )
        for p in facts.processors
    ]
    if not rows:
        return [(Line(speaker.gettext("At present no other company receives data from this installation.")), None)]
    return _grid(speaker, "processors", (word("Who"), word("What they do"), word("What they get"), word("What for"), word("Region")), rows)


def _sale(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:
    return [(Line(speaker.gettext(_NO_SALE), ("SHR_08",)), None)] if "SHR_08" in kept and not facts.sale else []


def _region(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:  # noqa: ARG001 - as above
    if not facts.region:
        return []
    return [(Line(speaker.gettext("All accounts of this installation live in this region: %(region)s.", region=facts.region)), None)]


def _cookies(facts: Facts, speaker: Speaker, kept: Set[str]) -> Body:  # noqa: ARG001 - as above
    rows = [
        (
            b.name,
            speaker.gettext(_STORES[b.store]),
            _capital(speaker.gettext(b.about)),
            purpose_title(speaker, b.purpose),
            speaker.gettext("until the browser closes") if b.days is None else span(speaker, b.days),
            speaker.gettext("needed") if b.needed else speaker.gettext("only if you allow it"),
        )
        for b in facts.browser
    ]
    head = (word("Name"), word("Kind"), word("What it does"), word("What for"), word("How long"), word("Choice"))
    return _grid(speaker, "cookies", head, rows)


_MADE: Final[Mapping[str, Callable[[Facts, Speaker, Set[str]], Body]]] = {
    "contact": _contact,
    "categories": _categories,
    "statutory": _statutory,
    "purposes": _purposes,
    "retention": _retention,
    "processors": _processors,
    "sale": _sale,
    "region": _region,
    "cookies": _cookies,
}


def _kept_for(speaker: Speaker, holders: Sequence[Holder]) -> str:
    """The longest that a category is kept: with an account or household where it is, and the longest time of its own."""
    lasting = sorted({h.anchor for h in holders if not h.days and h.anchor in LASTING})
    longest = max((h for h in holders if h.days), key=lambda h: h.days, default=None)
    passing = sorted({h.anchor for h in holders if not h.days}) if not lasting and longest is None else ()
    told = [keeping(speaker, anchor, 0) for anchor in (*lasting, *passing)]
    return _list([*told, *([keeping(speaker, longest.anchor, longest.days)] if longest else [])], "; ")


def _recipients(speaker: Speaker, names: Sequence[str]) -> str:
    return _list([speaker.gettext(n) for n in names], "; ") if names else speaker.gettext("nobody but us")


def _words(speaker: Speaker, words: Sequence[str]) -> str:
    return _list([speaker.gettext(w) for w in words])


def _list(words: Sequence[str], between: str = ", ") -> str:
    return _capital(between.join(w for w in words if w))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
