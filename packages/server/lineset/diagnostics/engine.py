"""Diagnosis put together: detectors asked, causes told from effects, and conclusions followed over time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from lineset.diagnostics.baseline import Memory, learn, residuals
from lineset.diagnostics.cases import WINDOW_DAYS, Cases, Detector, Status, Verdicts
from lineset.diagnostics.days import Days, fold
from lineset.diagnostics.detectors import DETECTORS
from lineset.diagnostics.features import features, folds_by_max
from lineset.diagnostics.grouping import HARMLESS, SHARED, Conclusion, conclusion, group
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import DAY_S, HOUR_S, Floats, Ints, Samples

log = structlog.get_logger(__name__)

SURE = 0.7
"""From this confidence on a conclusion opens a finding; one that is open stays while it is above `DOUBTFUL`."""
DOUBTFUL = 0.4
CLEAR_S = 2 * DAY_S
"""For how long its detector has to see nothing before a finding closes (s)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found out about one case: its causes, and what the detector of each fault says (`states`, in the order of `faults`)."""

    conclusions: list[Conclusion]
    faults: Mapping[str, int]
    states: NDArray[np.int8]

    def status(self, fault: str) -> Status:
        """What the detector of a fault says; `NOT_APPLICABLE` where nobody looks for it."""
        place = self.faults.get(fault)
        return Status.NOT_APPLICABLE if place is None else Status(int(self.states[place]))


class Found(msgspec.Struct, frozen=True):
    """A finding as diagnosis follows it: times in s since 1970 UTC. `clear_since`: from when on its detector saw nothing any more."""

    machine: str
    what: Conclusion
    opened: float
    seen: float
    closed: float | None = None
    clear_since: float | None = None


def judge(cases: Cases, detectors: Sequence[Detector] = DETECTORS) -> list[Judged]:
    """Ask all detectors about all cases. One that fails says `ERROR` of its cases and disturbs no other."""
    said: list[list[Conclusion]] = [[] for _ in cases.machines]
    faults = {fault: n for n, fault in enumerate(dict.fromkeys(f for detector in detectors for f in detector.faults))}
    states = np.full((len(cases), len(faults)), Status.NOT_APPLICABLE, np.int8)
    families = np.array([machine.family for machine in cases.machines])
    for detector in detectors:
        mine = np.flatnonzero(np.isin(families, list(detector.families)))
        verdicts = _asked(detector, _part(cases, mine)) if len(mine) else None
        for fault in detector.faults if len(mine) else ():
            states[mine, faults[fault]] = Status.ERROR if verdicts is None else verdicts.status
        if verdicts is not None:
            for place in np.flatnonzero(verdicts.status == Status.FAULT).tolist():
                said[int(mine[place])].append(_concluded(detector, verdicts, place))
    grouped = [group(each) for each in said]
    return [Judged(each, faults, row) for each, row in zip(_once_a_zone(cases.machines, cases.day.tolist(), grouped), states, strict=True)]


def _asked(detector: Detector, cases: Cases) -> Verdicts | None:
    try:
        with np.errstate(all="ignore"):
            return detector.judge(cases)
    except Exception:
        log.exception("detector_failed", detector=detector.name, cases=len(cases))
        return None


def _part(cases: Cases, places: Ints) -> Cases:
    if len(places) == len(cases):
        return cases
    return Cases([cases.machines[p] for p in places.tolist()], cases.day[places], {name: v[places] for name, v in cases.sums.items()})


def _concluded(detector: Detector, verdicts: Verdicts, place: int) -> Conclusion:
    def at(figures: Mapping[str, Floats]) -> dict[str, float]:
        return {name: float(values[place]) for name, values in figures.items() if not np.isnan(values[place])}

    faults = {fault: max(0.0, p) for fault, p in at(verdicts.probability).items()}
    severity, loss = ({fault: figures.get(fault, 0.0) for fault in faults} for figures in (at(verdicts.severity), at(verdicts.loss)))
    return conclusion(faults, severity, loss, at(verdicts.evidence), detector.plot)


def _once_a_zone(machines: Sequence[Machine], days: Sequence[int], said: list[list[Conclusion]]) -> list[list[Conclusion]]:
    """Of a fault between machines of one zone, only the likeliest place."""
    best: dict[tuple[str, str, int], tuple[float, int]] = {}
    for case, (machine, day) in enumerate(zip(machines, days, strict=True)):
        for each in said[case]:
            if each.fault in SHARED and machine.site:
                key = (machine.site, each.fault, day)
                best[key] = max(best.get(key, (-1.0, -1)), (each.confidence, -case))
    return [
        [c for c in mine if c.fault not in SHARED or not m.site or best[(m.site, c.fault, day)][1] == -case]
        for case, (m, day, mine) in enumerate(zip(machines, days, said, strict=True))
    ]


@dataclass(frozen=True, slots=True)
class Changes:
    """What following one machine brought: findings as they are now, those that are new, and those that closed."""

    open: list[Found] = field(default_factory=list)
    new: list[Found] = field(default_factory=list)
    closed: list[Found] = field(default_factory=list)


def track(machine: str, before: Sequence[Found], judged: Judged, at: float) -> Changes:
    """Follow one machine: `before` are its open findings, `at` the moment (s since 1970 UTC) that was judged.

    A conclusion continues an open finding with which it shares a candidate or an effect. A finding closes once its detector has said `OK`,
    or its fault was explained otherwise, for `CLEAR_S`; while the machine is off or tells too little, it stays as it is.
    """
    changes = Changes()
    left = list(judged.conclusions)
    for found in before:
        own = {found.what.fault, *(c.fault for c in found.what.candidates)}
        match = next((c for c in left if c.confidence >= DOUBTFUL and own & {c.fault, *(k.fault for k in c.candidates)}), None)
        match = match or next((c for c in left if c.confidence >= SURE and own & set(c.effects)), None)
        if match is not None:
            left.remove(match)
            changes.open.append(msgspec.structs.replace(found, what=match, seen=at, clear_since=None))
            continue
        clear = judged.status(found.what.fault) == Status.OK or any(own & set(c.effects) for c in judged.conclusions)
        since = (found.clear_since or at) if clear else None
        kept = msgspec.structs.replace(found, clear_since=since)
        if since is not None and at - since >= CLEAR_S:
            changes.closed.append(msgspec.structs.replace(kept, closed=at))
        else:
            changes.open.append(kept)
    changes.new.extend(Found(machine, c, at, at) for c in left if c.confidence >= SURE)
    changes.open.extend(changes.new)
    return changes


class Window:
    """The last `WINDOW_DAYS` days of features of some machines, rolled on day by day."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines, self.day = machines, -1
        self.sums: dict[str, Floats] = {}
        self.known = np.zeros(len(machines), bool)

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
            mine = self.sums.setdefault(name, np.full((len(self.machines), WINDOW_DAYS), np.nan))
            mine[machine, place] = _added(name, mine[machine, place], values[inside])

    def cases(self) -> Cases:
        """All machines that were ever heard, at the newest day; those that were not have no case."""
        known = np.flatnonzero(self.known)
        sums = {name: values[known] for name, values in self.sums.items()}
        return Cases([self.machines[k] for k in known.tolist()], np.full(len(known), self.day, np.int64), sums)


