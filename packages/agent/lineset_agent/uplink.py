"""The connection to the cloud: frames in a bounded window and in order, resent until acknowledged.

MQTT 3.1.1 over TLS with a clean session: nothing hangs on what a broker keeps. Frames go at QoS 0, because only the
cloud's own acknowledgement counts; events and results go at QoS 1.
"""

import asyncio
import contextlib
import logging
import random
import ssl
import time
from collections.abc import Awaitable, Callable

import aiomqtt
import msgspec
from lineset_contract import topics
from lineset_contract.wire import HELD_BACK, Ack, Event, Refused, Status, WireError, decode, encode

from lineset_agent.buffer import Buffer
from lineset_agent.clock import Clock
from lineset_agent.config import AgentConfig, ConfigError, Identity
from lineset_agent.outbox import Outbox
from lineset_agent.store import StoreError
from lineset_agent.tasks import together
from lineset_agent.window import Settle, Window

log = logging.getLogger(__name__)
_paho_log = logging.getLogger("lineset_agent.mqtt")
_paho_log.setLevel(logging.ERROR)

_AT_ONCE = 16
_LOOK_AGAIN_S = 5.0
_RATE_PAUSE_S = 1.0

Handler = Callable[[bytes], Awaitable[None]]
Hello = Callable[[], dict[str, object]]


class _Reconnect(Exception):
    """Connect anew, for example with a renewed certificate."""


