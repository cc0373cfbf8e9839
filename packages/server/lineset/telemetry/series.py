"""Reading measurements: the newest values, and series over a span for charts.

Everything here runs in a transaction of the asker: the tenures that row-level security lets through decide which series are read.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import numpy as np
from lineset_contract.points import POINTS
from numpy.typing import NDArray
from sqlalchemy import text

from lineset.kit.errors import Invalid
from lineset.privacy import Tx
from lineset.telemetry import ranges
from lineset.telemetry.layout import Kind
from lineset.telemetry.slots import PointInfo, points_of
from lineset.telemetry.telling import hidden

MAX_SPAN_S = 30 * 366 * 86_400
MAX_BUCKETS = 2_000
MAX_POINTS = 16
MODE = "operating_mode"


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of one point, when it was measured (seconds since 1970), its unit, and whether the catalogue knows it."""

    value: float
    t: float
    unit: str
    known: bool
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest values of one machine; `t` is the newest time of all, None when nothing was ever measured."""

    equipment: UUID
    t: float | None
    values: dict[str, Reading]


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one machine over a span, on one axis of times in seconds since 1970; None where there is no reading.

    `step` is the length in seconds of what the coarsest part was read from: 0 for single readings, else hourly or daily sums, of which each
    gives its lowest and its highest value.
    """

    t: list[float]
    values: dict[str, list[float | None]]
    modes: list[tuple[float, float, str]]
    step: float = 0.0


async def latest(tx: Tx, equipment: list[UUID], names: Collection[str] | None = None) -> dict[UUID, Latest]:
    """The newest values of these machines, as far as the asker may see them; a machine without any has no entry.

    `names`: only these points. The database then picks them out, which is what makes a list of thousands of machines quick.
    """
    if names is not None:
        return await _latest_of(tx, equipment, names)
    rows = (
        await tx.session.execute(
            text(
                "SELECT l.equipment_id, extract(epoch FROM l.t)::float8, l.reals, l.real_times, l.totals, l.total_times"
                " FROM latest l JOIN tenures n USING (series_id) WHERE l.equipment_id = ANY(:ids) AND n.ends_at IS NULL"
            ),
            {"ids": equipment},
        )
    ).all()
    points = await points_of(tx, [row[0] for row in rows])
    result = {}
    for id_, t, reals, real_times, totals, total_times in rows:
        values = {}
        for point in points.get(id_, []):
            place, times = (totals, total_times) if point.kind == "counter" else (reals, real_times)
            if point.slot < len(place) and times[point.slot] and not math.isnan(place[point.slot]):
                values[point.name] = _reading(point, place[point.slot], times[point.slot])
        result[id_] = Latest(id_, t, values)
    return result


async def _latest_of(tx: Tx, equipment: list[UUID], names: Collection[str]) -> dict[UUID, Latest]:
    rows = await tx.session.execute(
        text(
            "SELECT l.equipment_id, extract(epoch FROM l.t)::float8, s.point, s.kind, s.slot, s.known,"
            " CASE s.kind WHEN 'counter' THEN l.totals[s.slot + 1] ELSE l.reals[s.slot + 1] END,"
            " CASE s.kind WHEN 'counter' THEN l.total_times[s.slot + 1] ELSE l.real_times[s.slot + 1] END"
            " FROM latest l JOIN tenures n USING (series_id)"
            " LEFT JOIN slots s ON s.equipment_id = l.equipment_id AND s.point = ANY(:names)"
            " WHERE l.equipment_id = ANY(:ids) AND n.ends_at IS NULL"
        ),
        {"ids": equipment, "names": list(names)},
    )
    result: dict[UUID, Latest] = {}
    gone = await hidden(tx, [(id_, name) for id_ in equipment for name in names])
    for id_, t, point, kind, slot, known, value, at in rows:
        found = result.setdefault(id_, Latest(id_, t, {}))
        if point is not None and (id_, point) not in gone and at and value is not None and not math.isnan(value):
            found.values[point] = _reading(PointInfo(point, cast("Kind", kind), slot, known), value, at)
    return result


def _reading(point: PointInfo, value: float, t: float) -> Reading:
    known = POINTS.get(point.name)
    unit = known.unit if known is not None else ""
    word = known.word(value) if known is not None and known.kind == "code" else None
    # A real has six to seven digits; more would be noise of its binary form.
    shown = value if point.kind == "counter" else float(f"{value:.7g}")
    return Reading(shown, t, unit, point.known, word)


async def points(tx: Tx, equipment: UUID) -> list[PointInfo]:
    """The points that a machine has sent, unknown ones flagged."""
    return (await points_of(tx, [equipment])).get(equipment, [])


