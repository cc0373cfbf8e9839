"""Stretches of rows in which something holds, and what changes from one row to the next: what extractors of patterns share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from lineset_contract.points import POINTS

from lineset.diagnostics.samples import Flags, Floats, Ints, Samples


@dataclass(frozen=True, slots=True)
class Spans:
    """Unbroken stretches of one machine's rows. `first`, `last` (spans,): their rows; `s` (spans,): how long they took (s); `begun`,
    `ended` (spans,): whether the moment before, and the one after, was seen."""

    first: Ints
    last: Ints
    s: Floats
    begun: Flags
    ended: Flags

    @property
    def whole(self) -> Flags:
        """Seen from beginning to end."""
        return self.begun & self.ended

    def of(self, chosen: Flags) -> "Spans":
        """Only some of them."""
        return Spans(self.first[chosen], self.last[chosen], self.s[chosen], self.begun[chosen], self.ended[chosen])


def spans(samples: Samples, flags: Flags) -> Spans:
    """The stretches in which `flags` (rows,) holds, in the order of the rows."""
    follows = samples.follows
    onward = np.r_[follows[1:], False] if len(follows) else follows
    before = np.r_[False, flags[:-1]] & follows
    after = np.r_[flags[1:], False] & onward if len(flags) else flags
    first, last = np.flatnonzero(flags & ~before), np.flatnonzero(flags & ~after)
    return Spans(first, last, samples.t[last] - samples.t[first] + samples.dt[last], follows[first], onward[last])


def counted(samples: Samples, rows: Ints, weights: Floats | None = None) -> Floats:
    """How many of these rows (or the sum of their weights) fall into each hour, (groups,)."""
    return np.bincount(samples.group[rows], None if weights is None else np.nan_to_num(weights), len(samples.first)).astype(np.float64)


def change(samples: Samples, values: Floats) -> Floats:
    """By how much each row differs from the one before it, (rows,); NaN after a gap and where either is absent."""
    out = np.full(len(values), np.nan)
    out[1:] = np.diff(values)
    out[~samples.follows] = np.nan
    return out


def where_known(samples: Samples, known: Flags, **figures: Floats) -> dict[str, Floats]:
    """Figures of hours, (groups,) each, NaN in hours without a row where `known` (rows,) holds. A name's `__` becomes a dot."""
    seen = samples.seconds(known) > 0
    return {name.replace("__", "."): np.where(seen, values, np.nan) for name, values in figures.items()}


def is_code(samples: Samples, point: str, *words: str) -> Flags:
    """Rows in which a point of codes says one of these words; raises KeyError for a word that the catalogue does not have."""
    values = samples.points.get(point)
    codes = codes_of(point)
    if values is None:
        return np.zeros(len(samples), bool)
    return np.isin(values, [codes[word] for word in words])


def codes_of(point: str) -> Mapping[str, int]:
    """The numbers behind the words of a point of codes."""
    return POINTS[point].codes


def setting(samples: Samples, point: str) -> Floats:
    """A set point at each row, (rows,): the newest that the machine told, since many devices send it only when it changes."""
    values = samples.point(point)
    known = ~np.isnan(values)
    place = np.where(known, np.arange(len(values)), -1)
    place = np.maximum.accumulate(place) if len(place) else place
    start = np.flatnonzero(samples.starts_machine)
    begin = np.repeat(start, np.diff(np.append(start, len(values)))) if len(values) else place
    return np.where(place >= begin, values[np.maximum(place, 0)], np.nan)
