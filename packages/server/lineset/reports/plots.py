"""Plots of reports as SVG: thick is what was measured, thin is what it should have been, and nothing else is drawn.

Colours come by class from the page's own style sheet; in a PDF from `STYLE`. All words in a plot are in the reader's language, all numbers
in the reader's units.
"""

import math
from collections.abc import Callable, Sequence
from html import escape

import msgspec
import numpy as np

from lineset.diagnostics.changepoint import Response
from lineset.reports.document import Voice

WIDE, NARROW = 660, 336
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 26, 22

STYLE = (
    "text{font-family:Archivo;font-size:12px;fill:#556263}.say{fill:#10181a;font-weight:640}.grid{stroke:#dae0dd;stroke-width:1;fill:none}"
    ".axis{stroke:#10181a;stroke-width:1;fill:none}.should{stroke:#10181a;stroke-width:1;fill:none}.is{fill:none;stroke-width:2.5;"
    "stroke:#10181a;stroke-linejoin:round}.bar{stroke:none;fill:#10181a}.is.heat{stroke:#cc5c18}.is.cool{stroke:#3b86cf}"
    ".is.water{stroke:#188f8c}.is.fault{stroke:#cf2453}.bar.heat{fill:#cc5c18}.bar.cool{fill:#3b86cf}.bar.water{fill:#188f8c}"
    ".bar.fault{fill:#cf2453}.band{fill:#e4e9e6;stroke:none}.band.heat{fill:#fae3d4}.band.cool{fill:#dae8f6}"
    ".none{stroke:#748182;stroke-width:2;stroke-dasharray:0.1 5;stroke-linecap:round;fill:none}"
    ".dot{fill:#10181a;stroke:none}.ring{fill:none;stroke:#748182;stroke-width:1}.mark{stroke:#cf2453;stroke-width:1;stroke-dasharray:4 3}"
)

Numbers = Sequence[float | None]


class Stack(msgspec.Struct, frozen=True):
    """One part of the bars: `tone` its colour, `values` one a day."""

    tone: str
    values: Numbers


class Axis(msgspec.Struct, frozen=True):
    """A scale of round numbers from `low` to `high` with marks at `ticks`."""

    low: float
    high: float
    ticks: tuple[float, ...]
    digits: int


def axis(low: float, high: float, wanted: int = 4) -> Axis:
    """Round numbers that hold `low` to `high`: steps of 1, 2, 2.5 or 5 times a power of ten (Heckbert 1990, Graphics Gems)."""
    span = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(span / wanted))
    step = next(step for m in (1.0, 2.0, 2.5, 5.0, 10.0) if (step := m * power) * wanted >= span * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if abs(step / power - 2.5) < 1e-9 else 0)
    return Axis(first * step, last * step, tuple(n * step for n in range(first, last + 1)), digits)


class _Sheet:
    """An SVG under construction: a field with a scale on its left, `width` x `height` in user units of one pixel."""

    def __init__(self, voice: Voice, width: int, height: int, scale: Axis, unit: str) -> None:
        self.voice, self.width, self.height, self.scale = voice, width, height, scale
        self.left, self.right, self.top, self.bottom = _LEFT, width - _RIGHT, _TOP, height - _BOTTOM
        self.parts: list[str] = []
        for tick in scale.ticks:
            y = self.y(tick)
            self.parts.append(f'<path class="grid" d="M{self.left} {y}H{self.right}"/>')
            self.text(self.left - 6, y + 4, voice.number(tick, scale.digits), anchor="end")
        self.text(0, 11, unit)

    def y(self, value: float) -> float:
        share = (value - self.scale.low) / (self.scale.high - self.scale.low)
        return round(self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top), 1)

    def text(self, x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> None:
        mark = f' class="{kind}"' if kind else ""
        at = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.parts.append(f'<text x="{x:g}" y="{y:g}"{at}{mark}>{escape(words)}</text>')

    def path(self, kind: str, points: Sequence[tuple[float, float]], *, closed: bool = False) -> None:
        if points:
            d = "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + ("z" if closed else "")
            self.parts.append(f'<path class="{kind}" d="{d}"/>')

    def box(self, kind: str, x: float, top: float, width: float, bottom: float) -> None:
        self.parts.append(f'<rect class="{kind}" x="{x:g}" y="{top:g}" width="{width:g}" height="{max(bottom - top, 0):g}"/>')

    def done(self) -> str:
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}">{"".join(self.parts)}</svg>'


def both(draw: Callable[[int], str]) -> tuple[str, str]:
    """A plot for a sheet and for a phone."""
    return draw(WIDE), draw(NARROW)


