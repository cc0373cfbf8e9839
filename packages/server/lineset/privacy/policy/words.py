"""The parts of which texts are put together, and how times and names are said.

English stands in the code, marked by `say` and `fact`; other languages are the catalogues of the pages. Whoever renders passes a
`Speaker`, so that privacy knows no pages.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

import msgspec

from lineset.privacy.vocabulary import CATEGORIES, PURPOSES, Basis, Purpose


class Speaker(Protocol):
    """A language."""

    language: str

    def gettext(self, message: str, **values: object) -> str:
        """The sentence in this language, with ``%(name)s`` filled in."""

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        """One of the two by the count `n`."""

    def day(self, when: date) -> str:
        """A day in words."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a text, and the promises that stand behind it. It is said only while each of them is kept."""

    text: str
    promises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its sentences, and between them the names of the tables made from the declarations."""

    key: str
    title: str
    parts: tuple[Sentence | str, ...]


def say(text: str, *promises: str) -> Sentence:
    """A sentence that promises something; `promises` are ids of docs/promises.md."""
    if not promises:
        raise ValueError(f"say which promise stands behind {text!r}")
    return Sentence(text, promises)


def fact(text: str) -> Sentence:
    """A sentence that says what is, and promises nothing."""
    return Sentence(text)


def word(text: str) -> str:
    """Marks words for the catalogues."""
    return text


class Line(msgspec.Struct, frozen=True):
    """A sentence as published."""

    text: str
    promises: tuple[str, ...] = ()


class Grid(msgspec.Struct, frozen=True):
    """A table as published. The first cell of a row names it."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Part(msgspec.Struct, frozen=True):
    """A section as published: lines and tables in their order."""

    key: str
    title: str
    body: tuple[tuple[Line | None, Grid | None], ...]


class Text(msgspec.Struct, frozen=True):
    """A whole text in one language."""

    title: str
    parts: tuple[Part, ...]


BASES: Final[dict[Basis, str]] = {
    "contract": word("the service that you asked for"),
    "legal": word("a duty of law"),
    "security": word("the security of all who use it"),
    "consent": word("your yes, which you can take back"),
}
_ANCHORS: Final[dict[str, str]] = {
    "account closed": word("your account is closed"),
    "household deleted": word("the household is deleted"),
    "company closed": word("the company is closed"),
    "platform closed": word("this installation is closed"),
    "measured": word("it is measured"),
    "replaced": word("it is replaced"),
    "ready": word("it is ready"),
    "written": word("it is written"),
    "stored": word("it is stored"),
    "disconnected": word("the device disconnects"),
    "delivered": word("it is delivered"),
    "erasure": word("its owner is erased"),
    "done": word("it is done"),
    "hold ended": word("the hold ends"),
    "download deleted": word("the download is deleted"),
    "copied": word("it is copied"),
    "copy made": word("the copy is made"),
    "asked_at": word("it is asked for"),
    "last_at": word("it happens for the last time"),
    "last_seen_at": word("it is used for the last time"),
    "seen": word("it is seen for the last time"),
    "revoked_at": word("it is taken back"),
    "withdrawn_at": word("it is taken back"),
    "made": word("it is made"),
    "told_at": word("it is told"),
    "given_at": word("it is given"),
    "sent_at": word("it is sent"),
    **dict.fromkeys(("expires_at", "ends_at", "ended_at", "until", "closed_at"), word("it ends")),
    **dict.fromkeys(("finished_at", "done_at", "settled_at"), word("it is done")),
    **dict.fromkeys(("created_at", "made_at", "placed_at", "issued_at", "given", "started_at", "opened_at"), word("it is made")),
    **dict.fromkeys(("at", "changed_at", "happened_at", "first_at", "seen_at", "day", "erased_at"), word("it happens")),
}
"""What a retention counts from, as the end of a sentence."""


def anchors() -> tuple[str, ...]:
    """Every anchor that has words."""
    return tuple(_ANCHORS)


def keeping(speaker: Speaker, anchor: str, days: int) -> str:
    """How long something is kept, in words: `days` after what `anchor` names, or until then.

    An anchor without words stands for itself; a text that holds one can't be published.
    """
    end = speaker.gettext(_ANCHORS.get(anchor, anchor))
    return (
        speaker.gettext("%(time)s after %(end)s", time=span(speaker, days), end=end) if days else speaker.gettext("until %(end)s", end=end)
    )


def span(speaker: Speaker, days: int) -> str:
    """A number of days in words, in years where that is what is meant."""
    years = round(days / 365.25)
    if years and abs(days - 365.25 * years) <= 1.5:
        return speaker.ngettext("%(n)s year", "%(n)s years", years)
    return speaker.ngettext("%(n)s day", "%(n)s days", days)


def purpose_title(speaker: Speaker, purpose: str) -> str:
    """A purpose by its title."""
    return speaker.gettext(PURPOSES[Purpose(purpose)].title)


def category_words(speaker: Speaker, category: str) -> str:
    """A category in words; one that is no longer declared by its key."""
    return speaker.gettext(CATEGORIES[category]) if category in CATEGORIES else category
