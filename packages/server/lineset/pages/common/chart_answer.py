"""A chart as numbers, for the script that draws it anew: the same stretch, points, lanes and words as the server's own drawing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from .charting import Charted, compared
from .day import RESTING, Fault, faults, say, trouble_words
from .facts import Day, Trace
from .quantity import label, mode_tone, mode_tones, word
from .ranges import local_input, title
from .reader import Reader
from .spells import ALARMS, FAULT_CODE, MILD, TROUBLE, gap_of
from .ticks import ticks

Values = Sequence[float | None]


class Block(msgspec.Struct, frozen=True):
    """Points that share one axis of times."""

    t: Sequence[float]
    series: Mapping[str, Values]


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a lane: from, to, the code's word, what it is called, its colour role."""

    start: float
    end: float
    word: str
    text: str
    tone: str


class Lane(msgspec.Struct, frozen=True):
    """A chosen code: its point, what it is called, its stretches."""

    point: str
    name: str
    stretches: Sequence[Stretch]


class Answer(msgspec.Struct, frozen=True):
    """All that a chart shows. Times in seconds since 1970, values in the catalogue's units; `gaps` in seconds by point.

    `wrong` has the words of what is wrong by point and code, so that a live reading can be judged; `{n}` stands for a fault code.
    """

    start: float
    end: float
    now: float
    span: str
    query: str
    title: str
    say: str
    start_field: str
    end_field: str
    ticks: Sequence[tuple[float, str, bool]]
    blocks: Sequence[Block]
    before: Sequence[Block]
    compared: str
    gaps: Mapping[str, float]
    modes: Sequence[Stretch]
    lanes: Sequence[Lane]
    faults: Sequence[Fault]
    empty: bool
    tones: Mapping[str, str]
    resting: Sequence[str]
    wrong: Mapping[str, Mapping[str, tuple[str, bool]]]


def answer_of(reader: Reader, found: Charted, moment: datetime) -> Answer:
    """What was read, in numbers and words. Ticks reach one length beyond both ends, so that a chart can be moved."""
    view, day = found.view, found.day
    points = [want.point for want in found.wanted]
    names = list(dict.fromkeys(name for want in found.wanted for name in (want.point, want.should) if name))
    return Answer(
        start=view.start,
        end=view.end,
        now=moment.timestamp(),
        span=view.span,
        query=view.query(),
        title=title(reader, view),
        say=say(reader, day, points),
        start_field=local_input(reader, view.start),
        end_field=local_input(reader, view.end),
        ticks=[(tick.t, tick.text, tick.major) for tick in ticks(reader, view.start, view.end, margin=view.end - view.start)],
        blocks=_blocks(day, names),
        before=_together(day.before),
        compared=compared(reader, view),
        gaps={name: gap_of([t for t, _ in day.known(name)]) for name in names},
        modes=[Stretch(a, b, mode, word(reader, mode), mode_tone(mode)) for a, b, mode in day.modes],
        lanes=[_lane(reader, day, code) for code in found.codes],
        faults=faults(reader, day),
        empty=found.empty,
        tones=mode_tones(),
        resting=sorted(RESTING),
        wrong=_wrong(reader),
    )


def _blocks(day: Day, names: Iterable[str]) -> list[Block]:
    own = {name: day.series[name] for name in names if name in day.series}
    return [Block(day.t, own), *_together({name: trace for name, trace in day.more.items() if name in set(names)})]


def _together(traces: Mapping[str, Trace]) -> list[Block]:
    """Traces as blocks, those with the same axis in one."""
    blocks: list[tuple[Sequence[float], dict[str, Values]]] = []
    for name, (t, values) in traces.items():
        place = next((series for axis, series in blocks if axis is t or list(axis) == list(t)), None)
        if place is None:
            blocks.append((t, {name: values}))
        else:
            place[name] = values
    return [Block(t, series) for t, series in blocks]


def _lane(reader: Reader, day: Day, code: str) -> Lane:
    stretches = [Stretch(s.start, s.end, s.word, word(reader, s.word), mode_tone(s.word)) for s in day.states.get(code, ())]
    return Lane(code, label(reader, code), stretches)


def _wrong(reader: Reader) -> dict[str, dict[str, tuple[str, bool]]]:
    """By point and word, what is wrong in words, and whether it is a mere warning; a fault code's number as ``{n}``."""
    found = {
        point: {said: (trouble_words(reader, point, said), said in MILD) for said in sorted(TROUBLE[point])}
        for point in ALARMS
        if point != FAULT_CODE
    }
    return found | {FAULT_CODE: {"{n}": (trouble_words(reader, FAULT_CODE, "{n}"), False)}}
