"""What becomes of each message of a batch: whether it is taken, where its frames go, and what its sender is told. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from lineset_contract.refusals import Refusal, refuse
from lineset_contract.wire import Ack, ReadFrames, Refused, WireError, read_frames, sequence_of

from lineset.telemetry.batch import Builder, Route, Source
from lineset.telemetry.directory import Gateway
from lineset.telemetry.fair import Message
from lineset.telemetry.store import Key, Progress, Refusing
from lineset.telemetry.throttle import BYTES_PER_FRAME, UNREADABLE_FRAMES, Quota, Spending

_ROWS_PER_MESSAGE = 20
_ANSWERS_PER_BATCH = 4
"""A gateway over its limit is told so for this many messages of a batch; the others are dropped, since it has to send them again anyway."""
_HOUR_S = 3600


@dataclass(slots=True, eq=False)
class Read:
    """A message as read, or why it can't be. `again`: refused for now only, the device is to send it again."""

    message: Message
    epoch: str | None = None
    seq: int | None = None
    frames: ReadFrames | None = None
    refusal: Refusal | None = None
    again: bool = False
    key: Key | None = None
    answers: list[Refused] = field(default_factory=list)
    gateway: Gateway | None = None
    quota: Quota | None = None


def read(message: Message) -> Read:
    """Read a message; what can't be read is refused by its number, if that can be found."""
    try:
        frames = read_frames(message.payload)
    except WireError as error:
        return _numbered(Read(message, refusal=error.refusal))
    if not message.numbered:
        return Read(message, frames=frames)
    return Read(message, frames.epoch, frames.seq, frames, key=(message.gateway, frames.epoch))


def _numbered(r: Read) -> Read:
    number = sequence_of(r.message.payload) if r.message.numbered else None
    if number is not None:
        r.epoch, r.seq = number
        r.key = (r.message.gateway, r.epoch)
    return r


class Refusals:
    """Refusals of one batch: for the answers, and, bounded, for the table."""

    def __init__(self, now: float) -> None:
        self._hour = int(now // _HOUR_S)
        self._rows: list[Refusing] = []
        self._counted: dict[UUID, Refusing] = {}
        self.count = 0
        self.in_vain: list[Message] = []

    def add(self, r: Read, index: int | None, refusal: Refusal) -> None:
        """Refuse a message (`index` None) or one of its frames for good."""
        household = None if r.gateway is None else r.gateway.household
        self.count += 1
        r.answers.append(Refused(r.seq or 0, index, refusal.code, refusal.say))
        if len(r.answers) > _ROWS_PER_MESSAGE or (r.quota is not None and not r.quota.may_keep()):
            self.add_up(r.message.gateway, household, refusal)
            return
        equipment = next((f.e for i, f in r.frames.frames if i == index), None) if r.frames and index is not None else None
        self._rows.append(Refusing(r.message.gateway, household, r.epoch, r.seq, index, equipment and equipment[:64], refusal))

    def add_up(self, gateway: UUID, household: UUID | None, refusal: Refusal, times: int = 1) -> None:
        """Count a refusal with its like: one row for each gateway, reason and hour."""
        id_ = uuid5(gateway, f"{refusal.code}:{self._hour}")
        row = self._counted.get(id_)
        if row is None:
            self._counted[id_] = Refusing(gateway, household, None, None, None, None, refusal, times, id=id_)
        else:
            row.times += times

    def rows(self) -> list[Refusing]:
        """What the table gets, in one order for all processes."""
        return self._rows + [self._counted[id_] for id_ in sorted(self._counted)]


def admit(messages: Sequence[Message], gateway: Gateway | None, spending: Spending, refusals: Refusals) -> list[Read]:
    """Read one gateway's messages, as far as it may send at all and keeps to its limits. What is over them is not even read, beyond the
    few that are answered."""
    if gateway is None or gateway.household is None:
        reason = refuse("revoked" if gateway is None else "not_claimed")
        return [_held(message, reason) for n, message in enumerate(messages) if n < _ANSWERS_PER_BATCH or message.reply or message.settled]
    admitted: list[Read] = []
    quota = spending.quota(gateway.id, gateway.household)
    over = 0
    for message in messages:
        whose = quota.exhausted()
        if whose is None:
            r = read(message)
            frames = UNREADABLE_FRAMES if r.frames is None else len(r.frames.frames)
            whose = quota.take(max(1, frames, len(message.payload) // BYTES_PER_FRAME))
        if whose is None:
            r.gateway, r.quota = gateway, quota
            admitted.append(r)
            continue
        over += 1
        refusals.in_vain.append(message)
        refusal = spending.refusal(whose)
        refusals.add_up(gateway.id, gateway.household, refusal)
        if over <= _ANSWERS_PER_BATCH or message.reply or message.settled:
            admitted.append(_held(message, refusal))
    return admitted


def _held(message: Message, refusal: Refusal) -> Read:
    return _numbered(Read(message, refusal=refusal, again=True))


def choose(reads: Iterable[Read], progress: dict[Key, Progress]) -> list[Read]:
    """The messages to take now: not those refused for now, stored before, twice in the batch, or too far ahead."""
    taken: list[Read] = []
    fresh: dict[Key, set[int]] = {}
    for r in reads:
        if r.again:
            continue
        if r.key is None or r.seq is None:
            taken.append(r)
            continue
        seqs, known = fresh.setdefault(r.key, set()), progress[r.key]
        if r.seq in seqs or known.has(r.seq) or not known.within(r.seq):
            continue
        seqs.add(r.seq)
        taken.append(r)
    for key, seqs in fresh.items():
        progress[key].add(seqs)
    return taken


def place(taken: Sequence[Read], builder: Builder, refusals: Refusals) -> dict[UUID, Route]:
    """Hand the frames to the builder. Returns the routes in use, by machine."""
    used: dict[UUID, Route] = {}
    for n, r in enumerate(taken):
        if r.frames is None:
            refusals.add(r, None, r.refusal or refuse("bad_message", detail="unreadable"))
            continue
        for bad in r.frames.refused:
            refusals.add(r, bad.index, Refusal(bad.code, bad.say, {}))
        routes = {} if r.gateway is None else r.gateway.routes
        for index, frame in r.frames.frames:
            route = routes.get(frame.e)
            if route is None:
                refusals.add(r, index, refuse("unknown_equipment", equipment=frame.e[:64]))
                continue
            used[route.equipment] = route
            builder.add(route, frame, Source(n, index))
    return used


def acknowledgements(reads: Iterable[Read], progress: dict[Key, Progress], before: dict[Key, list[Refused]]) -> list[tuple[Message, Ack]]:
    """What each sender is told. `before`: what was refused earlier of messages that came again."""
    acks = []
    for r in reads:
        # without a known place in a sequence there is nothing to acknowledge through
        through = -1 if r.key is None or r.key not in progress else progress[r.key].through
        refused = r.answers
        if r.again and r.refusal is not None:
            refused = [Refused(r.seq or 0, None, r.refusal.code, r.refusal.say)]
        elif not refused and r.key in before:
            refused = [b for b in before[r.key] if b.seq == r.seq]
        acks.append((r.message, Ack(r.epoch or "", through, refused)))
    return acks
