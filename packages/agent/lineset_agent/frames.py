"""What a driver measured, made fit for the wire before it is written: the agent never stores what the cloud must refuse."""

import math
from collections.abc import Iterable

from lineset_contract.refusals import Refusal, refuse
from lineset_contract.values import good_name
from lineset_contract.wire import (
    MAX_FRAMES,
    MAX_MESSAGE_BYTES,
    MAX_POINTS_PER_FRAME,
    Frame,
    WireValue,
    encode,
)

ENVELOPE_BYTES = 256
"""Room kept in a message for its epoch and number."""
_MAX_TEXT = 256


def prepare(frames: Iterable[Frame]) -> tuple[list[Frame], list[Refusal]]:
    """Frames that fit the wire, and what had to be left out, with the reason.

    A frame with more points than the wire takes is split: frames of one equipment and time merge at the cloud.
    """
    good: list[Frame] = []
    left_out: list[Refusal] = []
    for frame in frames:
        if not math.isfinite(frame.t):
            left_out.append(refuse("not_finite", point="t"))
            continue
        if not 1 <= len(frame.e) <= 64:
            left_out.append(refuse("bad_name", name=frame.e))
            continue
        values = [(name, value) for name, value in frame.v.items() if _fits(name, value, left_out)]
        good.extend(
            Frame(frame.t, frame.e, dict(values[start : start + MAX_POINTS_PER_FRAME]))
            for start in range(0, len(values), MAX_POINTS_PER_FRAME)
        )
    return good, left_out


def pack(frames: Iterable[Frame]) -> list[tuple[list[Frame], bytes]]:
    """Frames in groups that fit one message each, with each group's JSON array."""
    packed: list[tuple[list[Frame], bytes]] = []
    group: list[Frame] = []
    parts: list[bytes] = []
    size = 0
    for frame in frames:
        part = encode(frame)
        if group and (len(group) == MAX_FRAMES or size + len(part) + 1 > MAX_MESSAGE_BYTES - ENVELOPE_BYTES):
            packed.append((group, b"[" + b",".join(parts) + b"]"))
            group, parts, size = [], [], 0
        group.append(frame)
        parts.append(part)
        size += len(part) + 1
    if group:
        packed.append((group, b"[" + b",".join(parts) + b"]"))
    return packed


def _fits(name: str, value: WireValue, left_out: list[Refusal]) -> bool:
    if not good_name(name):
        left_out.append(refuse("bad_name", name=name))
    elif (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, int) and abs(value) > 1e300):
        left_out.append(refuse("not_finite", point=name))
    elif isinstance(value, str) and len(value) > _MAX_TEXT:
        left_out.append(refuse("wrong_type", point=name, expected="a short word or a number", got="a long text"))
    else:
        return True
    return False
