"""Recorded measurements in a CSV file: a time column, and one column a point.

What each column is comes from a mapping, or is guessed from its head. Rows are judged one by one; a row that can't be used is named by its
line number, and is left out only if the caller says so.
"""

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from lineset_contract.points import POINTS
from lineset_contract.units import UnitError, convert
from lineset_contract.values import BadValueError, good_name, number
from numpy.typing import NDArray

from lineset.kit.errors import Invalid

CHUNK_ROWS = 20_000
MAX_COLUMNS = 256
_ABSENT = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "--"})


class ColumnMap(msgspec.Struct, forbid_unknown_fields=True):
    """What one column holds: a point, and the unit of the file if it is not the point's own (`degF`, `kW`, `psi` …)."""

    point: str
    unit: str = ""


class FileMapping(msgspec.Struct, forbid_unknown_fields=True):
    """The mapping file. `time` names the time column, `time_zone` the zone of times that don't carry one; a column that `columns`
    gives null is left out. Columns it does not name are guessed, unless `only` is set."""

    time: str = ""
    time_zone: str = ""
    columns: dict[str, ColumnMap | str | None] = {}
    only: bool = False
    make: str = ""
    model: str = ""
    serial_number: str = ""
    capacity_w: float | None = None
    name: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it will be read: place in the row, head, point, unit of the file, and whether the catalogue knows the point."""

    place: int
    head: str
    point: str
    unit: str
    known: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file will be read."""

    time_place: int
    time_head: str
    columns: list[Column]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be used; `line` counts from 1 as an editor does."""

    line: int
    why: str


@dataclass(slots=True)
class Chunk:
    """Rows as columns: times in seconds since 1970, and NaN where a cell was empty; `done` is the share of the file read so far."""

    t: NDArray[np.float64]
    columns: dict[str, NDArray[np.float64]]
    bad: list[BadRow] = field(default_factory=list)
    done: float = 0.0


def read_mapping(path: Path) -> FileMapping:
    """The mapping file.

    Raises:
        Invalid: it can't be read, or has fields that mean nothing here.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=FileMapping)
    except (OSError, msgspec.MsgspecError) as error:
        raise Invalid("bad_mapping", f"The mapping file {path.name} can't be used: {error}") from error


def plan(heads: list[str], mapping: FileMapping, sample: Sequence[Sequence[str]] = ()) -> Plan:
    """What each column holds, by the mapping first and its head otherwise.

    `sample` are some of the first rows: a column that nobody named, that the catalogue does not know and that holds words is left out.

    Raises:
        Invalid: there is no time column, two columns claim one point, or the mapping names what is not there.
    """
    heads = [h.strip().lstrip("\ufeff") for h in heads]
    if len(heads) > MAX_COLUMNS:
        raise Invalid("too_many_columns", f"The file has {len(heads)} columns; at most {MAX_COLUMNS} are read.")
    absent = [c for c in [*mapping.columns, *([mapping.time] if mapping.time else [])] if c not in heads]
    if absent:
        raise Invalid(
            "no_such_column", f"The mapping names columns that the file does not have: {', '.join(absent)}. It has: {', '.join(heads)}."
        )
    time_head = mapping.time or next((h for h in heads if _words(h) and _words(h)[0] in _TIME_WORDS), "")
    if not time_head:
        raise Invalid("no_time", f"No column looks like the time. Name it in a mapping file. The columns are: {', '.join(heads)}.")
    columns: list[Column] = []
    left_out: list[str] = []
    for place, head in enumerate(heads):
        if head == time_head:
            continue
        column = _column(place, head, mapping)
        if column is None or (not column.known and head not in mapping.columns and _holds_words(sample, place)):
            left_out.append(head)
        else:
            columns.append(column)
    points = [c.point for c in columns]
    twice = sorted({p for p in points if points.count(p) > 1})
    if twice:
        claims = "; ".join(f"{p}: {', '.join(c.head for c in columns if c.point == p)}" for p in twice)
        raise Invalid(
            "point_twice", f"Several columns hold the same point ({claims}). Say in the mapping which one is it, and give the others null."
        )
    if not columns:
        raise Invalid("no_points", f"No column holds a point. Name some in a mapping file. The columns are: {', '.join(heads)}.")
    return Plan(heads.index(time_head), time_head, columns, left_out)


