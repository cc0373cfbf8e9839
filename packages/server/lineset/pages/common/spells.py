"""From readings of codes to stretches of time, and what counts as a gap between readings."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from lineset_contract.points import POINTS

from .facts import Spell, Trouble

SHORTEST_GAP_S = 60.0
_STEPS = 2.9
"""A gap is longer than this many usual steps: less than three, so that one empty bucket, which leaves a step and a half, is one."""

PARTS = 500
"""Of the longest axis, what a lane can show apart."""

TROUBLE: Mapping[str, frozenset[str]] = {
    "operating_mode": frozenset(("fault", "lockout")),
    "alarm_state": frozenset(("warning", "fault", "lockout")),
    "condensate_overflow": frozenset(("on",)),
    "leak_sensor": frozenset(("wet",)),
    "limit_switch": frozenset(("open",)),
    "flame": frozenset(("lockout",)),
    "pump_state": frozenset(("blocked", "dry_running")),
}
"""By code, the words that say that something is wrong."""

MILD = frozenset(("warning",))
FAULT_CODE = "fault_code"
ALARMS = (*TROUBLE, FAULT_CODE)


def gap_of(times: Sequence[float], usual: float = 0.0) -> float:
    """Seconds between two readings from which on they leave a gap.

    The step that nine of ten readings keep is the point's own; `usual` is the least it can be (two roll-up values, say).
    """
    steps = sorted(after - before for before, after in pairwise(times))
    return max(SHORTEST_GAP_S, _STEPS * max(usual, steps[len(steps) * 9 // 10] if steps else 0.0))


def spells(point: str, known: Sequence[tuple[float, float]], end: float) -> list[Spell]:
    """Stretches of one word each: up to the next reading, or to the last one before a gap; the last one holds until `end` if it is near."""
    gap = gap_of([t for t, _ in known])
    found: list[Spell] = []
    for index, (t, value) in enumerate(known):
        after = known[index + 1][0] if index + 1 < len(known) else end
        until = after if after - t <= gap else t
        word = code_word(point, value)
        if found and found[-1].word == word and found[-1].end >= t:
            found[-1] = Spell(found[-1].start, until, word)
        else:
            found.append(Spell(t, until, word))
    return found


def is_code(point: str) -> bool:
    """Whether a point's readings are words rather than numbers."""
    known = POINTS.get(point)
    return known is not None and known.kind == "code"


def coarse(modes: Sequence[tuple[float, float, str]], start: float, end: float) -> list[tuple[float, float, str]]:
    """More spans than a lane can show as shares: in each of `PARTS` parts of the axis, a mode lasts as long as it did there in all.

    Times in seconds since 1970. Few enough spans stay as they are.
    """
    if len(modes) <= 2 * PARTS:
        return list(modes)
    width = (end - start) / PARTS
    spent: dict[tuple[int, str], float] = {}
    for since, until, mode in modes:
        for part in range(max(0, int((since - start) // width)), min(PARTS - 1, int((until - start) // width)) + 1):
            left = start + part * width
            inside = min(until, left + width) - max(since, left)
            if inside > 0:
                spent[part, mode] = spent.get((part, mode), 0.0) + inside
    return _joined(sorted((start + part * width, min(lasted, width), mode) for (part, mode), lasted in spent.items()), width)


def _joined(shares: Sequence[tuple[float, float, str]], width: float) -> list[tuple[float, float, str]]:
    """Shares (from, length, mode) as spans; parts that a mode fills go on in the next one."""
    found: list[tuple[float, float, str]] = []
    open_: dict[str, int] = {}
    for left, lasted, mode in shares:
        at = open_.get(mode)
        if at is not None and found[at][1] >= left - width * 0.01:
            found[at] = (found[at][0], left + lasted, mode)
        else:
            open_[mode] = len(found)
            found.append((left, left + lasted, mode))
    return found


def code_word(point: str, value: float) -> str:
    """The word of a code's number; the number itself where it is none of the codes, or no code."""
    known = POINTS.get(point)
    word = known.word(value) if known is not None and known.kind == "code" else None
    return word if word is not None else f"{value:.0f}"


def wrong(point: str, word: str) -> bool:
    """Whether this word of this point says that something is wrong."""
    return word not in ("0", "") if point == FAULT_CODE else word in TROUBLE.get(point, ())


def troubles(by_point: Mapping[str, Iterable[Spell]]) -> list[Trouble]:
    """All stretches in which a point says that something is wrong, oldest first."""
    found = [Trouble(s.start, s.end, point, s.word) for point, stretch in by_point.items() for s in stretch if wrong(point, s.word)]
    return sorted(found, key=lambda trouble: trouble.start)
