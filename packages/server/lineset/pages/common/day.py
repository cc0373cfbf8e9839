"""The chart of a stretch of time: small panels on one axis, lanes above, drawn on the server and made live by a script."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from .draw import Spark, extent, spark
from .facts import Day, Trouble
from .quantity import label, mode_tone, point_scale, word
from .reader import Reader
from .spells import FAULT_CODE, MILD, gap_of
from .ticks import Tick, ticks

RESTING = frozenset(("off", "idle", "none", "closed"))
"""Words of states that a lane leaves empty."""


class Mark(msgspec.Struct, frozen=True):
    """A tick of the time axis: its place in percent and its words; `minor` ones give way on a narrow screen."""

    at: float
    text: str
    major: bool
    minor: bool


class Band(msgspec.Struct, frozen=True):
    """A stretch of a lane, in thousandths of the axis; `text` where there is room for it."""

    x: float
    width: float
    tone: str = ""
    text: str = ""


class Lane(msgspec.Struct, frozen=True):
    """One mode, or one state, over the stretch of time."""

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
    """One small chart: its drawing, its two y labels, its last value, what that should be and what it was in the earlier stretch."""

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
    """A stretch of time of one machine. `live`: it ends now and moves on; `empty`: nothing was read in it."""

    equipment: str
    start: float
    end: float
    live: bool
    marks: tuple[Mark, ...]
    lanes: tuple[Lane, ...]
    faults: tuple[Band, ...]
    panels: tuple[Panel, ...]
    say: str
    empty: bool
    query: str


def chart(
    reader: Reader,
    equipment: str,
    day: Day,
    wanted: Sequence[Wanted],
    *,
    keep: bool = False,
    live: bool = True,
    query: str | None = None,
    notes: dict[str, str] | None = None,
) -> Chart:
    """Lay out `wanted` of `day` for `reader`.

    Panels without a reading are left out unless told to `keep` them. `query` is what a script asks with (otherwise for the points
    that have readings), `notes` say more of a point.
    """
    read = {want.point for want in wanted if day.known(want.point)}
    shown = [want for want in wanted if keep or want.point in read]
    panels = tuple(_panel(reader, day, want, (notes or {}).get(want.point, "")) for want in shown)
    return Chart(
        equipment=equipment,
        start=day.start,
        end=day.end,
        live=live,
        marks=marks(reader, day.start, day.end),
        lanes=(*_mode_lanes(reader, day), *_state_lanes(reader, day)),
        faults=_fault_bands(reader, day),
        panels=panels,
        say=say(reader, day, [want.point for want in shown]),
        empty=not read,
        query=_points_query(day, shown) if query is None else query,
    )


def _points_query(day: Day, shown: Sequence[Wanted]) -> str:
    names = dict.fromkeys(name for want in shown for name in (want.point, want.should) if name and day.known(name))
    return "points=" + ",".join(names)


def _panel(reader: Reader, day: Day, want: Wanted, note: str) -> Panel:
    ruler = point_scale(reader, want.point)
    values = [(t, ruler.apply(v)) for t, v in day.known(want.point)]
    should = [(t, ruler.apply(v)) for t, v in day.known(want.should)] if want.should else []
    before = [(t, ruler.apply(v)) for t, v in day.known_before(want.point)]
    least = want.least * abs(ruler.factor)
    known = [v for _, v in (*values, *should, *before, *(((0.0, 0.0),) if want.zero else ()))]
    low, high = extent(known, least) if known else (0.0, 1.0)
    digits = min(ruler.digits, 0 if high - low >= 4 else 1)
    gap = gap_of([t for t, _ in values])
    return Panel(
        point=want.point,
        should=want.should,
        name=label(reader, want.point),
        note=_note(reader, want, ruler.symbol, note),
        tone=want.tone,
        size=want.size,
        drawing=spark(
            values, should, day.start, day.end, gap=gap, width=1000, height=100, least=least, include_zero=want.zero, before=before
        ),
        top=reader.number(high, digits) if known else "",
        bottom=reader.number(low, digits) if known else "",
        last=reader.number(values[-1][1], ruler.digits) if values else "",
        should_last=reader.number(should[-1][1], ruler.digits) if should else "",
        factor=ruler.factor,
        offset=ruler.offset,
        digits=ruler.digits,
        symbol=ruler.symbol,
        least=least,
        zero=want.zero,
    )


def _note(reader: Reader, want: Wanted, symbol: str, note: str) -> str:
    parts = [symbol, note]
    if want.should:
        parts.append(reader.gettext("thin: set point"))
    return ", ".join(part for part in parts if part)


def say(reader: Reader, day: Day, points: Iterable[str]) -> str:
    """What the chart shows, in sentences."""
    return " ".join(sentence for point in points if (sentence := _sentence(reader, day, point)))


def _sentence(reader: Reader, day: Day, point: str) -> str:
    known = day.known(point)
    if not known:
        return reader.gettext("%(name)s: no readings.", name=label(reader, point))
    ruler = point_scale(reader, point)
    values = [ruler.apply(v) for _, v in known]
    text = reader.gettext(
        "%(name)s from %(low)s to %(high)s, at the end %(last)s %(unit)s.",
        name=label(reader, point),
        low=reader.number(min(values), ruler.digits),
        high=reader.number(max(values), ruler.digits),
        last=reader.number(values[-1], ruler.digits),
        unit=ruler.symbol,
    )
    gap = gap_of([t for t, _ in known])
    steps = [after - before for (before, _), (after, _) in pairwise([*known, (day.end, 0.0)])]
    missing = sum(step for step in steps if step > gap)
    if missing:
        hours = reader.number(missing / 3600, 1)
        text += " " + reader.gettext("No readings for %(hours)s h.", hours=hours)
    return text


def marks(reader: Reader, start: float, end: float) -> tuple[Mark, ...]:
    """The ticks of the axis at their places."""
    found = [(tick, (tick.t - start) / (end - start) * 100) for tick in ticks(reader, start, end)]
    inside = [(tick, at) for tick, at in found if 1.5 <= at <= 99]
    return tuple(Mark(round(at, 2), tick.text, tick.major, _minor(inside, index)) for index, (tick, at) in enumerate(inside))


def _minor(inside: Sequence[tuple[Tick, float]], index: int) -> bool:
    """Every second tick, counted from a major one."""
    major = next((n for n, (tick, _) in enumerate(inside) if tick.major), 0)
    return (index - major) % 2 == 1 and not inside[index][0].major


# -- lanes ---------------------------------------------------------------------------------------------------------------


def _place(day: Day, start: float, end: float, tone: str = "", text: str = "") -> Band | None:
    length = day.end - day.start
    x = (max(start, day.start) - day.start) / length * 1000
    width = (min(end, day.end) - max(start, day.start)) / length * 1000
    return Band(round(x, 1), round(max(width, 1.5), 1), tone, text) if width > 0 or day.start <= start == end <= day.end else None


def _mode_lanes(reader: Reader, day: Day) -> tuple[Lane, ...]:
    """One lane for each mode that did something, in the order of the time spent in it."""
    by_mode: dict[str, list[Band]] = {}
    for start, end, mode in day.modes:
        band = _place(day, start, end)
        if mode not in ("off", "idle") and band is not None:
            by_mode.setdefault(mode, []).append(band)
    ranked = sorted(by_mode.items(), key=lambda item: -sum(band.width for band in item[1]))
    return tuple(Lane(word(reader, mode), mode_tone(mode), tuple(bands)) for mode, bands in ranked)


def _state_lanes(reader: Reader, day: Day) -> tuple[Lane, ...]:
    """One lane for each chosen code: its words where there is room, empty where it rests."""
    lanes: list[Lane] = []
    for point, stretch in day.states.items():
        bands: list[Band] = []
        for spell in stretch:
            text = word(reader, spell.word)
            band = None if spell.word in RESTING else _place(day, spell.start, spell.end, mode_tone(spell.word), text)
            if band is not None:
                bands.append(band if band.width > 12 * len(text) else msgspec.structs.replace(band, text=""))
        lanes.append(Lane(label(reader, point), "", tuple(bands)))
    return tuple(lanes)


# -- what is wrong ---------------------------------------------------------------------------------------------------------


def trouble_words(reader: Reader, point: str, said: str) -> str:
    """What a point says is wrong."""
    if point == FAULT_CODE:
        return reader.gettext("Fault code %(code)s", code=said)
    if point in ("alarm_state", "operating_mode"):
        return word(reader, said)
    return f"{label(reader, point)}: {word(reader, said)}"


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of time in which something was wrong, in words; `mild` for a mere warning."""

    start: float
    end: float
    text: str
    mild: bool


