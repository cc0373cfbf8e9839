"""Sums and quality of a machine's measurements over a span: what pages, reports and programs add up, from every tier.

Closed days come from the hourly and daily sums of history; what is still hot is summed up by the same rules at the moment of asking.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from lineset.kit.errors import Invalid
from lineset.privacy import Tx
from lineset.telemetry.slots import points_of

Step = Literal["hour", "day"]
MAX_POINTS = 16
MAX_ROWS = 20_000
_LENGTH_S = {"hour": 3600.0, "day": 86_400.0}


@dataclass(frozen=True, slots=True)
class Sum:
    """One point over one hour or day of the site's clock, which began at `t` (seconds since 1970).

    A code point has one `Sum` for each state (`code`), with how long it lasted (`seconds`) and how often it was entered (`starts`). Of
    any other point `seconds` is for how long there was a value, and `total` the integral over time in the unit times s (power, flow) or the
    increase of a counter.
    """

    point: str
    t: float
    code: int | None
    low: float | None
    high: float | None
    mean: float | None
    last: float | None
    count: int
    seconds: float
    starts: int | None
    total: float | None


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a point was measured over a span: readings, the share of the time with a value (0 to 1), and the longest silence in s,
    to the hour where only sums are left."""

    readings: int
    share: float
    longest_gap_s: float


async def sums(tx: Tx, equipment: UUID, names: Sequence[str], start: datetime, end: datetime, step: Step) -> list[Sum]:
    """Hourly or daily sums of these points, of each hour or day of the site's clock that begins from `start` until before `end`.

    Raises:
        Invalid: no point, too many, or a span that is empty or has more than 20,000 hours or days.
        NotFound: no such machine for the asker.
    """
    if not 1 <= len(names) <= MAX_POINTS:
        raise Invalid("bad_points", f"Name 1 to {MAX_POINTS} points.", "points")
    if start.tzinfo is None or end.tzinfo is None or not 0 < (end - start).total_seconds() <= MAX_ROWS * _LENGTH_S[step]:
        raise Invalid("bad_span", f"Give a start before the end, with time zones, at most {MAX_ROWS} {step}s apart.", "start")
    rows = await _rows(tx, equipment, names, start.astimezone(UTC), end.astimezone(UTC), step)
    rest = ("code", "low", "high", "mean", "last", "count", "seconds", "starts", "total")
    return [Sum(r["point"], r["t"].timestamp(), *(r[name] for name in rest)) for r in rows]


async def quality(tx: Tx, equipment: UUID, start: datetime, end: datetime) -> dict[str, Quality]:
    """The quality of each point that the machine has ever sent, over a span that began and has not to be over.

    Raises as `sums` does.
    """
    names = [p.name for p in (await points_of(tx, [equipment])).get(equipment, [])]
    end = min(end, datetime.now(UTC))
    if not 0 < (end - start).total_seconds() <= MAX_ROWS * _LENGTH_S["hour"]:
        raise Invalid("bad_span", "Give a start in the past, before the end, and a span of at most two years.", "start")
    if not names:
        return {}
    hours: dict[str, dict[float, tuple[int, float]]] = {name: {} for name in names}
    for row in await _rows(tx, equipment, names, start, end, "hour"):
        count, seconds = hours[row["point"]].get(row["t"].timestamp(), (0, 0.0))
        hours[row["point"]][row["t"].timestamp()] = (count + row["count"], seconds + row["seconds"])  # the states of an hour together
    length = (end - start).total_seconds()
    return {
        name: Quality(
            sum(count for count, _ in mine.values()),
            min(1.0, sum(seconds for _, seconds in mine.values()) / length),
            _longest({t: seconds for t, (_, seconds) in mine.items()}, start.timestamp(), end.timestamp()),
        )
        for name, mine in hours.items()
    }


async def _rows(tx: Tx, equipment: UUID, names: Sequence[str], start: datetime, end: datetime, step: Step) -> list[dict[str, Any]]:
    from lineset.telemetry.history import adding  # noqa: PLC0415 - loads a library that processes which add nothing up do not need

    return (await adding.table(tx, equipment, names, start, end, step)).to_dicts()


def _longest(hours: dict[float, float], start: float, end: float) -> float:
    """The longest time without a value: between hours that have some, and within the worst hour."""
    longest, covered = 0.0, start
    for t, seconds in sorted(hours.items()):
        if seconds <= 0:
            continue
        longest = max(longest, t - covered, min(3600.0, end - t) - seconds)
        covered = t + 3600.0
    return max(longest, end - covered)
