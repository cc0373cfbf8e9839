"""What is searched for: a canary in every form in which an engine or a format may keep it, and the search for it in bytes and columns."""

import json
import math
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

import polars as pl

from lineset.kit.errors import Invalid

MOST = 100
_SHORTEST, _LONGEST = 4, 200  # characters
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_POSTGRES_EPOCH_S = 946_684_800  # 2000-01-01 UTC
_TIMES_S = (1e8, 1e11)  # numbers in this range may also be times
_DIGITS = frozenset(b"0123456789")
_TEMPORAL = (pl.Datetime, pl.Date, pl.Time, pl.Duration)


@dataclass(frozen=True)
class Canary:
    """One text and what it looks like on disk.

    `exact`: byte strings long enough to stand for themselves; `short`: encodings in four bytes, which only files of the database are
    searched for, since compressed bytes would hold any of them by chance; `numerals`: a number in digits, not as a part of a longer one.
    """

    text: str
    number: float | None
    exact: tuple[bytes, ...]
    short: tuple[bytes, ...]
    numerals: tuple[bytes, ...]

    @property
    def hint(self) -> str:
        """Enough of it for whoever gave it to know it again."""
        return self.text if len(self.text) <= 6 else f"{self.text[:4]}…"


def canary(text: str) -> Canary:
    """The canary of a text.

    Raises:
        Invalid: it is so short or so common that finding it would prove nothing.
    """
    text = text.strip()
    if not _SHORTEST <= len(text) <= _LONGEST:
        raise Invalid("bad_canary", f"A canary has {_SHORTEST} to {_LONGEST} characters; this one has {len(text)}.")
    if not _NUMBER.fullmatch(text):
        return Canary(text, None, tuple(sorted(_texts(text))), (), ())
    value = float(text)
    if not math.isfinite(value) or abs(value) > 3.4e38:  # largest float4
        raise Invalid("bad_canary", f"{text} is beyond what a measurement can be.")
    single = struct.pack("<f", value)
    if single[0] == 0 and single[1] == 0:
        raise Invalid("bad_canary", f"{text} is too common a number to prove anything. Choose one like {round(value)}.31415.")
    exact, short = _encodings(value)
    return Canary(text, value, tuple(sorted(exact)), tuple(sorted(short)), tuple(sorted(_numerals(text, value))))


def _texts(text: str) -> set[bytes]:
    """A text as it stands in columns, JSON, addresses, XML of office programs, and dumps of bytes."""
    found = {text.encode(), text.lower().encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode().hex().encode()}
    found |= {json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()}
    found |= {quote(text, safe="").encode(), quote(text, safe="@").encode()}
    if _UUID.fullmatch(text):
        found |= {UUID(text).bytes, UUID(text).hex.encode(), str(UUID(text)).encode()}
    return found


def _encodings(value: float) -> tuple[set[bytes], set[bytes]]:
    """A number as floats of 8 and 4 bytes, integers, and PostgreSQL's and Arrow's times, in both byte orders."""
    rounded = struct.unpack("<f", struct.pack("<f", value))[0]
    exact: set[bytes] = set()
    short: set[bytes] = set()
    for order in "<>":
        exact |= {struct.pack(f"{order}d", value), struct.pack(f"{order}d", rounded)}
        short.add(struct.pack(f"{order}f", value))
        if value.is_integer() and 2**24 <= abs(value) < 2**63:
            exact.add(struct.pack(f"{order}q", int(value)))
            if abs(value) < 2**31:
                short.add(struct.pack(f"{order}i", int(value)))
        if _TIMES_S[0] <= value <= _TIMES_S[1]:
            exact |= {struct.pack(f"{order}q", round((value - epoch) * 1_000_000)) for epoch in (0, _POSTGRES_EPOCH_S)}
    return exact, short


def _numerals(text: str, value: float) -> set[bytes]:
    """A number in digits: as given, as programs write a double, and as they write a float4, short and in full."""
    single = struct.unpack("<f", struct.pack("<f", value))[0]
    shortest = next(
        s for s in (f"{single:.{digits}g}" for digits in range(6, 18)) if struct.pack("<f", float(s)) == struct.pack("<f", single)
    )
    written = {text.lstrip("+"), repr(value), repr(single), shortest}
    written |= {f"{single:.15g}", f"{single:.17g}", f"{value:.15g}", f"{value:.17g}"}
    return {w.removesuffix(".0").encode() for w in written}


