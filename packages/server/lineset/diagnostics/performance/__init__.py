"""Performance: how machines ran over days, months and seasons, each figure with its doubt and what it was derived from, or absent with why.

Formulas and sources: docs/guides/performance.md, and the docstrings of the functions in `TOPICS`. Figures are made of sums of features, so
any span can be told from its days.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from lineset.diagnostics.days import Days
from lineset.diagnostics.performance import circuit, efficiency, use, weather
from lineset.diagnostics.performance.table import Column, Span, Spans, spans
from lineset.diagnostics.views import Figure, Performance

__all__ = ["Column", "Span", "Spans", "figures", "performance"]

TOPICS: tuple[Callable[[Spans], Mapping[str, Column]], ...] = (
    use.quality,
    use.times,
    use.energies,
    efficiency.delivered,
    efficiency.quotients,
    efficiency.losses,
    circuit.steady,
    weather.normalised,
    use.comfort,
)
_EPOCH = date(1970, 1, 1)


def figures(days: Days, span: Span) -> tuple[Spans, dict[str, Column]]:
    """All figures of all machines as columns, one row for each machine and span; by name."""
    rows = spans(days, span)
    found: dict[str, Column] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for topic in TOPICS:
            found |= topic(rows)
    return rows, found


def performance(days: Days, span: Span = "month") -> list[Performance]:
    """How each machine ran in each span, by machine and time. Figures that make no sense for a machine are left out.

    Raises:
        ValueError: the id of a machine is not a UUID.
    """
    rows, found = figures(days, span)
    plain = {
        name: (c.unit, c.value.tolist(), c.doubt.tolist(), c.basis.tolist(), c.why.tolist(), c.applies.tolist())
        for name, c in found.items()
    }
    told = []
    for row, (machine, start, length) in enumerate(zip(rows.machine.tolist(), rows.start.tolist(), rows.length.tolist(), strict=True)):
        mine = {
            name: Figure(None, unit, why=why[row]) if why[row] else Figure(value[row], unit, _number(doubt[row]), basis[row])
            for name, (unit, value, doubt, basis, why, applies) in plain.items()
            if applies[row]
        }
        told.append(Performance(UUID(rows.machines[machine].id), _EPOCH + timedelta(days=start), length, mine))
    return told


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
