"""What technicians found on site, as what diagnosis expects next time of machines of the same make and model."""

from collections.abc import Mapping

import msgspec
import numpy as np

from lineset.diagnostics.grouping import Conclusion
from lineset.diagnostics.views import Candidate

Shifts = Mapping[str, float]
"""By how much the log odds of each fault change."""
WORTH = 4.0
"""As many verdicts of either kind as knowing nothing is worth: a few do not overrule what is measured."""


def shift(confirmed: int, rejected: int) -> float:
    """By how much the log odds of a fault change after so many verdicts: the posterior odds of a beta prior that both are alike likely,
    Beta(`WORTH`, `WORTH`), as a factor (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4); 0 without verdicts."""
    return float(np.log((confirmed + WORTH) / (rejected + WORTH)))


def reweighed(what: Conclusion, shifts: Shifts) -> Conclusion:
    """A conclusion whose candidates' odds are shifted; together they hold no more than certainty. Severity and loss stay those of the
    fault that the measurements alone name."""
    if not any(c.fault in shifts for c in what.candidates):
        return what
    odds = {c.fault: c.probability / max(1.0 - c.probability, 1e-9) * np.exp(shifts.get(c.fault, 0.0)) for c in what.candidates}
    chances = {fault: float(value / (1.0 + value)) for fault, value in odds.items()}
    total = max(sum(chances.values()), 1.0)
    ranked = sorted(((fault, chance / total) for fault, chance in chances.items()), key=lambda item: -item[1])
    confidence = min(1.0, sum(chance for _, chance in ranked))
    candidates = tuple(Candidate(fault, chance) for fault, chance in ranked)
    return msgspec.structs.replace(what, fault=ranked[0][0], candidates=candidates, confidence=confidence)
