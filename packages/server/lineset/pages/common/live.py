"""Live values in the browser: one subscription on the bus for each process, one bounded queue for each open stream."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from uuid import UUID

import msgspec
from lineset_contract.points import POINTS
from nats.aio.msg import Msg

from lineset.kit.bus import Bus
from lineset.kit.ids import parse_id
from lineset.telemetry import live

MOST_WAITING = 64
"""Messages that one slow browser may have waiting; older ones are dropped, since newer values replace them."""

CHECK_S = 2.0
"""How often an open stream asks whether its person may still look."""

QUIET_S = 14.0
"""How often a stream without news shows that it is alive."""

_word = {name: {code: word for word, code in p.codes.items()} for name, p in POINTS.items() if p.kind == "code"}


class Stream:
    """One browser's stream: the machines it shows, and what waits to be sent."""

    def __init__(self, equipment: frozenset[UUID]) -> None:
        self.equipment = equipment
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)

    def put(self, message: bytes | None) -> None:
        """Add a message; None ends the stream."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(message)

    async def next(self, wait_s: float) -> bytes | None:
        """The next message; empty when none came in time, None at the end."""
        try:
            return await asyncio.wait_for(self._waiting.get(), wait_s)
        except TimeoutError:
            return b""


class Hub:
    """All streams of one web process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._streams: set[Stream] = set()
        self._households: dict[Stream, frozenset[UUID]] = {}
        self._closed = False
        self._repeat: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen on the bus."""
        await self._bus.subscribe("live.*.*", self._heard)
        self._repeat = asyncio.create_task(self._say_what_we_want())

    async def stop(self) -> None:
        """End every stream, so that the server can shut down."""
        self._closed = True
        for stream in list(self._streams):
            stream.put(None)
        if self._repeat is not None:
            self._repeat.cancel()

    async def _heard(self, message: Msg) -> None:
        equipment = parse_id(message.subject.rpartition(".")[2])
        wanted = [s for s in self._streams if equipment in s.equipment]
        if wanted:
            payload = _readable(message.data, str(equipment))
            for stream in wanted:
                stream.put(payload)

    async def _say_what_we_want(self) -> None:
        while True:
            await asyncio.sleep(live.REPEAT_S)
            await self._want(frozenset().union(*self._households.values()) if self._households else frozenset())

    async def _want(self, households: Iterable[UUID]) -> None:
        wanted = list(households)
        if wanted and self._bus.connected:
            await self._bus.publish(live.WANT, live.encode(live.Want(wanted)))

    async def events(
        self, equipment: frozenset[UUID], households: frozenset[UUID], may_look: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[str]:
        """Server-sent events for one browser, until it leaves, may no longer look, or the process stops."""
        stream = Stream(equipment)
        self._streams.add(stream)
        self._households[stream] = households
        try:
            await self._want(households)
            yield "retry: 2000\n\n"
            checked = said = time.monotonic()
            while not self._closed:
                message = await stream.next(CHECK_S)
                if message is None:
                    break
                if time.monotonic() - checked >= CHECK_S:
                    if not await may_look():
                        yield "event: end\ndata: {}\n\n"
                        break
                    checked = time.monotonic()
                if message:
                    yield f"data: {message.decode()}\n\n"
                elif time.monotonic() - said >= QUIET_S:
                    said = time.monotonic()
                    yield ": still here\n\n"
        finally:
            self._streams.discard(stream)
            self._households.pop(stream, None)


def _readable(payload: bytes, equipment: str) -> bytes:
    """The message with code points in words, as pages show them, and a command with the machine that it is for."""
    try:
        message = msgspec.json.decode(payload)
    except msgspec.MsgspecError:
        return b"{}"
    values = message.get("values") if isinstance(message, dict) else None
    if isinstance(values, dict):
        for name in values.keys() & _word.keys():
            values[name] = _word[name].get(int(values[name]), "unknown")
    command = message.get("command") if isinstance(message, dict) else None
    if isinstance(command, dict):
        command["equipment"] = equipment
    return msgspec.json.encode(message)
