"""How often somebody may ask: a bucket of tokens for each asker, filled at a steady rate, in this process's memory."""

import time
from collections.abc import Callable, Hashable

from lineset.kit.errors import TooMany

_MAX_ASKERS = 50_000


class Buckets:
    """Buckets of `burst` tokens that fill by `rate` a second."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._left: dict[Hashable, tuple[float, float]] = {}

    def take(self, asker: Hashable) -> None:
        """Take a token.

        Raises:
            TooMany: there is none left; it says when there will be one.
        """
        now = self._clock()
        left = self.left(asker)
        if left < 1.0:
            wait = max(1, int((1.0 - left) / self._rate + 0.999))
            raise TooMany("too_many_requests", f"Too many requests. Wait {wait} s.", wait)
        if asker not in self._left and len(self._left) >= _MAX_ASKERS:
            self._forget_the_full(now)
        self._left[asker] = (left - 1.0, now)

    def left(self, asker: Hashable) -> float:
        """How many tokens are left."""
        left, at = self._left.get(asker, (self._burst, 0.0))
        return min(self._burst, left + (self._clock() - at) * self._rate)

    def _forget_the_full(self, now: float) -> None:
        """Whose bucket has filled again is as one who never asked; of too many at once, the oldest half goes."""
        self._left = {k: v for k, v in self._left.items() if v[0] + (now - v[1]) * self._rate < self._burst}
        if len(self._left) >= _MAX_ASKERS:
            for key in list(self._left)[: _MAX_ASKERS // 2]:
                del self._left[key]