def _holds_words(sample: Sequence[Sequence[str]], place: int) -> bool:
    cells = [row[place].strip() for row in sample if place < len(row)]
    given = [c for c in cells if c.lower() not in _ABSENT]
    return sum(not _is_number(c) for c in given) * 2 > len(given)


_TIME_WORDS = frozenset({"time", "timestamp", "datetime", "date", "t", "ts", "utc"})
_SHORT = {
    "temp": "temperature",
    "tmp": "temperature",
    "t": "temperature",
    "rh": "humidity",
    "hum": "humidity",
    "setpt": "setpoint",
    "sp": "setpoint",
    "pwr": "power",
    "kw": "power",
    "press": "pressure",
    "oat": "outdoor temperature",
    "sat": "supply air temperature",
    "rat": "return air temperature",
    "ewt": "inlet water temperature",
    "lwt": "outlet water temperature",
    "slt": "suction line temperature",
    "llt": "liquid line temperature",
    "indoor": "room",
    "outside": "outdoor",
    "ambient": "outdoor",
    "entering": "inlet",
    "leaving": "outlet",
    "mode": "operating mode",
    "state": "operating mode",
    "humid": "humidity",
}
_UNIT_WORDS = {
    "f": "degF",
    "degf": "degF",
    "°f": "degF",
    "c": "degC",
    "degc": "degC",
    "°c": "degC",
    "kw": "kW",
    "w": "W",
    "kwh": "kWh",
    "psi": "psi",
    "psia": "psi",
    "psig": "psig",
    "kpa": "kPa",
    "bar": "bar",
    "gpm": "gpm",
    "cfm": "cfm",
    "lpm": "L/min",
    "pct": "%",
    "%": "%",
}


def _words(head: str) -> list[str]:
    head = re.sub(r"\b(?:k(?:W|Wh|Pa|Btu)|deg[CF])\b", lambda unit: unit.group().lower(), head)
    return re.findall(r"[a-z0-9]+|%|°[cf]", re.sub(r"([a-z])([A-Z])", r"\1 \2", head).lower())


def _column(place: int, head: str, mapping: FileMapping) -> Column | None:
    if head in mapping.columns:
        said = mapping.columns[head]
        if said is None:
            return None
        said = ColumnMap(said) if isinstance(said, str) else said
        if not good_name(said.point):
            raise Invalid(
                "bad_name", f"The mapping gives column {head!r} the point {said.point!r}; use a-z, 0-9 and _, starting with a letter."
            )
        known = POINTS.get(said.point)
        if known is not None and said.unit:
            _check_unit(head, said.unit, known.unit)
        return Column(place, head, said.point, said.unit, known is not None)
    return None if mapping.only else _guess(place, head)


def _check_unit(head: str, unit: str, to: str) -> None:
    try:
        convert(1.0, unit, to)
    except UnitError as error:
        raise Invalid("bad_unit", f"Column {head!r}: {error}") from error


def _guess(place: int, head: str) -> Column | None:
    """The point that a head most likely means: its words with usual abbreviations written out, without a trailing unit."""
    words = _words(head)
    unit = _UNIT_WORDS.get(words[-1], "") if len(words) > 1 else ""
    bare = words[:-1] if unit else words
    spelled = "_".join(" ".join(_SHORT.get(w, w) for w in bare).split())
    for name in (
        "_".join(bare),
        spelled.replace("operating_operating", "operating"),
        spelled,
        spelled.replace("room_air", "room"),
        spelled.replace("set_point", "setpoint"),
    ):
        point = POINTS.get(name)
        if point is None:
            continue
        try:
            convert(1.0, unit or point.unit, point.unit)
        except UnitError:
            continue
        return Column(place, head, name, unit, known=True)
    name = re.sub(r"[^a-z0-9]+", "_", head.lower()).strip("_")[:64]
    return Column(place, head, name, "", known=False) if good_name(name) else None


