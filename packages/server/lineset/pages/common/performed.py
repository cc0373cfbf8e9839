"""How a machine ran over time, as its page shows it: spans of days, months or seasons side by side, each figure drawn and in a table."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from lineset.diagnostics import Performance

from .ahead import FIRST, amount, amount_of
from .performance_words import figure_name, reason_words
from .reader import NBSP, Reader

By = Literal["day", "month", "season", "year"]
DAYS: dict[By, int] = {"day": 31, "month": 400, "season": 3 * 366, "year": 3_650}
"""How far back each goes."""
DRAWN = ("electric", "gas", "heat", "cooling", "cop_heating", "cop_cooling", "spf_h3", "hours_running", "backup_share")
MOST_DRAWN = 4
_MONTHS = {"month": 1, "season": 3}


class Bar(msgspec.Struct, frozen=True):
    """One span of a drawing, in a box as wide as there are spans and 100 high; `height` None where the figure is absent."""

    x: int
    height: float | None


class Strip(msgspec.Struct, frozen=True):
    """One figure over all spans, oldest first: its newest known value in words, the value of the highest bar, what it says to the ear."""

    name: str
    value: str
    unit: str
    top: str
    bars: tuple[Bar, ...]
    say: str


class Cell(msgspec.Struct, frozen=True):
    """A figure of a span; an empty `value` is absent, and `why` says the reason."""

    value: str
    why: str


class Row(msgspec.Struct, frozen=True):
    """One span, with a cell for each column."""

    span: str
    cells: tuple[Cell, ...]


class Performed(msgspec.Struct, frozen=True):
    """The page. `choices`: the ways of dividing time, by address and word; `head`: columns by name and unit; `rows`: newest span first."""

    by: By
    choices: tuple[tuple[By, str], ...]
    strips: tuple[Strip, ...]
    start: str
    end: str
    head: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]


def performed(reader: Reader, by: By, ran: Sequence[Performance], today: date) -> Performed:
    """The view of these spans, which are in order of time. Of a span that is not over, and of the first one where readings began
    within it, the label says so."""
    choices: tuple[tuple[By, str], ...] = (
        ("day", reader.gettext("Days")),
        ("month", reader.gettext("Months")),
        ("season", reader.gettext("Seasons")),
        ("year", reader.gettext("Years")),
    )
    known = [name for name in _in_order(ran) if any(_value(span, name) is not None for span in ran)]
    drawn = [name for name in DRAWN if name in known and any(_value(span, name) for span in ran)][:MOST_DRAWN]
    labels = [_label(reader, by, span, today) for span in ran]
    return Performed(
        by=by,
        choices=choices,
        strips=tuple(_strip(reader, name, ran, labels) for name in drawn) if len(ran) > 1 else (),
        start=_short(reader, by, ran[0].start) if ran else "",
        end=_short(reader, by, ran[-1].start) if ran else "",
        head=tuple((figure_name(reader, name), _unit(reader, name, ran)) for name in known),
        rows=tuple(
            Row(label, tuple(_cell(reader, span, name, _like(name, ran)) for name in known))
            for label, span in reversed(list(zip(labels, ran, strict=True)))
        ),
    )


def _in_order(ran: Sequence[Performance]) -> list[str]:
    """The names of all figures, those first that matter to everybody."""
    names = dict.fromkeys(name for span in ran for name in span.figures)
    return [*(name for name in FIRST if name in names), *(name for name in names if name not in FIRST)]


def _value(span: Performance, name: str) -> float | None:
    figure = span.figures.get(name)
    return None if figure is None else figure.value


def _like(name: str, ran: Sequence[Performance]) -> float:
    """The value whose scale all of a column are told on: the greatest."""
    return max(value for span in ran if (value := _value(span, name)) is not None)


def _unit(reader: Reader, name: str, ran: Sequence[Performance]) -> str:
    figure = next(span.figures[name] for span in ran if _value(span, name) is not None)
    return amount(reader, figure.value or 0.0, figure.unit, _like(name, ran))[1]


def _cell(reader: Reader, span: Performance, name: str, like: float) -> Cell:
    figure = span.figures.get(name)
    if figure is None or figure.value is None:
        return Cell("", reason_words(reader, "not_measured" if figure is None else figure.why or "not_measured"))
    return Cell(amount_of(reader, figure, like)[0], "")


def _strip(reader: Reader, name: str, ran: Sequence[Performance], labels: Sequence[str]) -> Strip:
    values = [_value(span, name) for span in ran]
    most = max((value for value in values if value is not None), default=0.0)
    bars = tuple(Bar(n, None if value is None else max(0.0, value) / most * 100 if most > 0 else 0.0) for n, value in enumerate(values))
    last = max(n for n, value in enumerate(values) if value is not None)
    unit = ran[last].figures[name].unit
    digits, symbol = amount(reader, values[last] or 0.0, unit, most)
    top, _ = amount(reader, most, unit)
    called = figure_name(reader, name)
    say = reader.gettext(
        "%(figure)s, from %(first)s to %(last)s: lately %(value)s, at most %(top)s.",
        figure=called,
        first=labels[0],
        last=labels[-1],
        value=f"{digits}{NBSP}{symbol}".strip(),
        top=f"{top}{NBSP}{symbol}".strip(),
    )
    return Strip(called, digits, symbol, f"{top}{NBSP}{symbol}".strip(), bars, say)


def _label(reader: Reader, by: By, span: Performance, today: date) -> str:
    if by == "day":
        return reader.short_date(span.start)
    end = _end(by, span.start)
    if by == "year":
        words = str(span.start.year)
    elif by == "month":
        words = reader.month_year(span.start)
    else:
        words = reader.gettext(
            "%(first)s to %(last)s", first=reader.month_year(span.start), last=reader.month_year(end - timedelta(days=1))
        )
    return reader.gettext("%(span)s so far", span=words) if end > today else words


def _short(reader: Reader, by: By, start: date) -> str:
    return str(start.year) if by == "year" else reader.short_date(start) if by == "day" else reader.short_month(start)


def _end(by: By, start: date) -> date:
    """The day after a span that begins with `start`."""
    if by == "year":
        return date(start.year + 1, 1, 1)
    months = start.year * 12 + start.month - 1 + _MONTHS[by]
    return date(months // 12, months % 12 + 1, 1)
