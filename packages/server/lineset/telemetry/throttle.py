"""How much each gateway may send: a token bucket of frames."""

import time
from collections.abc import Callable
from uuid import UUID


class Throttle:
    """Frames a second for each gateway, with a burst that lets one catch up after a night offline."""

    PER_SECOND = 500
    BURST = 20_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[UUID, tuple[float, float]] = {}

    def allow(self, gateway: UUID, frames: int) -> bool:
        """Whether this many frames may be taken now; if so they are counted."""
        now = self._clock()
        level, at = self._buckets.get(gateway, (float(self.BURST), now))
        level = min(float(self.BURST), level + (now - at) * self.PER_SECOND)
        allowed = frames <= level
        self._buckets[gateway] = (level - frames if allowed else level, now)
        if len(self._buckets) > 100_000:
            self._buckets = {g: b for g, b in self._buckets.items() if now - b[1] < self.BURST / self.PER_SECOND}
        return allowed
