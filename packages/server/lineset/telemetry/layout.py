"""Where points stand in the arrays of a machine's frames, and how a frame becomes a row.

Machines that send the same points in the same order share one `Layout`; frames with the same points share one `Shape`. So a batch of
thousands of frames becomes a few matrices, judged and stored without a step a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from lineset_contract.points import POINTS, consent_for
from numpy.typing import NDArray

MAX_UNKNOWN = 64
"""Points of one machine that the catalogue does not know; those that it knows are as many as there are."""
Kind = Literal["real", "counter", "code"]


@dataclass(slots=True)
class Shape:
    """How frames with just these points map to slots. Indexes are places in the frame's values, in its own order.

    `codes` has the places of code points, with the number for each word and each number that they know.
    """

    width: int
    codes: list[tuple[int, dict[object, int]]]
    real_from: NDArray[np.intp]
    real_to: NDArray[np.intp]
    total_from: NDArray[np.intp]
    total_to: NDArray[np.intp]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    layout: "Layout"
    waits: bool  # one of the points is taken only with its people's consent


@dataclass(slots=True)
class Layout:
    """Slots of one kind of machine: point to (kind, slot)."""

    slots: dict[str, tuple[Kind, int]]
    reals: int = 0
    totals: int = 0
    shapes: dict[tuple[str, ...], Shape] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, slot in self.slots.values():
            if kind == "counter":
                self.totals = max(self.totals, slot + 1)
            else:
                self.reals = max(self.reals, slot + 1)

    def shape(self, names: tuple[str, ...]) -> Shape | None:
        """The shape of frames with these points; None while one of them has no slot yet."""
        shape = self.shapes.get(names)
        if shape is None and (shape := self._make(names)) is not None:
            # only points with a slot: names that a device makes up are not remembered here
            if len(self.shapes) > 1000:
                self.shapes.clear()
            self.shapes[names] = shape
        return shape

    def _make(self, names: tuple[str, ...]) -> Shape | None:
        if not names or any(n not in self.slots for n in names):
            return None
        reals = [(i, self.slots[n][1]) for i, n in enumerate(names) if self.slots[n][0] != "counter"]
        totals = [(i, self.slots[n][1]) for i, n in enumerate(names) if self.slots[n][0] == "counter"]
        points = [POINTS.get(n) for n in names]
        return Shape(
            width=len(names),
            codes=[(i, _numbers(p.codes)) for i, p in enumerate(points) if p is not None and p.kind == "code"],
            real_from=np.array([i for i, _ in reals], np.intp),
            real_to=np.array([s for _, s in reals], np.intp),
            total_from=np.array([i for i, _ in totals], np.intp),
            total_to=np.array([s for _, s in totals], np.intp),
            low=np.array([-np.finfo(np.float32).max if p is None else _low(p.codes, p.low) for p in points]),
            high=np.array([np.finfo(np.float32).max if p is None else _high(p.codes, p.high) for p in points]),
            layout=self,
            waits=any(consent_for(n) for n in names),
        )


def _numbers(codes: Mapping[str, int]) -> dict[object, int]:
    numbers: dict[object, int] = {code: code for code in codes.values()}
    return numbers | dict(codes)


def _low(codes: object, low: float) -> float:
    return float(min(codes.values())) if isinstance(codes, dict) and codes else low


def _high(codes: object, high: float) -> float:
    return float(max(codes.values())) if isinstance(codes, dict) and codes else high


class Layouts:
    """Every layout in use, each kept once."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, str, int], ...], Layout] = {}

    def of(self, slots: dict[str, tuple[Kind, int]]) -> Layout:
        """The shared layout with these slots."""
        key = tuple(sorted((name, kind, slot) for name, (kind, slot) in slots.items()))
        return self._known.setdefault(key, Layout(dict(slots)))


def kind_of(point: str) -> Kind:
    """A catalogued point's kind; unknown points are reals."""
    known = POINTS.get(point)
    return known.kind if known is not None else "real"


def allocate(taken: dict[str, tuple[Kind, int]], names: list[str]) -> tuple[dict[str, tuple[Kind, int]], list[str]]:
    """Next free slots for new points, in the order of their names, so that machines alike get layouts alike.

    Returns the additions and the points for which no slot is left (a machine has at most 64 that the catalogue does not know).
    """
    next_real = 1 + max((s for k, s in taken.values() if k != "counter"), default=-1)
    next_total = 1 + max((s for k, s in taken.values() if k == "counter"), default=-1)
    unknown = sum(name not in POINTS for name in taken)
    added: dict[str, tuple[Kind, int]] = {}
    refused: list[str] = []
    for name in sorted(set(names) - set(taken)):
        if name not in POINTS:
            if unknown >= MAX_UNKNOWN:
                refused.append(name)
                continue
            unknown += 1
        kind = kind_of(name)
        if kind == "counter":
            added[name] = (kind, next_total)
            next_total += 1
        else:
            added[name] = (kind, next_real)
            next_real += 1
    return added, refused