def _known(*columns: Numbers) -> list[float]:
    return [v for values in columns for v in values if v is not None and math.isfinite(v)]


def _slots(sheet: _Sheet, labels: Sequence[str], every: int) -> tuple[float, list[float]]:
    """The width of a day, and the middle of each; with labels below, every so many days."""
    slot = (sheet.right - sheet.left) / max(len(labels), 1)
    middles = [sheet.left + slot * (n + 0.5) for n in range(len(labels))]
    for n in range(0, len(labels), every):
        sheet.text(middles[n], sheet.height - 5, labels[n], anchor="middle")
    return slot, middles


def _every(count: int, width: int, room: int) -> int:
    """Every how many days there is room for a label of `room` px."""
    fits = max(1, (width - _LEFT - _RIGHT) // room)
    return next((step for step in (1, 2, 5, 7, 10, 14, 30, 61, 122) if count / step <= fits), max(1, count))


def bars(voice: Voice, unit: str, labels: Sequence[str], stacks: Sequence[Stack], expected: Numbers, width: int) -> str:
    """A thick bar a day, made of `stacks`, and a thin line at what was to be expected. A day without readings is dotted.

    Values in `unit` of the catalogue; labels are one a day.
    """
    ruler = voice.ruler(unit)
    count = len(labels)
    totals = [None if all(s.values[n] is None for s in stacks) else sum(s.values[n] or 0.0 for s in stacks) for n in range(count)]
    high = max([1e-6, *(v * ruler.factor for v in _known(totals, expected))])
    sheet = _Sheet(voice, width, 190, axis(0.0, high), ruler.symbol)
    slot, middles = _slots(sheet, labels, _every(count, width, 46))
    thick = min(slot * 0.62, 16.0)
    for n, middle in enumerate(middles):
        if totals[n] is None:
            sheet.path("none", [(middle - slot * 0.35, sheet.bottom - 3), (middle + slot * 0.35, sheet.bottom - 3)])
            continue
        reached = 0.0
        for stack in stacks:
            part = (stack.values[n] or 0.0) * ruler.factor
            if part > 0:
                sheet.box(f"bar {stack.tone}", middle - thick / 2, sheet.y(reached + part), thick, sheet.y(reached))
                reached += part
    for n, value in enumerate(expected):
        if value is not None and math.isfinite(value):
            y = sheet.y(value * ruler.factor)
            sheet.path("should", [(middles[n] - slot / 2, y), (middles[n] + slot / 2, y)])
    sheet.path("axis", [(sheet.left, sheet.bottom), (sheet.right, sheet.bottom)])
    return sheet.done()


class Course(msgspec.Struct, frozen=True):
    """A daily course: `middle` thick, `low` to `high` as a band, `aim` thin. Values in the unit of the catalogue."""

    middle: Numbers
    low: Numbers = ()
    high: Numbers = ()
    aim: Numbers = ()
    tone: str = "ink"


def course(voice: Voice, unit: str, labels: Sequence[str], shown: Course, width: int, height: int = 150, least: float = 4.0) -> str:
    """A line through daily means over the band from each day's lowest to its highest. A gap is never bridged."""
    ruler = voice.ruler(unit)

    def seen(values: Numbers) -> list[float | None]:
        return [None if v is None or not math.isfinite(v) else v * ruler.factor + ruler.offset for v in values]

    middle, low, high, aim = seen(shown.middle), seen(shown.low), seen(shown.high), seen(shown.aim)
    known = _known(middle, low, high, aim) or [0.0, 1.0]
    bottom, top = min(known), max(known)
    slack = max(0.0, least * ruler.factor - (top - bottom)) / 2
    sheet = _Sheet(voice, width, height, axis(bottom - slack, top + slack, 3), ruler.symbol)
    _, middles = _slots(sheet, labels, _every(len(labels), width, 46))
    for run in _runs(low, high):
        edge = [(middles[n], sheet.y(v)) for n in run if (v := high[n]) is not None]
        back = [(middles[n], sheet.y(v)) for n in reversed(run) if (v := low[n]) is not None]
        sheet.path(f"band {shown.tone}", [*edge, *back], closed=True)
    for run in _runs(aim):
        sheet.path("should", [(middles[n], sheet.y(v)) for n in run if (v := aim[n]) is not None])
    for run in _runs(middle):
        line = [(middles[n], sheet.y(v)) for n in run if (v := middle[n]) is not None]
        sheet.path(f"is {shown.tone}", line if len(line) > 1 else [(line[0][0] - 3, line[0][1]), (line[0][0] + 3, line[0][1])])
    return sheet.done()


def _runs(*columns: Numbers) -> list[list[int]]:
    """Stretches of days on which all of these have a value."""
    runs: list[list[int]] = []
    for n in range(min((len(values) for values in columns), default=0)):
        if any(values[n] is None for values in columns):
            continue
        if runs and runs[-1][-1] == n - 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return runs


Pairs = Sequence[tuple[float, float]]


def weather(voice: Voice, before: Pairs, after: Pairs, lines: tuple[Response | None, Response | None], width: int) -> str:
    """Energy of single days (kWh) over the day's outdoor temperature (degC): rings before, dots after, with the response of each as a line,
    thin before, thick after."""
    cold, energy = voice.ruler("degC"), voice.ruler("kWh")
    degrees = [x for x, _ in (*before, *after)] or [0.0, 20.0]
    high = max([1e-6, *(y * energy.factor for _, y in (*before, *after))])
    across = axis(min(degrees) * cold.factor + cold.offset, max(degrees) * cold.factor + cold.offset, 6 if width > NARROW else 3)
    sheet = _Sheet(voice, width, 250, axis(0.0, high), energy.symbol)

    def x(celsius: float) -> float:
        share = (celsius * cold.factor + cold.offset - across.low) / (across.high - across.low)
        return round(sheet.left + share * (sheet.right - sheet.left), 1)

    for tick in across.ticks:
        here = sheet.left + (tick - across.low) / (across.high - across.low) * (sheet.right - sheet.left)
        anchor = "end" if tick == across.ticks[-1] else "middle"
        sheet.text(here, sheet.height - 5, f"{voice.number(tick, across.digits)} {cold.symbol}", anchor=anchor)
    sheet.path("axis", [(sheet.left, sheet.bottom), (sheet.right, sheet.bottom)])
    for kind, radius, pairs in (("ring", 3, before), ("dot", 2.5, after)):
        sheet.parts += [f'<circle class="{kind}" cx="{x(t):g}" cy="{sheet.y(e * energy.factor):g}" r="{radius}"/>' for t, e in pairs]
    for kind, line in zip(("should", "is ink"), lines, strict=True):
        if line is not None:
            steps = [min(degrees) + (max(degrees) - min(degrees)) * n / 60 for n in range(61)]
            values = line.predict(np.array(steps)).tolist()
            sheet.path(kind, [(x(t), sheet.y(e * energy.factor)) for t, e in zip(steps, values, strict=True)])
    return sheet.done()


class Row(msgspec.Struct, frozen=True):
    """One group of a comparison: the middle half from `low` to `high`, its median `middle`."""

    name: str
    low: float
    middle: float
    high: float


def ranges(voice: Voice, unit: str, rows: Sequence[Row], whole: float, width: int, digits: int) -> str:
    """The middle half of each group as a thick line with its median as a dot, over the whole fleet's median as a thin one."""
    ruler = voice.ruler(unit)
    values = [v * ruler.factor + ruler.offset for row in rows for v in (row.low, row.high)] + [whole * ruler.factor + ruler.offset]
    scale = axis(min(0.0, *values), max(values), 5 if width > NARROW else 3)
    names = 190 if width > NARROW else 112
    height = 30 + 26 * len(rows)
    most = names // 7

    def x(value: float) -> float:
        share = (value * ruler.factor + ruler.offset - scale.low) / (scale.high - scale.low)
        return round(names + share * (width - names - 24), 1)

    parts = []
    for tick in scale.ticks:
        here = names + (tick - scale.low) / (scale.high - scale.low) * (width - names - 24)
        parts.append(f'<path class="grid" d="M{here:g} 4V{height - 22}"/>')
        words = voice.number(tick, max(scale.digits, digits if scale.digits else 0))
        parts.append(f'<text x="{here:g}" y="{height - 6}" text-anchor="middle">{escape(words)}</text>')
    parts.append(f'<path class="should" d="M{x(whole):g} 4V{height - 22}"/>')
    for n, row in enumerate(rows):
        y = 18 + 26 * n
        name = row.name if len(row.name) <= most else row.name[: most - 1] + "…"
        parts.append(f'<text class="say" x="0" y="{y + 4}">{escape(name)}</text>')
        parts.append(
            f'<path class="is ink" d="M{x(row.low):g} {y}H{x(row.high):g}"/><circle class="dot" cx="{x(row.middle):g}" cy="{y}" r="5"/>'
        )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
