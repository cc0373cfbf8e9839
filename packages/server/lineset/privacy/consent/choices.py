"""What waits for a yes, declared once: its words in each language, the data, who receives it, how long; and a digest of these terms.

Everything that asks, decides or proves goes by this one declaration: pages show its words, receipts keep them, the database compares its
digest with that of the last yes.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Literal

import msgspec

from lineset.kit.errors import Invalid
from lineset.privacy.vocabulary import CATEGORIES, PURPOSES, Purpose, Subject

LANGUAGES = ("en", "es")
BARE = ("", "opened", "leads", "reports", "fleet", "due")
"""Details that name no thing: the purpose as such, or a part of it."""
KEPT = {"while_on": "for as long as it is switched on", "agreement": "for the time that the agreement with the recipient names"}
MOST_DETAIL = 100


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice in one language: its name, the question, what a yes allows, and what holds without one."""

    title: str
    ask: str
    use: str
    off: str = msgspec.field(name="without")  # which YAML would read as false

    @property
    def whole(self) -> str:
        """All that a person reads before answering, line by line."""
        return "\n".join((self.title, self.ask, self.use, self.off))


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    purpose: Purpose
    subject: Literal["household", "person"]
    detail: str
    data: list[str]
    recipients: list[str]
    kept: str
    en: Words
    es: Words


@dataclass(frozen=True)
class Choice:
    """One thing that people decide. `detail_kind`: which thing it is about ("site", "gateway", "session"), "recipient", or one of `BARE`
    for one switch."""

    key: str
    purpose: Purpose
    subject: Subject
    detail_kind: str
    data: tuple[str, ...]
    recipients: tuple[str, ...]
    kept: str
    words: dict[str, Words]

    def said(self, language: str) -> Words:
        """The words in that language; English where it is unknown."""
        return self.words.get(language, self.words["en"])

    @cached_property
    def terms(self) -> str:
        """SHA-256 of what a yes agrees to: the purpose and its text, the data, the recipients, how long, and the English words."""
        purpose = PURPOSES[self.purpose]
        terms = (self.key, self.purpose.value, purpose.title, purpose.say, self.data, self.recipients, self.kept, self.words["en"].whole)
        return hashlib.sha256(msgspec.json.encode(terms)).hexdigest()

    @property
    def bare(self) -> bool:
        """Whether its detail names no thing and no recipient."""
        return self.detail_kind in BARE

    def takes(self, detail: str) -> bool:
        """Whether a consent's detail is one that this choice is about."""
        if self.bare:
            return detail == self.detail_kind
        if self.detail_kind == "recipient":
            return 0 < len(detail) <= MOST_DETAIL
        kind, _, name = detail.partition(":")
        return kind == self.detail_kind and 0 < len(name) <= MOST_DETAIL


def _load() -> dict[str, Choice]:
    text = resources.files("lineset.privacy.consent").joinpath("choices.yaml").read_bytes()
    choices = {}
    for key, e in msgspec.yaml.decode(text, type=dict[str, _Entry]).items():
        unknown = [c for c in e.data if c not in CATEGORIES]
        if unknown or e.kept not in KEPT or not PURPOSES[e.purpose].consent:
            raise ValueError(f"choices.yaml: {key} names undeclared data {unknown}, an unknown `kept`, or a purpose that needs no consent")
        words = {"en": e.en, "es": e.es}
        choices[key] = Choice(key, e.purpose, Subject(e.subject), e.detail, tuple(e.data), tuple(e.recipients), KEPT[e.kept], words)
    missing = {p for p, t in PURPOSES.items() if t.consent} - {c.purpose for c in choices.values()}
    if missing:
        raise ValueError(f"choices.yaml: nobody is asked about {sorted(missing)}")
    return choices


CHOICES: dict[str, Choice] = _load()


def choice_of(purpose: Purpose, detail: str = "") -> Choice:
    """The choice that a purpose and detail belong to.

    Raises:
        Invalid: the purpose needs no consent, or is not about such a thing.
    """
    for choice in CHOICES.values():
        if choice.purpose is purpose and choice.takes(detail):
            return choice
    raise Invalid("no_such_choice", f"There is no choice about {purpose.value!r} with the detail {detail!r}.")
