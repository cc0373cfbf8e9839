"""The messages between gateway and cloud: JSON over MQTT 3.1.1, or over HTTPS.

Times are seconds since 1970-01-01 UTC. Unknown fields are ignored, so that a newer peer can add some.
"""

import math
from collections.abc import Iterable
from typing import Literal, TypeVar, cast

import msgspec

from lineset_contract.refusals import Refusal, refuse

MAX_MESSAGE_BYTES = 65_536
MAX_FRAMES = 200
"""Frames in one message."""
MAX_POINTS_PER_FRAME = 128
WINDOW = 64
"""Messages a gateway may have sent without an acknowledgement."""
MAX_CLOCK_AHEAD_S = 600
MAX_AGE_LIVE_S = 90 * 86_400
MAX_NAME = 64
"""Characters in the name of a point or of a piece of equipment."""
MAX_SEQ = 2**53
MAX_EPOCH = 64
"""Characters in an epoch."""

WireValue = float | int | str | bool | None
EventKind = Literal["boot", "error", "crash", "hand_operation", "inventory"]
ResultState = Literal["acknowledged", "succeeded", "failed", "expired", "refused"]
FINAL_STATES: frozenset[str] = frozenset({"succeeded", "failed", "expired", "refused"})

HELD_BACK: frozenset[str] = frozenset({"rate", "not_claimed", "revoked"})
"""Codes of messages that are not taken now: `through` stays before them, and the sender keeps them and tries later."""


class WireError(Exception):
    """A payload that cannot be read. `code` is one of refusals.SENTENCES, `say` what to do about it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.say)
        self.refusal = refusal
        self.code = refusal.code
        self.say = refusal.say


class Frame(msgspec.Struct):
    """What one piece of equipment measured at one moment: time, equipment, value by point in the point's unit.

    `e` is the equipment's name at its gateway ("hp1") or its id. A code point's value is its word or number;
    None says that the point has no reading.
    """

    t: float
    e: str
    v: dict[str, WireValue]


class FrameMessage(msgspec.Struct):
    """Frames under a number. `seq` counts from 1 in each epoch, without a gap; no frames is allowed."""

    epoch: str
    seq: int
    frames: list[Frame]


class Refused(msgspec.Struct):
    """A message (`index` None) or one frame of it (by its place, from 0) that the cloud does not take."""

    seq: int
    index: int | None
    code: str
    say: str


class Ack(msgspec.Struct):
    """`through` ends the contiguous run of messages, from 1, that are committed or refused."""

    epoch: str
    through: int
    refused: list[Refused] = []


class Command(msgspec.Struct):
    """An order to one piece of equipment. Repeated under the same id until a final result came."""

    id: str
    e: str
    name: str
    args: dict[str, WireValue]
    expires: float


class Result(msgspec.Struct):
    """What became of a command, at time `t`. Final states are in FINAL_STATES."""

    id: str
    state: ResultState
    t: float
    detail: str = ""


class Event(msgspec.Struct):
    """Something that happened at the gateway (`e` None) or at one piece of its equipment."""

    kind: EventKind
    t: float
    e: str | None = None
    detail: dict[str, object] = {}


class Status(msgspec.Struct):
    """Whether the gateway is connected. The last will says offline, with the time of its connection."""

    state: Literal["online", "offline"]
    t: float


class InventoryItem(msgspec.Struct):
    """A piece of equipment that the gateway found: `name` is its `e` in frames, `type` a profile's."""

    name: str
    type: str
    make: str = ""
    model: str = ""
    serial: str = ""


class Range(msgspec.Struct):
    """A closed range in the setting's unit; None leaves that side open."""

    low: float | None = None
    high: float | None = None


class DesiredEquipment(msgspec.Struct):
    """Limits of one piece of equipment by setting: the machine's own and those its people chose."""

    equipment_limits: dict[str, Range] = {}
    site_limits: dict[str, Range] = {}


class Desired(msgspec.Struct):
    """The twin the cloud wants. A gateway keeps the highest version it saw and answers with Reported."""

    version: int
    equipment: dict[str, DesiredEquipment]


class Reported(msgspec.Struct):
    """The version of Desired that the gateway keeps to, and the settings it reads at its machines."""

    version: int
    t: float
    settings: dict[str, dict[str, WireValue]] = {}


class ReadFrames(msgspec.Struct):
    """A frame message as read: the good frames with their places, and what was refused."""

    epoch: str
    seq: int
    frames: list[tuple[int, Frame]]
    refused: list[Refused]


