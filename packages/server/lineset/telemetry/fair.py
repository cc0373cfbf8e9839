"""The queue in front of ingestion: bounded in memory, and fair, so that no gateway's flood delays or displaces another's message.

Each gateway has a lane. How much a lane may hold shrinks as the queue fills (*dynamic thresholds*: Choudhury and Hahne, "Dynamic queue
length thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2), 1998), so the greedy ones stop first and
there is always room for who has nothing waiting. Lanes are served in turn by bytes (*deficit round robin*: Shreedhar and Varghese,
IEEE/ACM Transactions on Networking 4(3), 1996), and in each batch one lane gets only its share.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from uuid import UUID

from lineset_contract.wire import Ack

MAX_BYTES = 64 * 2**20
"""Everything that waits, with what it costs to keep it."""
LANE_BYTES = 5 * 2**20
"""What waits of one gateway: more than the window of a device that keeps to the rules, with messages as large as allowed."""
LANE_SHARE = 0.25
"""A lane may hold this part of the room that is left."""
BATCH_BYTES = 8 * 2**20
BATCH_MESSAGES = 2_000
LANE_BATCH_BYTES = 2**20
"""One gateway's part of a batch."""
_TURN_BYTES = 16 * 2**10
_KEEPING = 512
"""What a waiting message costs besides its payload, in bytes."""


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


class Offer(Enum):
    """What became of an offered message."""

    TAKEN = auto()
    LANE_FULL = auto()
    """Its gateway has too much waiting already."""
    QUEUE_FULL = auto()
    """There is no room for anybody."""


@dataclass(slots=True, eq=False)
class _Lane:
    waiting: deque[Message] = field(default_factory=deque)
    size: int = 0
    credit: int = 0
    batch: int = 0
    served: int = 0


class FairQueue:
    """Messages waiting to be stored, by gateway."""

    def __init__(self, limit: int = MAX_BYTES) -> None:
        self._limit = limit
        self._lanes: dict[UUID, _Lane] = {}
        self._turns: deque[tuple[UUID, _Lane]] = deque()
        self._size = 0
        self._batch = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._turns)

    @property
    def size(self) -> int:
        """Bytes in use."""
        return self._size

    def offer(self, message: Message) -> Offer:
        """Let a message wait, unless its lane or the queue has no room for it."""
        cost = len(message.payload) + _KEEPING
        room = self._limit - self._size
        if cost > room:
            return Offer.QUEUE_FULL
        lane = self._lanes.get(message.gateway)
        if lane is None:
            lane = self._lanes[message.gateway] = _Lane()
            self._turns.append((message.gateway, lane))
        elif lane.size + cost > min(LANE_BYTES, LANE_SHARE * room):
            return Offer.LANE_FULL
        lane.waiting.append(message)
        lane.size += cost
        self._size += cost
        return Offer.TAKEN

    def drop(self, gateway: UUID) -> int:
        """Forget what waits of a gateway, but for those messages that somebody waits for. How many were forgotten."""
        lane = self._lanes.get(gateway)
        if lane is None:
            return 0
        kept = deque(m for m in lane.waiting if m.reply is not None or m.settled is not None)
        dropped = len(lane.waiting) - len(kept)
        freed = lane.size - sum(len(m.payload) + _KEEPING for m in kept)
        lane.waiting = kept
        lane.size -= freed
        self._size -= freed
        return dropped

    def take(self) -> list[Message]:
        """The next batch: of each gateway in the order in which it sent, of all gateways in turn."""
        batch: list[Message] = []
        room, resting = BATCH_BYTES, []
        self._batch += 1
        while self._turns and room > 0 and len(batch) < BATCH_MESSAGES:
            gateway, lane = self._turns.popleft()
            served = self._serve(lane, batch)
            room -= served
            if not lane.waiting:
                del self._lanes[gateway]
            elif lane.served >= LANE_BATCH_BYTES:
                resting.append((gateway, lane))
            else:
                self._turns.append((gateway, lane))
        self._turns.extend(resting)
        return batch

    def _serve(self, lane: _Lane, batch: list[Message]) -> int:
        """One turn of a lane: as many messages as its credit pays for. Returns their bytes."""
        if lane.batch != self._batch:
            lane.batch, lane.served = self._batch, 0
        lane.credit += _TURN_BYTES
        before = lane.served
        while lane.waiting and len(batch) < BATCH_MESSAGES:
            cost = len(lane.waiting[0].payload) + _KEEPING
            if cost > lane.credit:
                break
            batch.append(lane.waiting.popleft())
            lane.credit -= cost
            lane.size -= cost
            lane.served += cost
        if not lane.waiting:
            lane.credit = 0
        served = lane.served - before
        self._size -= served
        return served
