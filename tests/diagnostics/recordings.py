"""Recordings for tests: rows of one or many machines from plain columns."""

from collections.abc import Mapping, Sequence

import numpy as np
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import Floats, Samples
from numpy.typing import ArrayLike

T0 = 1_700_002_800.0
"""A full hour (s since 1970 UTC)."""


def machine(
    type_: str = "heat_pump_air_air", *, refrigerant: str = "R410A", capacity_w: float = 9000.0, id: str = "m", time_zone: str = "UTC"
) -> Machine:
    return Machine(id=id, type=type_, refrigerant=refrigerant, capacity_w=capacity_w, time_zone=time_zone)


def recorded(of: Machine, step: float, **points: ArrayLike) -> Samples:
    """Rows of one machine every `step` seconds; single numbers stand for all rows."""
    rows = max(np.size(values) for values in points.values())
    columns = {name: np.broadcast_to(np.asarray(values, np.float64), (rows,)).copy() for name, values in points.items()}
    return Samples([of], np.zeros(rows, np.int64), (T0 + step * np.arange(rows)).astype(np.float64), columns)


def together(parts: Sequence[Samples]) -> Samples:
    """Recordings of one machine each as one."""
    names = {name for part in parts for name in part.points}
    rows = [len(part) for part in parts]
    columns: Mapping[str, Floats] = {name: np.concatenate([part.point(name) for part in parts]) for name in names}
    return Samples(
        [part.machines[0] for part in parts], np.repeat(np.arange(len(parts)), rows), np.concatenate([p.t for p in parts]), columns
    )
