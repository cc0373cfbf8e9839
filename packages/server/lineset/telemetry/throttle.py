"""How much each gateway, and each household with all its gateways, may send: token buckets.

Each ingest process counts by itself; with several of them a sender may get up to that many times as much.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from lineset_contract.refusals import Refusal, refuse

_MOST_KEYS = 100_000
BYTES_PER_FRAME = 1024
"""A message counts as a frame for each such part of it, if that is more than it has frames: reading takes time too."""
UNREADABLE_FRAMES = 20
"""What a message counts that can't be read at all."""

Whose = Literal["gateway", "household"]
_Buckets = dict[UUID, tuple[float, float]]


class Throttle:
    """Frames a second for each gateway and household, with a burst that lets one catch up after a night offline."""

    PER_SECOND = 500
    BURST = 20_000
    HOUSEHOLD_PER_SECOND = 2_000
    HOUSEHOLD_BURST = 80_000
    ROWS_PER_SECOND = 0.2
    ROWS_BURST = 200
    """Refusals of one gateway that are kept one by one; more are only counted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._gateways: _Buckets = {}
        self._households: _Buckets = {}
        self._rows: _Buckets = {}

    def spending(self) -> "Spending":
        """The levels for one batch. Nothing is taken before it is settled, so that a batch which has to be tried again costs once."""
        return Spending(self, self._clock())

    def levels(self, gateway: UUID, household: UUID, now: float) -> tuple[float, float, float]:
        """What is in the buckets: the gateway's frames, the household's, and the gateway's rows of refusals."""
        return (
            _level(self._gateways, gateway, now, self.PER_SECOND, self.BURST),
            _level(self._households, household, now, self.HOUSEHOLD_PER_SECOND, self.HOUSEHOLD_BURST),
            _level(self._rows, gateway, now, self.ROWS_PER_SECOND, self.ROWS_BURST),
        )

    def settle(self, gateways: dict[UUID, float], households: dict[UUID, float], rows: dict[UUID, float], now: float) -> None:
        """Put these levels into the buckets."""
        for buckets, levels in ((self._gateways, gateways), (self._households, households), (self._rows, rows)):
            buckets.update({key: (level, now) for key, level in levels.items()})
        if len(self._gateways) > _MOST_KEYS:
            self._gateways = _recent(self._gateways, now, self.BURST / self.PER_SECOND)
            self._households = _recent(self._households, now, self.HOUSEHOLD_BURST / self.HOUSEHOLD_PER_SECOND)
            self._rows = _recent(self._rows, now, self.ROWS_BURST / self.ROWS_PER_SECOND)

    def refusal(self, whose: Whose) -> Refusal:
        """What a device over that limit is told."""
        return refuse("rate", limit=self.PER_SECOND if whose == "gateway" else self.HOUSEHOLD_PER_SECOND, whose=whose)


@dataclass(slots=True)
class _Level:
    left: float


class Quota:
    """What one gateway may still send in this batch, and how many of its refusals may still have rows of their own."""

    __slots__ = ("_own", "_rows", "_shared")

    def __init__(self, own: _Level, shared: _Level, rows: _Level) -> None:
        self._own, self._shared, self._rows = own, shared, rows

    def exhausted(self) -> Whose | None:
        """Whose limit forbids even one frame, so that reading a message would be a waste."""
        return self.forbids(1)

    def forbids(self, frames: int) -> Whose | None:
        """Whose limit forbids so many frames."""
        if frames > self._own.left:
            return "gateway"
        return "household" if frames > self._shared.left else None

    def take(self, frames: int) -> Whose | None:
        """Take this many frames, or say whose limit forbids it; then nothing is taken."""
        whose = self.forbids(frames)
        if whose is None:
            self._own.left -= frames
            self._shared.left -= frames
        return whose

    def may_keep(self) -> bool:
        """Whether one more refusal gets a row of its own; if so it is taken."""
        may = self._rows.left >= 1
        if may:
            self._rows.left -= 1
        return may


class Spending:
    """What the gateways of one batch use up. Without `settle` it was only a try."""

    def __init__(self, throttle: Throttle, now: float) -> None:
        self._throttle = throttle
        self._now = now
        self._gateways: dict[UUID, _Level] = {}
        self._households: dict[UUID, _Level] = {}
        self._rows: dict[UUID, _Level] = {}

    def quota(self, gateway: UUID, household: UUID) -> Quota:
        """What this gateway may use."""
        if gateway not in self._gateways:
            own, shared, rows = self._throttle.levels(gateway, household, self._now)
            self._gateways[gateway], self._rows[gateway] = _Level(own), _Level(rows)
            self._households.setdefault(household, _Level(shared))
        return Quota(self._gateways[gateway], self._households[household], self._rows[gateway])

    def refusal(self, whose: Whose) -> Refusal:
        """What a device over that limit is told."""
        return self._throttle.refusal(whose)

    def settle(self) -> None:
        """The batch is stored: count what it used."""
        gateways, households, rows = ({k: level.left for k, level in of.items()} for of in (self._gateways, self._households, self._rows))
        self._throttle.settle(gateways, households, rows, self._now)


def _level(buckets: _Buckets, key: UUID, now: float, rate: float, burst: float) -> float:
    level, at = buckets.get(key, (burst, now))
    return min(burst, level + (now - at) * rate)


def _recent(buckets: _Buckets, now: float, full_after_s: float) -> _Buckets:
    """Without the buckets that are full again by now."""
    return {key: bucket for key, bucket in buckets.items() if now - bucket[1] < full_after_s}
