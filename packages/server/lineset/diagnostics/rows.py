"""Readings of many machines as columns, and the hours of the sites' clocks that they fall into."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from lineset.diagnostics.machine import Machine, column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

HOUR_S, DAY_S = 3600.0, 86_400.0
LONGEST_HOLD_S = 3600.0
"""A reading stands for the time until the next one, at most two and a half usual steps of its machine and never longer than this (s)."""


class Rows:
    """Rows of readings, sorted by machine and time, and the hours of the sites' clocks that they fall into.

    `row_machine` (rows,): index into `machines`; `t` (rows,): s since 1970 UTC; `points`: by point name (rows,), NaN where absent, in the
    catalogue's units. Groups are (machine, local hour) pairs in the same order: `hour_machine` (groups,), `hour_start` (groups,) in s since
    1970 UTC, `hour_day` (groups,) the local calendar day as days since 1970, `hour_clock` (groups,) the hour of that day by the clock.
    """

    def __init__(self, machines: Sequence[Machine], row_machine: Ints, t: Floats, points: Mapping[str, Floats]) -> None:
        if not len(row_machine) == len(t) or any(len(values) != len(t) for values in points.values()):
            raise ValueError("columns differ in length")
        self.machines = machines
        self.row_machine, self.t, self.points = row_machine, t, points
        self.local = t + _offsets(machines, row_machine, t)
        key = row_machine * np.int64(10_000_000) + np.floor(self.local / HOUR_S).astype(np.int64)
        if len(key) and np.any(np.diff(row_machine) < 0):
            raise ValueError("rows are not sorted by machine")
        self.first = np.flatnonzero(np.r_[True, np.diff(key) != 0]) if len(key) else np.zeros(0, np.int64)
        self.group = np.cumsum(np.r_[True, np.diff(key) != 0]) - 1 if len(key) else np.zeros(0, np.int64)
        self.hour_machine = row_machine[self.first]
        local_hour = np.floor(self.local[self.first] / HOUR_S) * HOUR_S
        self.hour_start = local_hour - (self.local[self.first] - t[self.first])
        self.hour_day = np.floor(local_hour / DAY_S).astype(np.int64)
        self.hour_clock = np.floor(local_hour / HOUR_S).astype(np.int64) % 24

    def __len__(self) -> int:
        return len(self.t)

    def has(self, *names: str) -> bool:
        """Whether any machine here has all of these points."""
        return all(name in self.points for name in names)

    def point(self, name: str) -> Floats:
        """The readings of a point, shape (rows,); all NaN where no machine here has it."""
        found = self.points.get(name)
        return np.full(len(self.t), np.nan) if found is None else found

    @cached_property
    def starts_machine(self) -> Flags:
        """The first row of each machine."""
        return np.r_[True, np.diff(self.row_machine) != 0] if len(self.t) else np.zeros(0, bool)

    @cached_property
    def step(self) -> Floats:
        """The usual time between two rows of a machine (s), its median, shape (machines,); NaN with fewer than two rows."""
        return self.of_machine(self.until_next)

    @cached_property
    def until_next(self) -> Floats:
        """The time to the next row of the same machine (s); NaN at its last row."""
        ahead = np.append(np.diff(self.t), np.nan)
        ahead[np.flatnonzero(self.starts_machine)[1:] - 1] = np.nan
        return ahead

    @cached_property
    def dt(self) -> Floats:
        """For how long each row stands (s)."""
        usual = np.nan_to_num(self.step, nan=60.0)[self.row_machine]
        return np.minimum(np.where(np.isnan(self.until_next), usual, self.until_next), np.minimum(2.5 * usual, LONGEST_HOLD_S))

    def of_machine(self, values: Floats, quantile: float = 0.5) -> Floats:
        """A quantile of each machine's rows (0.5: the median), shape (machines,); NaN where it has no number.

        With n numbers it is the one at rank round(quantile * (n - 1)), for the median the mean of the middle two.
        """
        order = np.lexsort((values, self.row_machine))
        count = np.bincount(self.row_machine, weights=~np.isnan(values), minlength=len(self.machines)).astype(np.int64)
        rows = np.bincount(self.row_machine, minlength=len(self.machines))
        start = np.cumsum(rows) - rows
        rank = quantile * np.maximum(count - 1, 0)
        below, above = (np.floor(rank), np.ceil(rank)) if quantile == 0.5 else (np.round(rank), np.round(rank))
        out = np.full(len(self.machines), np.nan)
        some = count > 0
        low, high = (values[order[start[some] + place[some].astype(np.int64)]] for place in (below, above))
        out[some] = (low + high) / 2.0
        return out

    def of_family(self, *families: str) -> Flags:
        """Whether a row belongs to a machine of one of these families, shape (rows,)."""
        return np.isin(self._families, families)[self.row_machine]

    @cached_property
    def _families(self) -> NDArray[np.str_]:
        return column(self.machines, "family").astype(np.str_)

    @cached_property
    def follows(self) -> Flags:
        """Whether the row before is of the same machine and no more than two and a half usual steps ago, so that nothing was missed."""
        usual = np.nan_to_num(self.step, nan=60.0)[self.row_machine]
        before = np.append(np.nan, np.diff(self.t)) if len(self.t) else np.zeros(0)
        return ~self.starts_machine & (before <= np.minimum(2.5 * usual, LONGEST_HOLD_S))

    def total(self, values: Floats) -> Floats:
        """The sum of a row quantity in each hour, shape (groups,); NaN counts as nothing."""
        return np.add.reduceat(np.where(np.isnan(values), 0.0, values), self.first) if len(self.first) else np.zeros(0)

    def seconds(self, flags: Flags) -> Floats:
        """For how long something held in each hour (s), shape (groups,)."""
        return np.add.reduceat(np.where(flags, self.dt, 0.0), self.first) if len(self.first) else np.zeros(0)

    def highest(self, values: Floats) -> Floats:
        """The greatest value of each hour, shape (groups,); NaN where there is none."""
        found = np.maximum.reduceat(np.where(np.isnan(values), -np.inf, values), self.first) if len(self.first) else np.zeros(0)
        return np.where(np.isinf(found), np.nan, found)


def _offsets(machines: Sequence[Machine], row_machine: Ints, t: Floats) -> Floats:
    """Seconds that the clock of each row's site is ahead of UTC; looked up once for each zone and hour."""
    out = np.zeros(len(t))
    zones = np.array([machine.time_zone for machine in machines])
    for name in set(zones.tolist()) if len(t) else ():
        mine = (zones == name)[row_machine]
        if name == "UTC" or not mine.any():
            continue
        hours, place = np.unique(np.floor(t[mine] / 900.0), return_inverse=True)
        zone = ZoneInfo(name)
        ahead = [datetime.fromtimestamp(hour * 900.0, UTC).astimezone(zone).utcoffset() for hour in hours.tolist()]
        out[mine] = np.array([delta.total_seconds() if delta else 0.0 for delta in ahead])[place]
    return out