class Search:
    """The canaries of one run."""

    def __init__(self, canaries: Sequence[Canary]) -> None:
        self.canaries = canaries
        lengths = [len(p) for c in canaries for p in (*c.exact, *c.short, *c.numerals)]
        self.overlap = max(lengths, default=1) + 2  # and a character on both sides of a number

    def scan(self, *, short: bool = False) -> "Scan":
        """A search through one stream of bytes; `short`: also for encodings in four bytes."""
        return Scan(self, short=short)

    def in_bytes(self, data: bytes, *, short: bool = False) -> set[int]:
        """Which canaries, by number, are in these bytes."""
        scan = self.scan(short=short)
        scan.feed(data)
        return scan.close()

    def in_frame(self, frame: pl.DataFrame, known: frozenset[int] = frozenset()) -> set[int]:
        """Which canaries are among the values of a frame, columns in columns included; those of `known` are not searched for."""
        found: set[int] = set()
        for column in _flat(frame):
            for n, wanted in enumerate(self.canaries):
                if n not in found and n not in known and _in_column(self, column, wanted, n):
                    found.add(n)
        return found


class Scan:
    """A search through a stream that comes in pieces."""

    def __init__(self, search: Search, *, short: bool) -> None:
        self._search = search
        self._short = short
        self._tail = b""
        self._base = 0  # where the tail begins in the stream
        self.found: dict[int, int] = {}
        """Where in the stream each canary was first found, in bytes."""

    def feed(self, piece: bytes) -> None:
        """The next bytes."""
        self._look(self._tail + piece, last=False)

    def close(self) -> set[int]:
        """The canaries found, now that nothing more comes."""
        self._look(self._tail, last=True)
        return set(self.found)

    def _look(self, data: bytes, *, last: bool) -> None:
        for n, wanted in enumerate(self._search.canaries):
            if n in self.found:
                continue
            at = min(_positions(data, wanted, short=self._short, last=last), default=-1)
            if at >= 0:
                self.found[n] = self._base + at
        keep = min(len(data), self._search.overlap)
        self._base += len(data) - keep
        self._tail = data[len(data) - keep :]


def _positions(data: bytes, wanted: Canary, *, short: bool, last: bool) -> Iterator[int]:
    for pattern in (*wanted.exact, *(wanted.short if short else ())):
        if (at := data.find(pattern)) >= 0:
            yield at
    for pattern in wanted.numerals:
        at = data.find(pattern)
        while at >= 0:
            if _stands_alone(data, at, pattern, last=last):
                yield at
                break
            at = data.find(pattern, at + 1)


def _stands_alone(data: bytes, at: int, pattern: bytes, *, last: bool) -> bool:
    """Whether the digits at `at` are a number and not a part of one; zeros behind a decimal point add nothing."""
    if at and (data[at - 1] in _DIGITS or data[at - 1] == ord(".")):
        return False
    end = at + len(pattern)
    while b"." in pattern and end < len(data) and data[end] == ord("0"):
        end += 1
    if end >= len(data):
        return last  # else it is found again with what follows
    return data[end] not in _DIGITS


def _flat(frame: pl.DataFrame) -> Iterator[pl.Series]:
    """Every column of plain values."""
    for column in frame.get_columns():
        yield from _leaves(column)


def _leaves(column: pl.Series) -> Iterator[pl.Series]:
    if isinstance(column.dtype, (pl.List, pl.Array)):
        yield from _leaves(column.explode(empty_as_null=True))
    elif isinstance(column.dtype, pl.Struct):
        yield from _flat(column.struct.unnest())
    else:
        yield column


def _in_column(search: Search, column: pl.Series, wanted: Canary, n: int) -> bool:
    kind = column.dtype
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return _in_texts(column.cast(pl.String), wanted)
    if kind == pl.Binary:
        return any(n in search.in_bytes(value, short=True) for value in column.drop_nulls())
    if isinstance(kind, pl.Decimal):
        column, kind = column.cast(pl.Float64), pl.Float64()
    if isinstance(kind, _TEMPORAL):
        return _in_times(column, wanted)
    if wanted.number is None or not kind.is_numeric():
        return False
    values = [wanted.number]
    if kind == pl.Float64:
        values.append(struct.unpack("<f", struct.pack("<f", wanted.number))[0])
    elif kind.is_integer():
        if not wanted.number.is_integer() or abs(wanted.number) >= 2**63:
            return False
        return bool((column.cast(pl.Int64, strict=False) == int(wanted.number)).any())
    return bool(column.is_in(pl.Series(values, dtype=kind)).any())


def _in_texts(column: pl.Series, wanted: Canary) -> bool:
    if wanted.number is None:
        return bool(column.str.contains_any(list({wanted.text, wanted.text.lower()})).any())
    numbers = "|".join(re.escape(p.decode()) + ("0*" if b"." in p else "") for p in wanted.numerals)
    return bool(column.str.contains(rf"(?:^|[^0-9.])(?:{numbers})(?:[^0-9]|$)").any())


def _in_times(column: pl.Series, wanted: Canary) -> bool:
    if wanted.number is None or not _TIMES_S[0] <= wanted.number <= _TIMES_S[1] or not isinstance(column.dtype, pl.Datetime):
        return False
    return bool((column.dt.epoch("us") == round(wanted.number * 1e6)).any())
