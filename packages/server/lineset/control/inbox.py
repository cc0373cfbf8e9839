"""The way in for everything that a gateway says besides its frames: read, handed on, or refused where its people see it."""

import asyncio
import contextlib
from uuid import UUID

import structlog
from lineset_contract.wire import Event, Reported, Result, Status, WireError, decode
from nats.aio.msg import Msg

from lineset import gateways, sites, telemetry
from lineset.control.apart import AWAY
from lineset.control.results import settle, take_reported
from lineset.kit.buckets import Buckets
from lineset.kit.bus import DEVICE_PREFIX, WORDS, Bus
from lineset.kit.clock import now
from lineset.kit.durable import receipted_words
from lineset.kit.errors import Denied, LinesetError, TooMany
from lineset.kit.ids import parse_id
from lineset.kit.violations import Violation, watch
from lineset.privacy import Context, Door, Purpose, System, Tx

CHANNELS = ("events", "status", "results", "reported")
"""The channels of a gateway's topics that `take` understands."""
INGEST = Context(System("ingest"), Purpose.OPERATE)
LOCATION = Context(System("ingest"), Purpose.LOCATION)
QUEUE = "ingest"
EVENTS_PER_SECOND, EVENTS_AT_ONCE = 2.0, 200
"""How fast events of one gateway are read; what comes faster is only counted."""
TRIES = 5
"""How often a message is tried that fails by itself, before it is set aside."""
_FETCH = 200
_AGAIN_S = 2.0
_FLOOD_S = 5.0

_log = structlog.get_logger(__name__)


class Inbox:
    """Takes what gateways say from the bus, in an ingestion process. Any number may run; each message goes to one of them."""

    def __init__(self, door: Door, bus: Bus) -> None:
        self._door = door
        self._bus = bus
        self._pace = Buckets(EVENTS_PER_SECOND, EVENTS_AT_ONCE)
        self._too_fast: dict[UUID, int] = {}
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen to messages of QoS 0, and to attempts at what devices may not do."""
        for subject in WORDS:
            await self._bus.subscribe(subject, self._plain, queue=QUEUE)
        await watch(self._bus, self._violation)

    async def run(self) -> None:
        """Take messages of QoS 1 from the durable store until cancelled; each leaves it when its transaction has been committed."""
        source = receipted_words(self._bus)
        try:
            while True:
                for message in await source.fetch(_FETCH):
                    await self._surely(message)
        finally:
            if self._telling is not None:
                self._telling.cancel()
            with contextlib.suppress(LinesetError):
                await source.close()

    async def _plain(self, message: Msg) -> None:
        # The broker delivers messages of QoS 1 and 2 here too; those come again, and surely, from the durable store.
        named = _named(message.subject)
        if named is not None and (message.headers or {}).get("Nmqtt-Pub", "0") == "0" and self._in_pace(*named):
            await take(self._door, *named, message.data)

    async def _surely(self, message: Msg) -> None:
        named = _named(message.subject.removeprefix(DEVICE_PREFIX))
        if named is None:
            await message.term()
            return
        if message.metadata.num_delivered == 1 and not self._in_pace(*named):
            await message.ack()
            return
        try:
            await take(self._door, *named, message.data)
        except Exception as error:  # noqa: BLE001 - whatever one message does must not stop the others
            away = isinstance(error, AWAY)
            if away or message.metadata.num_delivered < TRIES:
                _log.warning("word_not_taken", subject=message.subject, error=str(error).splitlines()[0][:200] if str(error) else "")
                await message.nak(_AGAIN_S)
                await asyncio.sleep(_AGAIN_S if away else 0)
                return
            _log.exception("message_set_aside", subject=message.subject)
            async with self._door.open(INGEST) as tx:
                await telemetry.keep_poison(tx, message.subject, message.data, f"{type(error).__name__}: {error}")
        await message.ack()

    def _in_pace(self, gateway: UUID, channel: str) -> bool:
        """Whether this message may be read now. Events that come too fast are counted and told as one."""
        if channel != "events":
            return True
        try:
            self._pace.take(gateway)
        except TooMany:
            self._too_fast[gateway] = self._too_fast.get(gateway, 0) + 1
            if self._telling is None or self._telling.done():
                self._telling = asyncio.create_task(self._tell_floods())
            return False
        return True

    async def _tell_floods(self) -> None:
        await asyncio.sleep(_FLOOD_S)
        counted, self._too_fast = self._too_fast, {}
        for gateway, times in counted.items():
            try:
                async with self._door.open(INGEST) as tx:
                    await gateways.record_flood(tx, gateway, times)
            except Exception as error:  # noqa: BLE001 - the database is away; the others are told as soon as it is back
                _log.warning("flood_not_told", gateway=str(gateway), times=times, error=str(error).splitlines()[0][:200])
                self._too_fast[gateway] = self._too_fast.get(gateway, 0) + times

    async def _violation(self, violation: Violation) -> None:
        await notice(self._door, violation)


def _named(subject: str) -> tuple[UUID, str] | None:
    """Gateway and channel of a subject such as lineset.v1.{gateway}.events."""
    parts = subject.split(".")
    gateway = parse_id(parts[2]) if len(parts) == 4 else None
    return None if gateway is None else (gateway, parts[3])


async def notice(door: Door, violation: Violation) -> None:
    """Keep a device's attempt at what it may not do, for the page of the site where it stands."""
    gateway = parse_id(violation.gateway)
    if gateway is None:
        return
    topic = violation.subject.replace(".", "/")
    say = {
        "publish": f"It tried to publish on {topic}, which is not its own. Nothing came of it.",
        "subscribe": f"It tried to listen to {topic}, which is not its own. It heard nothing.",
        "oversize": "It sent a message that is larger than the broker takes, and was cut off.",
    }[violation.action]
    async with door.open(INGEST) as tx:
        await gateways.record_violation(tx, gateway, topic, say, violation.count)


async def take(door: Door, gateway_id: UUID, channel: str, payload: bytes) -> None:
    """Take one message of a gateway in a transaction of its own. It may come more than once.

    A message that can't be read is kept as an error of the gateway, with the reason. Raises what the database raises, so that the caller
    leaves the message in the broker's keeping.
    """
    place = None
    async with door.open(INGEST) as tx:
        try:
            place = await _hand_on(tx, gateway_id, channel, payload)
        except WireError as error:
            detail: dict[str, object] = {"code": error.code, "say": error.say, "channel": channel}
            await gateways.record_event(tx, gateway_id, Event("error", now().timestamp(), None, detail))
    if place is not None:
        with contextlib.suppress(Denied):  # switched off meanwhile
            async with door.open(LOCATION) as tx:
                await sites.set_place(tx, place.household, "gateway", place.gateway, place.latitude, place.longitude, "device")


async def _hand_on(tx: Tx, gateway_id: UUID, channel: str, payload: bytes) -> gateways.Told | None:
    if channel == "events":
        return await gateways.record_event(tx, gateway_id, decode(Event, payload))
    if channel == "status":
        await gateways.record_status(tx, gateway_id, decode(Status, payload))
    elif channel == "results":
        await settle(tx, gateway_id, decode(Result, payload))
    elif channel == "reported":
        await take_reported(tx, gateway_id, decode(Reported, payload))
    else:
        raise ValueError(f"{channel!r} is none of {', '.join(CHANNELS)}")
    return None