def faults(reader: Reader, day: Day) -> list[Fault]:
    """Troubles that touch or overlap as one, with at most two words; a fault code says more than an alarm's state."""
    near = (day.end - day.start) / 400
    found: list[tuple[float, float, list[Trouble]]] = []
    for trouble in day.troubles:
        if found and trouble.start <= found[-1][1] + near:
            start, end, parts = found[-1]
            found[-1] = (start, max(end, trouble.end), [*parts, trouble])
        else:
            found.append((trouble.start, trouble.end, [trouble]))
    return [Fault(start, end, _fault_text(reader, parts), all(t.word in MILD for t in parts)) for start, end, parts in found]


def _fault_text(reader: Reader, parts: Sequence[Trouble]) -> str:
    ranked = sorted(parts, key=lambda t: (t.point != FAULT_CODE, t.point in ("alarm_state", "operating_mode")))
    named = [t for t in ranked if t.point not in ("alarm_state", "operating_mode")] or ranked
    return ", ".join(list(dict.fromkeys(trouble_words(reader, t.point, t.word) for t in named))[:2])


def _fault_bands(reader: Reader, day: Day) -> tuple[Band, ...]:
    """The faults at their places; a text only where the next one leaves room for it."""
    placed = [band for f in faults(reader, day) if (band := _place(day, f.start, f.end, "warn" if f.mild else "fault", f.text)) is not None]
    bands: list[Band] = []
    for index, band in enumerate(placed):
        room = (placed[index + 1].x if index + 1 < len(placed) else 1000.0) - band.x
        bands.append(band if room > 12 * len(band.text) else msgspec.structs.replace(band, text=""))
    return tuple(bands)
