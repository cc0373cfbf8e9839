"""Ingestion: batches of messages from gateways to committed rows, acknowledgements and live values.

Messages wait in a bounded queue; one batch is stored while the next gathers. Numbered messages may be dropped before they are stored,
because their sender repeats what is not acknowledged; nothing is acknowledged before its commit.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import psycopg
import structlog
from lineset_contract.refusals import Refusal, refuse
from lineset_contract.wire import Ack, ReadFrames, Refused, WireError, encode_ack, read_frames, sequence_of

from lineset.telemetry import live, store
from lineset.telemetry.batch import Block, Builder, Route, Source, newest
from lineset.telemetry.directory import Directory, Gateway
from lineset.telemetry.store import Key, Progress, Refusing
from lineset.telemetry.throttle import Throttle

log = structlog.get_logger(__name__)

MAX_BATCH = 2_000
MAX_QUEUE = 20_000
MAX_QUEUE_BYTES = 64 * 2**20
_SEEN_EVERY_S = 30.0
_RETRY_S = (0.1, 0.3, 1.0, 2.0)

_NOT_THE_MESSAGE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.ProgrammingError, psycopg.InternalError, OSError)
"""Faults of the database or of our own set-up: nothing is wrong with the messages, so they wait until it is mended."""

Post = Callable[[str, bytes], Awaitable[None]]


@dataclass(slots=True)
class Message:
    """One message of a gateway.

    After the commit `reply` gets the acknowledgement, or, where it is None, the gateway's topic does; then `settled` runs. A message that
    is not `numbered` has no place in its gateway's sequence, whatever number it carries.
    """

    gateway: UUID
    subject: str
    payload: bytes
    reply: Callable[[Ack], Awaitable[None]] | None = None
    settled: Callable[[], Awaitable[None]] | None = None
    numbered: bool = True


@dataclass(slots=True, eq=False)
class _Read:
    """A message as read, or why it can't be."""

    message: Message
    epoch: str | None
    seq: int | None
    frames: ReadFrames | None
    refusal: Refusal | None
    again: bool = False  # refused for now only: the device is to send it again

    @property
    def key(self) -> Key | None:
        return None if self.epoch is None else (self.message.gateway, self.epoch)


@dataclass(slots=True)
class Counts:
    """What this process has done since it started."""

    messages: int = 0
    frames: int = 0
    refused: int = 0
    dropped: int = 0
    poison: int = 0


@dataclass(slots=True)
class _Outcome:
    acks: list[tuple[Message, Ack]] = field(default_factory=list)
    live: list[tuple[str, bytes]] = field(default_factory=list)


