"""The chart of a day: small panels on one time axis, mode lanes above, drawn on the server and made live by a script."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from .draw import Spark, extent, spark
from .facts import Day
from .quantity import label, mode_tone, point_scale, word
from .reader import Reader

GRID_HOURS = 3


class Mark(msgspec.Struct, frozen=True):
    """A tick of the time axis: its place in percent and its words."""

    at: float
    text: str


class Band(msgspec.Struct, frozen=True):
    """A stretch of a mode lane, in thousandths of the axis."""

    x: float
    width: float


class Lane(msgspec.Struct, frozen=True):
    """One mode over the day."""

    name: str
    tone: str
    bands: tuple[Band, ...]


class Wanted(msgspec.Struct, frozen=True):
    """What a panel shows: a measured point, what it should be (a point, or none), colour role, height class."""

    point: str
    should: str = ""
    tone: str = ""
    size: str = "m"
    least: float = 2.0  # smallest range drawn, in the catalogue's unit
    zero: bool = False


class Panel(msgspec.Struct, frozen=True):
    """One small chart: its drawing, its two y labels, its last value and what that should be."""

    point: str
    should: str
    name: str
    note: str
    tone: str
    size: str
    drawing: Spark
    top: str
    bottom: str
    last: str
    should_last: str
    factor: float
    offset: float
    digits: int
    symbol: str
    least: float
    zero: bool


class Chart(msgspec.Struct, frozen=True):
    """A day of one machine."""

    equipment: str
    start: float
    end: float
    marks: tuple[Mark, ...]
    lanes: tuple[Lane, ...]
    panels: tuple[Panel, ...]
    say: str
    empty: bool
    points: str


def chart(reader: Reader, equipment: str, day: Day, wanted: Sequence[Wanted]) -> Chart:
    """Lay out `wanted` of `day` for `reader`. Panels whose point never read a value are left out."""
    panels = tuple(_panel(reader, day, want) for want in wanted if any(value is not None for value in day.series.get(want.point, ())))
    return Chart(
        equipment=equipment,
        start=day.start,
        end=day.end,
        marks=_marks(reader, day.start, day.end),
        lanes=_lanes(reader, day),
        panels=panels,
        say=" ".join(_sentence(reader, day, panel) for panel in panels),
        empty=not panels,
        points=",".join(dict.fromkeys(name for panel in panels for name in (panel.point, panel.should) if name)),
    )


def gap_of(day: Day) -> float:
    """Seconds between two readings from which on they leave a gap: a quarter of an hour, and more on longer charts."""
    return max(900.0, (day.end - day.start) / 96)


def _panel(reader: Reader, day: Day, want: Wanted) -> Panel:
    ruler = point_scale(reader, want.point)
    values = [(t, ruler.apply(v)) for t, v in day.known(want.point)]
    should = [(t, ruler.apply(v)) for t, v in day.known(want.should)] if want.should else []
    least = want.least * abs(ruler.factor)
    low, high = extent([v for _, v in (*values, *should, *(((0.0, 0.0),) if want.zero else ()))], least)
    digits = min(ruler.digits, 0 if high - low >= 4 else 1)
    return Panel(
        point=want.point,
        should=want.should,
        name=label(reader, want.point),
        note=_note(reader, want, ruler.symbol),
        tone=want.tone,
        size=want.size,
        drawing=spark(values, should, day.start, day.end, gap=gap_of(day), width=1000, height=100, least=least, include_zero=want.zero),
        top=reader.number(high, digits),
        bottom=reader.number(low, digits),
        last=reader.number(values[-1][1], ruler.digits),
        should_last=reader.number(should[-1][1], ruler.digits) if should else "",
        factor=ruler.factor,
        offset=ruler.offset,
        digits=ruler.digits,
        symbol=ruler.symbol,
        least=least,
        zero=want.zero,
    )


def _note(reader: Reader, want: Wanted, symbol: str) -> str:
    if not want.should:
        return symbol
    return reader.gettext("%(unit)s, thin: set point", unit=symbol)


def _sentence(reader: Reader, day: Day, panel: Panel) -> str:
    known = day.known(panel.point)
    values = [v for _, v in known]
    text = reader.gettext(
        "%(name)s from %(low)s to %(high)s, now %(last)s %(unit)s.",
        name=panel.name,
        low=reader.number(min(values) * panel.factor + panel.offset, panel.digits),
        high=reader.number(max(values) * panel.factor + panel.offset, panel.digits),
        last=panel.last,
        unit=panel.symbol,
    )
    steps = [after - before for (before, _), (after, _) in pairwise([*known, (day.end, 0.0)])]
    missing = sum(step for step in steps if step > gap_of(day))
    if missing:
        text += " " + reader.gettext("No readings for %(hours)s h.", hours=reader.number(missing / 3600, 1))
    return text


def _marks(reader: Reader, start: float, end: float) -> tuple[Mark, ...]:
    """Every third hour of the reader's own clock."""
    first = datetime.fromtimestamp(start, reader.zone).replace(minute=0, second=0, microsecond=0)
    marks: list[Mark] = []
    for hour in range(int((end - start) // 3600) + 3):
        moment = first + timedelta(hours=hour)
        at = (moment.timestamp() - start) / (end - start) * 100
        if moment.hour % GRID_HOURS == 0 and 1.5 <= at <= 99:
            text = f"{moment:%H:%M}" if reader.clock24 else _plain_hour(reader, moment)
            marks.append(Mark(round(at, 2), text))
    return tuple(marks)


def _plain_hour(reader: Reader, moment: datetime) -> str:
    if moment.hour == 12:
        return reader.gettext("noon")
    if moment.hour == 0:
        return reader.gettext("midnight")
    return f"{moment.hour % 12} {'am' if moment.hour < 12 else 'pm'}"


def _lanes(reader: Reader, day: Day) -> tuple[Lane, ...]:
    """One lane for each mode that did something, in the order of the time spent in it."""
    length = day.end - day.start
    by_mode: dict[str, list[Band]] = {}
    for start, end, mode in day.modes:
        if mode in ("off", "idle"):
            continue
        x = (max(start, day.start) - day.start) / length * 1000
        width = (min(end, day.end) - max(start, day.start)) / length * 1000
        if width > 0:
            by_mode.setdefault(mode, []).append(Band(round(x, 1), round(max(width, 1.5), 1)))
    ranked = sorted(by_mode.items(), key=lambda item: -sum(band.width for band in item[1]))
    return tuple(Lane(word(reader, mode), mode_tone(mode), tuple(bands)) for mode, bands in ranked)
