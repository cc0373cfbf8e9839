"""What a report consists of once it is in somebody's language and units: sections of figures, plots, tables and findings, ready to set.

The page and the PDF are two settings of the same document, so neither can say what the other doesn't.
"""

from datetime import date
from typing import Any, Literal, Protocol

import msgspec

Tone = Literal["", "heat", "cool", "water", "fault", "ink"]


class Ruler(Protocol):
    """How a catalogue value becomes what the reader sees: value * factor + offset, `digits` decimals, `symbol` after."""

    @property
    def factor(self) -> float: ...
    @property
    def offset(self) -> float: ...
    @property
    def digits(self) -> int: ...
    @property
    def symbol(self) -> str: ...


class Voice(Protocol):
    """How the person who gets the report reads: language, units, numbers. Pages give one that rests on their reader."""

    language: str

    def gettext(self, message: str, **values: object) -> str:
        """`message` in the reader's language, with ``%(name)s`` filled in."""

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        """`one` or `many` by the count `n`; ``%(n)s`` is the count."""

    def number(self, value: float, digits: int = 0) -> str:
        """A number with a fixed count of decimals."""

    def money(self, amount: float) -> str:
        """An amount in the installation's currency."""

    def day(self, when: date) -> str:
        """Day, month and year in words."""

    def short_date(self, when: date) -> str:
        """Day and month in short words."""

    def month_of(self, when: date) -> str:
        """Month and year in words."""

    def ruler(self, unit: str) -> Ruler:
        """The scale on which the reader sees a unit of the catalogue."""

    def word(self, code: str) -> str:
        """What a code's word, such as a mode, is called."""

    def type_name(self, type_: str) -> str:
        """What a type of equipment is called."""


class Figure(msgspec.Struct, frozen=True):
    """A number that stands big. `note` sets it in proportion: what it should be, what it was, how sure it is."""

    label: str
    value: str
    unit: str = ""
    note: str = ""
    tone: Tone = ""


class Figures(msgspec.Struct, frozen=True, tag="figures"):
    """Some numbers side by side."""

    figures: tuple[Figure, ...]


class Plot(msgspec.Struct, frozen=True, tag="plot"):
    """A plot as SVG, for a sheet or wide screen and for a phone. `say` is what it shows, in words."""

    title: str
    wide: str
    narrow: str
    say: str
    key: str = ""


class Table(msgspec.Struct, frozen=True, tag="table"):
    """A table; the first column names the rows, the others are set right."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Item(msgspec.Struct, frozen=True):
    """Something found or to do: `side` is the number that weighs it."""

    title: str
    lines: tuple[str, ...]
    side: str = ""
    tone: Tone = ""


class Items(msgspec.Struct, frozen=True, tag="items"):
    """What was found or is to do, the most urgent first."""

    items: tuple[Item, ...]


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Paragraphs. `small`: how it was made, beneath what it says."""

    lines: tuple[str, ...]
    small: bool = False


class Signatures(msgspec.Struct, frozen=True, tag="signatures"):
    """Lines to sign on, with what stands beneath each."""

    lines: tuple[str, ...]


Block = Figures | Plot | Table | Items | Text | Signatures


class Section(msgspec.Struct, frozen=True):
    """A part of a report under a head of its own."""

    title: str
    blocks: tuple[Block, ...]


class Document(msgspec.Struct, frozen=True):
    """A report. `head` is over the title, `facts` beneath it; `lead` answers the report's question in two or three sentences."""

    name: str
    language: str
    head: str
    title: str
    facts: tuple[str, ...]
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    made: str
    foot: str

    def text(self) -> str:
        """Everything that the document says, for a reader of text or a search."""
        return "\n".join(_texts(msgspec.to_builtins(self)))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value and not value.startswith("<svg") else []
    if isinstance(value, dict):
        return [line for key, part in value.items() if key not in ("type", "tone", "name", "language") for line in _texts(part)]
    return [line for part in value for line in _texts(part)] if isinstance(value, list | tuple) else []


def quantity(voice: Voice, unit: str, value: float | None, digits: int | None = None) -> str:
    """A value of a catalogue unit with the reader's unit behind; a dash where there is none."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "–"
    ruler = voice.ruler(unit)
    text = voice.number(value * ruler.factor + ruler.offset, ruler.digits if digits is None else digits)
    return f"{text}\u00a0{ruler.symbol}" if ruler.symbol else text


def figure(voice: Voice, label: str, unit: str, value: float | None, note: str = "", tone: Tone = "", digits: int | None = None) -> Figure:
    """A number that stands big, in the reader's unit."""
    text, _, symbol = quantity(voice, unit, value, digits).partition("\u00a0")
    return Figure(label, text, symbol, note, tone)


def per_cent(voice: Voice, share: float | None, digits: int = 0, *, sign: bool = False) -> str:
    """A share (0 to 1) in per cent; with `sign` also a plus."""
    if share is None or share != share:  # noqa: PLR0124 - NaN
        return "–"
    text = voice.number(share * 100.0, digits)
    return f"{'+' if sign and share > 0 and text.strip('0.,') else ''}{text}\u00a0%"


def hours(voice: Voice, seconds: float | None) -> str:
    """A time in hours and minutes, or in hours alone from ten on."""
    if seconds is None or seconds != seconds:  # noqa: PLR0124 - NaN
        return "–"
    if seconds >= 36_000:
        return f"{voice.number(seconds / 3600)}\u00a0h"
    whole, rest = divmod(round(seconds / 60), 60)
    return f"{whole}\u00a0h\u00a0{rest:02d}\u00a0min" if whole else f"{rest}\u00a0min"
