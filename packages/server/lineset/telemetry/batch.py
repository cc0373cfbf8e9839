"""From frames to blocks of rows: judging and placing, many frames at once. No I/O.

The fast way takes all frames of one shape as one matrix. Whatever does not fit (a wrong type, a value out of range, a point without a
slot) goes the careful way, frame by frame, through the contract's own check, which says what is wrong.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import numpy as np
from lineset_contract.points import consent_for
from lineset_contract.refusals import Refusal, refuse
from lineset_contract.values import check_frame
from lineset_contract.wire import MAX_AGE_LIVE_S, MAX_CLOCK_AHEAD_S, MAX_POINTS_PER_FRAME, Frame
from numpy.typing import NDArray

from lineset.telemetry.layout import MAX_UNKNOWN, Layout, Shape

FAR_PAST = float("-inf")
FAR_FUTURE = float("inf")
Consents = AbstractSet[tuple[UUID, str, str]]
"""What holds: household, purpose, and what it is about ("gateway:{id}", or nothing)."""


@dataclass(slots=True)
class Span:
    """One owner's time with a machine, in seconds since 1970, and the series of that time."""

    series: int
    household: UUID
    start: float
    end: float


@dataclass(slots=True)
class Route:
    """Where frames of one machine go."""

    equipment: UUID
    spans: list[Span]
    layout: Layout
    gateway: UUID | None = None

    def span(self, t: float) -> Span:
        """The tenure in which a time falls; the first one also has what was measured before anybody claimed the machine."""
        for span in reversed(self.spans):
            if t >= span.start:
                return span
        return self.spans[0]


class Source(NamedTuple):
    """Where a frame came from: number of the message in the batch, and place in the message."""

    message: int
    frame: int


@dataclass(slots=True)
class Block:
    """Rows of one layout: `series` and `t` (n,), `reals` (n, layout.reals), `totals` (n, layout.totals); NaN is "not measured"."""

    layout: Layout
    series: NDArray[np.int64]
    t: NDArray[np.float64]
    reals: NDArray[np.float64]
    totals: NDArray[np.float64]
    sources: list[Source]


@dataclass(slots=True)
class Newest:
    """Newest value of each slot for each series of a block, with the time of each (0: never)."""

    series: NDArray[np.int64]
    t: NDArray[np.float64]
    reals: NDArray[np.float64]
    real_times: NDArray[np.float64]
    totals: NDArray[np.float64]
    total_times: NDArray[np.float64]


@dataclass(slots=True)
class _Group:
    """Frames of one shape: their values one after the other, their times, and where each belongs."""

    values: list[object] = field(default_factory=list)
    t: list[float] = field(default_factory=list)
    rows: list[tuple[Route, Frame, Source]] = field(default_factory=list)


@dataclass(slots=True)
class _Placed:
    series: list[int] = field(default_factory=list)
    t: list[float] = field(default_factory=list)
    reals: list[NDArray[np.float64]] = field(default_factory=list)
    totals: list[NDArray[np.float64]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)


