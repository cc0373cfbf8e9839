"""What a frame's values mean: the one check that device, simulator and cloud share."""

import math
import re

import msgspec

from lineset_contract.points import POINTS, Point
from lineset_contract.refusals import Refusal, refuse
from lineset_contract.wire import (
    MAX_AGE_LIVE_S,
    MAX_CLOCK_AHEAD_S,
    MAX_NAME,
    MAX_POINTS_PER_FRAME,
    Frame,
    WireValue,
)

_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_NAME - 1}}}", re.ASCII)


class BadValueError(Exception):
    """A value that is not taken, and why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.say)
        self.refusal = refusal


class Checked(msgspec.Struct):
    """A frame's values as numbers: of catalogued points, of unknown points (kept and flagged), and refusals."""

    known: dict[str, float]
    unknown: dict[str, float]
    refused: list[Refusal]


def good_name(name: str) -> bool:
    """Whether a name may stand for a point or for equipment: a-z, 0-9, _, a letter first, at most MAX_NAME."""
    return _NAME.fullmatch(name) is not None


def number(point: Point, value: WireValue) -> float | None:
    """A wire value as the point's number (a code's number for a word); None for a missing reading.

    Raises BadValueError: wrong_type, unknown_code, not_finite, out_of_range.
    """
    if value is None:
        return None
    if point.kind == "code":
        return _code(point, value)
    if isinstance(value, (bool, str)):
        raise BadValueError(refuse("wrong_type", point=point.name, expected="a number", got=_described(value)))
    result = _finite(point.name, value)
    if not point.low <= result <= point.high:
        raise BadValueError(refuse("out_of_range", point=point.name, value=result, unit=point.unit, low=point.low, high=point.high))
    return result


def check_time(t: float, now: float) -> Refusal | None:
    """Whether a live frame's time is believable at `now` (both seconds since 1970 UTC)."""
    if not math.isfinite(t):
        return refuse("not_finite", point="t")
    if t > now + MAX_CLOCK_AHEAD_S:
        return refuse("bad_time_future", time=t, limit_minutes=MAX_CLOCK_AHEAD_S // 60)
    if t < now - MAX_AGE_LIVE_S:
        return refuse("bad_time_past", time=t, limit_days=MAX_AGE_LIVE_S // 86_400)
    return None


def check_frame(frame: Frame, now: float | None) -> Checked:
    """All values of a frame, each judged by itself, so that one bad value costs no other.

    `now` None leaves the time unjudged (history by import). A frame that is refused as a whole has no values
    and one refusal: its time, its size, its equipment's name.
    """
    whole = None if now is None else check_time(frame.t, now)
    if whole is None and len(frame.v) > MAX_POINTS_PER_FRAME:
        whole = refuse("too_many_points", count=len(frame.v), limit=MAX_POINTS_PER_FRAME)
    if whole is not None:
        return Checked({}, {}, [whole])
    checked = Checked({}, {}, [])
    for name, value in frame.v.items():
        try:
            _check_value(name, value, checked)
        except BadValueError as error:
            checked.refused.append(error.refusal)
    return checked


def _check_value(name: str, value: WireValue, into: Checked) -> None:
    point = POINTS.get(name)
    if point is not None:
        result = number(point, value)
        if result is not None:
            into.known[name] = result
        return
    if not good_name(name):
        raise BadValueError(refuse("bad_name", name=name))
    if isinstance(value, str):
        raise BadValueError(refuse("wrong_type", point=name, expected="a number", got=_described(value)))
    if value is not None:
        into.unknown[name] = _finite(name, value)


def _code(point: Point, value: float | int | str | bool) -> float:
    code = point.codes.get(value) if isinstance(value, str) else _known_code(point, value)
    if code is None:
        raise BadValueError(refuse("unknown_code", point=point.name, value=_described(value), known=", ".join(point.codes)))
    return float(code)


def _known_code(point: Point, value: float | int | bool) -> int | None:
    return int(value) if value in point.codes.values() else None


def _finite(name: str, value: float) -> float:
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise BadValueError(refuse("not_finite", point=name))
    return result


def _described(value: float | int | str | bool) -> str:
    if isinstance(value, str):
        return f'the text "{value[:40]}"'
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return f"{value:.12g}"
    except OverflowError:
        return "a number beyond 1e308"
