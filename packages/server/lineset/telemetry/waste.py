"""Who sends so much in vain that it has to be cut off: a leaky bucket for each gateway.

A message is in vain when it finds its gateway's lane full or is over its gateway's limit. Devices that keep to the rules and repeat what is
not acknowledged, also through an outage of the database, stay far below what leaks away.
"""

import time
from collections.abc import Callable
from uuid import UUID

_MESSAGE_BYTES = 16 * 2**10
"""What a message costs besides its payload."""
LEAK_BYTES_PER_S = 100 * _MESSAGE_BYTES
FLOOD_BYTES = 1000 * _MESSAGE_BYTES
SHUT_S = 10.0
_MOST = 20_000


class Waste:
    """What each gateway has sent in vain of late."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[UUID, tuple[float, float]] = {}
        self._shut: dict[UUID, float] = {}

    def shut(self, gateway: UUID) -> bool:
        """Whether this gateway has just flooded: what still comes of it was on its way before it was cut off."""
        return bool(self._shut) and self._shut.get(gateway, 0.0) > self._clock()

    def add(self, gateway: UUID, size: int) -> bool:
        """Count a message of this size in bytes; whether that makes it a flood. Then counting begins anew."""
        now = self._clock()
        level, at = self._levels.get(gateway, (0.0, now))
        level = max(0.0, level - (now - at) * LEAK_BYTES_PER_S) + size + _MESSAGE_BYTES
        if level >= FLOOD_BYTES:
            self._levels.pop(gateway, None)
            self._shut = {g: until for g, until in self._shut.items() if until > now} | {gateway: now + SHUT_S}
            return True
        self._levels[gateway] = (level, now)
        if len(self._levels) > _MOST:
            self._levels = {g: known for g, known in self._levels.items() if now - known[1] < FLOOD_BYTES / LEAK_BYTES_PER_S}
        return False
