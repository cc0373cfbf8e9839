"""What builders of views work from: plain facts, gathered by the handlers from the domains, or made up by a test."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

LIVE_S = 60.0  # a reading older than this shows its age in words
OFFLINE_S = 15 * 60.0  # and a machine silent for longer than this counts as without a link


class Reading(msgspec.Struct, frozen=True):
    """The latest value of a point: a number in the catalogue's unit, or the word of a code; and its own time."""

    value: float | str
    t: float


class Machine(msgspec.Struct, frozen=True):
    """One piece of equipment with its latest readings by point name."""

    id: str
    type: str
    name: str
    latest: Mapping[str, Reading]
    online: bool
    seen: float | None = None  # seconds since 1970 of the last frame
    make: str = ""
    model: str = ""
    serial: str = ""
    capacity_w: float | None = None
    fuel: str = ""
    location: str = ""
    installed: str = ""  # ISO date

    def number(self, point: str) -> float | None:
        """The latest number of `point`, None where there is none."""
        reading = self.latest.get(point)
        return float(reading.value) if reading is not None and not isinstance(reading.value, str) else None

    def word(self, point: str) -> str:
        """The latest word of the code `point`, empty where there is none."""
        reading = self.latest.get(point)
        return reading.value if reading is not None and isinstance(reading.value, str) else ""


Trace = tuple[Sequence[float], Sequence[float | None]]
"""Times in seconds since 1970, oldest first, and the readings at them; None where a point was not read then."""


class Spell(msgspec.Struct, frozen=True):
    """A stretch of time in which a code kept one word."""

    start: float
    end: float
    word: str


class Trouble(msgspec.Struct, frozen=True):
    """A stretch of time in which `point` said that something was wrong: a code's word, or a fault code's number."""

    start: float
    end: float
    point: str
    word: str


class Day(msgspec.Struct, frozen=True):
    """Series on one time axis `t` (seconds since 1970) within `start` to `end`; None where a point was not read then.

    `more` holds points with an axis of their own, `before` the same points of an earlier stretch moved onto this one.
    """

    start: float
    end: float
    t: Sequence[float]
    series: Mapping[str, Sequence[float | None]]
    modes: Sequence[tuple[float, float, str]] = ()
    more: Mapping[str, Trace] = {}
    before: Mapping[str, Trace] = {}
    states: Mapping[str, Sequence[Spell]] = {}
    troubles: Sequence[Trouble] = ()

    def known(self, point: str) -> list[tuple[float, float]]:
        """The readings of `point` with their times."""
        t, values = self.more[point] if point in self.more else (self.t, self.series.get(point, ()))
        return [(moment, value) for moment, value in zip(t, values, strict=False) if value is not None]

    def known_before(self, point: str) -> list[tuple[float, float]]:
        """The readings of `point` in the earlier stretch, on this one's clock."""
        t, values = self.before.get(point, ((), ()))
        return [(moment, value) for moment, value in zip(t, values, strict=True) if value is not None]


class Order(msgspec.Struct, frozen=True):
    """A command as it stands: state is queued, sent, acknowledged, succeeded, failed, expired or refused."""

    id: str
    equipment: str
    name: str
    args: Mapping[str, float | str]
    state: str
    who: str
    created: datetime
    changed: datetime
    expires: datetime | None = None
    detail: str = ""
    done: bool = False


class Site(msgspec.Struct, frozen=True):
    """A site as pages name it."""

    id: str
    name: str
    place: str = ""
    zone: str = "UTC"
