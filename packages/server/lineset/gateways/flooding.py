"""Gateways that were cut off because they flooded the platform, and for how long they are not let in again."""

import time
from collections.abc import Callable
from uuid import UUID

from lineset.gateways.callout import Identifies
from lineset.gateways.identity import Allowed, Refused, Shown

FLOOD = "wake.flood"
"""Subject under which the processes tell each other of a gateway that floods: `wake.flood.{gateway}`."""
FIRST_S = 60.0
LONGEST_S = 900.0
_FORGOTTEN_S = 6 * 3600.0
_MOST = 20_000

_FLOODED = Refused("slow_down", "This gateway sent far more than it may and was cut off. Mend what sends, and wait some minutes.")


class Floods:
    """Stands before the answer to who a device is: who has just flooded has to wait, each time twice as long."""

    def __init__(self, identities: Identifies, clock: Callable[[], float] = time.monotonic) -> None:
        self._identities = identities
        self._clock = clock
        self._until: dict[UUID, tuple[float, float]] = {}

    def shut_out(self, gateway: UUID) -> float:
        """Do not let this gateway in for a time, in seconds, which is the answer."""
        now = self._clock()
        if len(self._until) >= _MOST:
            self._until = {g: known for g, known in self._until.items() if known[0] > now}
        until, last = self._until.get(gateway, (0.0, 0.0))
        if until > now:
            return last  # several processes noticed the same flood
        last = min(LONGEST_S, 2 * last) if last and now - until < _FORGOTTEN_S else FIRST_S
        self._until[gateway] = (now + last, last)
        return last

    async def identify(self, shown: Shown) -> Allowed | Refused:
        """Which gateway it is, or why it is not let in."""
        answer = await self._identities.identify(shown)
        if isinstance(answer, Allowed) and self._until.get(answer.gateway, (0.0, 0.0))[0] > self._clock():
            return _FLOODED
        return answer

    def forget(self, gateway: UUID) -> None:
        """Take nothing about this gateway's identity from memory any more."""
        self._identities.forget(gateway)

    def forget_all(self) -> None:
        """Take no identity from memory any more."""
        self._identities.forget_all()