async def series(
    tx: Tx, equipment: UUID, names: list[str], start: datetime, end: datetime, buckets: int = 400, *, modes: bool = False
) -> Series:
    """Points of one machine from `start` until before `end`.

    At most two values a bucket: the lowest and the highest, in the order in which they came, so that no peak is lost. A bucket without a
    reading is a gap. With `modes` the spans of each operating mode come along; from sums, each as long as the mode lasted, at the
    start of its hour or day.

    Raises:
        Invalid: no point, too many points or buckets, a span that is empty or too long.
        NotFound: no such machine for the asker.
    """
    if not 1 <= len(names) <= MAX_POINTS:
        raise Invalid("bad_points", f"Name 1 to {MAX_POINTS} points.", "points")
    if not 2 <= buckets <= MAX_BUCKETS:
        raise Invalid("bad_buckets", f"Ask for 2 to {MAX_BUCKETS} buckets.", "buckets")
    if start.tzinfo is None or end.tzinfo is None or not 0 < (end - start).total_seconds() <= MAX_SPAN_S:
        raise Invalid("bad_span", "Give a start before the end, with time zones, at most 30 years apart.", "start")
    wanted = [*names, *([MODE] if modes and MODE not in names else [])]
    tier, lanes = ranges.tier_for((end - start).total_seconds() / buckets), MODE if modes else ""
    found = await ranges.read(tx, equipment, wanted, start, end, tier, lanes)
    spans = _modes(found.hot_t, found.hot[wanted.index(MODE)]) if modes else []
    t, columns = found.joined()
    axis, values = downsample(t, columns[: len(names)], start.timestamp(), end.timestamp(), buckets)
    point = POINTS[MODE]
    told = [(a, b, point.word(float(code)) or "unknown") for a, b, code in found.states]
    return Series(axis.tolist(), {n: _nullable(v) for n, v in zip(names, values, strict=True)}, told + spans, found.step)


def downsample(
    t: NDArray[np.float64], columns: list[NDArray[np.float64]], start: float, end: float, buckets: int
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Two values for each bucket of equal length: each column's lowest and highest in the order in which they came.

    Few enough rows stay as they are, with one empty row in each gap of more than three usual steps (ten minutes at least).
    """
    if len(t) <= 2 * buckets:
        return _mark_gaps(t, columns)
    width = (end - start) / buckets
    number = np.minimum(((t - start) / width).astype(np.intp), buckets - 1)
    starts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
    axis = start + np.repeat(np.arange(buckets), 2) * width + np.tile([0.25, 0.75], buckets) * width
    result = []
    for column in columns:
        out = np.full(2 * buckets, np.nan)
        low_at, high_at = _extremes(column, starts)
        first, second = np.minimum(low_at, high_at), np.maximum(low_at, high_at)
        measured = ~np.isnan(np.where(first >= 0, column[first], np.nan))
        places = number[starts][measured]
        out[2 * places] = column[first[measured]]
        out[2 * places + 1] = column[second[measured]]
        result.append(out)
    return axis, result


def _extremes(column: NDArray[np.float64], starts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of the lowest and highest value from each start to the next."""
    ends = np.r_[starts[1:], len(column)]
    low = np.where(np.isnan(column), np.inf, column)
    high = np.where(np.isnan(column), -np.inf, column)
    lowest = np.repeat(np.minimum.reduceat(low, starts), ends - starts)
    highest = np.repeat(np.maximum.reduceat(high, starts), ends - starts)
    place = np.arange(len(column))
    never = len(column)
    low_at = np.minimum.reduceat(np.where(low == lowest, place, never), starts)
    high_at = np.minimum.reduceat(np.where(high == highest, place, never), starts)
    return low_at.astype(np.intp), high_at.astype(np.intp)


def _mark_gaps(t: NDArray[np.float64], columns: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    if len(t) < 3:
        return t, columns
    step = np.diff(t)
    gap = np.flatnonzero(step > max(600.0, 3 * float(np.median(step)))) + 1
    return np.insert(t, gap, (t[gap - 1] + t[gap]) / 2), [np.insert(c, gap, np.nan) for c in columns]


def _nullable(values: NDArray[np.float64]) -> list[float | None]:
    rounded = [float(f"{v:.7g}") if v == v else None for v in values.tolist()]  # noqa: PLR0124 - NaN is the only value unlike itself
    return rounded


def _modes(t: NDArray[np.float64], codes: NDArray[np.float64]) -> list[tuple[float, float, str]]:
    """Spans of one mode each: from the first reading of it to the first of another, or to the last reading before a gap."""
    point = POINTS["operating_mode"]
    keep = ~np.isnan(codes)
    t, codes = t[keep], codes[keep]
    if len(t) < 2:
        return []
    gap = np.diff(t) > max(600.0, 3 * float(np.median(np.diff(t))))
    starts = np.flatnonzero(np.r_[True, (codes[1:] != codes[:-1]) | gap])
    spans = []
    for n, first in enumerate(starts):
        last = (starts[n + 1] if n + 1 < len(starts) else len(t)) - 1
        end = t[last + 1] if last + 1 < len(t) and not gap[last] else t[last]
        spans.append((float(t[first]), float(end), point.word(float(codes[first])) or "unknown"))
    return spans


def utc(seconds: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
