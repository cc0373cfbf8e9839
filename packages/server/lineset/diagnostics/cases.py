"""What a detector sees and says: for many machines at once, the last days of features; and a verdict on each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from lineset.diagnostics.days import Days
from lineset.diagnostics.kinds import Norms
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import Flags, Floats, Ints

WINDOW_DAYS = 14
"""How many days a detector looks back."""


class Status(IntEnum):
    """What a detector says of a machine."""

    OK = 0
    FAULT = 1
    NOT_ENOUGH_DATA = 2
    NOT_APPLICABLE = 3
    OFF = 4
    ERROR = 5


@dataclass(frozen=True, slots=True)
class Cases:
    """Machines at a moment, each with its last `WINDOW_DAYS` days, the newest last. `sums`: by feature (cases, days), NaN where unknown.

    A machine may stand here several times, at different moments: that is how history is walked. `day` (cases,): the newest day, as days
    since 1970. `norms`: by how much sound machines of their makes differ from their kinds, as far as the fleet has taught it.
    """

    machines: Sequence[Machine]
    day: Ints
    sums: Mapping[str, Floats]
    norms: Norms | None = None

    def __len__(self) -> int:
        return len(self.machines)

    def of(self, places: Ints) -> "Cases":
        """Some of them."""
        norms = None if self.norms is None else self.norms.of(places)
        return Cases([self.machines[p] for p in places.tolist()], self.day[places], Some(self.sums, places), norms)

    def daily(self, name: str) -> Floats:
        """A feature, shape (cases, days); NaN throughout where nobody has it."""
        found = self.sums.get(name)
        return np.full((len(self), WINDOW_DAYS), np.nan) if found is None else found

    def total(self, name: str, last: int = WINDOW_DAYS) -> Floats:
        """The sum (or for `.max` features the greatest) over the last days, shape (cases,); NaN where no day has the feature."""
        mine = self.daily(name)[:, -last:]
        absent = np.isnan(mine).all(axis=1)
        folded = np.where(np.isnan(mine), -np.inf, mine).max(axis=1) if name.endswith(".max") else np.nansum(mine, axis=1)
        return np.asarray(np.where(absent, np.nan, folded))

    def mean(self, integral: str, weight: str, last: int = WINDOW_DAYS) -> Floats:
        """The mean over the last days of what two features hold: its integral over time and that time; NaN where there was none."""
        return ratio(self.total(integral, last), self.total(weight, last))


class Some(Mapping[str, Floats]):
    """Rows of features, each taken only when it is asked for: detectors look at few of them. `where`: which values count at all, if not
    all do; the others are NaN."""

    def __init__(self, whole: Mapping[str, Floats], rows: Ints, where: Flags | None = None) -> None:
        self._whole, self._rows, self._where = whole, rows, where
        self._taken: dict[str, Floats] = {}

    def __getitem__(self, name: str) -> Floats:
        found = self._taken.get(name)
        if found is None:
            found = self._whole[name][self._rows]
            found = self._taken[name] = found if self._where is None else np.where(self._where, found, np.nan)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


def ratio(above: Floats, below: Floats) -> Floats:
    """The quotient; NaN where the divisor is 0 or unknown."""
    out: Floats = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=out, where=np.nan_to_num(below) != 0)
    return out


def cases_of(days: Days, wanted: Sequence[tuple[int, int]]) -> Cases:
    """Cases for (index of a machine, newest day) pairs."""
    machine, day = np.array([m for m, _ in wanted], np.int64), np.array([d for _, d in wanted], np.int64)
    key = days.machine * np.int64(1_000_000) + days.day
    back = day[:, None] - np.arange(WINDOW_DAYS - 1, -1, -1)
    sought = machine[:, None] * np.int64(1_000_000) + back
    place = np.minimum(np.searchsorted(key, sought), max(len(key) - 1, 0))
    there = key[place] == sought if len(key) else np.zeros(sought.shape, bool)
    sums = {
        name: np.where(there, values[place], np.nan) if len(key) else np.full(sought.shape, np.nan) for name, values in days.sums.items()
    }
    return Cases([days.machines[m] for m in machine.tolist()], day, sums)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a detector says of each case. `status` (cases,): `Status`. By fault, each of shape (cases,): `probability` that it is this one
    (0 to 1; several faults of one detector compete), `severity` (0 to 1, as the detector's docstring defines), `loss` the share of the
    machine's energy that it wastes (0 to 1). `evidence`: figures behind it, (cases,), the unit at the end of the name: `superheat_K`."""

    status: NDArray[np.int8]
    probability: Mapping[str, Floats]
    severity: Mapping[str, Floats]
    loss: Mapping[str, Floats]
    evidence: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector as declared. It is asked about machines of `families`; `needs`: alternative sets of points, any one of which it can work
    with; `parameters`: its thresholds, units in the names; `source`: the rule's; `plot`: points whose course shows the fault."""

    name: str
    faults: tuple[str, ...]
    families: frozenset[str]
    needs: tuple[tuple[str, ...], ...]
    parameters: Mapping[str, float]
    source: str
    plot: tuple[str, ...]
    judge: Callable[[Cases], Verdicts]


def status_of(enough: Flags, fault: Flags) -> NDArray[np.int8]:
    """FAULT where there is one, else OK, and NOT_ENOUGH_DATA where there was too little to tell."""
    return np.where(~enough, Status.NOT_ENOUGH_DATA, np.where(fault, Status.FAULT, Status.OK)).astype(np.int8)
