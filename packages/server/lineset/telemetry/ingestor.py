"""Ingestion: batches of messages from gateways to committed rows, acknowledgements and live values.

Messages wait in a bounded, fair queue; one batch is stored while the next gathers. Numbered messages may be dropped before they are
stored, because their sender repeats what is not acknowledged; nothing is acknowledged before its commit.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import psycopg
import structlog
from lineset_contract.refusals import refuse
from lineset_contract.wire import Ack, Refused, encode_ack, sequence_of

from lineset.telemetry import live, store
from lineset.telemetry.batch import Block, Builder, Route, newest
from lineset.telemetry.directory import Directory, Gateway
from lineset.telemetry.fair import FairQueue, Message, Offer
from lineset.telemetry.judging import Read, Refusals, acknowledgements, admit, choose, place
from lineset.telemetry.store import Refusing
from lineset.telemetry.throttle import Spending, Throttle
from lineset.telemetry.waste import Waste

__all__ = ["Counts", "Ingestor", "Message"]

log = structlog.get_logger(__name__)

_SEEN_EVERY_S = 30.0
_RETRY_S = (0.1, 0.3, 1.0, 2.0)

_NOT_THE_MESSAGE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.ProgrammingError, psycopg.InternalError, OSError)
"""Faults of the database or of our own set-up: nothing is wrong with the messages, so they wait until it is mended."""

Post = Callable[[str, bytes], Awaitable[None]]


@dataclass(slots=True)
class Counts:
    """What this process has done since it started."""

    messages: int = 0
    frames: int = 0
    refused: int = 0
    dropped: int = 0
    poison: int = 0
    floods: int = 0


@dataclass(slots=True)
class _Outcome:
    acks: list[tuple[Message, Ack]] = field(default_factory=list)
    live: list[tuple[str, bytes]] = field(default_factory=list)


class Ingestor:
    """Stores what gateways send. `connect` opens a connection of the ingestion role; `post` publishes on the broker; `flooded` is told
    of a gateway that has to be cut off, because it sends far more than is taken of it."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[psycopg.AsyncConnection]],
        post: Post,
        clock: Callable[[], float] = time.time,
        flooded: Callable[[UUID], None] = lambda _: None,
    ) -> None:
        self._connect = connect
        self._post = post
        self._clock = clock
        self._flooded = flooded
        self._waste = Waste()
        self._dropped: Counter[UUID] = Counter()
        self._connection: psycopg.AsyncConnection | None = None
        self._queue = FairQueue()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._days: set[date] = set()
        self._seen: dict[UUID, float] = {}
        self._throttle = Throttle()
        self.directory = Directory()
        self.interest = live.Interest()
        self.counts = Counts()

    def offer(self, message: Message) -> bool:
        """Put a message into the queue; False, and nothing kept, when there is no room for it: its sender will repeat it."""
        outcome = Offer.QUEUE_FULL if self._waste.shut(message.gateway) else self._queue.offer(message)
        if outcome is not Offer.TAKEN:
            self.counts.dropped += 1
            if outcome is Offer.LANE_FULL:
                self._dropped[message.gateway] += 1
                self._in_vain(message)
            return False
        self._arrived.set()
        return True

    async def put(self, message: Message) -> bool:
        """Put a message into the queue, waiting while there is no room for anybody: for senders that the broker holds back.

        False, and nothing kept, when its gateway alone has too much waiting: nobody else is to wait for that one.
        """
        if self._waste.shut(message.gateway):
            self.counts.dropped += 1
            return False
        while (outcome := self._queue.offer(message)) is Offer.QUEUE_FULL:
            self._room.clear()
            await self._room.wait()
        if outcome is Offer.LANE_FULL:
            self.counts.dropped += 1
            self._dropped[message.gateway] += 1
            self._in_vain(message)
            return False
        self._arrived.set()
        return True

    def _in_vain(self, message: Message) -> None:
        if self._waste.add(message.gateway, len(message.payload)):
            self.counts.floods += 1
            dropped = self._queue.drop(message.gateway)
            self._dropped[message.gateway] += dropped
            self.counts.dropped += dropped
            self._flooded(message.gateway)

    async def run(self) -> None:
        """Store batches until cancelled."""
        while True:
            await self._arrived.wait()
            batch = self._queue.take()
            if not self._queue:
                self._arrived.clear()
            self._room.set()
            if batch:
                await self.handle(batch)

    async def close(self) -> None:
        """Close the connection to the database."""
        if self._connection is not None:
            await self._connection.close()

    def forgive(self) -> None:
        """Forget how much each gateway has sent."""
        self._throttle = Throttle()

    async def handle(self, batch: Sequence[Message]) -> None:
        """Store a batch, trying again while the database is away; a message that breaks it is found and set aside."""
        for attempt in range(10**9):
            try:
                outcome = await self._store(batch)
                break
            except _NOT_THE_MESSAGE as error:
                await self._reconnect(attempt, error)
            except Exception as error:  # noqa: BLE001 - whatever a message does must not stop the others
                await self._rollback()
                if len(batch) > 1:
                    half = len(batch) // 2
                    await self.handle(batch[:half])
                    await self.handle(batch[half:])
                    return
                try:
                    outcome = await self._set_aside(batch[0], error)
                except psycopg.IntegrityError:
                    # The gateway was erased while its message was on the way: there is nobody to keep it for or to answer.
                    await self._rollback()
                    outcome = _Outcome()
                except _NOT_THE_MESSAGE as away:
                    await self._reconnect(attempt, away)
                    continue
                break
        for subject, payload in outcome.live:
            await self._post(subject, payload)
        await self._answer(outcome.acks)

    async def _answer(self, acks: list[tuple[Message, Ack]]) -> None:
        """Acknowledge: one message to each gateway and epoch, however many of its messages the batch had."""
        topics: dict[tuple[UUID, str], Ack] = {}
        for message, ack in acks:
            if message.reply is not None:
                await message.reply(ack)
            elif ack.through >= 0:
                joined = topics.setdefault((message.gateway, ack.epoch), Ack(ack.epoch, ack.through, []))
                joined.through = max(joined.through, ack.through)
                joined.refused.extend(ack.refused)
        for (gateway, _), ack in topics.items():
            for part in encode_ack(ack):
                await self._post(f"lineset.v1.{gateway}.ack", part)
        for message, _ in acks:
            if message.settled is not None:
                await message.settled()

    async def _reconnect(self, attempt: int, error: Exception) -> None:
        wait = _RETRY_S[min(attempt, len(_RETRY_S) - 1)]
        log.warning("database_away", error=str(error).splitlines()[0][:200], wait_s=wait)
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await self._connection.close()
            self._connection = None
        await asyncio.sleep(wait)

    async def _rollback(self) -> None:
        if self._connection is not None:
            await self._connection.rollback()

    async def _open(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            connection = await self._connect()
            await store.prepare(connection)
            self._connection = connection
        return self._connection

    async def _known(self, connection: psycopg.AsyncConnection, wanted: dict[UUID, set[str]]) -> None:
        """See to it that the directory knows these gateways and machines, as far as they exist."""
        stale = self.directory.stale(wanted)
        if stale:
            async with store.transaction(connection):
                await self.directory.read(connection, stale)

    async def _set_aside(self, message: Message, error: Exception) -> _Outcome:
        log.error("message_set_aside", subject=message.subject, error=repr(error)[:300], bytes=len(message.payload))
        self.counts.poison += 1
        connection = await self._open()
        await self._known(connection, {message.gateway: set()})
        refusal = refuse("set_aside")
        async with store.transaction(connection):
            await store.set_aside(connection, message.subject, message.payload, f"{type(error).__name__}: {error}")
            number = sequence_of(message.payload)
            if number is None:
                return _Outcome([(message, Ack("", 0, [Refused(0, None, refusal.code, refusal.say)]))])
            key = (message.gateway, number[0])
            progress = await store.lock_progress(connection, [key])
            progress[key].add({number[1]})
            await store.save_progress(connection, progress)
            known = self.directory.get(message.gateway)
            household = None if known is None else known.household
            await store.save_refusals(connection, [Refusing(message.gateway, household, number[0], number[1], None, None, refusal)])
        return _Outcome([(message, Ack(number[0], progress[key].through, [Refused(number[1], None, refusal.code, refusal.say)]))])

    async def _store(self, batch: Sequence[Message]) -> _Outcome:
        connection = await self._open()
        now = self._clock()
        refusals, spending = Refusals(now), self._throttle.spending()
        read, known = await self._admit(connection, batch, spending, refusals)
        dropped = await self._tell_of_dropped(connection, refusals)
        held = [r for r in read if r.message.gateway not in known]
        read = [r for r in read if r.message.gateway in known]
        builder = Builder(now)
        async with store.transaction(connection) as closed:
            progress = await store.lock_progress(connection, [r.key for r in read if r.key is not None])
            taken = choose(read, progress)
            routes = place(taken, builder, refusals)
            if asking := builder.asking:
                builder.decide(await store.consents(connection, asking))
            if builder.missing:
                builder.retry(await self.directory.give_slots(connection, routes.values(), builder.missing))
            blocks = builder.blocks()
            conflicts = await store.insert(connection, blocks, self._days, closed)
            for source, refusal in builder.refusals + conflicts:
                refusals.add(taken[source.message], source.frame, refusal)
            await store.save_refusals(connection, refusals.rows())
            new = set(taken)
            repeated = [(*r.key, r.seq) for r in read if r.key and r.seq and r not in new and not r.again]
            before = await store.stored_refusals(connection, repeated)
            await store.save_progress(connection, progress)
            await self._note_contact(connection, known)
        spending.settle()
        self._dropped -= dropped
        for message in refusals.in_vain:
            self._in_vain(message)
        self.counts.messages += len(taken)
        self.counts.frames += sum(len(b.t) for b in blocks)
        self.counts.refused += refusals.count
        return _Outcome(acknowledgements([*held, *read], progress, before), self._live(blocks, routes))

    async def _admit(
        self, connection: psycopg.AsyncConnection, batch: Sequence[Message], spending: Spending, refusals: Refusals
    ) -> tuple[list[Read], dict[UUID, Gateway]]:
        """The messages of the batch as read, as far as their gateways keep to their limits, and those of the gateways that exist."""
        senders: dict[UUID, list[Message]] = {}
        for message in batch:
            senders.setdefault(message.gateway, []).append(message)
        await self._known(connection, {gateway: set() for gateway in senders})
        read: list[Read] = []
        wanted: dict[UUID, set[str]] = {}
        for id_, messages in senders.items():
            gateway = self.directory.get(id_)
            admitted = admit(messages, gateway, spending, refusals)
            read += admitted
            if gateway is not None:
                names = {frame.e for r in admitted if r.frames is not None for _, frame in r.frames.frames}
                if not names <= gateway.routes.keys():
                    wanted[id_] = names
        if wanted:
            await self._known(connection, wanted)
            for r in read:
                if r.message.gateway in wanted:
                    r.gateway = self.directory.get(r.message.gateway)
        return read, {id_: known for id_ in senders if (known := self.directory.get(id_)) is not None}

    async def _tell_of_dropped(self, connection: psycopg.AsyncConnection, refusals: Refusals) -> Counter[UUID]:
        """Messages that found their gateway's lane full are counted on the site's page as over the limit."""
        dropped = self._dropped.copy()
        await self._known(connection, {gateway: set() for gateway in dropped})
        for id_, times in dropped.items():
            gateway = self.directory.get(id_)
            if gateway is not None and gateway.household is not None:
                refusals.add_up(id_, gateway.household, self._throttle.refusal("gateway"), times)
        return dropped

    async def _note_contact(self, connection: psycopg.AsyncConnection, gateways: dict[UUID, Gateway]) -> None:
        now = time.monotonic()
        fresh = [g for g in gateways if now - self._seen.get(g, -1e9) > _SEEN_EVERY_S]
        if fresh:
            await connection.execute("UPDATE gateways SET last_seen_at = now() WHERE id = ANY(%s)", (sorted(fresh),))
            self._seen.update(dict.fromkeys(fresh, now))

    def _live(self, blocks: list[Block], routes: dict[UUID, Route]) -> list[tuple[str, bytes]]:
        where = {s.series: (s.household, route) for route in routes.values() for s in route.spans if s.household in self.interest}
        if not where:
            return []
        messages = []
        for block in blocks:
            tip = newest(block)
            for i, series in enumerate(tip.series.tolist()):
                if series not in where:
                    continue
                household, route = where[series]
                values = {
                    name: float(value)
                    for name, (kind, slot) in route.layout.slots.items()
                    for value in [tip.totals[i, slot] if kind == "counter" else tip.reals[i, slot]]
                    if slot < (block.layout.totals if kind == "counter" else block.layout.reals) and value == value  # noqa: PLR0124
                }
                payload = live.encode(live.LiveValues(route.equipment, float(tip.t[i]), values))
                messages.append((live.subject(household, route.equipment), payload))
        return messages
