"""The time an agent goes by; a simulation brings its own."""

import asyncio
import time
from typing import Protocol

BUILT = 1_763_000_000.0
"""2025-11-13: no clock that is set shows an earlier time (s since 1970 UTC)."""


class Clock(Protocol):
    """Wall time and waiting by it. What waits for the network waits in real time and does not ask a Clock."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until `seconds` have passed on this clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(seconds)


def is_set(now: float) -> bool:
    """Whether a clock that shows `now` can have been set: boards without a battery start in 1970 or at their image's date."""
    return now >= BUILT
