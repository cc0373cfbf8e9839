"""The figures of a chart: as a table to read, and as a file of exactly what is shown."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

import msgspec

from .day import Wanted
from .facts import Day
from .quantity import Scale, label, point_scale, word
from .reader import Reader
from .ticks import edges

MOST_ROWS = 36
NOTHING = "–"


class Row(msgspec.Struct, frozen=True):
    """From when on, and a cell for each column."""

    time: str
    cells: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """Figures by stretches of time: lowest to highest of each point."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


class _Column(msgspec.Struct, frozen=True):
    name: str
    ruler: Scale
    known: Sequence[tuple[float, float]]


def _columns(reader: Reader, day: Day, wanted: Sequence[Wanted], compared: str) -> list[_Column]:
    """Each point, what it should be, and what it was in the earlier stretch."""
    found: list[_Column] = []
    for want in wanted:
        ruler = point_scale(reader, want.point)
        found.append(_Column(label(reader, want.point), ruler, day.known(want.point)))
        if want.should and day.known(want.should):
            found.append(_Column(label(reader, want.should), point_scale(reader, want.should), day.known(want.should)))
        before = day.known_before(want.point)
        if before:
            found.append(_Column(f"{label(reader, want.point)}, {compared}", ruler, before))
    return found


def _states(reader: Reader, day: Day, codes: Sequence[str]) -> list[tuple[str, list[tuple[float, float, str]]]]:
    """Name and stretches of the mode and of each chosen code."""
    found = [(label(reader, "operating_mode"), list(day.modes))] if day.modes else []
    return found + [
        (label(reader, code), [(s.start, s.end, s.word) for s in day.states.get(code, ())]) for code in codes if code != "operating_mode"
    ]


def table(reader: Reader, day: Day, wanted: Sequence[Wanted], codes: Sequence[str], compared: str) -> Table:
    """At most about `MOST_ROWS` rows at round times of the reader's clock."""
    columns, states = _columns(reader, day, wanted, compared), _states(reader, day, codes)
    cuts = edges(reader, day.start, day.end, MOST_ROWS)
    rows: list[Row] = []
    for start, end in pairwise(cuts):
        cells = [_range(reader, column, start, end) for column in columns] + [_words(reader, stretch, start, end) for _, stretch in states]
        rows.append(Row(_time(reader, start, day.end - day.start), tuple(cells)))
    head = (*(f"{c.name}, {c.ruler.symbol}" if c.ruler.symbol else c.name for c in columns), *(name for name, _ in states))
    return Table(head, tuple(rows))


def _time(reader: Reader, seconds: float, length: float) -> str:
    moment = datetime.fromtimestamp(seconds, reader.zone)
    if length <= 86_400:
        return reader.clock(moment)
    return f"{reader.weekday(moment, year=False)}, {reader.clock(moment)}" if length <= 31 * 86_400 else reader.date(moment)


def _range(reader: Reader, column: _Column, start: float, end: float) -> str:
    inside = [column.ruler.apply(v) for t, v in column.known if start <= t < end]
    if not inside:
        return NOTHING
    low, high = (reader.number(v, column.ruler.digits) for v in (min(inside), max(inside)))
    return low if low == high else reader.gettext("%(low)s to %(high)s", low=low, high=high)


def _words(reader: Reader, stretch: Sequence[tuple[float, float, str]], start: float, end: float) -> str:
    """The words of this time, the longest first."""
    spent: dict[str, float] = {}
    for a, b, said in stretch:
        if a < end and b > start:
            spent[said] = spent.get(said, 0.0) + min(b, end) - max(a, start)
    return ", ".join(word(reader, said) for said, _ in sorted(spent.items(), key=lambda item: -item[1])) or NOTHING


def csv_of(reader: Reader, day: Day, wanted: Sequence[Wanted], codes: Sequence[str], compared: str) -> str:
    """The readings behind the lines as a file: local times with their offset, the reader's units, empty where nothing was read."""
    columns, states = _columns(reader, day, wanted, compared), _states(reader, day, codes)
    text = io.StringIO()
    writer = csv.writer(text)
    names = [f"{c.name} [{c.ruler.symbol}]" if c.ruler.symbol else c.name for c in columns]
    writer.writerow([reader.gettext("Time"), *names, *(name for name, _ in states)])
    writer.writerows(_csv_rows(reader, columns, states))
    return text.getvalue()


def _csv_rows(
    reader: Reader, columns: Sequence[_Column], states: Sequence[tuple[str, list[tuple[float, float, str]]]]
) -> Iterator[list[str]]:
    by_time: dict[float, dict[int, float]] = {}
    for index, column in enumerate(columns):
        for t, value in column.known:
            by_time.setdefault(round(t, 3), {})[index] = column.ruler.apply(value)
    at = [0] * len(states)
    for t in sorted(by_time):
        row = [datetime.fromtimestamp(t, reader.zone).isoformat(timespec="milliseconds" if t % 1 else "seconds")]
        row += [f"{by_time[t][index]:.7g}" if index in by_time[t] else "" for index in range(len(columns))]
        for n, (_, stretch) in enumerate(states):
            while at[n] < len(stretch) and stretch[at[n]][1] <= t:
                at[n] += 1
            row.append(word(reader, stretch[at[n]][2]) if at[n] < len(stretch) and stretch[at[n]][0] <= t else "")
        yield row
