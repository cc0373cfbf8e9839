"""Geometry of what the server draws: the dial, spark lines, bands. Pure numbers to path strings, no words, no colour."""

import math
from collections.abc import Callable, Sequence

import msgspec

DIAL_SWEEP = 220.0  # degrees of arc, from lower left over the top to lower right
_CENTRE = (180.0, 176.0)
_LABEL_RADIUS = 128.0


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


Trace = Sequence[tuple[float, float]]
"""Readings with their times in seconds, oldest first."""


class Spark(msgspec.Struct, frozen=True):
    """Path strings of a spark line in a box of `width` x `height` user units; empty where there is nothing to draw."""

    measured: str = ""
    expected: str = ""
    between: str = ""
    gaps: tuple[tuple[int, int], ...] = ()
    width: int = 240
    height: int = 48
    before: str = ""


def extent(known: Sequence[float], least: float) -> tuple[float, float]:
    """Lowest and highest of `known`, widened about the middle to at least `least`."""
    low, high = min(known), max(known)
    if high - low < least:
        middle = (low + high) / 2
        return middle - least / 2, middle + least / 2
    return low, high


def spark(
    measured: Trace,
    expected: Trace,
    start: float,
    end: float,
    *,
    gap: float = 900.0,
    width: int = 240,
    height: int = 48,
    least: float = 2.0,
    include_zero: bool = False,
    before: Trace = (),
) -> Spark:
    """Draw `measured` (thick) over `expected` (thin, held from each value to the next) from `start` to `end`.

    `before` is the same quantity of an earlier stretch, on this one's clock.

    Readings further apart than `gap` seconds leave a gap that is never bridged. `least` is the smallest range in the
    values' unit that fills the box, so that noise does not look like news; `include_zero` keeps 0 in sight.
    """
    known = [v for _, v in (*measured, *expected, *before)]
    if not known or end <= start:
        return Spark(width=width, height=height)
    low, high = extent([*known, 0.0] if include_zero else known, least)

    def x(t: float) -> int:
        return round(min(1.0, max(0.0, (t - start) / (end - start))) * width)

    def y(value: float) -> int:
        return round(2 + (high - value) / (high - low) * (height - 4))

    runs = _runs(measured, gap)
    held = [(max(t, start), v) for t, v in expected]
    return Spark(
        measured="".join(_path([(x(t), y(v)) for t, v in run]) for run in runs),
        expected=_steps([(x(t), y(v)) for t, v in held], x(end)) if held else "",
        between="".join(_between(run, held, x, y) for run in runs if held),
        gaps=_gaps(runs, x, end, gap),
        width=width,
        height=height,
        before="".join(_path([(x(t), y(v)) for t, v in run]) for run in _runs(before, gap)),
    )


def _runs(trace: Trace, gap: float) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = []
    for t, value in trace:
        if not runs or t - runs[-1][-1][0] > gap:
            runs.append([])
        runs[-1].append((t, value))
    return runs


def _path(points: Sequence[tuple[int, int]]) -> str:
    """Relative steps of whole units, with points on a straight level merged: short, and it compresses well."""
    start, *rest = points
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


def _steps(points: Sequence[tuple[int, int]], right: int) -> str:
    """A line that keeps each value until the next one, and the last one to the `right`."""
    (left, level), *rest = points
    parts = [f"M{left} {level}"]
    for x, y in rest:
        if y != level:
            parts.append(f"H{x}V{y}")
            level = y
    parts.append(f"H{right}")
    return "".join(parts)


def _between(run: Trace, held: Trace, x: Callable[[float], int], y: Callable[[float], int]) -> str:
    """Outline of the space between a run of readings and what they should have been."""
    if len(run) < 2:
        return ""
    upper: list[tuple[int, int]] = []
    lower: list[tuple[int, int]] = []
    at = 0
    for t, value in run:
        while at + 1 < len(held) and held[at + 1][0] <= t:
            at += 1
        upper.append((x(t), y(value)))
        lower.append((x(t), y(held[at][1])))
    return _path(upper + lower[::-1]) + "z"


def _gaps(runs: Sequence[Trace], x: Callable[[float], int], end: float, gap: float) -> tuple[tuple[int, int], ...]:
    """Stretches without readings between runs and after the last one: left end and width."""
    ends = [run[-1][0] for run in runs]
    starts = [run[0][0] for run in runs[1:]] + [end]
    return tuple((x(a), max(1, x(b) - x(a))) for a, b in zip(ends, starts, strict=True) if b - a > gap) if runs else ()
