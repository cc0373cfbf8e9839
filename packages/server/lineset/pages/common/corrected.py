"""Corrections as pages show them: what it was, what it is, who changed it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from lineset.privacy.changes import Change

from .held_words import column_word
from .reader import Reader
from .refusals import marked

_OF = {
    "person": marked("You"),
    "contact": marked("Address or number"),
    "household": marked("Household"),
    "site": marked("Site"),
    "machine": marked("Machine"),
}


class ChangeLine(msgspec.Struct, frozen=True):
    """A correction."""

    what: str
    before: str
    after: str
    who: str
    when: str


def change_lines(reader: Reader, found: list[Change], names: Mapping[UUID, str], moment: datetime) -> tuple[ChangeLine, ...]:
    """Corrections, newest first."""
    return tuple(_line(reader, change, names, moment) for change in found)


def _line(reader: Reader, change: Change, names: Mapping[UUID, str], moment: datetime) -> ChangeLine:
    of, _, field = change.field.partition(".")
    word = reader.gettext(_OF[of]) if of in _OF else of
    what = word if of == "contact" else f"{word}: {column_word(reader, field)}"
    who = names.get(change.by, reader.gettext("a company")) if change.by is not None else reader.gettext("by the link in a mail")
    return ChangeLine(what, change.before, change.after, who, reader.when(change.at, moment))
