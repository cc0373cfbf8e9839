"""What rules over days share: how many bad days make a fault, how sure that is, and the verdict made of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.cases import Status, Verdicts
from lineset.diagnostics.samples import Flags, Floats

HEAT_PUMPS = frozenset({"heat_pump"})
COMPRESSORS = frozenset({"heat_pump", "air_conditioner", "ventilation"})
BURNERS = frozenset({"furnace", "boiler"})
TANKS = frozenset({"water_heater"})


@dataclass(frozen=True, slots=True)
class Persistence:
    """Of the last `of` days that tell something, `least` have to be bad."""

    least: int
    of: int

    @property
    def parameters(self) -> dict[str, float]:
        """As a detector declares them."""
        return {"bad_days": self.least, "of_days": self.of}


def lasting(bad: Flags, known: Flags, rule: Persistence) -> tuple[Flags, Flags, Floats]:
    """Whether days tell enough, whether they are bad for long enough, and the number of bad days among those that count.

    `bad`, `known`: (cases, days), the newest last; results (cases,). Enough are as many days as have to be bad.
    """
    newest_first = known[:, ::-1].cumsum(axis=1)[:, ::-1]
    counts = known & (newest_first <= rule.of)
    days = (bad & counts).sum(axis=1)
    return counts.sum(axis=1) >= rule.least, days >= rule.least, days.astype(np.float64)


def certainty(bad_days: Floats, margin: Floats | float = 1.0) -> Floats:
    """How sure a lasting observation is (0 to 1): each bad day leaves half of the doubt, and so does each time that the figure is
    again its limit (`margin` = figure / limit, 1 at the limit). Never above 0.98: a rule sees one side of things."""
    beyond = np.clip(np.nan_to_num(margin, nan=1.0), 1.0, 3.0) - 1.0
    return np.asarray(np.clip(1.0 - 0.5 ** (bad_days + beyond), 0.0, 0.98))


def recent(values: Floats, chosen: Flags) -> Floats:
    """The mean of daily figures over the chosen days, (cases,); NaN where there is none."""
    return np.where(
        chosen.any(axis=1), np.where(chosen, np.nan_to_num(values), 0.0).sum(axis=1) / np.maximum(chosen.sum(axis=1), 1), np.nan
    )


def rule_verdict(
    fault: str,
    bad: Flags,
    known: Flags,
    rule: Persistence,
    *,
    off: Flags | np.bool_ | None = None,
    unable: Flags | np.bool_ | None = None,
    margin: Floats | float = 1.0,
    severity: Floats | float = 0.0,
    loss: Floats | float = 0.0,
    evidence: Mapping[str, Floats] | None = None,
) -> Verdicts:
    """The verdict of a rule for one fault. `bad`, `known`: (cases, days). `off` (cases,): nothing to judge since the machine or the season
    does not call for it; `unable` (cases,): the machine has no points that could show it. The rest (cases,), as `Verdicts` has it."""
    enough, found, days = lasting(bad, known, rule)
    status = np.where(found, Status.FAULT, np.where(enough, Status.OK, Status.NOT_ENOUGH_DATA))
    if off is not None:
        status = np.where(~found & ~enough & off, Status.OFF, status)
    if unable is not None:
        status = np.where(~found & unable, Status.NOT_APPLICABLE, status)
    sure = np.where(found, certainty(days, margin), 0.0)
    share = np.clip(np.nan_to_num(np.broadcast_to(severity, sure.shape)), 0.0, 1.0)
    waste = np.clip(np.nan_to_num(np.broadcast_to(loss, sure.shape)), 0.0, 1.0)
    shown = {"bad_days_d": days, **(evidence or {})}
    return Verdicts(status.astype(np.int8), {fault: sure}, {fault: share}, {fault: waste}, shown)