class Builder:
    """Collects the frames of one batch; `blocks` gives the rows, `refusals` what was not taken.

    Some points are taken only with consent: `asking` names the households to ask about, and `decide` is told what they said, before
    anything else. `missing` names points that have no slot yet, by route: give them one and `retry`.
    """

    def __init__(self, now: float | None) -> None:
        self._now = now
        self._groups: dict[int, tuple[Shape, _Group]] = {}
        self._placed: dict[int, tuple[Layout, _Placed]] = {}
        self._waiting: list[tuple[Route, Frame, dict[str, float], Source]] = []
        self._asking: list[tuple[Route, Frame, Source]] = []
        self.refusals: list[tuple[Source, Refusal]] = []
        self.missing: dict[UUID, set[str]] = {}

    def add(self, route: Route, frame: Frame, source: Source) -> None:
        """Take one frame."""
        shape = route.layout.shape(tuple(frame.v)) if len(frame.v) <= MAX_POINTS_PER_FRAME else None
        if shape.waits if shape is not None else any(map(consent_for, frame.v)):
            self._asking.append((route, frame, source))
        else:
            self._take(route, frame, source, shape)

    @property
    def asking(self) -> set[UUID]:
        """Households that have to be asked about points which tell of people."""
        return {route.span(frame.t).household for route, frame, _ in self._asking}

    def decide(self, said: Consents) -> None:
        """Take the frames that waited, without the points to which their household has not said yes; each of those is refused."""
        asking, self._asking = self._asking, []
        for route, frame, source in asking:
            household, kept = route.span(frame.t).household, {}
            for name, value in frame.v.items():
                wanted = consent_for(name)
                about = f"gateway:{route.gateway}" if wanted == "location" else ""
                if not wanted or (household, wanted, about) in said:
                    kept[name] = value
                else:
                    self.refusals.append((source, refuse(f"{wanted}_off", point=name)))
            if kept:
                few = len(kept) <= MAX_POINTS_PER_FRAME
                self._take(route, Frame(frame.t, frame.e, kept), source, route.layout.shape(tuple(kept)) if few else None)

    def _take(self, route: Route, frame: Frame, source: Source, shape: Shape | None) -> None:
        if shape is None:
            self._carefully(route, frame, source)
            return
        pair = self._groups.get(id(shape))
        if pair is None:
            pair = self._groups[id(shape)] = (shape, _Group())
        group = pair[1]
        group.values.extend(frame.v.values())
        group.t.append(frame.t)
        group.rows.append((route, frame, source))

    def retry(self, without_slot: dict[UUID, set[str]]) -> None:
        """Place the frames that waited for slots; points in `without_slot` got none, because the machine has too many."""
        waiting, self._waiting, self.missing = self._waiting, [], {}
        for route, frame, values, source in waiting:
            for name in sorted(without_slot.get(route.equipment, set()) & set(values)):
                del values[name]
                self.refusals.append((source, refuse("too_many_unknown", point=name, limit=MAX_UNKNOWN)))
            self._place(route, frame.t, values, source)

    def blocks(self) -> list[Block]:
        """The rows of all frames taken so far, one block a layout."""
        parts: dict[int, tuple[Layout, list[Block]]] = {}
        for shape, group in self._groups.values():
            block = self._matrix(shape, group)
            parts.setdefault(id(shape.layout), (shape.layout, []))[1].append(block)
        for layout, placed in self._placed.values():
            block = Block(
                layout,
                np.array(placed.series, np.int64),
                np.array(placed.t, np.float64),
                np.array(placed.reals, np.float64).reshape(len(placed.t), layout.reals),
                np.array(placed.totals, np.float64).reshape(len(placed.t), layout.totals),
                placed.sources,
            )
            parts.setdefault(id(layout), (layout, []))[1].append(block)
        return [joined for layout, blocks in parts.values() if len((joined := _join(layout, blocks)).t)]

    def _matrix(self, shape: Shape, group: _Group) -> Block:
        matrix, missing = _numbers(shape, group.values)
        t = np.array(group.t, np.float64)
        good = ((matrix >= shape.low) & (matrix <= shape.high) | missing).all(axis=1) & ~missing.all(axis=1)
        if self._now is not None:
            good &= (t <= self._now + MAX_CLOCK_AHEAD_S) & (t >= self._now - MAX_AGE_LIVE_S)
        rows = group.rows
        if not good.all():
            for i in np.flatnonzero(~good):
                self._carefully(*rows[i])
            kept = np.flatnonzero(good)
            matrix, t, rows = matrix[kept], t[kept], [rows[i] for i in kept]
        layout = shape.layout
        reals = np.full((len(rows), layout.reals), np.nan)
        totals = np.full((len(rows), layout.totals), np.nan)
        reals[:, shape.real_to] = matrix[:, shape.real_from]
        totals[:, shape.total_to] = matrix[:, shape.total_from]
        series = [
            route.spans[0].series if len(route.spans) == 1 else route.span(frame.t).series  # most machines have had one owner
            for route, frame, _ in rows
        ]
        return Block(layout, np.array(series, np.int64), t, reals, totals, [source for _, _, source in rows])

    def _carefully(self, route: Route, frame: Frame, source: Source) -> None:
        checked = check_frame(frame, self._now)
        self.refusals += [(source, refusal) for refusal in checked.refused]
        values = checked.known | checked.unknown
        if not values:
            if not checked.refused:
                self.refusals.append((source, refuse("empty_frame")))
            return
        unplaced = {name for name in values if name not in route.layout.slots}
        if unplaced:
            self.missing.setdefault(route.equipment, set()).update(unplaced)
            self._waiting.append((route, frame, values, source))
        else:
            self._place(route, frame.t, values, source)

    def _place(self, route: Route, t: float, values: dict[str, float], source: Source) -> None:
        if not values:
            return
        layout = route.layout
        reals = np.full(layout.reals, np.nan)
        totals = np.full(layout.totals, np.nan)
        for name, value in values.items():
            kind, slot = layout.slots[name]
            (totals if kind == "counter" else reals)[slot] = value
        _, placed = self._placed.setdefault(id(layout), (layout, _Placed()))
        placed.series.append(route.span(t).series)
        placed.t.append(t)
        placed.reals.append(reals)
        placed.totals.append(totals)
        placed.sources.append(source)