def rows(file: TextIO, how: Plan, zone: str, size: int = 0) -> Iterator[Chunk]:
    """The file's rows in chunks; the head has been read already. `size` in bytes lets chunks say how far they are."""
    tz = ZoneInfo(zone)
    reader = csv.reader(file)
    times: list[float] = []
    cells: list[list[float]] = []
    bad: list[BadRow] = []
    read_bytes = 0
    for row in reader:
        read_bytes += sum(map(len, row)) + len(row)
        line = reader.line_num + 1
        if not row or not any(c.strip() for c in row):
            continue
        try:
            t, values = _row(row, how, tz)
            times.append(t)
            cells.append(values)
        except ValueError as error:
            bad.append(BadRow(line, str(error)))
        if len(times) + len(bad) >= CHUNK_ROWS:
            yield _chunk(times, cells, bad, how, read_bytes, size)
            times, cells, bad = [], [], []
    yield _chunk(times, cells, bad, how, size, size)


def _chunk(times: list[float], cells: list[list[float]], bad: list[BadRow], how: Plan, read: int, size: int) -> Chunk:
    table = np.array(cells, np.float64).reshape(len(times), len(how.columns))
    columns = {c.point: table[:, i] for i, c in enumerate(how.columns)}
    return Chunk(np.array(times, np.float64), columns, list(bad), min(1.0, read / size) if size else 1.0)


def _row(row: list[str], how: Plan, tz: ZoneInfo) -> tuple[float, list[float]]:
    if len(row) <= how.time_place:
        raise ValueError("the time is missing")
    t = read_time(row[how.time_place], tz)
    return t, [_cell(row[c.place] if c.place < len(row) else "", c) for c in how.columns]


def _cell(text: str, column: Column) -> float:
    text = text.strip()
    if text.lower() in _ABSENT:
        return math.nan
    point = POINTS.get(column.point)
    if point is not None and point.kind == "code" and not _is_number(text):
        value: float | str = text.lower()
    else:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{column.head}: {text[:40]!r} is not a number") from None
    if point is None:
        if not math.isfinite(float(value)):
            raise ValueError(f"{column.head}: {text[:40]!r} is not a finite number")
        return float(value)
    if column.unit and isinstance(value, float):
        value = convert(value, column.unit, point.unit)
    try:
        found = number(point, value)
    except BadValueError as error:
        raise ValueError(f"{column.head}: {error}") from None
    return math.nan if found is None else found


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text) is not None


_FORMATS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M")


def read_time(text: str, tz: ZoneInfo) -> float:
    """Seconds since 1970 of a time as files write it: ISO 8601, seconds or milliseconds since 1970, month/day/year or day.month.year.

    A time without a zone is in `tz`; the hour that autumn has twice is taken as the first of the two.

    Raises:
        ValueError: it is none of these, or lies before 2000 or in the future.
    """
    text = text.strip()
    try:
        t = float(text)
        t = t / 1000 if t > 1e11 else t
    except ValueError:
        t = _calendar(text, tz)
    if not 946_684_800.0 <= t <= datetime.now(UTC).timestamp() + 600:
        raise ValueError(f"the time {text[:40]!r} lies before 2000 or in the future") from None
    return t


def _calendar(text: str, tz: ZoneInfo) -> float:
    moment: datetime | None = None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        for form in _FORMATS:
            try:
                moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is put in below
                break
            except ValueError:
                continue
    if moment is None:
        raise ValueError(f"{text[:40]!r} is not a time; write it as 2026-01-31T06:00:00Z")
    return (moment if moment.tzinfo else moment.replace(tzinfo=tz)).timestamp()


def sample(file: TextIO, count: int = 50) -> list[list[str]]:
    """Some of the first rows; the file stands where it stood."""
    at = file.tell()
    lines = [line for line in (file.readline() for _ in range(count)) if line]
    file.seek(at)
    return list(csv.reader(lines))


def heads(file: TextIO) -> list[str]:
    """The first line's cells.

    Raises:
        Invalid: the file is empty.
    """
    row = next(csv.reader([file.readline()]), [])
    if not row:
        raise Invalid("empty_file", "The file is empty. Its first line must name the columns.")
    return row


def unit_note(columns: list[Column]) -> Mapping[str, str]:
    """For each column a note on what becomes of it, for the dry run."""
    notes = {}
    for c in columns:
        point = POINTS.get(c.point)
        if point is None:
            notes[c.head] = f"{c.point} (not in the catalogue: kept and flagged)"
        else:
            notes[c.head] = (
                f"{c.point} in {c.unit}, kept in {point.unit}"
                if c.unit and c.unit != point.unit
                else f"{c.point} in {point.unit or 'words or numbers'}"
            )
    return notes
