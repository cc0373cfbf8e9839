"""By how much machines of a make and model differ from what their kind should read, learnt from the fleet.

A machine that nobody saw sound is judged by its kind (`kinds.py`), as wide as makes differ. Where enough homes let models learn, its make's
own readings are known, and how far its machines lie from each other: a fault shows that the kind alone would let pass. Some of the
machines that teach are ill, so what lies far from the others is left out.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lineset.diagnostics.cases import ratio
from lineset.diagnostics.days import Days
from lineset.diagnostics.expectations import COLUMNS, REST
from lineset.diagnostics.kinds import Norms, deviations
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.told import LEAST_HOUSEHOLDS, Kind, kinds_of, rounded
from lineset.diagnostics.samples import Floats

LEAST_DAY_S = 1800.0
"""Days with less steady running in a mode than this tell nothing (s)."""
LEAST_DAYS = 3
FAR = 3.0
"""What lies further than this many standard deviations from the median, as the median distance from it tells them, is left out."""
Norm = Mapping[str, tuple[float, float]]
"""By `<mode>.<channel>`: mean and spread between homes (one standard deviation), K or shares as `kinds.Kind` has them."""

_NAMES = tuple("" if mode == REST else f"{mode}.{channel}" for mode, channel in COLUMNS)


def told(days: Days) -> dict[Kind, dict[str, float]]:
    """What one household tells of each make and model of its machines, and of each make and type: by how much they differ from their kind,
    the mean of its machines."""
    found: dict[Kind, dict[str, list[float]]] = {}
    for place, mine in enumerate(_differences(days)):
        for name, value in zip(_NAMES, mine.tolist(), strict=True):
            if name and np.isfinite(value):
                for kind in kinds_of(days.machines[place]):
                    found.setdefault(kind, {}).setdefault(name, []).append(value)
    return {kind: {name: float(np.mean(values)) for name, values in each.items()} for kind, each in found.items()}


def _differences(days: Days) -> Floats:
    """The mean of each machine's days (machines, columns); NaN where too few tell."""

    def seconds(stem: str) -> Floats:
        return days.sums.get(f"{stem}.s", np.full(len(days.day), np.nan))

    def mean(stem: str) -> Floats:
        return ratio(days.sums.get(f"{stem}.x", np.full(len(days.day), np.nan)), seconds(stem))

    daily, _ = deviations(mean, seconds, [days.machines[m] for m in days.machine.tolist()], LEAST_DAY_S)
    out = np.full((len(days.machines), len(COLUMNS)), np.nan)
    for column in range(len(COLUMNS)):
        known = ~np.isnan(daily[:, column])
        count = np.bincount(days.machine[known], minlength=len(out)).astype(np.float64)
        total = np.bincount(days.machine[known], weights=daily[known, column], minlength=len(out)).astype(np.float64)
        out[:, column] = np.where(count >= LEAST_DAYS, ratio(total, count), np.nan)
    return out


def taught(households: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """What enough of these households tell, rounded to its own standard error: mean, and the spread that one home more has to be expected
    in. Outliers are dropped once, by the median absolute deviation (Huber, Robust Statistics, 1981, section 1.2), and don't count."""
    found = {}
    for name in sorted({name for household in households for name in household}):
        values = np.array([household[name] for household in households if name in household])
        off = np.abs(values - np.median(values))
        kept = values[off <= FAR * 1.4826 * np.median(off)]
        count = len(kept)
        if count < LEAST_HOUSEHOLDS:
            continue
        spread = float(kept.std(ddof=1))
        mean = rounded(float(kept.mean()), spread / count**0.5)
        found[name] = mean, rounded(spread * (1.0 + 1.0 / count) ** 0.5, spread / (2 * count) ** 0.5)
    return found


def norms_for(machines: Sequence[Machine], known: Mapping[Kind, Norm]) -> Norms | None:
    """Of each machine, column by column, what was learnt of its model, else of its make, else of its type; None where nothing was."""
    kinds = [kinds_of(machine) for machine in machines]
    each = {mine: _of_kinds([known[kind] for kind in reversed(mine) if kind in known]) for mine in set(kinds)}
    if not machines or not any(np.isfinite(both).any() for both in each.values()):
        return None
    both = np.stack([each[mine] for mine in kinds])
    return Norms(both[:, 0], both[:, 1])


def _of_kinds(norms: Sequence[Norm]) -> Floats:
    """Mean and spread (2, columns) by the first of these that has them."""
    unknown = (np.nan, np.nan)
    return np.array([next((norm[name] for norm in norms if name in norm), unknown) for name in _NAMES]).T
