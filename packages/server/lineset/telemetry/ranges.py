"""One machine over a span of time, from every tier: hot rows first, then the manifest, then files.

In that order nothing is missed: a row that is no longer hot is in a file that the manifest names by then. What is in both counts once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.privacy import Tx
from lineset.telemetry.history.manifest import Moved, Part, Tier, parts
from lineset.telemetry.model import RAW_DAYS
from lineset.telemetry.slots import PointInfo, points_of

if TYPE_CHECKING:
    from lineset.telemetry.history.reading import Axis

Numbers = NDArray[np.float64]
_TRIES = 5
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS: dict[Tier, float] = {"raw": 0.0, "hour": 3600.0, "day": 86_400.0}


@dataclass(frozen=True, slots=True)
class Tenures:
    """The series of a machine that the asker may see.

    Single readings before `raw_from` are not kept; those before `hidden_before` its household wants to be gone, so they are not shown
    even where they still are.
    """

    series: list[int]
    raw_from: datetime
    hidden_before: datetime


@dataclass(slots=True)
class Found:
    """Columns of hot rows and of history, each on its own axis (seconds since 1970, ascending), and spans of states in history."""

    hot_t: Numbers
    hot: list[Numbers]
    past: "list[Axis]" = field(default_factory=list)
    step: float = 0.0

    @property
    def states(self) -> list[tuple[float, float, int]]:
        """Spans (start, end, code) that come from sums."""
        return [span for axis in self.past for span in axis.states]

    def joined(self) -> tuple[Numbers, list[Numbers]]:
        """All on one axis; of what was read at the same time in several places, the value of history."""
        if not self.past:
            return self.hot_t, self.hot
        t = np.concatenate([*(axis.t for axis in self.past), self.hot_t])
        columns = [np.concatenate([*(axis.values[i] for axis in self.past), column]) for i, column in enumerate(self.hot)]
        order = np.argsort(t, kind="stable")
        t, columns = t[order], [c[order] for c in columns]
        if len(t) < 2 or (t[1:] != t[:-1]).all():
            return t, columns
        first = np.flatnonzero(np.r_[True, t[1:] != t[:-1]])
        return t[first], [_first_known(c, first) for c in columns]


def tier_for(width_s: float) -> Tier:
    """Which tier a chart with buckets of that many seconds is drawn from: none coarser than about half a bucket."""
    return "day" if width_s >= 43_200 else "hour" if width_s >= 1_800 else "raw"


async def tenures(tx: Tx, equipment: UUID, start: datetime) -> Tenures:
    """The series of a machine that may have readings since `start`.

    Raises:
        NotFound: no such machine for the asker.
    """
    rows = (
        await tx.session.execute(
            text(
                # No lower bound: the first owner also has what was measured before the machine was entered here.
                "SELECT n.series_id, k.raw_days FROM tenures n LEFT JOIN keeping k USING (household_id)"
                " WHERE n.equipment_id = :id AND (n.ends_at IS NULL OR n.ends_at > :start) ORDER BY n.starts_at"
            ),
            {"id": equipment, "start": start},
        )
    ).all()
    if not rows:
        raise NotFound("machine")
    chosen = min((days for _, days in rows if days is not None), default=None)
    raw_from = now() - timedelta(days=min(chosen or RAW_DAYS, RAW_DAYS))
    return Tenures([series for series, _ in rows], raw_from, _LONG_AGO if chosen is None else raw_from)


async def read(tx: Tx, equipment: UUID, names: Sequence[str], start: datetime, end: datetime, tier: Tier, lanes: str = "") -> Found:
    """These points of a machine from `start` until before `end`, with history from `tier` where it is that old.

    Where single readings are not kept any more, hourly sums stand in for them.

    Raises:
        NotFound: no such machine for the asker.
    """
    owned = await tenures(tx, equipment, start)
    slots = {p.name: p for p in (await points_of(tx, [equipment])).get(equipment, [])}
    picked = [slots.get(name) for name in names]
    for attempt in range(_TRIES):
        hot_t, hot = await read_hot_of(tx, owned.series, picked, max(start, owned.hidden_before), end)
        found = Found(hot_t, hot)
        try:
            for part_tier, since, until in _segments(tier, start, end, owned.raw_from):
                axis = await _past(tx, part_tier, owned.series, names, since, until, lanes)
                if axis is not None:
                    found.past.append(axis)
                    found.step = max(found.step, _STEPS[part_tier])
        except Moved:
            if attempt == _TRIES - 1:
                raise
        else:
            return found
    raise AssertionError


def _segments(tier: Tier, start: datetime, end: datetime, raw_from: datetime) -> list[tuple[Tier, datetime, datetime]]:
    if tier != "raw" or start >= raw_from:
        return [(tier, start, end)]
    if end <= raw_from:
        return [("hour", start, end)]
    return [("hour", start, raw_from), ("raw", raw_from, end)]


async def _past(
    tx: Tx, tier: Tier, series: Sequence[int], names: Sequence[str], since: datetime, until: datetime, lanes: str
) -> "Axis | None":
    files = await files_of(tx, tier, series, since, until)
    if not files or tx.storage is None:
        return None
    # Charts of the last days need no files, so processes that show nothing else never load the library.
    from lineset.telemetry.history import reading  # noqa: PLC0415

    if tier == "raw":
        return await asyncio.to_thread(reading.raw, tx.storage, files, series, names, since, until)
    return await asyncio.to_thread(reading.summed, tx.storage, files, series, names, since, until, lanes)


async def files_of(tx: Tx, tier: Tier, series: Sequence[int], since: datetime, until: datetime) -> list[Part]:
    """The files of a tier in which readings of these series within the span may be."""
    first: date = since.astimezone(UTC).date()
    period = first if tier == "raw" else first.replace(day=1) if tier == "hour" else first.replace(month=1, day=1)
    return await parts(tx, tier, period, until.astimezone(UTC).date(), series)


async def read_hot_of(
    tx: Tx, series: Sequence[int], picked: Sequence[PointInfo | None], start: datetime, end: datetime
) -> tuple[Numbers, list[Numbers]]:
    """Hot rows of these series: times in seconds since 1970, ascending, and a column for each slot; NaN where there is none."""
    known = [s for s in picked if s is not None]
    # Slots are whole numbers from our own table, so they may stand in the statement. Each column comes as one packed value: thousands of
    # rows as Python objects would take ten times as long.
    columns = "".join(f", {'totals' if s.kind == 'counter' else 'reals'}[{int(s.slot) + 1}] AS c{i}" for i, s in enumerate(known))
    packed = "".join(
        f", string_agg({'float8send' if s.kind == 'counter' else 'float4send'}(coalesce(c{i}, 'NaN')), ''::bytea)"
        for i, s in enumerate(known)
    )
    order = " ORDER BY 1" if len(series) > 1 else ""
    statement = (
        f"SELECT string_agg(float8send(at), ''::bytea){packed}"  # noqa: S608
        f" FROM (SELECT extract(epoch FROM t)::float8 AS at{columns} FROM access.read_frames(:ids, :start, :end){order}) AS f"
    )
    row: Any = (await tx.session.execute(text(statement), {"ids": list(series), "start": start, "end": end})).one()
    t = np.frombuffer(row[0] or b"", ">f8").astype(np.float64)
    kinds = [">f8" if s.kind == "counter" else ">f4" for s in known]
    by_slot = {id(s): np.frombuffer(row[1 + i] or b"", kinds[i]).astype(np.float64) for i, s in enumerate(known)}
    missing = np.full(len(t), np.nan)
    return t, [missing if s is None else by_slot[id(s)] for s in picked]


def _first_known(column: Numbers, starts: NDArray[np.intp]) -> Numbers:
    """From each start to the next, the first value that is not NaN."""
    place = np.where(np.isnan(column), len(column), np.arange(len(column)))
    best = np.minimum.reduceat(place, starts)
    return np.where(best < len(column), column[np.minimum(best, len(column) - 1)], np.nan)
