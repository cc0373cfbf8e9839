"""A real message bus with delivery and the way in beside it, and gateways that a test plays by hand."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from lineset import control
from lineset.kit.bus import Bus
from lineset.privacy import Door
from lineset_contract.wire import Command, Desired, Event, Reported, Result, Status, decode, encode
from nats.aio.msg import Msg


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool], within: float = 15.0) -> None:
    """Wait for a condition, never for a time."""
    end = time.monotonic() + within
    while True:
        found = condition()
        if await found if isinstance(found, Awaitable) else found:
            return
        assert time.monotonic() < end, f"not within {within} s"
        await asyncio.sleep(0.01)


@dataclass
class Gateway:
    """What a gateway hears, and its voice."""

    id: UUID
    bus: Bus
    commands: list[Command] = field(default_factory=list)
    desired: list[Desired] = field(default_factory=list)

    async def listen(self) -> "Gateway":
        await self.bus.subscribe(f"lineset.v1.{self.id}.commands", self._command)
        await self.bus.subscribe(f"lineset.v1.{self.id}.desired", self._desired)
        await self.bus.flush()
        return self

    async def _command(self, message: Msg) -> None:
        self.commands.append(decode(Command, message.data))

    async def _desired(self, message: Msg) -> None:
        self.desired.append(decode(Desired, message.data))

    async def say(self, channel: str, message: msgspec.Struct) -> None:
        await self.bus.publish(f"lineset.v1.{self.id}.{channel}", encode(message))

    async def online(self) -> None:
        await self.say("status", Status("online", time.time()))

    async def offline(self) -> None:
        await self.say("status", Status("offline", time.time()))

    async def answer(self, id_: object, state: str, detail: str = "") -> None:
        await self.say("results", msgspec.convert({"id": str(id_), "state": state, "t": time.time(), "detail": detail}, Result))

    async def boot(self) -> None:
        await self.say("events", Event("boot", time.time(), None, {"agent": "0.1.0"}))

    async def report(self, version: int, settings: dict[str, dict[str, float]]) -> None:
        await self.say("reported", msgspec.convert({"version": version, "t": time.time(), "settings": settings}, Reported))


class Cloud:
    """Delivery and the way in, on a real bus."""

    def __init__(self, door: Door, ingest: Door, bus: Bus) -> None:
        self.door = door
        self.bus = bus
        self._ingest = ingest

    @contextlib.asynccontextmanager
    async def running(self, workers: int = 1) -> AsyncIterator["Cloud"]:
        inbox = control.Inbox(self._ingest, self.bus)
        await inbox.start()
        work = [inbox.run(), *(control.Delivery(self.door, self.bus).run() for _ in range(workers))]
        tasks = [asyncio.create_task(w) for w in work]
        await self.bus.flush()
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(e, asyncio.CancelledError) for e in ended), ended
