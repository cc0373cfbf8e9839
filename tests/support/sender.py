"""A sender with a ledger of its own: numbered messages over MQTT and TLS, repeated until acknowledged.

It keeps what it sent and what was acknowledged, so that a test can judge the platform by the sender's word. Unlike the agent it holds
everything in memory and makes frames as fast as asked.
"""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiomqtt
import msgspec
from lineset_contract import topics
from lineset_contract.points import POINTS
from lineset_contract.wire import Ack, Frame, FrameMessage, WireValue

from tests.support.fleet import Gateway, Place

WINDOW = 48
POINTS_20 = tuple(
    sorted([n for n, p in POINTS.items() if p.kind == "real" and p.low <= 20 <= p.high][:17])
    + sorted([n for n, p in POINTS.items() if p.kind == "counter"][:3])
)


@dataclass
class Ledger:
    """What one sender did: `sent` and `acked` by sequence number, with the time of each (monotonic seconds)."""

    epoch: str
    through: int = 0
    sent: dict[int, float] = field(default_factory=dict)
    acked: dict[int, float] = field(default_factory=dict)
    frames: dict[int, list[tuple[str, float]]] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)
    gaps: int = 0

    def take(self, ack: Ack) -> None:
        """Note an acknowledgement; count it as a gap if it covers what was never sent."""
        if ack.epoch != self.epoch:
            return
        self.refused += [(r.seq, r.code) for r in ack.refused]
        now = time.monotonic()
        for seq in range(self.through + 1, ack.through + 1):
            if seq not in self.sent:
                self.gaps += 1
            self.acked[seq] = now
        self.through = max(self.through, ack.through)


class Sender:
    """One gateway's connection. Values are random, 20 points a frame. `ports`: of the servers it may use, one after the other when one
    fails. `keepalive`: seconds after which a server that says nothing is left."""

    def __init__(
        self,
        rig: Place,
        gateway: Gateway,
        *,
        machines: int = 2,
        start: float | None = None,
        step: float = 1.0,
        ports: Sequence[int] = (),
        keepalive: int = 60,
    ) -> None:
        self._rig = rig
        self._ports = itertools.cycle(ports or [rig.settings.mqtt_port])
        self._keepalive = keepalive
        self.gateway = gateway
        self.ledger = Ledger(f"e{random.getrandbits(48):x}")
        self._machines = machines
        self._t = time.time() - 3600 if start is None else start
        self._step = step
        self._bodies: dict[int, bytes] = {}
        self._moved = asyncio.Event()
        self.troubles: list[str] = []
        self._values: list[dict[str, WireValue]] = [{p: round(random.uniform(15, 25), 2) for p in POINTS_20} for _ in range(16)]

    def _message(self, seq: int) -> bytes:
        body = self._bodies.get(seq)
        if body is None:
            t = self._t + seq * self._step
            frames = [Frame(t, f"hp{m}", self._values[(seq + m) % 16]) for m in range(self._machines)]
            body = self._bodies[seq] = msgspec.json.encode(FrameMessage(self.ledger.epoch, seq, frames))
            self.ledger.frames[seq] = [(f"hp{m}", t) for m in range(self._machines)]
        return body

    async def run(self, messages: int, rate: float) -> None:
        """Send this many messages at `rate` a second (0: as fast as acknowledgements allow), until all are acknowledged."""
        began = time.monotonic()
        while self.ledger.through < messages:
            try:
                await self._session(messages, rate, began)
            except (aiomqtt.MqttError, OSError, TimeoutError) as error:
                self.troubles.append(repr(error))
            if self.ledger.through < messages:
                await asyncio.sleep(0.2 + random.random() * 0.3)

    async def _session(self, messages: int, rate: float, began: float) -> None:
        gateway = str(self.gateway.id)
        async with aiomqtt.Client(
            "127.0.0.1",
            next(self._ports),
            identifier=gateway,
            tls_context=self._rig.tls(self.gateway),
            protocol=aiomqtt.ProtocolVersion.V311,
            timeout=5,
            keepalive=self._keepalive,
            max_queued_outgoing_messages=0,
        ) as client:
            await client.subscribe(topics.ack(gateway), qos=0)
            listener = asyncio.create_task(self._listen(client))
            try:
                await self._send(client, messages, rate, began)
            finally:
                listener.cancel()
                with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                    await listener

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            self.ledger.take(msgspec.json.decode(bytes(message.payload), type=Ack))
            self._moved.set()

    async def _send(self, client: aiomqtt.Client, messages: int, rate: float, began: float) -> None:
        topic = topics.frames(str(self.gateway.id))
        seq = self.ledger.through + 1
        while self.ledger.through < messages:
            if seq <= messages and seq <= self.ledger.through + WINDOW:
                due = began + (seq - 1) / rate if rate else 0.0
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                body = self._message(seq)
                self.ledger.sent.setdefault(seq, time.monotonic())
                await client.publish(topic, body, qos=0)
                seq += 1
                continue
            self._moved.clear()
            before = self.ledger.through
            try:
                await asyncio.wait_for(self._moved.wait(), 2.0)
            except TimeoutError:
                if self.ledger.through == before:
                    seq = self.ledger.through + 1  # nothing moved: send what is not acknowledged again
