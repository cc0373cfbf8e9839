"""Messages that stay on the bus until they are acknowledged, handed out as soon as they come."""

import asyncio
import json
import time
from collections import deque

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from lineset.kit.bus import DEVICE_STREAM, FRAMES_CONSUMER, WORDS_CONSUMER, Bus, BusFault

_STANDING_S = 10.0  # how long the server keeps our standing request; a lost one costs at most this long
_PAUSE_S = 0.25

_log = structlog.get_logger(__name__)


class Durable:
    """One process's share of a durable consumer; any number of processes may have one.

    A standing request lies with the server, so a message is here as soon as it is stored. (The client library's own `fetch` collects
    for the whole of its waiting time before it returns the first message.)
    """

    def __init__(self, bus: Bus, stream: str, consumer: str, most: int = 1000) -> None:
        """`most`: how many messages may wait here."""
        self._bus = bus
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._most = most
        self._waiting: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._asked = 0  # messages that the server may still send on our standing request
        self._ends = 0.0

    async def fetch(self, limit: int, wait_s: float = 1.0) -> list[Msg]:
        """Up to `limit` messages, as soon as there is one; none after `wait_s` seconds or while the bus is away.

        Acknowledge each with `await message.ack()`. One that is not acknowledged comes again after 30 s
        (`message.metadata.num_delivered` counts), or after `await message.nak(delay)`.
        """
        end = time.monotonic() + wait_s
        try:
            while not self._waiting and (left := end - time.monotonic()) > 0:
                await self._ask(limit)
                self._arrived.clear()
                try:
                    async with asyncio.timeout(min(left, max(self._ends - time.monotonic(), 0.01))):
                        await self._arrived.wait()
                except TimeoutError:
                    continue
        except BusFault as error:
            _log.debug("bus: fetch failed", error=error.say)
            await asyncio.sleep(_PAUSE_S)
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    async def close(self) -> None:
        """Give back what was not handed out, so that another process has it at once."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()
            self._subscription = None
        while self._waiting:
            await self._waiting.popleft().nak()

    async def _ask(self, limit: int) -> None:
        if self._subscription is None:
            self._inbox = self._bus.inbox()
            self._subscription = await self._bus.subscribe(self._inbox, self._on_message)
            self._bus.on_reconnect(self._forget)
        if self._asked > 0 and time.monotonic() < self._ends:
            return
        batch = min(limit, self._most)
        request = {"batch": batch, "expires": int(_STANDING_S * 1e9)}
        await self._bus.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)
        self._asked, self._ends = batch, time.monotonic() + _STANDING_S

    async def _on_message(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status")
        if status is None:
            self._asked -= 1
            self._waiting.append(message)
        elif status != "100":  # 100: the server is still there. Anything else ends the request: served, expired, no such consumer
            self._asked = 0
            if status in ("404", "503", "409"):
                await asyncio.sleep(_PAUSE_S)
        self._arrived.set()

    async def _forget(self) -> None:
        """The server forgot our request with the connection."""
        self._asked = 0
        self._arrived.set()


def receipted_frames(bus: Bus) -> Durable:
    """Frames that devices sent with QoS 1; `ensure_streams` made the consumer."""
    return Durable(bus, DEVICE_STREAM, FRAMES_CONSUMER)


def receipted_words(bus: Bus) -> Durable:
    """Everything else that devices sent with QoS 1: results, reports, events and their status."""
    return Durable(bus, DEVICE_STREAM, WORDS_CONSUMER)
