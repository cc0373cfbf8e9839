"""The message bus: a thin layer over NATS that reconnects for ever and says so, and the two things kept in its streams."""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Literal, Self

import nats
import nats.errors
import nats.js.errors
import nkeys
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.client import JetStreamContext

from lineset.kit.addresses import bus_tls, nats_url
from lineset.kit.errors import LinesetError
from lineset.kit.settings import Settings, secret

Account = Literal["service", "system"]
Handler = Callable[[Msg], Awaitable[None]]

DEVICE_STREAM = "$MQTT_msgs"  # the broker keeps QoS 1 messages of devices here until every durable consumer has them
DEVICE_PREFIX = "$MQTT.msgs."
FRAMES = "lineset.v1.*.frames"
FRAMES_CONSUMER = "frames"
WORDS = tuple(f"lineset.v1.*.{channel}" for channel in ("results", "reported", "events", "status"))
WORDS_CONSUMER = "words"
KEYS_STREAM = "KV_subject_keys"
KEYS_PREFIX = "$KV.subject_keys."
TOMBSTONES_STREAM = "KV_tombstones"
TOMBSTONES_PREFIX = "$KV.tombstones."
TOMBSTONE_DAYS = 3653
"""Days for which it is remembered what was erased: longer than any backup is kept."""

_RETRY_S = 0.25

_log = structlog.get_logger(__name__)


class BusFault(LinesetError):
    """The message bus did not answer in time, or refused."""


def bus_key(settings: Settings, account: Literal["service", "system", "issuer"]) -> nkeys.KeyPair:
    """The key pair of one of our own identities on the bus, derived from the installation's secret.

    `service` works with devices' subjects and streams, `system` asks the servers themselves, `issuer` signs devices' admissions.
    """
    seed = hmac.digest(secret(settings, "bus"), f"nkey:{account}".encode(), "sha256")
    prefix = nkeys.PREFIX_BYTE_ACCOUNT if account == "issuer" else nkeys.PREFIX_BYTE_USER
    return nkeys.from_seed(nkeys.encode_seed(seed, prefix))


class _Client(Client):
    """The library's client, which does not wait for the farewell of a server that has gone silent. (TLS waits 30 s for it.)"""

    async def _attempt_reconnect(self) -> None:
        if isinstance(self._transport, TcpTransport) and self._transport._io_writer is not None:
            self._transport._io_writer.transport.abort()
        await super()._attempt_reconnect()


