"""Machines followed over time, day by day: recorded history as a whole, or hour by hour as it comes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from lineset.diagnostics.baseline import Memory, compare
from lineset.diagnostics.cases import WINDOW_DAYS, Cases, Detector, Some
from lineset.diagnostics.days import Days, fold
from lineset.diagnostics.detectors import DETECTORS
from lineset.diagnostics.engine import Found, Judged, is_healthy, judge, track
from lineset.diagnostics.features import features, folds_by_max
from lineset.diagnostics.kinds import Norms
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import DAY_S, HOUR_S, Floats, Ints, Samples
from lineset.diagnostics.verdicts import Shifts, reweighed
from lineset.kit.ids import new_id

GROWN = 0.15
"""By so much more severe a fault has to be before it is found again where somebody called it a false alarm."""


class Window:
    """The last `WINDOW_DAYS` days of features of some machines, rolled on day by day.

    `known` (machines,): those that were ever heard. `fresh` (machines,): the first day that counts, where a repair made another machine of
    it; from then on earlier ones are not shown to detectors. `norms`: what the fleet taught of their makes.
    """

    def __init__(self, machines: Sequence[Machine], norms: Norms | None = None) -> None:
        self.machines, self.day, self.norms = machines, -1, norms
        self.sums: dict[str, Floats] = {}
        self.known = np.zeros(len(machines), bool)
        self.fresh: Ints = np.full(len(machines), -1, np.int64)

    def roll(self, day: int) -> None:
        """Make `day` (days since 1970) the newest."""
        by = WINDOW_DAYS if self.day < 0 else min(day - self.day, WINDOW_DAYS)
        for values in self.sums.values():
            values[:, :-by] = values[:, by:] if by < WINDOW_DAYS else np.nan
            values[:, -by:] = np.nan
        self.day = day

    def put(self, days: Days) -> None:
        """Fill in days that lie within the window; a later part of a day adds to what is there."""
        back = self.day - days.day
        inside = (back >= 0) & (back < WINDOW_DAYS)
        machine, place = days.machine[inside], WINDOW_DAYS - 1 - back[inside]
        self.known[machine] = True
        for name, values in days.sums.items():
            mine = self.sums.get(name)
            if mine is None:  # nothing to add to, as for all of the days that a course begins with
                mine = self.sums[name] = np.full((len(self.machines), WINDOW_DAYS), np.nan)
                mine[machine, place] = values[inside]
            else:
                mine[machine, place] = _added(name, mine[machine, place], values[inside])

    def cases(self) -> Cases:
        """All machines that were ever heard, at the newest day; those that were not have no case."""
        known = np.flatnonzero(self.known)
        days = self.day - np.arange(WINDOW_DAYS - 1, -1, -1)
        fresh = self.fresh[known][:, None]
        stale = (days[None, :] < fresh) & (fresh <= self.day)
        sums = Some(self.sums, known, ~stale if stale.any() else None)
        norms = None if self.norms is None else self.norms.of(known)
        return Cases([self.machines[k] for k in known.tolist()], np.full(len(known), self.day, np.int64), sums, norms)


def _added(name: str, there: Floats, more: Floats) -> Floats:
    both = np.fmax(there, more) if folds_by_max(name) else np.nan_to_num(there) + np.nan_to_num(more)
    return np.where(np.isnan(there) & np.isnan(more), np.nan, both)


@dataclass(slots=True)
class Course:
    """Machines followed over time: their last days, what each has learnt, and what is wrong with it now.

    `open`: findings by the machine's id. `muted`: of a machine's id, how severe each fault was that people called a false alarm.
    `shifts`: what technicians' verdicts say of makes and models.
    """

    window: Window
    memory: Memory
    open: dict[str, list[Found]] = field(default_factory=dict)
    muted: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    shifts: Mapping[tuple[str, str], Shifts] = field(default_factory=dict)
    detectors: Sequence[Detector] = DETECTORS

    @staticmethod
    def begun(machines: Sequence[Machine], detectors: Sequence[Detector] = DETECTORS, norms: Norms | None = None) -> "Course":
        """The course of machines of which nothing is known yet, but what the fleet taught of their makes."""
        return Course(Window(machines, norms), Memory.empty(len(machines)), detectors=detectors)

    def follow(self, day: int, machine: Ints, hours: Mapping[str, Floats], at: float) -> list[Found]:
        """Take in hours of one local day (since 1970; of no earlier day than before), judge all machines as of `at` (s since 1970 UTC), and
        let the healthy ones learn; gives the findings that closed. `machine` (hours,): index; `hours`: features, each (hours,)."""
        machines = self.window.machines
        if day > self.window.day:
            self.window.roll(day)
        compared = compare(self.memory, machine, hours) if len(machine) else None
        if compared is not None:
            both = {**hours, **compared.residuals()}
            self.window.put(fold(machines, machine, np.full(len(machine), day, np.int64), both))
        known = np.flatnonzero(self.window.known)
        healthy, closed = np.ones(len(machines), bool), []
        for place, judged in zip(known.tolist(), judge(self.window.cases(), self.detectors), strict=True):
            one = machines[place]
            heard = self._heard(one, judged)
            changes = track(one.id, self.open.get(one.id, []), heard, at)
            self.open[one.id] = [f if f.key else msgspec.structs.replace(f, key=str(new_id())) for f in changes.open]
            healthy[place] = is_healthy(heard, changes.open)
            closed += changes.closed
        if compared is not None:
            self.memory = compared.learnt(healthy[machine])
        return closed

    def _heard(self, machine: Machine, judged: Judged) -> Judged:
        """What was judged, less what people called a false alarm, and weighed by what verdicts say of the make and model."""
        if not judged.conclusions:
            return judged
        muted, shifts = self.muted.get(machine.id, {}), self.shifts.get((machine.make, machine.model), {})
        said = [reweighed(c, shifts) for c in judged.conclusions] if shifts else judged.conclusions
        left = [c for c in said if c.fault not in muted or c.severity >= muted[c.fault] + GROWN]
        return Judged(left, judged.faults, judged.states)

    def newest(self, machine: Ints) -> Days:
        """The newest day of these machines (ascending indices), as it is now."""
        sums = {name: values[machine, -1] for name, values in self.window.sums.items()}
        return Days(self.window.machines, machine, np.full(len(machine), self.window.day, np.int64), sums)


def walk(samples: Samples, detectors: Sequence[Detector] = DETECTORS, until: float = 0.0, norms: Norms | None = None) -> Iterator[Found]:
    """Diagnose recorded history day by day, as if at the end of each day; gives closed findings as they close, then the open ones.

    Every machine is judged until the last day of the whole recording, so one that fell silent is noticed: `until` (s since 1970 UTC) is
    the end of the recording, where these samples are only some of its machines; `norms` as of `Window`.
    """
    if not len(samples):
        return
    hours, course = features(samples), Course.begun(samples.machines, detectors, norms)
    first, newest = int(samples.hour_day.min()), max(int(samples.hour_day.max()), int(until // DAY_S))
    ends = np.zeros(newest + 1)
    np.maximum.at(ends, samples.hour_day, samples.hour_start + HOUR_S)
    for day in range(first, newest + 1):
        mine = np.flatnonzero(samples.hour_day == day)
        today = {name: values[mine] for name, values in hours.items()}
        yield from course.follow(day, samples.hour_machine[mine], today, float(ends[day]) or (day + 1) * DAY_S)
    for still in course.open.values():
        yield from still