def _numbers(shape: Shape, values: list[object]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The values of frames of one shape as a matrix, one frame a row, and which are no reading (null).

    Words of code points become numbers. What is no number becomes infinite, so that its frame goes the careful way.
    """
    width = shape.width
    for place, codes in shape.codes:
        values[place::width] = [None if value is None else codes.get(value, np.inf) for value in values[place::width]]
    kinds = set(map(type, values))
    if not kinds <= _PLAIN:
        values = [value if type(value) in _PLAIN else np.inf for value in values]
    try:
        matrix = np.array(values, np.float64).reshape(-1, width)
    except OverflowError:  # a whole number beyond the largest double
        matrix = np.array([_float(v) for v in values], np.float64).reshape(-1, width)
    # JSON has no NaN: whatever is NaN now was null
    return matrix, np.isnan(matrix) if type(None) in kinds else np.zeros(matrix.shape, np.bool_)


def _float(value: object) -> float:
    try:
        return np.nan if value is None else float(value)  # type: ignore[arg-type] # only numbers are left
    except OverflowError:
        return np.inf


_PLAIN = frozenset({float, int, type(None)})


def _join(layout: Layout, blocks: Iterable[Block]) -> Block:
    parts = list(blocks)
    if len(parts) == 1:
        return parts[0]
    return Block(
        layout,
        np.concatenate([b.series for b in parts]),
        np.concatenate([b.t for b in parts]),
        np.concatenate([b.reals for b in parts]),
        np.concatenate([b.totals for b in parts]),
        [s for b in parts for s in b.sources],
    )


def newest(block: Block) -> Newest:
    """For each series of the block, the last measured value of each slot and its time."""
    order = np.lexsort((block.t, block.series))
    series, t = block.series[order], block.t[order]
    starts = np.flatnonzero(np.r_[True, series[1:] != series[:-1]])
    reals, real_times = _last(block.reals[order], t, starts)
    totals, total_times = _last(block.totals[order], t, starts)
    return Newest(series[starts], np.maximum.reduceat(t, starts), reals, real_times, totals, total_times)


def _last(values: NDArray[np.float64], t: NDArray[np.float64], starts: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if values.shape[1] == 0:
        empty = np.empty((len(starts), 0))
        return empty, empty
    row = np.where(np.isnan(values), -1, np.arange(len(t))[:, None])
    last = np.maximum.reduceat(row, starts, axis=0)
    measured = last >= 0
    picked = np.where(measured, values[last, np.arange(values.shape[1])], np.nan)
    return picked, np.where(measured, t[last], 0.0)
