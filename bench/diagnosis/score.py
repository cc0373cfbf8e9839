"""Compares findings with what was true, in the terms of the field.

Outcomes of a fault follow Yuill and Braun (2013), Evaluating the performance of fault detection and diagnostics protocols applied to
air-cooled unitary air-conditioning equipment, HVAC&R Research 19(7): *correct*, *misdiagnosis* (another fault is named), *missed
detection*, *no response* (the machine hardly ran, so no protocol could be applied) and, for what is sound, *false alarm*. A finding may
name several faults that its measurements can't tell apart; one that has the true fault among them without naming it first is *ambiguous*.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lineset_contract.faults import FAULTS

Outcome = Literal["correct", "ambiguous", "misdiagnosed", "missed", "no response"]
DAY_S = 86_400.0
MONTH_S = 365.25 / 12.0 * DAY_S
LEAST_RUN_S = 4.0 * 3600.0
"""A machine that ran for less than this under its fault could not be judged."""
COSTLY = 0.10
"""Faults that cost this share of efficiency or more are those that must be found."""
_OBSERVERS = frozenset({"thermostat"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: names as the contract has them, times in s since 1970 UTC; `candidates` has `fault` among them."""

    equipment: str
    fault: str
    candidates: frozenset[str]
    opened: float
    closed: float


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of one fault. `days` from its onset (or the recording's start) to the finding that settled the outcome; NaN without.
    `older`: it was there before the first reading, so that nobody ever saw the machine sound."""

    truth: Mapping[str, Any]
    outcome: Outcome
    days: float
    named: str
    older: bool = False

    @property
    def found(self) -> bool:
        """Whether anything was said of the machine."""
        return self.outcome in ("correct", "ambiguous", "misdiagnosed")

    @property
    def right(self) -> bool:
        """Whether the true fault was named, alone or among those that look alike."""
        return self.outcome in ("correct", "ambiguous")


@dataclass(frozen=True, slots=True)
class Result:
    """All faults scored; findings on what was sound, and the months that sound machines (thermostats aside) were watched; findings beside
    the right one on machines that had a fault."""

    faults: Sequence[Scored]
    alarms: Sequence[Finding]
    months: float
    beside: Sequence[Finding]


def read(lines: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Findings as the platform prints them; a time that is null is open. Raises ValueError for a fault that the contract does not have."""
    found = []
    for line in lines:
        named = {c if isinstance(c, str) else c["fault"] for c in line["candidates"]} | {line["fault"]}
        if unknown := named - set(FAULTS):
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        found.append(Finding(line["equipment"], line["fault"], frozenset(named), _seconds(line["opened"]), _seconds(line["closed"])))
    return found


def _seconds(moment: str | float | None) -> float:
    if moment is None:
        return math.inf
    return float(moment) if isinstance(moment, int | float) else datetime.fromisoformat(moment).timestamp()


def score(truth: Mapping[str, Any], findings: Sequence[Finding]) -> Result:
    """What became of each fault of `truth`, and which findings were false alarms.

    A finding belongs to a fault when it stands at the faulty machine, or at one joined to it, and was opened while the fault was there. All
    else is a false alarm: findings at machines that no fault concerns, and those opened before the onset, which earn nothing later either.
    """
    machines = {m["id"]: m for m in truth["machines"]}
    concerned: dict[str, float] = {}
    by_machine: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.equipment not in machines:
            raise ValueError(f"a finding at {finding.equipment}, which is not in the fleet")
        by_machine.setdefault(finding.equipment, []).append(finding)
    scored, beside = [], []
    for fault in truth["faults"]:
        group = [fault["equipment"], *machines[fault["equipment"]]["joined"]]
        for each in group:
            concerned[each] = min(fault["onset"], concerned.get(each, math.inf))
        mine = [f for each in group for f in by_machine.get(each, ()) if fault["onset"] <= f.opened <= fault["end"]]
        one = _scored(fault, machines[fault["equipment"]]["start"], mine)
        scored.append(one)
        if one.right:
            beside += [f for f in mine if fault["fault"] not in f.candidates]
    alarms = [f for f in findings if f.opened < concerned.get(f.equipment, math.inf) and not _true_of_rooms(f, machines[f.equipment])]
    sound = (
        max(min(concerned.get(m["id"], math.inf), m["end"]) - m["start"], 0.0) for m in machines.values() if m["type"] not in _OBSERVERS
    )
    return Result(scored, alarms, sum(sound) / MONTH_S, beside)


def _true_of_rooms(finding: Finding, machine: Mapping[str, Any]) -> bool:
    """Whether it says of rooms that miss their set points that they do: true whatever the reason, and no false alarm."""
    return finding.fault == "setpoint_not_reached" and bool(machine.get("missed"))


def _scored(fault: Mapping[str, Any], start: float, mine: Sequence[Finding]) -> Scored:
    name, older = fault["fault"], fault["onset"] < start
    in_time = sorted(mine, key=lambda f: f.opened)
    ways: tuple[tuple[Outcome, list[Finding]], ...] = (
        ("correct", [f for f in in_time if f.fault == name]),
        ("ambiguous", [f for f in in_time if name in f.candidates]),
        ("misdiagnosed", in_time),
    )
    for outcome, those in ways:
        if those:
            return Scored(fault, outcome, (those[0].opened - max(fault["onset"], start)) / DAY_S, those[0].fault, older)
    idle = fault.get("run_s", math.inf) < LEAST_RUN_S and name != "offline"
    return Scored(fault, "no response" if idle else "missed", math.nan, "", older)


def wilson(hits: int, tries: int, z: float = 1.96) -> tuple[float, float]:
    """The interval (95 %) of a share after Wilson (1927), as in Brown, Cai and DasGupta (2001), section 3.1.1; (0, 1) without tries."""
    if tries == 0:
        return 0.0, 1.0
    p, n = hits / tries, float(tries)
    middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max((middle - spread) / (1 + z * z / n), 0.0), min((middle + spread) / (1 + z * z / n), 1.0)


def poisson(count: int, exposure: float) -> tuple[float, float]:
    """The exact interval (95 %) of a rate after Garwood (1936), per unit of `exposure`; (0, inf) without exposure."""
    from scipy.stats import chi2  # noqa: PLC0415  slow to load

    if exposure <= 0.0:
        return 0.0, math.inf
    low = chi2.ppf(0.025, 2 * count) / 2.0 if count else 0.0
    return float(low) / exposure, float(chi2.ppf(0.975, 2 * count + 2)) / 2.0 / exposure
