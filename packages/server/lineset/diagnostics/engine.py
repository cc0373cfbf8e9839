"""Diagnosis put together: detectors asked, causes told from effects, and conclusions followed over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from lineset.diagnostics.cases import Cases, Detector, Status, Verdicts
from lineset.diagnostics.detectors import DETECTORS
from lineset.diagnostics.grouping import HARMLESS, SHARED, Conclusion, conclusion, group
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import DAY_S, Floats, Ints

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
    """A finding as diagnosis follows it: times in s since 1970 UTC. `clear_since`: from when on its detector saw nothing any more;
    `key`: by which whoever keeps it knows it."""

    machine: str
    what: Conclusion
    opened: float
    seen: float
    closed: float | None = None
    clear_since: float | None = None
    key: str = ""


def judge(cases: Cases, detectors: Sequence[Detector] = DETECTORS) -> list[Judged]:
    """Ask all detectors about all cases. One that fails says `ERROR` of its cases and disturbs no other."""
    said: list[list[Conclusion]] = [[] for _ in cases.machines]
    faults = {fault: n for n, fault in enumerate(dict.fromkeys(f for detector in detectors for f in detector.faults))}
    states = np.full((len(cases), len(faults)), Status.NOT_APPLICABLE, np.int8)
    families = np.array([machine.family for machine in cases.machines])
    parts: dict[frozenset[str], tuple[Ints, Cases]] = {}
    for detector in detectors:
        if detector.families not in parts:
            places = np.flatnonzero(np.isin(families, list(detector.families)))
            parts[detector.families] = places, cases if len(places) == len(cases) else cases.of(places)
        mine, part = parts[detector.families]
        verdicts = _asked(detector, part) if len(mine) else None
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


def is_healthy(judged: Judged, still_open: Sequence[Found]) -> bool:
    """Whether a machine may learn from what was judged: nothing is, or may be, wrong with it that changes how it performs."""
    suspected = {c.fault for c in judged.conclusions if c.confidence >= DOUBTFUL}
    return suspected | {found.what.fault for found in still_open} <= HARMLESS
