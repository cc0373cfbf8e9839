"""The page's table of a score."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bench.diagnosis.score import COSTLY, Outcome, Result, Scored, poisson, wilson

_OUTCOMES: tuple[Outcome, ...] = ("correct", "ambiguous", "misdiagnosed", "missed", "no response")
BINS: tuple[tuple[str, float, float], ...] = (
    ("10 % of efficiency or more", COSTLY, 2.0),
    ("5 to 10 %", 0.05, COSTLY),
    ("1 to 5 %", 0.01, 0.05),
    ("less, or none (sensors, hygiene, contact)", -99.0, 0.01),
)


def share(hits: int, tries: int) -> str:
    """A share in per cent with its interval."""
    if not tries:
        return "–"
    low, high = wilson(hits, tries)
    return f"{100 * hits / tries:.0f} % ({100 * low:.0f}–{100 * high:.0f})"


def described(truth: Mapping[str, Any], took: float) -> str:
    """The fleet in a sentence; `took` (s) is how long diagnosis of it took."""
    sites, faulty = {m["site"] for m in truth["machines"]}, {f["site"] for f in truth["faults"]}
    machines = sum(m["type"] != "thermostat" for m in truth["machines"])
    return (
        f"{len(sites)} homes, {len(sites) - len(faulty)} of them without a fault, {machines} machines beside thermostats,"
        f" {truth['days']} days of readings every {truth['step_s']} s; diagnosed day by day in {took:.0f} s."
    )


def markdown(result: Result) -> str:
    """The result by cost, by fault, and false alarms by the fault that they name."""
    return "\n".join(
        [
            by_cost(result),
            "",
            "| fault | faults | "
            + " | ".join(_OUTCOMES)
            + " | of those that cost 10 %: detected, right | days, median | taken for | false alarms |",
            "|---|---|" + "---|" * (len(_OUTCOMES) + 4),
            *_by_fault(result),
        ]
    )


def by_cost(result: Result) -> str:
    """The result by cost, and how often it is a false alarm."""
    low, high = poisson(len(result.alarms), result.months)
    rate = len(result.alarms) / max(result.months, 1e-9)
    apart = f"one in {1 / rate:.0f} months" if rate else "none at all"
    return "\n".join(
        [
            "| fault costs | faults | detected | right or among those that look alike | "
            + " | ".join(_OUTCOMES)
            + " | days to find, median |",
            "|---|---|---|---|" + "---|" * (len(_OUTCOMES) + 1),
            *(_row(name, [s for s in result.faults if least <= s.truth["loss"] < most]) for name, least, most in BINS),
            _row("all", result.faults),
            _row("10 % or more, begun while watched", [s for s in result.faults if s.truth["loss"] >= COSTLY and not s.older]),
            _row("10 % or more, older than the readings", [s for s in result.faults if s.truth["loss"] >= COSTLY and s.older]),
            "",
            f"False alarms: {len(result.alarms)} in {result.months:.1f} machine-months without a fault: {rate:.3f} a machine-month"
            f" ({low:.3f}–{high:.3f}), {apart}. Findings beside the right one at faulty machines: {len(result.beside)}.",
        ]
    )


def _row(name: str, those: Sequence[Scored]) -> str:
    found, right = sum(s.found for s in those), sum(s.right for s in those)
    counts = " | ".join(str(sum(s.outcome == outcome for s in those)) for outcome in _OUTCOMES)
    return f"| {name} | {len(those)} | {share(found, len(those))} | {share(right, found)} | {counts} | {_days(those)} |"


def _days(those: Sequence[Scored]) -> str:
    days = [s.days for s in those if s.right]
    return f"{statistics.median(days):.1f}" if days else "–"


def _by_fault(result: Result) -> list[str]:
    names = sorted({s.truth["fault"] for s in result.faults} | {f.fault for f in result.alarms})
    rows = []
    for name in names:
        those = [s for s in result.faults if s.truth["fault"] == name]
        dear = [s for s in those if s.truth["loss"] >= COSTLY]
        counts = " | ".join(str(sum(s.outcome == outcome for s in those)) for outcome in _OUTCOMES)
        costly = f"{sum(s.found for s in dear)}, {sum(s.right for s in dear)} of {len(dear)}" if dear else "–"
        taken = _counted([s.named for s in those if s.named not in ("", name)])
        alarms = sum(f.fault == name for f in result.alarms)
        rows.append(f"| {name} | {len(those)} | {counts} | {costly} | {_days(those)} | {taken} | {alarms} |")
    return rows


def _counted(names: Sequence[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common())
