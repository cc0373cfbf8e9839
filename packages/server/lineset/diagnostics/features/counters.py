"""Counters: what they went up by, whatever they were set back to in between."""

import numpy as np

from lineset.diagnostics.rows import Floats, Rows

FASTEST = {"kWh": 1000.0 / 3600.0, "m3": 0.1, "L": 20.0, "s": 1.2, "1": 0.1}
"""By unit, what no counter here goes up by in a second: 1 MW, 360 m3/h, 72 m3/h, a clock a fifth too fast, a start every 10 s. More than
that is a counter that was exchanged or set."""


def increments(rows: Rows, point: str, unit: str = "1") -> Floats | None:
    """By how much a counter has gone up since the row before, shape (rows,), in its unit; None where no machine here has it.

    NaN at a machine's first row, where it is not read, and after rows were lost (`Rows.follows`). A counter that falls was set back, and
    has since counted at most what it shows: that is taken where it is no more than it can be, else the step is unknown.
    """
    values = rows.points.get(point)
    if values is None:
        return None
    before = np.r_[np.nan, values[:-1]] if len(values) else values
    elapsed = np.r_[0.0, np.diff(rows.t)] if len(values) else values
    step = values - before
    step = np.where(step < 0.0, values, step)
    return np.where(rows.follows & (step <= FASTEST[unit] * elapsed + 1.0), step, np.nan)
