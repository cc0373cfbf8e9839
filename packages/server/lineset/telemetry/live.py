"""Live values: who wants them, and their message.

Ingestion sends live values only for households that somebody is looking at. Web processes say so every few seconds on `live.want`;
the word is good for a minute, so that a web process that dies stops costing anything.
"""

import time
from collections.abc import Callable, Iterable
from uuid import UUID

import msgspec

WANT = "live.want"
GOOD_FOR_S = 60.0
REPEAT_S = 20.0

_encoder = msgspec.json.Encoder()


class Want(msgspec.Struct):
    """Households whose pages are open somewhere."""

    households: list[UUID]


class LiveValues(msgspec.Struct):
    """Values of one machine that have just been stored; `t` in seconds since 1970, NaN never occurs."""

    equipment: UUID
    t: float
    values: dict[str, float]


def subject(household: UUID, equipment: UUID) -> str:
    """The broker's subject of a machine's live values."""
    return f"live.{household}.{equipment}"


class Interest:
    """Ingestion's side: the households that somebody looks at."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[UUID, float] = {}

    def heard(self, payload: bytes) -> None:
        """Take a `Want`. One that can't be read is no more than a page without live values."""
        try:
            want = msgspec.json.decode(payload, type=Want)
        except msgspec.MsgspecError:
            return
        self.add(want.households)

    def add(self, households: Iterable[UUID]) -> None:
        """Somebody looks at these."""
        now = self._clock()
        self._until = {h: until for h, until in self._until.items() if until > now}
        self._until.update(dict.fromkeys(households, now + GOOD_FOR_S))

    def __contains__(self, household: UUID) -> bool:
        return self._until.get(household, 0.0) > self._clock()


def encode(message: Want | LiveValues) -> bytes:
    """The message as JSON."""
    return _encoder.encode(message)