class _Envelope(msgspec.Struct):
    epoch: str
    seq: int
    frames: list[msgspec.Raw]


T = TypeVar("T", bound=msgspec.Struct)

_decoders: dict[type, msgspec.json.Decoder[msgspec.Struct]] = {}
_encoder = msgspec.json.Encoder()
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError)


def encode(message: msgspec.Struct) -> bytes:
    """A message as JSON. Raises WireError (not_finite) for NaN or infinity, which JSON cannot carry."""
    frames: Iterable[Frame] = ()
    if isinstance(message, FrameMessage):
        frames = message.frames
    elif isinstance(message, Frame):
        frames = (message,)
    for frame in frames:
        for name, value in frame.v.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise WireError(refuse("not_finite", point=name))
    return _encoder.encode(message)


def encode_ack(ack: Ack) -> list[bytes]:
    """An acknowledgement as messages that each keep to MAX_MESSAGE_BYTES: one, unless very much was refused."""
    whole = encode(ack)
    if len(whole) <= MAX_MESSAGE_BYTES or len(ack.refused) < 2:
        return [whole]
    half = len(ack.refused) // 2
    parts = (ack.refused[:half], ack.refused[half:])
    return [payload for part in parts for payload in encode_ack(Ack(ack.epoch, ack.through, part))]


def decode(kind: type[T], payload: bytes) -> T:
    """Read one message.

    Raises WireError: too_large, bad_json, bad_message, and for a FrameMessage too_many_frames.
    One bad frame makes the whole FrameMessage bad here; `read_frames` keeps the good ones.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise WireError(refuse("too_large", size=len(payload), limit=MAX_MESSAGE_BYTES))
    message = _decode(kind, payload)
    if isinstance(message, FrameMessage):
        _check_sequence(message.epoch, message.seq, len(message.frames))
    return message


def read_frames(payload: bytes) -> ReadFrames:
    """Read a frame message and keep the frames that can be read when others cannot.

    Raises WireError (too_large, bad_json, bad_message, too_many_frames) when the message as a whole is no use;
    `sequence_of` may still tell its number.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise WireError(refuse("too_large", size=len(payload), limit=MAX_MESSAGE_BYTES))
    try:
        message = _decode(FrameMessage, payload)
    except WireError as whole:
        if whole.code != "bad_message":
            raise
        return _read_each(payload)
    _check_sequence(message.epoch, message.seq, len(message.frames))
    return ReadFrames(message.epoch, message.seq, list(enumerate(message.frames)), [])


def sequence_of(payload: bytes) -> tuple[str, int] | None:
    """Epoch and number of a frame message that cannot be read as a whole, so that it can be refused by number."""
    if len(payload) > 64 * MAX_MESSAGE_BYTES:
        return None
    try:
        envelope = _decode(_Number, payload)
        _check_sequence(envelope.epoch, envelope.seq, 0)
    except WireError:
        return None
    return envelope.epoch, envelope.seq


class _Number(msgspec.Struct):
    epoch: str
    seq: int


def _read_each(payload: bytes) -> ReadFrames:
    envelope = _decode(_Envelope, payload)
    _check_sequence(envelope.epoch, envelope.seq, len(envelope.frames))
    read = ReadFrames(envelope.epoch, envelope.seq, [], [])
    for index, raw in enumerate(envelope.frames):
        try:
            read.frames.append((index, _decode(Frame, bytes(raw))))
        except WireError as error:
            read.refused.append(Refused(envelope.seq, index, error.code, error.say))
    return read


def _decode(kind: type[T], payload: bytes) -> T:
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        message = decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise WireError(refuse("bad_message", detail=_short(error))) from None
    except _UNREADABLE as error:
        raise WireError(refuse("bad_json", detail=_short(error))) from None
    return cast("T", message)


def _check_sequence(epoch: str, seq: int, count: int) -> None:
    if not 1 <= len(epoch) <= MAX_EPOCH or not epoch.isascii() or not epoch.isalnum():
        raise WireError(refuse("bad_message", detail=f"epoch must be 1 to {MAX_EPOCH} ASCII letters and digits"))
    if not 1 <= seq <= MAX_SEQ:
        raise WireError(refuse("bad_message", detail="seq must count from 1"))
    if count > MAX_FRAMES:
        raise WireError(refuse("too_many_frames", count=count, limit=MAX_FRAMES))


def _short(error: Exception) -> str:
    return str(error)[:200]
