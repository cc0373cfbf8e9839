"""Which messages are on their way, and what was acknowledged but not yet written down."""

import asyncio
import logging
import time

from lineset_contract.wire import Ack

from lineset_agent.buffer import Buffer, Message
from lineset_agent.config import AgentConfig

log = logging.getLogger(__name__)

_SETTLE_S = 0.2
"""Acknowledgements of this long are written together: one flush to the disk instead of many."""
_LOW_ACKS = 3


class Window:
    """Which messages are on their way. Rows, not numbers, so that a new epoch changes nothing here but the place."""

    def __init__(self, config: AgentConfig, buffer: Buffer) -> None:
        self._config = config
        self._buffer = buffer
        self._epoch = buffer.epoch
        self.acked = buffer.acked
        self.sent = buffer.acked
        self._size = config.window
        self._patience = config.resend_after
        self._progress = time.monotonic()
        self._low: list[float] = []
        self._held_until = 0.0

    def rewind(self) -> None:
        """Send again from the oldest message that is not acknowledged."""
        # In a new epoch only what the buffer itself has deleted is behind us: the rest has new numbers.
        same = self._epoch == self._buffer.epoch
        self.acked = max(self.acked, self._buffer.acked) if same else self._buffer.acked
        self._epoch = self._buffer.epoch
        self.sent = self.acked
        self._size = self._config.window
        self._patience = self._config.resend_after
        self._progress = time.monotonic()
        self._low = []

    def room(self) -> int:
        """How many more messages may be sent now."""
        if self._epoch != self._buffer.epoch:  # old messages were dropped
            self.rewind()
        if self.sent >= self._buffer.last or time.monotonic() < self._held_until:
            return 0
        return max(0, self._size - (self.sent - self.acked))

    def take(self, batch: list[Message]) -> list[Message]:
        """Note a batch as sent; none of it if the epoch changed since it was read."""
        if self._epoch != self._buffer.epoch:
            return []
        if batch and self.sent == self.acked:
            self._progress = time.monotonic()
        if batch:
            self.sent = max(self.sent, batch[-1].row)
        return batch

    def acknowledge(self, row: int) -> bool:
        """Take an acknowledgement up to a row; True when the cloud has proved to know less than it acknowledged.

        One low acknowledgement may just be late, so it takes several over some time with no good one between.
        """
        now = time.monotonic()
        if row >= self.acked:
            self._low = []
            if row > self.acked:
                self.acked, self._progress = row, now
                self.sent = max(self.sent, row)
                self._size = min(self._size * 2, self._config.window)
                self._patience = self._config.resend_after
            return False
        self._low.append(now)
        return len(self._low) >= _LOW_ACKS and now - self._low[0] >= self._config.resend_after

    def patience(self) -> float | None:
        """How long to wait for an acknowledgement, or None when none is due."""
        held = self._held_until - time.monotonic()
        if held > 0:
            return held
        if self.sent <= self.acked:
            return None
        return max(0.0, self._progress + self._patience - time.monotonic())

    def hold(self, seconds: float) -> None:
        """The cloud does not take messages now: keep them, and go on from the oldest after a pause, more gently."""
        self.sent = self.acked
        self._size = max(1, self._size // 2)
        self._held_until = time.monotonic() + seconds

    def waited(self, seconds: float) -> None:
        """A slow line took this long to take a message: no fault of the cloud's."""
        if seconds > 0.1:
            self._progress += seconds

    def lose_patience(self) -> None:
        """Nothing came: probe with one message, wait longer each time."""
        if self._held_until:  # the pause is over
            self._held_until = 0.0
            return
        log.debug("no acknowledgement for %g s, sending again from row %d", self._patience, self.acked + 1)
        self.sent = self.acked
        self._size = 1
        self._patience = min(self._patience * 2, self._config.resend_at_most)
        self._progress = time.monotonic()


class Settle:
    """Writes acknowledgements to the buffer, several at a time."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._noted: Ack | None = None
        self._due = asyncio.Event()

    def add(self, ack: Ack) -> None:
        """Note an acknowledgement of the present epoch."""
        noted = self._noted
        if noted is not None and noted.epoch == ack.epoch:
            ack = Ack(ack.epoch, max(noted.through, ack.through), noted.refused + ack.refused)
        self._noted = ack
        self._due.set()

    async def run(self) -> None:
        """Write what was noted, a moment after the first."""
        while True:
            await self._due.wait()
            await asyncio.sleep(_SETTLE_S)
            await self.write()

    async def write(self) -> None:
        """Write what was noted now."""
        self._due.clear()
        noted, self._noted = self._noted, None
        if noted is not None:
            await asyncio.to_thread(self._buffer.acknowledge, noted)
