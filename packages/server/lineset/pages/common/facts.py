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


class Day(msgspec.Struct, frozen=True):
    """Series on one time axis `t` (seconds since 1970) within `start` to `end`; None where a point was not read then."""

    start: float
    end: float
    t: Sequence[float]
    series: Mapping[str, Sequence[float | None]]
    modes: Sequence[tuple[float, float, str]] = ()

    def known(self, point: str) -> list[tuple[float, float]]:
        """The readings of `point` with their times."""
        return [(t, value) for t, value in zip(self.t, self.series.get(point, ()), strict=False) if value is not None]


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
