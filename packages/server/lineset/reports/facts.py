"""What reports are made of: plain figures of days and machines, in catalogue units, gathered in one place and told in another."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineset.diagnostics import Compared, views
from lineset.diagnostics.changepoint import Response
from lineset.diagnostics.savings import Savings

Floats = NDArray[np.float64]
Values = Sequence[float | None]
WHOLE_DAY_S = 0.8 * 86_400.0
"""A day counts as measured from here on; one that is known in part says nothing about a whole day."""
ACTIVE = ("heating", "cooling", "hot_water", "defrost", "auxiliary_heat", "dry")
"""The modes whose time is told, in this order."""


class MachineDays(msgspec.Struct, frozen=True):
    """A machine over some days, one value a day in each list; None where it was not measured.

    `electric`, `gas`, `heat`, `cooling` in kWh (the last two delivered); `room`, `low`, `high`, `aim`, `outdoor` in degC; `modes`: seconds
    by mode over all days; `starts` over all days; `covered` the share of the time with readings (0 to 1).
    """

    id: UUID
    name: str
    type: str
    make: str
    model: str
    days: Sequence[date]
    electric: Values
    gas: Values
    heat: Values
    cooling: Values
    room: Values
    low: Values
    high: Values
    aim: Values
    outdoor: Values
    modes: Mapping[str, float]
    starts: int | None
    covered: float
    installer: str = ""
    figures: Mapping[str, views.Figure] = {}

    @property
    def run_s(self) -> float:
        """Seconds in which it conditioned anything."""
        return sum(self.modes.get(mode, 0.0) for mode in ACTIVE)


class HomeMonth(msgspec.Struct, frozen=True):
    """A home's month. `expected`: by day what the home's own response to the weather explains (kWh), from the days before, by `response`;
    `before` the energy of the month before (kWh), None where it was not measured. `until`: the last day that is over; the month may go on.
    """

    site: UUID
    name: str
    zone: str
    month: date
    until: date
    machines: Sequence[MachineDays]
    expected: Values = ()
    response: Response | None = None
    before: float | None = None
    findings: Sequence[views.Finding] = ()
    dues: Sequence[views.Due] = ()
    advice: Sequence[views.Advice] = ()
    compared: Compared | None = None

    @property
    def days(self) -> Sequence[date]:
        """The days of the month that are over."""
        return [self.month + timedelta(days=n) for n in range((self.until - self.month).days + 1)]

    @property
    def energy(self) -> float | None:
        """Electricity and gas of all machines, kWh; None where nothing was measured."""
        return total([v for machine in self.machines for values in (machine.electric, machine.gas) for v in values])


class Service(msgspec.Struct, frozen=True):
    """A machine before and after work on it. `on` is the day of the work, which belongs to neither side."""

    site_name: str
    zone: str
    machine: MachineDays
    serial: str
    on: date
    before: MachineDays
    after: MachineDays
    savings: Savings
    findings: Sequence[views.Finding] = ()


class Group(msgspec.Struct, frozen=True):
    """Machines alike: quartiles of one figure over homes, or nothing where the group is too small to be told of."""

    name: str
    homes: int
    machines: int
    quartiles: tuple[float, float, float] | None
    found: float | None


class Serviced(msgspec.Struct, frozen=True):
    """What became of a fleet's findings over a span: `found` in it, `mended` as readings since confirm, `waiting` for readings after a
    repair, `still` open. `days`: from a finding to its confirmed repair, the median; None where there was none."""

    found: int
    mended: int
    waiting: int
    still: int
    days: float | None


class Fleet(msgspec.Struct, frozen=True):
    """A company's fleet over a span, `groups` by what they are grouped by (make, model, type, installer). Figures of groups with fewer
    than `floor` homes are left out before anything is told; `hidden` counts those homes."""

    company: str
    first: date
    last: date
    homes: int
    machines: int
    floor: int
    groups: Mapping[str, Sequence[Group]]
    hidden: Mapping[str, int]
    whole: float | None
    faults: Sequence[tuple[str, int]] = ()
    serviced: Serviced | None = None


def total(values: Values) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [v for v in values if v is not None]
    return float(sum(known)) if known else None


def mean(values: Values) -> float | None:
    """The mean of what is known; None where nothing is."""
    known = [v for v in values if v is not None]
    return float(sum(known) / len(known)) if known else None


def column(values: Values) -> Floats:
    """Values as an array, NaN where one is absent."""
    return np.array([np.nan if v is None else v for v in values], np.float64)


def together(machines: Sequence[MachineDays], name: str) -> list[float | None]:
    """The sum over machines of one list, by day; None on days on which a machine that has this quantity was not measured."""
    lists: list[Values] = [getattr(machine, name) for machine in machines]
    having = [values for values in lists if any(v is not None for v in values)]
    if not having:
        return []
    found: list[float | None] = []
    for n in range(len(having[0])):
        parts = [values[n] for values in having]
        found.append(None if any(part is None for part in parts) else float(sum(part for part in parts if part is not None)))
    return found


def added(one: Values, other: Values) -> list[float | None]:
    """Two lists added day by day, where either may be empty; None where both are unknown."""
    if not one or not other:
        return list(one or other)
    return [None if a is None and b is None else (a or 0.0) + (b or 0.0) for a, b in zip(one, other, strict=True)]


def outdoor_of(machines: Sequence[MachineDays]) -> list[float | None]:
    """The outdoor temperature by day: the mean of the machines that know it."""
    having = [machine.outdoor for machine in machines if any(v is not None for v in machine.outdoor)]
    return [mean([values[n] for values in having]) for n in range(len(having[0]))] if having else []