class Uplink:
    """Keeps one gateway connected. `run` ends only when it is cancelled."""

    def __init__(
        self,
        config: AgentConfig,
        buffer: Buffer,
        outbox: Outbox,
        clock: Clock,
        on_command: Handler,
        on_desired: Handler,
        hello: Hello,
    ) -> None:
        self._config = config
        self._buffer = buffer
        self._outbox = outbox
        self._clock = clock
        self._handlers = {"commands": on_command, "desired": on_desired}
        self._hello = hello
        self.connected = asyncio.Event()
        self.last_error = ""
        self.held_back = ""
        self._new_frames = asyncio.Event()
        self._new_parcels = asyncio.Event()
        self._reconnect = asyncio.Event()
        self._greeted = False
        self._brokers = config.brokers()
        # each gateway begins with another server, so that a fleet spreads over all of them
        self._turn = random.randrange(len(self._brokers))  # noqa: S311
        self._window = Window(config, buffer)
        self._settle = Settle(buffer)

    def frames_waiting(self) -> None:
        """Say that the buffer has new messages."""
        self._new_frames.set()

    def parcels_waiting(self) -> None:
        """Say that the outbox has something new."""
        self._new_parcels.set()

    def reconnect(self, identity: Identity) -> None:
        """Leave the connection and make a new one with the identity as it is now on disk, at one of the servers that it names."""
        self._brokers = msgspec.structs.replace(self._config, identity=identity).brokers()
        self._turn = random.randrange(len(self._brokers))  # noqa: S311
        self._reconnect.set()

    async def run(self) -> None:
        """Connect, stay connected, come back after every loss: to the next server, with a pause that grows once all were tried."""
        pause, failed = self._config.reconnect_after, 0
        while True:
            began = time.monotonic()
            try:
                await self._connect()
            except _Reconnect:
                pause = self._config.reconnect_after
                continue
            except (aiomqtt.MqttError, ConfigError, StoreError, OSError, ssl.SSLError) as error:
                self._note(error)
                self._turn, failed = (self._turn + 1) % len(self._brokers), failed + 1
            finally:
                self.connected.clear()
            if time.monotonic() - began > 30:
                pause, failed = self._config.reconnect_after, 1
            # half to whole of the pause: after a power cut a thousand gateways do not come back in the same second
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            if failed % len(self._brokers) == 0:
                pause = min(pause * 2, self._config.reconnect_at_most)

    async def farewell(self) -> None:
        """Write down what was acknowledged; call after `run` was cancelled."""
        await self._settle.write()

    async def _connect(self) -> None:
        identity = self._config.identity
        context = await asyncio.to_thread(identity.tls)
        will = Status("offline", self._clock.now())
        token = identity.token()
        host, port = self._brokers[self._turn]
        client = aiomqtt.Client(
            host,
            port,
            identifier=identity.gateway,
            username=identity.gateway if token is not None else None,
            password=token,
            tls_context=context,
            clean_session=True,
            protocol=aiomqtt.ProtocolVersion.V311,
            keepalive=self._config.keepalive,
            timeout=self._config.network_timeout,
            will=aiomqtt.Will(topics.status(identity.gateway), encode(will), qos=1, retain=True),
            logger=_paho_log,
        )
        async with client:
            await self._greet(client)
            self.connected.set()
            self.last_error = ""
            log.info("%s is connected to %s:%d", identity.gateway, host, port)
            try:
                await self._session(client)
            finally:
                self.connected.clear()
                with contextlib.suppress(aiomqtt.MqttError):
                    await self._say(client, "offline")

    async def _greet(self, client: aiomqtt.Client) -> None:
        gateway = self._config.identity.gateway
        granted = await client.subscribe([(topics.ack(gateway), 1), (topics.commands(gateway), 1), (topics.desired(gateway), 1)])
        if _forbidden(granted):
            raise aiomqtt.MqttError("the broker refused the gateway's own topics: is this gateway still claimed?")
        await self._say(client, "online")
        detail = {**self._hello(), "reason": "reconnect" if self._greeted else "start"}
        boot = Event("boot", self._clock.now(), None, detail)
        await client.publish(topics.events(gateway), encode(boot), qos=1)
        self._greeted = True

    async def _say(self, client: aiomqtt.Client, state: str) -> None:
        status = Status("online" if state == "online" else "offline", self._clock.now())
        await client.publish(topics.status(self._config.identity.gateway), encode(status), qos=1, retain=True, timeout=2.0)

    async def _session(self, client: aiomqtt.Client) -> None:
        self._window.rewind()
        await together(
            self._receive(client),
            self._send_frames(client),
            self._send_parcels(client),
            self._settle.run(),
            self._leave(),
        )

    async def _leave(self) -> None:
        await self._reconnect.wait()
        self._reconnect.clear()
        raise _Reconnect

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            parsed = topics.parse(str(message.topic))
            if parsed is None or not isinstance(message.payload, (bytes, bytearray)):
                continue
            channel, payload = parsed[1], bytes(message.payload)
            if channel == "ack":
                await self._take_ack(payload)
            elif channel in self._handlers:
                await self._handlers[channel](payload)

    async def _take_ack(self, payload: bytes) -> None:
        try:
            ack = decode(Ack, payload)
        except WireError as error:
            log.warning("an acknowledgement cannot be read: %s", error.say)
            return
        held = [one for one in ack.refused if one.code in HELD_BACK]
        if held:
            self._hold(held[0])
            ack = Ack(ack.epoch, ack.through, [one for one in ack.refused if one.code not in HELD_BACK])
        row = self._buffer.row_of(ack)
        if row is None:  # of an epoch that has ended, or of a message that could not be read at all
            if ack.refused:
                await asyncio.to_thread(self._buffer.acknowledge, ack)
            return
        if row > self._buffer.last:
            await asyncio.to_thread(self._buffer.acknowledge, ack)
        elif self._window.acknowledge(row):
            await self._settle.write()
            await asyncio.to_thread(self._buffer.begin_epoch)
        else:
            self._settle.add(ack)
        self._new_frames.set()

    def _hold(self, refused: Refused) -> None:
        """Nothing is lost: what the cloud does not take now stays in the buffer."""
        if refused.say != self.held_back:
            log.warning("%s: the cloud takes no frames now: %s", self._config.identity.gateway, refused.say)
        self.held_back = refused.say
        self._window.hold(_RATE_PAUSE_S if refused.code == "rate" else self._config.resend_at_most)

    async def _send_frames(self, client: aiomqtt.Client) -> None:
        topic = topics.frames(self._config.identity.gateway)
        while True:
            self._new_frames.clear()
            room = self._window.room()
            if room:
                batch = await asyncio.to_thread(self._buffer.read, self._window.sent, min(room, _AT_ONCE))
                for message in self._window.take(batch):
                    began = time.monotonic()
                    await client.publish(topic, message.payload, qos=0)
                    self._window.waited(time.monotonic() - began)
                if batch:
                    continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._window.patience()):
                    await self._new_frames.wait()
                continue
            self._window.lose_patience()

    async def _send_parcels(self, client: aiomqtt.Client) -> None:
        gateway = self._config.identity.gateway
        while True:
            self._new_parcels.clear()
            parcels = await asyncio.to_thread(self._outbox.first, 20)
            for parcel in parcels:
                await client.publish(f"{topics.PREFIX}/{gateway}/{parcel.channel}", parcel.payload, qos=1)
                await asyncio.to_thread(self._outbox.sent, parcel.row)
            if not parcels:
                # the buffer adds an event of its own when it runs over, from another thread
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_AGAIN_S):
                        await self._new_parcels.wait()

    def _note(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if text != self.last_error:
            log.warning("%s has no connection: %s. It tries again.", self._config.identity.gateway, text)
        self.last_error = text


def _forbidden(granted: object) -> bool:
    """Whether a SUBACK says no. MQTT 3.1.1 grants come as numbers or as reason codes, by the library's version."""
    items = granted if isinstance(granted, (list, tuple)) else []
    return any(getattr(item, "value", item) == 0x80 for item in items)