class Ingestor:
    """Stores what gateways send. `connect` opens a connection of the ingestion role; `post` publishes on the broker."""

    def __init__(
        self, connect: Callable[[], Awaitable[psycopg.AsyncConnection]], post: Post, clock: Callable[[], float] = time.time
    ) -> None:
        self._connect = connect
        self._post = post
        self._clock = clock
        self._connection: psycopg.AsyncConnection | None = None
        self._queue: deque[Message] = deque()
        self._queued_bytes = 0
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
        """Put a message into the queue; False, and nothing kept, when the queue is full: its sender will repeat it."""
        if len(self._queue) >= MAX_QUEUE or self._queued_bytes + len(message.payload) > MAX_QUEUE_BYTES:
            self.counts.dropped += 1
            return False
        self._queue.append(message)
        self._queued_bytes += len(message.payload)
        self._arrived.set()
        return True

    async def put(self, message: Message) -> None:
        """Put a message into the queue, waiting for room: for senders that the broker holds back."""
        while not self.offer(message):
            self.counts.dropped -= 1
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Store batches until cancelled."""
        while True:
            await self._arrived.wait()
            batch = self._next()
            if batch:
                await self.handle(batch)

    async def close(self) -> None:
        """Close the connection to the database."""
        if self._connection is not None:
            await self._connection.close()

    def forgive(self) -> None:
        """Forget how much each gateway has sent."""
        self._throttle = Throttle()

    def _next(self) -> list[Message]:
        batch = [self._queue.popleft() for _ in range(min(MAX_BATCH, len(self._queue)))]
        self._queued_bytes -= sum(len(m.payload) for m in batch)
        if not self._queue:
            self._arrived.clear()
        self._room.set()
        return batch

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
            self._connection = await self._connect()
        return self._connection

    async def _set_aside(self, message: Message, error: Exception) -> _Outcome:
        log.error("message_set_aside", subject=message.subject, error=repr(error)[:300], bytes=len(message.payload))
        self.counts.poison += 1
        connection = await self._open()
        refusal = refuse("set_aside")
        async with connection.transaction():
            await store.begin(connection)
            await store.set_aside(connection, message.subject, message.payload, f"{type(error).__name__}: {error}")
            number = sequence_of(message.payload)
            if number is None:
                return _Outcome([(message, Ack("", 0, [Refused(0, None, refusal.code, refusal.say)]))])
            key = (message.gateway, number[0])
            progress = await store.lock_progress(connection, [key])
            progress[key].add({number[1]})
            await store.save_progress(connection, progress)
            known = (await self.directory.load(connection, {message.gateway: set()}))[message.gateway]
            household = None if known is None else known.household
            await store.save_refusals(connection, [Refusing(message.gateway, household, number[0], number[1], None, None, refusal)])
        return _Outcome([(message, Ack(number[0], progress[key].through, [Refused(number[1], None, refusal.code, refusal.say)]))])

    async def _store(self, batch: Sequence[Message]) -> _Outcome:
        connection = await self._open()
        read = [self._read(m) for m in batch]
        async with connection.transaction():
            await store.begin(connection)
            gateways = await self.directory.load(connection, _wanted(read))
        self._hold_back(read, gateways)
        unknown = [r for r in read if gateways[r.message.gateway] is None]
        read = [r for r in read if gateways[r.message.gateway] is not None]
        known = {g: found for g, found in gateways.items() if found is not None}
        builder = Builder(self._clock())
        refusing = _Refusals(known)
        async with connection.transaction():
            await store.begin(connection)
            keys = [r.key for r in read if r.key is not None]
            progress = await store.lock_progress(connection, keys)
            taken = self._choose(read, progress)
            places = [self._build(n, r, known, builder, refusing) for n, r in enumerate(taken)]
            routes = {route.equipment: route for found in places for route in found}
            if builder.missing:
                builder.retry(await self.directory.give_slots(connection, routes.values(), builder.missing))
            blocks = builder.blocks()
            await store.ensure_days(connection, blocks, self._days)
            conflicts = await store.insert(connection, blocks)
            for source, refusal in builder.refusals + conflicts:
                refusing.add(taken[source.message], source.index, refusal)
            await store.save_refusals(connection, refusing.rows())
            new = set(taken)
            repeated = [(*r.key, r.seq) for r in read if r.key and r.seq and r not in new and not r.again]
            before = await store.stored_refusals(connection, repeated)
            await store.save_progress(connection, progress)
            await self._note_contact(connection, known)
        self.counts.messages += len(taken)
        self.counts.frames += sum(len(b.t) for b in blocks)
        self.counts.refused += refusing.count
        return _Outcome(_acks(read + unknown, progress, refusing, before), self._live(blocks, routes))

    def _read(self, message: Message) -> _Read:
        try:
            frames = read_frames(message.payload)
        except WireError as error:
            epoch, seq = (sequence_of(message.payload) if message.numbered else None) or (None, None)
            return _Read(message, epoch, seq, None, error.refusal)
        if not message.numbered:
            return _Read(message, None, None, frames, None)
        return _Read(message, frames.epoch, frames.seq, frames, None)

    def _hold_back(self, read: list[_Read], gateways: dict[UUID, Gateway | None]) -> None:
        for r in read:
            frames = len(r.frames.frames) if r.frames is not None else 1
            known = gateways[r.message.gateway]
            if known is None:
                r.refusal, r.again = refuse("revoked"), True
            elif known.household is None:
                r.refusal, r.again = refuse("not_claimed"), True
            elif not self._throttle.allow(r.message.gateway, max(1, frames)):
                r.refusal, r.again = refuse("rate", limit=Throttle.PER_SECOND), True

    def _choose(self, read: list[_Read], progress: dict[Key, Progress]) -> list[_Read]:
        """The messages to take now: not those refused for now, stored before, twice in the batch, or too far ahead."""
        taken: list[_Read] = []
        fresh: dict[Key, set[int]] = {}
        for r in read:
            if r.again:
                continue
            if r.key is None or r.seq is None:
                taken.append(r)
                continue
            seqs = fresh.setdefault(r.key, set())
            if progress[r.key].has(r.seq) or r.seq in seqs or not progress[r.key].within(r.seq):
                continue
            seqs.add(r.seq)
            taken.append(r)
        for key, seqs in fresh.items():
            progress[key].add(seqs)
        return taken

    def _build(self, n: int, r: _Read, gateways: dict[UUID, Gateway], builder: Builder, refusing: "_Refusals") -> list[Route]:
        if r.frames is None:
            refusing.add(r, None, r.refusal or refuse("bad_message", detail="unreadable"))
            return []
        for bad in r.frames.refused:
            refusing.add(r, bad.index, Refusal(bad.code, bad.say, {}))
        routes = gateways[r.message.gateway].routes
        used = []
        for index, frame in r.frames.frames:
            route = routes.get(frame.e)
            if route is None:
                refusing.add(r, index, refuse("unknown_equipment", equipment=frame.e[:64]))
                continue
            used.append(route)
            builder.add(route, frame, Source(n, index))
        return used

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


class _Refusals:
    """Refusals of one batch: for the answers, and (bounded) for the table."""

    MAX_ROWS = 20

    def __init__(self, gateways: dict[UUID, Gateway]) -> None:
        self._gateways = gateways
        self._rows: list[Refusing] = []
        self._per_message: dict[int, int] = {}
        self.answers: dict[int, list[Refused]] = {}
        self.count = 0

    def add(self, r: _Read, index: int | None, refusal: Refusal) -> None:
        self.count += 1
        self.answers.setdefault(id(r), []).append(Refused(r.seq or 0, index, refusal.code, refusal.say))
        so_far = self._per_message[id(r)] = self._per_message.get(id(r), 0) + 1
        if so_far <= self.MAX_ROWS:
            equipment = next((f.e for i, f in r.frames.frames if i == index), None) if r.frames and index is not None else None
            household = self._gateways[r.message.gateway].household
            self._rows.append(Refusing(r.message.gateway, household, r.epoch, r.seq, index, equipment and equipment[:64], refusal))

    def rows(self) -> list[Refusing]:
        return self._rows


def _wanted(read: list[_Read]) -> dict[UUID, set[str]]:
    wanted: dict[UUID, set[str]] = {}
    for r in read:
        names = wanted.setdefault(r.message.gateway, set())
        if r.frames is not None:
            names.update(frame.e for _, frame in r.frames.frames)
    return wanted


def _acks(
    read: list[_Read], progress: dict[Key, Progress], refusing: _Refusals, before: dict[Key, list[Refused]]
) -> list[tuple[Message, Ack]]:
    acks = []
    for r in read:
        # Without a known place in a sequence there is nothing to acknowledge through.
        through = progress[r.key].through if r.key in progress and r.key is not None else -1
        if r.again and r.refusal is not None:
            acks.append((r.message, Ack(r.epoch or "", through, [Refused(r.seq or 0, None, r.refusal.code, r.refusal.say)])))
            continue
        refused = refusing.answers.get(id(r), [])
        if not refused and r.key in before:
            refused = [b for b in before[r.key] if b.seq == r.seq]
        acks.append((r.message, Ack(r.epoch or "", through, refused)))
    return acks