class Bus:
    """One connection to the bus. Made by `connect`; afterwards it lasts until `close`, through any number of server restarts."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self._replicas = 1
        self._waits: list[Callable[[], Awaitable[None]]] = []

    @classmethod
    async def connect(cls, settings: Settings, name: str, *, account: Account = "service", patience_s: float = 60.0) -> Self:
        """Connect, trying for `patience_s` seconds. `name` shows in the server's own lists.

        Raises:
            BusFault: no server let us in during that time.
            Invalid: the settings do not say where the bus is.
        """
        bus = cls(_Client(), name)
        end = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                # read again at each try: an embedded server may come back on another port
                await bus._connect(nats_url(settings), settings, account)
            except (OSError, nats.errors.Error, TimeoutError) as error:
                if asyncio.get_running_loop().time() >= end:
                    raise BusFault("bus_unreachable", f"The message bus at {nats_url(settings)} can't be reached: {error}") from error
                bus._client = _Client()
                await asyncio.sleep(_RETRY_S)
            else:
                return bus

    async def _connect(self, url: str, settings: Settings, account: Account) -> None:
        self._replicas = 3 if url.count(",") >= 2 else 1  # of streams, where there are servers for them
        await self._client.connect(
            [part.strip() for part in url.split(",")],
            name=f"lineset {self._name}",
            tls=bus_tls(settings),
            tls_handshake_first=True,  # the library would go on in the clear with a server that does not ask for TLS
            nkeys_seed_str=bus_key(settings, account).seed.decode(),
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=_RETRY_S,  # type: ignore[arg-type] # a float is slept as it is
            connect_timeout=5,
            ping_interval=3,
            max_outstanding_pings=2,  # a server that is silent for 9 s is left for another
            pending_size=16 * 1024 * 1024,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnect,
        )

    @property
    def connected(self) -> bool:
        """Whether the connection is there at this moment."""
        return self._client.is_connected

    @property
    def stream(self) -> JetStreamContext:
        """The streams of the bus, for whoever needs more than this class offers."""
        return self._client.jetstream()

    def on_reconnect(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do this whenever the connection came back: messages may have been missed."""
        self._waits.append(action)

    async def publish(self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None, *, reply: str = "") -> None:
        """Send, at most once. While the connection is away up to 16 MiB wait for it. `reply`: where an answer should go.

        Raises:
            BusFault: more than that waits already, or the bus was closed.
        """
        try:
            await self._client.publish(subject, payload, reply=reply, headers=headers)
        except nats.errors.Error as error:
            raise BusFault("bus_away", f"The message bus is away: {error}") from error

    async def subscribe(self, subject: str, handler: Handler, *, queue: str = "") -> Subscription:
        """Call `handler` for each message, one after the other. Of the subscribers with the same `queue` one gets each message."""
        return await self._client.subscribe(subject, queue=queue, cb=handler)

    async def request(self, subject: str, payload: bytes = b"", *, timeout_s: float = 2.0, headers: dict[str, str] | None = None) -> bytes:
        """Ask and wait for one answer.

        Raises:
            BusFault: nobody listens there, or nobody answered in time.
        """
        try:
            return (await self._client.request(subject, payload, timeout=timeout_s, headers=headers)).data
        except (nats.errors.Error, TimeoutError) as error:
            raise BusFault("no_answer", f"Nobody answered on {subject}: {error}") from error

    async def ask_all(self, subject: str, payload: bytes, handler: Handler, *, quiet_s: float = 0.25) -> int:
        """Ask everybody who listens, and give each answer to `handler` as it comes, until none came for `quiet_s`. How many came."""
        inbox = self.inbox()
        answers = await self._client.subscribe(inbox)
        count = 0
        try:
            await self._client.publish(subject, payload, reply=inbox)
            while True:
                try:
                    message = await answers.next_msg(quiet_s)
                except (nats.errors.TimeoutError, TimeoutError):
                    return count
                if message.headers and message.headers.get("Status") == "503":
                    return count
                count += 1
                await handler(message)
        except nats.errors.Error as error:
            raise BusFault("bus_away", f"The message bus is away: {error}") from error
        finally:
            with contextlib.suppress(nats.errors.Error):
                await answers.unsubscribe()

    async def flush(self) -> None:
        """Wait until the server has everything that was published."""
        try:
            await self._client.flush()
        except (nats.errors.Error, TimeoutError) as error:
            raise BusFault("bus_away", f"The message bus is away: {error}") from error

    async def close(self) -> None:
        """Send what waits to be sent, then close."""
        # a connection that breaks while it is being closed raises whatever the TLS layer happens to meet
        with contextlib.suppress(Exception):
            if self._client.is_connected:
                await self._client.flush(timeout=2)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(5):
                if not self._client.is_closed:
                    await self._client.close()

    async def emptied(self, stream: str, patience_s: float = 30.0) -> bool:
        """Wait until nothing waits in a stream; whether that came.

        The server deletes a block of its file when its last message is acknowledged, so at that moment no byte of what ever passed
        through is left. While messages come without a pause, the blocks before the present one are gone, and it is a few MB long.
        """
        end = time.monotonic() + patience_s
        while True:
            try:
                if (await self.stream.stream_info(stream)).state.messages == 0:
                    return True
            except nats.js.errors.NotFoundError:
                return True
            except (nats.errors.Error, TimeoutError) as error:
                _log.debug("bus: no word about the stream", stream=stream, error=str(error))
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.2)

    async def ensure_streams(self, patience_s: float = 30.0) -> None:
        """Make what must exist before the first device connects: the store of QoS 1 messages with our durable consumers on it (without
        a consumer the broker acknowledges and drops), and the store of subject keys. The servers of a cluster may need `patience_s`
        seconds to agree on a leader.

        Raises:
            BusFault: the bus is away or refuses.
        """
        end = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                return await self._ensure_streams()
            except (nats.errors.Error, TimeoutError) as error:
                # BadRequestError: asking again would bring the same answer
                if isinstance(error, nats.js.errors.BadRequestError) or asyncio.get_running_loop().time() >= end:
                    raise BusFault("streams", f"The message bus did not make its streams: {error}") from error
            await asyncio.sleep(_RETRY_S)

    async def _ensure_streams(self) -> None:
        # as the broker itself would make it at a device's first connection
        devices = StreamConfig(
            name=DEVICE_STREAM,
            subjects=[f"{DEVICE_PREFIX}>"],
            retention=RetentionPolicy.INTEREST,
            storage=StorageType.FILE,
            num_replicas=self._replicas,
        )
        # deny_delete is what KV buckets have by default; with it nothing could ever be erased
        keys = StreamConfig(
            name=KEYS_STREAM,
            subjects=[f"{KEYS_PREFIX}>"],
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            num_replicas=self._replicas,
            allow_direct=True,  # any server that keeps the stream may be asked, while there is no leader
            allow_rollup_hdrs=False,
            deny_delete=False,
            deny_purge=False,
        )
        tombstones = StreamConfig(
            name=TOMBSTONES_STREAM,
            subjects=[f"{TOMBSTONES_PREFIX}>"],
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            num_replicas=self._replicas,
            max_msgs_per_subject=1,
            max_age=TOMBSTONE_DAYS * 86_400.0,
            deny_delete=False,
            deny_purge=False,
        )
        for config in (devices, keys, tombstones):
            await self._ensure(config)
        for name, subjects, waiting in ((FRAMES_CONSUMER, (FRAMES,), 5000), (WORDS_CONSUMER, WORDS, 2000)):
            filters = [f"{DEVICE_PREFIX}{subject}" for subject in subjects]
            await self.stream.add_consumer(
                DEVICE_STREAM,
                ConsumerConfig(
                    durable_name=name,
                    filter_subject=filters[0] if len(filters) == 1 else None,
                    filter_subjects=filters if len(filters) > 1 else None,
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=30,
                    max_ack_pending=waiting,
                ),
            )

    async def _ensure(self, config: StreamConfig) -> None:
        try:
            found = (await self.stream.stream_info(config.name or "")).config
        except nats.js.errors.NotFoundError:
            with contextlib.suppress(nats.js.errors.BadRequestError):  # somebody else was faster
                await self.stream.add_stream(config)
        else:
            replicas = max(found.num_replicas or 1, self._replicas)  # a single server may have become a cluster
            direct = bool(found.allow_direct or config.allow_direct)
            if (found.num_replicas, bool(found.allow_direct)) != (replicas, direct):
                found.num_replicas, found.allow_direct = replicas, direct
                await self.stream.update_stream(found)

    def inbox(self) -> str:
        """A subject for answers to this connection."""
        return self._client.new_inbox()

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, nats.errors.SlowConsumerError):
            _log.warning("bus: falling behind, messages dropped", connection=self._name, subject=error.subject)
        elif isinstance(error, (OSError, nats.errors.Error)):
            _log.debug("bus: error", connection=self._name, error=str(error))
        else:
            _log.error("bus: a handler failed", connection=self._name, exc_info=error)

    async def _on_disconnect(self) -> None:
        if not self._client.is_closed and not self._client.is_draining:
            _log.warning("bus: connection lost, trying again until it is back", connection=self._name)

    async def _on_reconnect(self) -> None:
        _log.info("bus: connected again", connection=self._name)
        for action in self._waits:
            await action()
