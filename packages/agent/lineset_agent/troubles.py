"""What went wrong, told to the log and the cloud, but not a thousand times over."""

import logging
import time

import msgspec
from lineset_contract.wire import Event

from lineset_agent.clock import Clock
from lineset_agent.outbox import Outbox
from lineset_agent.store import StoreError

log = logging.getLogger(__name__)

QUIET_S = 600.0
"""The same trouble is told once in this long, with how often it happened."""
_MAX_KINDS = 500


class _Seen(msgspec.Struct):
    told: float
    untold: int = 0


class Troubles:
    """Error events of one agent."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._seen: dict[tuple[str, str | None], _Seen] = {}

    def report(self, code: str, say: str, equipment: str | None = None) -> None:
        """Tell a trouble: `code` groups repetitions, `say` explains this one."""
        key = (code, equipment)
        now = time.monotonic()
        seen = self._seen.get(key)
        if seen is not None and now - seen.told < QUIET_S:
            seen.untold += 1
            log.debug("%s: %s", code, say)
            return
        if len(self._seen) >= _MAX_KINDS:
            self._seen.clear()
        self._seen[key] = _Seen(now)
        log.warning("%s%s: %s", f"{equipment} " if equipment else "", code, say)
        detail: dict[str, object] = {"code": code, "say": say[:500]}
        if seen is not None and seen.untold:
            detail["times"] = seen.untold + 1
        try:
            self._outbox.add("events", Event("error", self._clock.now(), equipment, detail))
        except StoreError as error:
            log.warning("the trouble could not be kept for the cloud: %s", error)