def _added(name: str, there: Floats, more: Floats) -> Floats:
    both = np.fmax(there, more) if folds_by_max(name) else np.nan_to_num(there) + np.nan_to_num(more)
    return np.where(np.isnan(there) & np.isnan(more), np.nan, both)


def walk(samples: Samples, detectors: Sequence[Detector] = DETECTORS, until: float = 0.0) -> Iterator[Found]:
    """Diagnose recorded history day by day, as if at the end of each day; gives closed findings as they close, then the open ones.

    Every machine is judged until the last day of the whole recording, so one that fell silent is noticed: `until` (s since 1970 UTC) is
    the end of the recording, where these samples are only some of its machines.
    """
    if not len(samples):
        return
    hours, window, memory = features(samples), Window(samples.machines), Memory.empty(len(samples.machines))
    place = {machine.id: n for n, machine in enumerate(samples.machines)}
    first, newest = int(samples.hour_day.min()), max(int(samples.hour_day.max()), int(until // DAY_S))
    ends = np.zeros(newest + 1)
    np.maximum.at(ends, samples.hour_day, samples.hour_start + HOUR_S)
    open_: dict[str, list[Found]] = {}
    for day in range(first, newest + 1):
        mine = np.flatnonzero(samples.hour_day == day)
        machine, today = samples.hour_machine[mine], {name: values[mine] for name, values in hours.items()}
        window.roll(day)
        window.put(fold(samples.machines, machine, samples.hour_day[mine], today | residuals(memory, samples.machines, machine, today)))
        cases, at = window.cases(), float(ends[day]) or (day + 1) * DAY_S
        healthy = np.ones(len(samples.machines), bool)
        for each, judged in zip(cases.machines, judge(cases, detectors), strict=True):
            changes = track(each.id, open_.get(each.id, []), judged, at)
            open_[each.id] = changes.open
            healthy[place[each.id]] = is_healthy(judged, changes.open)
            yield from changes.closed
        memory = learn(memory, samples.machines, machine, today, healthy[machine])
    for still in open_.values():
        yield from still


def is_healthy(judged: Judged, still_open: Sequence[Found]) -> bool:
    """Whether a machine may learn from what was judged: nothing is, or may be, wrong with it that changes how it performs."""
    suspected = {c.fault for c in judged.conclusions if c.confidence >= DOUBTFUL}
    return suspected | {found.what.fault for found in still_open} <= HARMLESS
