"""What fleet models share: whom they are about, how many must teach them, and how what they tell is rounded."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from sqlalchemy import select, text

from lineset.diagnostics.days import Days
from lineset.diagnostics.keeping import unpacked
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.model import DayLayoutRow
from lineset.privacy import Tx

LEAST_HOUSEHOLDS = 11
"""As of all aggregates here."""
Kind = tuple[str, str, str]
"""Type, make and model; an empty model stands for all of the make, an empty make for all of the type."""


def kinds_of(machine: Machine) -> tuple[Kind, ...]:
    """The kinds that a machine belongs to, each once: its type, its make, its model."""
    make, model = machine.make.strip(), machine.model.strip()
    return tuple(dict.fromkeys([(machine.type, "", ""), (machine.type, make, ""), (machine.type, make, model if make else "")]))


def rounded(value: float, error: float) -> float:
    """A value to the decimal place of its standard error."""
    if error <= 0 or not np.isfinite(error):
        return value
    return float(round(value, -int(np.floor(np.log10(error))))) + 0.0  # no negative zero


def tens(count: int) -> int:
    """A count in steps of ten, so that one more or less does not show: at least so many."""
    return count // 10 * 10


async def load_days(tx: Tx, machines: Sequence[Machine], asked: str, household: UUID, back: int) -> Days:
    """The days of a household's machines that SQL asks for by `:household` and `:back`: layout, machine, day since 1970 and sums."""
    place = {machine.id: n for n, machine in enumerate(machines)}
    rows = (await tx.session.execute(text(asked), {"household": household, "back": back})).all()
    layouts = await tx.session.execute(select(DayLayoutRow.layout, DayLayoutRow.names))
    names = {layout: tuple(named) for layout, named in layouts}
    known = [(row[0], place[str(row[1])], int(row[2]), row[3]) for row in rows if row[0] in names and str(row[1]) in place]
    return unpacked(machines, known, names)
