"""What is held, as pages show it: one line a kind with its life as a pair of lines, its holders, and their rows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from lineset.privacy.inventory import Amount, Holder, Kind, Row
from lineset.privacy.vocabulary import PURPOSES

from .held_words import categories_words, column_word, kind_until, purpose_words, source_words, until_words, value_words
from .reader import Reader

_TITLES = ("name", "title", "value", "agent", "browser", "point", "say", "scope", "kind", "role", "label")
"""What a row is called by, the first that it has."""


class Life(msgspec.Struct, frozen=True):
    """Thick is gone by, thin is to come: `gone` is the thick part in percent; `open`: there is no day on which it ends by itself."""

    since: str
    until: str
    gone: int
    open: bool


class KindLine(msgspec.Struct, frozen=True):
    """One kind of data. `count` is "" where nothing of it can be counted; `none`: nothing of it is held."""

    key: str
    title: str
    count: str
    none: bool
    sensitive: bool
    say: str
    why: str
    life: Life


class HolderLine(msgspec.Struct, frozen=True):
    """One thing that holds data of a kind. `open_by`: the address of its rows, "" where it has none to show."""

    name: str
    about: str
    count: str
    sensitive: bool
    say: str
    why: tuple[tuple[str, str], ...]
    source: str
    where: str
    recipients: str
    life: Life
    shown: bool


class RowLine(msgspec.Struct, frozen=True):
    """A row: what it is called by, and the rest by name."""

    key: str
    title: str
    facts: tuple[tuple[str, str], ...]


def kind_lines(reader: Reader, kinds: tuple[Kind, ...], found: Mapping[str, Amount], moment: datetime) -> tuple[KindLine, ...]:
    """The kinds in order, those of which something is held first."""
    lines = [_kind(reader, kind, found, moment) for kind in kinds]
    return tuple(sorted(lines, key=lambda line: line.none))


def holder_lines(reader: Reader, kind: Kind, found: Mapping[str, Amount], moment: datetime) -> tuple[HolderLine, ...]:
    """What holds data of one kind."""
    return tuple(_holder(reader, holder, found.get(holder.name), moment) for holder in kind.holders)


def row_lines(reader: Reader, rows: list[Row], names: Mapping[UUID, str], moment: datetime) -> tuple[RowLine, ...]:
    """Rows of one holder."""
    return tuple(_row(reader, row, names, moment) for row in rows)


def _kind(reader: Reader, kind: Kind, found: Mapping[str, Amount], moment: datetime) -> KindLine:
    amounts = [found[h.name] for h in kind.holders if h.name in found]
    count = sum(a.rows for a in amounts)
    since = min((a.since for a in amounts if a.rows and a.since is not None), default=None)
    uncounted = any(not h.counted and h.form == "table" for h in kind.holders)  # measurements: their number is not that of their points
    open_ended = kind.longest is None
    return KindLine(
        kind.family.key,
        reader.gettext(kind.family.title),
        _entries(reader, count) if amounts and not uncounted else "",
        bool(amounts) and count == 0,
        any(h.sensitive for h in kind.holders),
        categories_words(reader, kind.categories),
        purpose_words(reader, kind.purposes),
        _life(reader, since, kind.longest or 0, kind_until(reader, kind), moment, open_ended=open_ended),
    )


def _holder(reader: Reader, holder: Holder, amount: Amount | None, moment: datetime) -> HolderLine:
    about = reader.gettext(holder.about)
    since = amount.since if amount is not None and amount.rows else None
    days = holder.retention.days or 0
    until = until_words(reader, holder.retention)
    places = {
        "table": reader.gettext("in the database"),
        "stream": reader.gettext("on its way, in the message broker"),
        "file": reader.gettext("in files"),
        "cookie": reader.gettext("in your browser"),
    }
    return HolderLine(
        holder.name,
        about[:1].upper() + about[1:],
        "" if amount is None else _entries(reader, amount.rows),
        holder.sensitive,
        categories_words(reader, holder.categories),
        tuple((reader.gettext(PURPOSES[p].title), reader.gettext(PURPOSES[p].say)) for p in holder.purposes),
        source_words(reader, holder),
        places[holder.form],
        ", ".join(holder.recipients),
        _life(reader, since, days, until, moment, open_ended=holder.open_ended or not days),
        amount is not None and amount.rows > 0,
    )


def _entries(reader: Reader, count: int) -> str:
    return reader.ngettext("%(n)s entry", "%(n)s entries", count)


def _life(reader: Reader, since: datetime | None, days: int, until: str, moment: datetime, *, open_ended: bool) -> Life:
    if since is None:
        return Life("", until, 0, open_ended)
    gone = 62 if open_ended else max(2, min(100, round(100 * ((moment - since) / timedelta(days=max(days, 1))))))
    return Life(reader.gettext("since %(when)s", when=reader.date(since)), until, gone, open_ended)


def _row(reader: Reader, row: Row, names: Mapping[UUID, str], moment: datetime) -> RowLine:
    shown = {c: value_words(reader, c, value, names, moment) for c, value in row.values.items()}
    shown = {column: text for column, text in shown.items() if text}
    title = next((c for wanted in _TITLES for c in shown if c.removesuffix("_sealed") == wanted), next(iter(shown), ""))
    facts = tuple((column_word(reader, column), text) for column, text in shown.items() if column != title)
    return RowLine(row.key, shown.get(title, ""), facts)
