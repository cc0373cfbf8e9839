"""The course of what a finding rests on, drawn: thick what was measured, thin what should be, between them the normal band."""

from collections.abc import Sequence
from datetime import date

import msgspec

from lineset.diagnostics import Course

from .evidence_words import evidence_name
from .quantity import Scale, scale, word
from .reader import NBSP, Reader

WIDTH, HEIGHT = 1000.0, 100.0
NOTHING = "–"
_COLD = frozenset({"superheat", "subcooling", "evaporating", "suction_line", "outdoor_coil"})
_HOT = frozenset({"condensing", "discharge", "liquid_line", "capacity", "indoor_coil"})
Point = tuple[float, float]


class CourseRow(msgspec.Struct, frozen=True):
    """A day in words: when, what it was, what it should be, and the band."""

    day: str
    value: str
    should: str
    band: str


class CourseView(msgspec.Struct, frozen=True):
    """A drawing of 1000 by 100: paths `band`, `should`, `measured`, the fault from `began` (x) for `length`; `gaps` without readings. `say`
    is what it shows; `rows` the same as figures, newest first, and for the read-out as `told` in the order of time."""

    name: str
    tone: str
    measured: str
    should: str
    band: str
    began: float
    length: float
    gaps: tuple[Point, ...]
    first: str
    last: str
    top: str
    bottom: str
    value: str
    aim: str
    say: str
    rows: tuple[CourseRow, ...]
    told: tuple[str, ...]


def course_view(reader: Reader, course: Course) -> CourseView:
    """Lay out one course for this reader."""
    ruler = scale(reader, course.unit)
    known = [v for line in (course.measured, course.low, course.high) for v in line if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = 0.06 * max(high - low, 1e-6)
    low, high = low - room, high + room
    step = WIDTH / max(len(course.days) - 1, 1)

    def points(line: Sequence[float | None]) -> list[list[Point]]:
        runs: list[list[Point]] = [[]]
        for n, value in enumerate(line):
            if value is None:
                runs.append([])
            else:
                runs[-1].append((n * step, (high - value) / (high - low) * HEIGHT))
        return [run for run in runs if run]

    began = max(0, (course.began - course.days[0]).days)
    ended = len(course.days) - 1 if course.ended is None else max(began, min(len(course.days) - 1, (course.ended - course.days[0]).days))
    rows = tuple(_row(reader, ruler, course, n) for n in range(len(course.days)))
    newest = next((row for row in reversed(rows) if row.value != NOTHING), rows[-1])
    name = reader.gettext("%(figure)s, %(mode)s", figure=evidence_name(reader, course.channel), mode=word(reader, course.mode).lower())
    return CourseView(
        name=name,
        tone="cool" if course.channel in _COLD else "heat" if course.channel in _HOT else "ink",
        measured="".join(_path(run) for run in points(course.measured)),
        should="".join(_path(run) for run in points(course.expected)),
        band="".join(_path([*up, *reversed(down)]) + "z" for up, down in zip(points(course.high), points(course.low), strict=True)),
        began=began * step,
        length=max((ended - began) * step, 2.0),
        gaps=_gaps(course, step),
        first=reader.short_date(course.days[0]),
        last=reader.short_date(course.days[-1]),
        top=_amount(reader, ruler, high),
        bottom=_amount(reader, ruler, low),
        value=newest.value,
        aim=newest.should,
        say=_say(reader, name, course, newest),
        rows=tuple(reversed(rows)),
        told=tuple(_told(reader, row) for row in rows),
    )


def _path(run: Sequence[Point]) -> str:
    if len(run) == 1:
        return f"M{run[0][0] - 2:.0f} {run[0][1]:.1f}h4"
    return "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in run)


def _gaps(course: Course, step: float) -> tuple[Point, ...]:
    """Stretches of days on which nothing was measured: left end and width."""
    found: list[Point] = []
    for n, value in enumerate(course.measured):
        if value is None:
            left = max(0.0, (n - 0.5) * step)
            right = min(WIDTH, (n + 0.5) * step)
            if found and abs(sum(found[-1]) - left) < 1e-6:
                found[-1] = (found[-1][0], right - found[-1][0])
            else:
                found.append((left, right - left))
    return tuple(found)


def _amount(reader: Reader, ruler: Scale, value: float | None) -> str:
    return NOTHING if value is None else f"{reader.number(ruler.apply(value), ruler.digits)}{NBSP}{ruler.symbol}".rstrip(NBSP)


def _row(reader: Reader, ruler: Scale, course: Course, n: int) -> CourseRow:
    low, high = _amount(reader, ruler, course.low[n]), _amount(reader, ruler, course.high[n])
    band = NOTHING if NOTHING in (low, high) else reader.gettext("%(low)s to %(high)s", low=low, high=high)
    return CourseRow(
        _day(reader, course.days[n]), _amount(reader, ruler, course.measured[n]), _amount(reader, ruler, course.expected[n]), band
    )


def _day(reader: Reader, day: date) -> str:
    return reader.short_date(day)


def _told(reader: Reader, row: CourseRow) -> str:
    if row.value == NOTHING:
        return reader.gettext("%(day)s: no readings", day=row.day)
    if row.band == NOTHING:
        return f"{row.day}: {row.value}"
    return reader.gettext("%(day)s: %(value)s, normal %(band)s", day=row.day, value=row.value, band=row.band)


def _say(reader: Reader, name: str, course: Course, newest: CourseRow) -> str:
    outside = sum(
        value is not None and low is not None and high is not None and not low <= value <= high
        for value, low, high in zip(course.measured, course.low, course.high, strict=True)
    )
    return reader.ngettext(
        "%(name)s: %(told)s. Outside of what is normal for this machine on %(n)s day.",
        "%(name)s: %(told)s. Outside of what is normal for this machine on %(n)s days.",
        outside,
        name=name,
        told=_told(reader, newest),
    )
