"""What changed from one version to the next: in the facts, which decides whether it matters, and in the words, for people to read."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from lineset.privacy.policy.facts import LASTING, Facts, Holder
from lineset.privacy.policy.words import Part, Speaker, Text, category_words, keeping, purpose_title, word

What = Literal["purpose", "category", "use", "recipient", "longer", "consent", "sale"]
Mark = Literal["same", "gone", "new"]


class Change(msgspec.Struct, frozen=True):
    """One change that matters to people. `name` is a purpose, category, recipient or holder; `more` says the rest.

    `words`: how it was told when it was published, by language.
    """

    what: What
    name: str
    more: str = ""
    words: dict[str, str] = {}

    def said(self, language: str) -> str:
        """How it was told in that language; in English where there is none."""
        return self.words.get(language) or self.words.get("en", "")


class Piece(msgspec.Struct, frozen=True):
    """Some words of a changed sentence."""

    mark: Mark
    text: str


class Difference(msgspec.Struct, frozen=True):
    """Changed sentences of one section."""

    section: str
    lines: tuple[tuple[Piece, ...], ...]


_SAID: Final[dict[What, str]] = {
    "purpose": word("New purpose: %(name)s"),
    "category": word("New category of data: %(name)s"),
    "use": word("Used for a further purpose: %(name)s, for %(more)s"),
    "recipient": word("New recipient: %(name)s"),
    "longer": word("Kept longer: %(name)s, %(more)s"),
    "consent": word("A further category goes to %(name)s: %(more)s"),
    "sale": word("Something is given in return for data: %(name)s"),
}


def significant(old: Facts | None, new: Facts) -> tuple[Change, ...]:
    """What people are told of: new purposes, categories, uses and recipients, longer keeping. Nothing for a first version."""
    if old is None:
        return ()
    before = {c.key: c for c in old.categories}
    changes = [Change("purpose", p) for p in new.purposes if p not in old.purposes]
    for category in new.categories:
        known = before.get(category.key)
        if known is None:
            changes.append(Change("category", category.key))
        else:
            changes += [Change("use", category.key, p) for p in category.purposes if p not in known.purposes]
    had = {p.name: p for p in old.processors}
    for processor in new.processors:
        before_ = had.get(processor.name)
        if before_ is None:
            changes.append(Change("recipient", processor.name))
        else:
            changes += [Change("consent", processor.name, c) for c in processor.categories if c not in before_.categories]
        if processor.sale and not (before_ and before_.sale):
            changes.append(Change("sale", processor.name))
    return (*changes, *_longer(old, new))


def _longer(old: Facts, new: Facts) -> Iterator[Change]:
    """Holders that keep longer than before: more days, or an end that only comes with something else."""
    had = {h.name: h for h in old.holders}
    for holder in new.holders:
        known = had.get(holder.name)
        if known is not None and _rank(holder) > _rank(known):
            yield Change("longer", holder.about, f"{holder.anchor}|{holder.days}")


def _rank(holder: Holder) -> float:
    return float("inf") if not holder.days and holder.anchor in LASTING else holder.days


def worded(change: Change, speakers: Sequence[Speaker]) -> Change:
    """The change with its words in each language."""
    return msgspec.structs.replace(change, words={s.language: _told(s, change) for s in speakers})


def _told(speaker: Speaker, change: Change) -> str:
    name, more = change.name, change.more
    if change.what == "purpose":
        name = purpose_title(speaker, name)
    elif change.what in ("category", "use"):
        name = category_words(speaker, name)
    if change.what == "use":
        more = purpose_title(speaker, more)
    elif change.what == "consent":
        more = category_words(speaker, more)
    elif change.what == "longer":
        anchor, _, days = more.rpartition("|")
        name, more = speaker.gettext(name), keeping(speaker, anchor, int(days))
    return speaker.gettext(_SAID[change.what], name=name, more=more)


def differences(old: Text, new: Text) -> tuple[Difference, ...]:
    """What changed in the words, section by section in the order of the new text; sections that went come last."""
    before = {part.key: part for part in old.parts}
    after = {part.key: part for part in new.parts}
    found = []
    for key in [*after, *(k for k in before if k not in after)]:
        lines = tuple(_compare(_lines(before.get(key)), _lines(after.get(key))))
        if lines:
            found.append(Difference((after.get(key) or before[key]).title, lines))
    return tuple(found)


def _lines(part: Part | None) -> list[str]:
    """A section as sentences; a row of a table is one."""
    if part is None:
        return []
    found = []
    for line, grid in part.body:
        found += (
            [line.text]
            if line
            else [": ".join((row[0], " · ".join(cell for cell in row[1:] if cell))) for row in grid.rows]
            if grid
            else []
        )
    return found


def _compare(old: list[str], new: list[str]) -> Iterator[tuple[Piece, ...]]:
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        gone, come = old[a:b], new[c:d]
        for before, after in zip(gone, come, strict=False):
            yield tuple(_pieces(before, after))
        yield from ((Piece("gone", text),) for text in gone[len(come) :])
        yield from ((Piece("new", text),) for text in come[len(gone) :])


def _pieces(old: str, new: str) -> Iterator[Piece]:
    """Two sentences word by word; as two whole ones where they have little in common."""
    a, b = re.findall(r"\S+\s*", old), re.findall(r"\S+\s*", new)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < 0.4:
        yield from (Piece("gone", old), Piece("new", new))
        return
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(a[i:j]))
            continue
        if i < j:
            yield Piece("gone", "".join(a[i:j]))
        if k < m:
            yield Piece("new", "".join(b[k:m]))
