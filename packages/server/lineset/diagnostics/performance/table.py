"""Spans of days, and figures of them as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lineset.diagnostics.cases import ratio
from lineset.diagnostics.days import Days, fold
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.machine import column as column_of
from lineset.diagnostics.rows import Flags, Floats, Ints

Span = Literal["day", "month", "season", "year", "whole"]
"""`season`: the meteorological quarters that begin in December, March, June and September; `whole`: all days there are."""
Words = NDArray[np.str_]

NOT_MEASURED, NOT_RUN, TOO_LITTLE, IMPLAUSIBLE = "not_measured", "not_run", "too_little", "implausible"
NO_SPREAD, MIXED, INCOMPLETE = "weather_too_even", "mixed_use", "incomplete"
BELOW_ZERO = "below_zero"
"""Why a figure is absent: points it needs are missing; the machine did not run so; it did for too short a time; sensors contradict
physics; the weather did not differ enough to tell it; the machine both heated and cooled, so that what it drew at rest belongs to
neither; of the heat or of the electricity more than 5 % is not known; the line through the days falls below zero, so that
it tells no energy."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Rows of one machine and span each. `machine` (rows,): index into `machines`; `start`: the span's first day and `length` its days
    until its end, or until the newest day that is known of anybody; `sums` by feature (rows,). `days` are what they were folded from, and
    `row` (days,) which row each belongs to."""

    machines: Sequence[Machine]
    machine: Ints
    start: Ints
    length: Ints
    sums: Mapping[str, Floats]
    days: Days
    row: Ints

    def __len__(self) -> int:
        return len(self.machine)

    def sum(self, name: str) -> Floats:
        """A feature's sum, shape (rows,); NaN where it was never known."""
        found = self.sums.get(name)
        return np.full(len(self), np.nan) if found is None else found

    def mean(self, mode: str, channel: str) -> Floats:
        """The mean of a channel over steady running, shape (rows,)."""
        return ratio(self.sum(f"steady.{mode}.{channel}.x"), self.sum(f"steady.{mode}.{channel}.s"))

    def family(self, *families: str) -> Flags:
        """Whether a row's machine is of one of these families."""
        return np.isin(column_of(self.machines, "family").astype(np.str_), families)[self.machine]


def spans(days: Days, span: Span) -> Spans:
    """Days added up by month, season, year, or all of them, by the site's calendar."""
    start, end = _bounds(days.day, span)
    sums = fold(days.machines, days.machine, start, days.sums)
    newest = int(days.day.max()) + 1 if len(days.day) else 0
    key = days.machine * np.int64(10_000_000) + start
    firsts = np.unique(key)
    row = np.searchsorted(firsts, key)
    stop = np.zeros(len(firsts), np.int64)
    stop[row] = np.minimum(end, newest)
    return Spans(days.machines, sums.machine, sums.day, stop - sums.day, sums.sums, days, row)


def _bounds(day: Ints, span: Span) -> tuple[Ints, Ints]:
    """The first day of the span that each day lies in, and the first of the next."""
    if span == "day":
        return day, day + 1
    if span == "whole":
        return np.full(len(day), day.min() if len(day) else 0), np.full(len(day), day.max() + 1 if len(day) else 0)
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    size = {"month": 1, "season": 3, "year": 12}[span]
    # Months count from January 1970; a season begins with December, a month before the quarter.
    shift = 1 if span == "season" else 0
    first = (month + shift) // size * size - shift
    start, end = (each.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for each in (first, first + size))
    return start, end


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of every row: value and doubt (one standard deviation) in `unit`, NaN where absent; what it was derived from; why it is
    absent; and whether it makes sense for that machine at all."""

    unit: str
    value: Floats
    doubt: Floats
    basis: Words
    why: Words
    applies: Flags


def column(
    unit: str, value: Floats, *, doubt: ArrayLike = np.nan, basis: ArrayLike = "measured", why: ArrayLike = "", applies: ArrayLike = True
) -> Column:
    """A column; scalars stand for all rows. Where `why` is given, or the value is no number, the figure is absent."""
    reason = np.broadcast_to(np.asarray(why, np.str_), value.shape)
    reason = np.where((reason == "") & ~np.isfinite(value), NOT_MEASURED, reason)
    there = reason == ""
    return Column(
        unit,
        np.where(there, value, np.nan),
        np.where(there, np.broadcast_to(np.asarray(doubt, np.float64), value.shape), np.nan),
        np.where(there, np.broadcast_to(np.asarray(basis, np.str_), value.shape), ""),
        reason,
        np.broadcast_to(np.asarray(applies, bool), value.shape),
    )


def reasons(*pairs: tuple[Flags, str]) -> Words:
    """The word of the first flag that holds, "" where none does."""
    return np.select([flags for flags, _ in pairs], [word for _, word in pairs], "")
