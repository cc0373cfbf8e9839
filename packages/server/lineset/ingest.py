"""The ingest role: takes what devices send, stores it, answers them, and decides who may connect.

Any number of these processes may run; the bus gives each message to one of them.
"""

import asyncio
import contextlib
import functools
import gc
import json
import signal
from uuid import UUID

import structlog
import uvloop
from lineset_contract.wire import Ack, encode
from nats.aio.msg import Msg

from lineset import control, telemetry
from lineset.gateways import FLOOD, Callout, Connections, Floods, Identities, live_gateways
from lineset.kit.bus import DEVICE_PREFIX, FRAMES, Bus, BusFault, bus_key
from lineset.kit.durable import receipted_frames
from lineset.kit.ids import parse_id
from lineset.kit.roles import INGEST
from lineset.kit.settings import Settings
from lineset.platform import Platform, open_platform
from lineset.privacy import Context, Purpose, System

log = structlog.get_logger(__name__)

QUEUE = "ingest"
HTTP_FRAMES = "ingest.frames.*"
_FETCH = 500
_MOST_FLOODS = 1000
_TRIES = 8


class Frames:
    """Frame messages from the bus to the ingestor: QoS 0 as they come, QoS 1 from the durable store, HTTP from the web processes."""

    def __init__(self, platform: Platform, ingestor: telemetry.Ingestor) -> None:
        self._platform = platform
        self._ingestor = ingestor

    async def start(self) -> None:
        """Subscribe."""
        bus = self._platform.bus
        await bus.subscribe(FRAMES, self._plain, queue=QUEUE)
        await bus.subscribe(HTTP_FRAMES, self._http, queue=QUEUE)
        await bus.subscribe(telemetry.live.WANT, self._want)
        await bus.subscribe("wake.gateway.*", self._changed)
        await bus.subscribe("wake.revoke.*", self._changed)

    async def _plain(self, message: Msg) -> None:
        # The broker delivers messages of QoS 1 and 2 here too; those come again, and surely, from the durable store.
        if message.headers is not None and message.headers.get("Nmqtt-Pub", "0") != "0":
            return
        gateway = gateway_of(message.subject)
        if gateway is not None:
            self._ingestor.offer(telemetry.Message(gateway, message.subject, message.data))

    async def _http(self, message: Msg) -> None:
        gateway = parse_id(message.subject.rpartition(".")[2])
        if gateway is None:
            return

        async def reply(ack: Ack) -> None:
            await message.respond(encode(ack))

        numbered = not (message.headers and message.headers.get("Unnumbered"))
        accepted = self._ingestor.offer(telemetry.Message(gateway, message.subject, message.data, reply=reply, numbered=numbered))
        if not accepted:
            await message.respond(b'{"busy": true}')

    async def _want(self, message: Msg) -> None:
        self._ingestor.interest.heard(message.data)

    async def _changed(self, message: Msg) -> None:
        gateway = parse_id(message.subject.rpartition(".")[2])
        if gateway is not None:
            self._ingestor.directory.forget(gateway)

    async def durable(self) -> None:
        """Take QoS 1 messages from the durable store until cancelled; each is acknowledged there after its commit."""
        source = receipted_frames(self._platform.bus)
        while True:
            for message in await source.fetch(_FETCH):
                gateway = gateway_of(message.subject.removeprefix(DEVICE_PREFIX))
                if gateway is None:
                    await message.term()
                    continue
                if not await self._ingestor.put(telemetry.Message(gateway, message.subject, message.data, settled=message.ack)):
                    # That gateway has too much waiting. The store need not keep it: its sender repeats what we have not acknowledged.
                    await message.ack()


class Cutting:
    """Cuts off gateways that flood: everywhere, and they are not let in again at once."""

    def __init__(self, bus: Bus, floods: Floods) -> None:
        self._bus = bus
        self._floods = floods
        self._waiting: asyncio.Queue[UUID] = asyncio.Queue(_MOST_FLOODS)

    def add(self, gateway: UUID) -> None:
        """This one floods. While very many do, some wait until they are noticed again."""
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(gateway)

    async def start(self) -> None:
        """Listen to what other processes notice."""
        await self._bus.subscribe(f"{FLOOD}.*", self._heard)

    async def _heard(self, message: Msg) -> None:
        gateway = parse_id(message.subject.rpartition(".")[2])
        if gateway is not None:
            self._floods.shut_out(gateway)

    async def run(self, callout: Callout) -> None:
        """Cut until cancelled."""
        while True:
            gateway = await self._waiting.get()
            wait_s = self._floods.shut_out(gateway)
            log.warning("gateway_floods", gateway=str(gateway), not_let_in_for_s=wait_s)
            try:
                await self._bus.publish(f"{FLOOD}.{gateway}")
                # under a flood the servers' lists of connections may come too late to be waited for
                for _ in range(_TRIES):
                    if await callout.kick(gateway):
                        break
            except BusFault as error:
                log.warning("flood_not_cut", gateway=str(gateway), error=error.say)


@functools.lru_cache(maxsize=50_000)
def gateway_of(subject: str) -> UUID | None:
    """The gateway in a subject such as lineset.v1.{gateway}.frames."""
    parts = subject.split(".")
    return parse_id(parts[2]) if len(parts) == 4 else None


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    async with open_platform(settings, "ingest", role=INGEST, pool=3) as platform:
        floods = Floods(Identities(platform.door, Context(System("ingest"), Purpose.OPERATE)))
        cutting = Cutting(platform.bus, floods)
        ingestor = telemetry.Ingestor(platform.ingest_connection, platform.bus.publish, flooded=cutting.add)
        frames = Frames(platform, ingestor)
        await frames.start()
        inbox = control.Inbox(platform.door, platform.bus)
        await inbox.start()
        system = await Bus.connect(settings, "callout", account="system")

        async def live(gateways: list[UUID]) -> set[UUID]:
            async with platform.door.open(Context(System("ingest"), Purpose.OPERATE)) as tx:
                return await live_gateways(tx, gateways)

        connections = Connections(platform.door, Context(System("ingest"), Purpose.OPERATE))
        callout = Callout(platform.bus, system, bus_key(settings, "issuer"), floods, live, connections)
        await callout.start()
        await cutting.start()

        async def healthy(message: Msg) -> None:
            await message.respond(json.dumps(vars_of(ingestor.counts)).encode())

        await platform.bus.subscribe("health.ingest", healthy, queue=QUEUE)
        tasks = [asyncio.create_task(work) for work in (ingestor.run(), frames.durable(), inbox.run(), cutting.run(callout))]
        _spare_the_collector()
        log.info("ingest_ready")
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in [waiting, *tasks]:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await callout.stop()
        await connections.close()
        await ingestor.close()
        await system.close()
        log.info("ingest_stopped", clean=waiting in done)


def _spare_the_collector() -> None:
    """Messages and frames hold no cycles; searching for some among all that is loaded took a tenth of this process' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def vars_of(counts: telemetry.Counts) -> dict[str, int]:
    """The counts as plain numbers."""
    return {
        "messages": counts.messages,
        "frames": counts.frames,
        "refused": counts.refused,
        "dropped": counts.dropped,
        "poison": counts.poison,
        "floods": counts.floods,
    }


def serve(settings: Settings) -> None:
    """Run the role in this process until it is told to stop."""
    uvloop.run(run(settings))
