"""A load generator: many devices in one process, each on its own connection of MQTT 3.1.1 over TLS with its certificate.

It takes as little of the machine as it can, so that the platform under test has the rest: packets are put together here instead of by a
client library. What goes over the wire is what a device sends: each message encoded anew, in a record of its own, at most `WINDOW`
ahead of the acknowledgements.
"""

import asyncio
import functools
import random
import time
from dataclasses import dataclass, field
from typing import cast

import msgspec
from lineset_contract import topics
from lineset_contract.wire import Ack, Frame, FrameMessage, WireValue

from tests.support.fleet import Gateway, Rig
from tests.support.sender import POINTS_20

WINDOW = 48
KEEPALIVE_S = 600

_encoder = msgspec.json.Encoder()
_acks = msgspec.json.Decoder(Ack)


def _length(n: int) -> bytes:
    """Remaining length of a packet (MQTT 3.1.1, section 2.2.3)."""
    out = bytearray()
    while True:
        n, digit = divmod(n, 128)
        out.append(digit | (0x80 if n else 0))
        if not n:
            return bytes(out)


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2) + raw


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _length(len(body)) + body


@dataclass
class Tally:
    """What one device did: when each message was due, and how long its acknowledgement took, both in seconds."""

    waits: list[float] = field(default_factory=list)
    through: int = 0
    gaps: int = 0
    refused: int = 0


class Device(asyncio.Protocol):
    """One device. Each round has an epoch of its own."""

    def __init__(self, gateway: Gateway, *, machines: int) -> None:
        self._gateway = gateway
        self._names = [f"hp{m}" for m in range(machines)]
        self._values: list[dict[str, WireValue]] = [{p: round(random.uniform(15, 25), 2) for p in POINTS_20} for _ in range(16)]
        self._head = _text(topics.frames(str(gateway.id)))
        self._buffer = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.start(0, 0.0, 0.0)

    def start(self, total: int, rate: float, t: float) -> None:
        """Begin to send `total` messages at `rate` a second, or, with rate 0, as fast as acknowledgements let it."""
        self._total, self._rate, self._t = total, rate, t
        self._epoch = f"b{random.getrandbits(48):x}"
        self._due: dict[int, float] = {}
        self._next = 1
        self.tally = Tally()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._began = time.monotonic()
        if total:
            self._fill()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce the device."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own kind is not a subclass
        connect = _text("MQTT") + bytes([4, 2]) + KEEPALIVE_S.to_bytes(2) + _text(str(self._gateway.id))
        self.transport.write(_packet(0x10, connect))

    def connection_lost(self, exc: Exception | None) -> None:
        """A benchmark has no patience: a lost connection ends it."""
        for waiting in (self.ready, self.done):
            if not waiting.done():
                waiting.set_exception(exc or ConnectionError("the broker closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Take whole packets; keep what is left."""
        buffer, at = self._buffer + data, 0
        while len(buffer) - at >= 2:
            size, shift, body = 0, 0, at + 1
            while body < len(buffer):
                digit = buffer[body]
                size |= (digit & 0x7F) << shift
                body, shift = body + 1, shift + 7
                if digit < 0x80:
                    break
            else:
                break
            if len(buffer) < body + size:
                break
            self._take(buffer[at] >> 4, buffer[body : body + size])
            at = body + size
        self._buffer = buffer[at:]

    def _take(self, kind: int, body: bytes) -> None:
        if kind == 2 and body[1] == 0:  # CONNACK
            self.transport.write(_packet(0x82, b"\0\1" + _text(topics.ack(str(self._gateway.id))) + b"\0"))
        elif kind == 9 and body[2] == 0:  # SUBACK
            self.ready.set_result(None)
        elif kind == 3:  # PUBLISH
            self._acknowledged(_acks.decode(body[2 + int.from_bytes(body[:2]) :]))
        else:
            self.connection_lost(ConnectionError(f"the broker answered with packet type {kind}: {body[:8].hex()}"))

    def _acknowledged(self, ack: Ack) -> None:
        if ack.epoch != self._epoch:
            return
        now = time.monotonic()
        tally = self.tally
        tally.refused += len(ack.refused)
        for seq in range(tally.through + 1, ack.through + 1):
            due = self._due.pop(seq, None)
            if due is None:
                tally.gaps += 1
            else:
                tally.waits.append(now - due)
        tally.through = max(tally.through, ack.through)
        if tally.through >= self._total:
            if not self.done.done():
                self.done.set_result(None)
        elif not self._rate:
            self._fill()

    def _fill(self) -> None:
        """Send what is due and fits into the window. At a rate, a message that has to wait for the window waits on our clock."""
        loop_time = time.monotonic()
        while self._next <= self._total and self._next <= self.tally.through + WINDOW:
            due = self._began + (self._next - 1 + random.random()) / self._rate if self._rate else loop_time
            if due > loop_time:
                break
            self._send(self._next, due)
            self._next += 1
        if self._rate and self._next <= self._total:
            asyncio.get_running_loop().call_later(0.02, self._fill)

    def _send(self, seq: int, due: float) -> None:
        t = self._t + seq
        frames = [Frame(t, name, self._values[(seq + n) & 15]) for n, name in enumerate(self._names)]
        body = self._head + _encoder.encode(FrameMessage(self._epoch, seq, frames))
        self._due[seq] = due
        self.transport.write(b"\x30" + _length(len(body)) + body)


class Load:
    """The devices of a fleet, connected once and sending in rounds."""

    def __init__(self, rig: Rig, fleet: list[Gateway], *, machines: int = 2) -> None:
        self._rig, self._fleet, self._machines = rig, fleet, machines
        self._devices: list[Device] = []

    async def connect(self) -> None:
        """Connect all devices."""
        loop = asyncio.get_running_loop()
        for gateway in self._fleet:
            _, device = await loop.create_connection(
                functools.partial(Device, gateway, machines=self._machines),
                "127.0.0.1",
                self._rig.settings.mqtt_port,
                ssl=self._rig.tls(gateway),
                server_hostname="127.0.0.1",
            )
            self._devices.append(device)
        await asyncio.gather(*(d.ready for d in self._devices))

    async def send(self, messages: int, rate: float = 0.0, *, t: float) -> tuple[float, list[Tally]]:
        """Each device sends `messages`, at `rate` a second each (0: as fast as it may), with frames one second apart from `t` on.

        Returns the seconds from the first message to the last acknowledgement, and what each device did.
        """
        began = time.monotonic()
        for device in self._devices:
            device.start(messages, rate, t)
        await asyncio.gather(*(d.done for d in self._devices))
        return time.monotonic() - began, [d.tally for d in self._devices]

    def close(self) -> None:
        """Disconnect."""
        for device in self._devices:
            device.transport.close()
