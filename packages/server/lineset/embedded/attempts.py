"""From the broker's log to whoever makes forbidden attempts visible."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec

from lineset.kit.bus import Bus
from lineset.kit.errors import LinesetError
from lineset.kit.violations import Violation, announce, parse

ALIKE_S = 10.0
_MOST = 1000  # different attempts under way; a flood beyond is in the log only


class Attempts:
    """Announces what devices tried: the first of its kind at once, then each 10 s how many alike there were."""

    def __init__(self, bus: Callable[[], Awaitable[Bus]], failed: Callable[[str], None], alike_s: float = ALIKE_S) -> None:
        """`bus` gives a connection when one is needed; `failed` is told when an announcement could not be made."""
        self._bus = bus
        self._failed = failed
        self._alike_s = alike_s
        self._waiting: dict[tuple[str, str, str], int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, line: str) -> None:
        """Take a line of a broker's log. Call it in the event loop."""
        violation = parse(line)
        if violation is None:
            return
        key = (violation.gateway, violation.action, violation.subject)
        if key in self._waiting:
            self._waiting[key] += 1
        elif len(self._waiting) < _MOST:
            self._waiting[key] = 1
            task = asyncio.create_task(self._tell(key, violation))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what waits."""
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tell(self, key: tuple[str, str, str], violation: Violation) -> None:
        try:
            while count := self._waiting[key]:
                self._waiting[key] = 0
                try:
                    await announce(await self._bus(), msgspec.structs.replace(violation, count=count))
                except LinesetError as error:
                    self._failed(f"{violation.gateway} tried what it may not ({violation.action}); not announced: {error.say}")
                await asyncio.sleep(self._alike_s)
        finally:
            del self._waiting[key]
