"""Geometry of what the server draws: the dial, spark lines, bands. Pure numbers to path strings, no words, no colour."""

import math
from collections.abc import Callable, Sequence

import msgspec

DIAL_SWEEP = 220.0  # degrees of arc, from lower left over the top to lower right
_CENTRE = (180.0, 176.0)
_LABEL_RADIUS = 128.0

Place = Callable[[int, float], tuple[int, int]]


class Tick(msgspec.Struct, frozen=True):
    """One mark on the dial: degrees from the top and its rank."""

    angle: float
    major: bool
    label: str = ""
    x: float = 0.0
    y: float = 0.0


class Dial(msgspec.Struct, frozen=True):
    """A scale of 220 degrees; angles are degrees clockwise from the top, shares run from 0 to 1 along the arc."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    aim: float | None  # the target itself
    needle: float | None
    target: float | None
    target_x: float
    target_y: float
    target_anchor: str
    reached: tuple[float, float]
    gap: tuple[float, float]


def dial(value: float | None, target: float | None, *, major: float = 10.0, span: tuple[float, float]) -> Dial:
    """Lay out a dial for `value` and `target`, both already in the reader's unit.

    The scale starts from `span` and grows by whole `major` steps until it holds both.
    """
    low, high = span
    for number in (value, target):
        if number is not None:
            while number < low:
                low -= major
            while number > high:
                high += major
    steps = round(high - low)
    ticks = tuple(_tick(low + step, low, high, major) for step in range(steps + 1))
    needle = None if value is None else _angle(value, low, high)
    aim = None if target is None else _angle(target, low, high)
    x, y = _at(aim or 0.0, 186.0)
    here, there = _share(value, low, high), _share(target, low, high)
    return Dial(
        low=low,
        high=high,
        ticks=ticks,
        aim=target,
        needle=needle,
        target=aim,
        target_x=x,
        target_y=y,
        target_anchor=_anchor(aim or 0.0),
        reached=(0.0, here),
        gap=(min(here, there), max(here, there)) if value is not None and target is not None else (0.0, 0.0),
    )


def _anchor(angle: float) -> str:
    if abs(angle) <= 8:
        return "middle"
    return "start" if angle > 0 else "end"


def _share(value: float | None, low: float, high: float) -> float:
    return 0.0 if value is None else round((value - low) / (high - low), 4)


def _angle(value: float, low: float, high: float) -> float:
    return round((value - low) / (high - low) * DIAL_SWEEP - DIAL_SWEEP / 2, 2)


def _at(angle: float, radius: float) -> tuple[float, float]:
    radians = math.radians(angle)
    return round(_CENTRE[0] + radius * math.sin(radians), 1), round(_CENTRE[1] - radius * math.cos(radians), 1)


def _tick(value: float, low: float, high: float, major: float) -> Tick:
    angle = _angle(value, low, high)
    if value % major:
        return Tick(angle=angle, major=False)
    x, y = _at(angle, _LABEL_RADIUS)
    return Tick(angle=angle, major=True, label=f"{value:.0f}", x=x, y=y + 5)


class Spark(msgspec.Struct, frozen=True):
    """Path strings of a spark line in a box of `width` x `height` user units; empty where there is nothing to draw."""

    measured: str
    expected: str
    between: str
    gaps: tuple[tuple[int, int], ...]
    last: tuple[int, int] | None
    width: int
    height: int


def extent(known: Sequence[float], least: float) -> tuple[float, float]:
    """Lowest and highest of `known`, widened about the middle to at least `least`."""
    low, high = min(known), max(known)
    if high - low < least:
        middle = (low + high) / 2
        return middle - least / 2, middle + least / 2
    return low, high


def spark(
    values: Sequence[float | None],
    expected: Sequence[float | None],
    *,
    width: int = 240,
    height: int = 48,
    least: float = 2.0,
    include_zero: bool = False,
) -> Spark:
    """Draw `values` (thick) over `expected` (thin), equally spaced in time.

    `None` is a gap: the line breaks there and is never bridged. `least` is the smallest range in the values' unit that
    fills the box, so that noise does not look like news; `include_zero` keeps 0 in sight.
    """
    known = [v for v in (*values, *expected) if v is not None and math.isfinite(v)]
    count = max(len(values), len(expected))
    if not known or count < 2:
        return Spark("", "", "", (), None, width, height)
    low, high = extent([*known, 0.0] if include_zero else known, least)
    step = width / (count - 1)

    def place(index: int, value: float) -> tuple[int, int]:
        return round(index * step), round(2 + (high - value) / (high - low) * (height - 4))

    thick = _runs(values, place)
    thin = _runs(expected, place)
    return Spark(
        measured="".join(_path(run) for run in thick),
        expected="".join(_path(run) for run in thin),
        between=_area(values, expected, place),
        gaps=_gaps(values, step),
        last=thick[-1][-1] if thick and values[-1] is not None else None,
        width=width,
        height=height,
    )


def _runs(values: Sequence[float | None], place: Place) -> list[list[tuple[int, int]]]:
    runs: list[list[tuple[int, int]]] = [[]]
    for index, value in enumerate(values):
        if value is None or not math.isfinite(value):
            if runs[-1]:
                runs.append([])
        else:
            runs[-1].append(place(index, value))
    return [run for run in runs if run]


def _path(run: list[tuple[int, int]]) -> str:
    """Relative steps of whole units, with points on a straight level merged: short, and it compresses well."""
    start, *rest = run
    if not rest:
        return f"M{start[0]} {start[1]}h1"
    parts = [f"M{start[0]} {start[1]}"]
    x, y = start
    level = 0
    for to_x, to_y in rest:
        if to_y == y:
            level += to_x - x
        else:
            if level:
                parts.append(f"h{level}")
                level = 0
            parts.append(f"l{to_x - x} {to_y - y}")
        x, y = to_x, to_y
    if level:
        parts.append(f"h{level}")
    return "".join(parts)


def _area(values: Sequence[float | None], expected: Sequence[float | None], place: Place) -> str:
    """Outline of the space between the two lines, where both are known."""
    outlines: list[str] = []
    upper: list[tuple[int, int]] = []
    lower: list[tuple[int, int]] = []
    for index in range(min(len(values), len(expected)) + 1):
        value = values[index] if index < len(values) else None
        should = expected[index] if index < len(expected) else None
        if value is None or should is None:
            if len(upper) > 1:
                outlines.append(_path(upper + lower[::-1]) + "z")
            upper, lower = [], []
            continue
        upper.append(place(index, value))
        lower.append(place(index, should))
    return "".join(outlines)


def _gaps(values: Sequence[float | None], step: float) -> tuple[tuple[int, int], ...]:
    gaps: list[tuple[int, int]] = []
    start: int | None = None
    for index, value in enumerate((*values, 0.0)):
        if value is None and start is None:
            start = index
        elif value is not None and start is not None:
            left = max(start - 1, 0) * step
            right = min(index, len(values) - 1) * step
            gaps.append((round(left), max(1, round(right - left))))
            start = None
    return tuple(gaps)
