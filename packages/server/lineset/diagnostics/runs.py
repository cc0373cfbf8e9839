"""Runs of machines: where they begin and end, and where in them the circuit is in balance."""

from dataclasses import dataclass

import numpy as np

from lineset.diagnostics.channels import Channels
from lineset.diagnostics.modes import UNKNOWN, Modes
from lineset.diagnostics.rows import Flags, Floats, Ints, Rows

SETTLE_S = 480.0
"""After this long in one mode a residential split system is steady by the practice of field diagnosis (s): ten to fifteen minutes on a
gauge set (AHRI/ACCA 4), of which the evenness asked for below takes the rest."""
LAG_S = 240.0
"""Over how long readings are compared with themselves (s)."""
EVEN = {
    "supply": 1.5,
    "discharge": 3.0,
    "condensing": 1.5,
    "evaporating": 1.5,
    "speed": 6.0,
}
"""By how much a channel may change over `LAG_S` (K, %)."""
EVEN_POWER = 0.1
"""By what share power may change over `LAG_S`."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows as runs. `run_id`, `since_start`, `since_mode` (rows,): the run, and for how long it has lasted (s) altogether and in its mode;
    -1 and NaN while the machine does not run. `mode_seen` (rows,): the change into the mode was seen.

    Of each run (runs,): `first` and `last` its rows, `start_seen` and `end_seen`, `length` (s) from its first row to the row after its
    last; NaN unless both were seen.
    """

    run_id: Ints
    since_start: Floats
    since_mode: Floats
    mode_seen: Flags
    first: Ints
    last: Ints
    start_seen: Flags
    end_seen: Flags
    length: Floats


def find(rows: Rows, mode: Modes, running: Flags) -> Runs:
    """Runs: unbroken rows of one machine in which it runs. A defrost lies within the run that it interrupts."""
    count = len(rows)
    if not count:
        none, no = np.zeros(0, np.int64), np.zeros(0, bool)
        return Runs(none, np.zeros(0), np.zeros(0), no, none, none, no, no, np.zeros(0))
    goes_on = rows.follows
    before_runs = np.r_[False, running[:-1]] & goes_on
    starts = running & ~before_runs
    changes = starts | (running & np.r_[True, mode[1:] != mode[:-1]])
    run_id = np.where(running, np.cumsum(starts) - 1, -1)
    place = np.arange(count)
    run_first = np.maximum.accumulate(np.where(starts, place, 0))
    mode_first = np.maximum.accumulate(np.where(changes, place, 0))
    known_before = goes_on & np.r_[False, mode[:-1] != UNKNOWN]
    first = np.flatnonzero(starts)
    goes_on_after = np.append(goes_on[1:], False)
    ends = running & ~(np.append(running[1:], False) & goes_on_after)
    last = np.flatnonzero(ends)
    start_seen = known_before[first]
    end_seen = goes_on_after[last]
    after = np.minimum(last + 1, count - 1)
    length = np.where(start_seen & end_seen, rows.t[after] - rows.t[first], np.nan)
    return Runs(
        run_id,
        np.where(running, rows.t - rows.t[run_first], np.nan),
        np.where(running, rows.t - rows.t[mode_first], np.nan),
        running & known_before[mode_first],
        first,
        last,
        start_seen,
        end_seen,
        length,
    )


def steady(rows: Rows, runs: Runs, channels: Channels) -> Flags:
    """Whether the circuit is in balance at each row, shape (rows,).

    The machine has been in its mode for `SETTLE_S`, or since before its first row that is here (so single points of a laboratory's steady
    test count), and temperatures, pressures, speed and power are what they were `LAG_S` ago, as far as they are measured. With steps over
    5 min, which hide what happens between two rows, the next row has to be in the same run too.
    """
    if not len(rows):
        return np.zeros(0, bool)
    step = np.nan_to_num(rows.step, nan=60.0)[rows.row_machine]
    coarse = step > 300.0
    settle = np.where(coarse, np.minimum(SETTLE_S, step), SETTLE_S)
    out = (runs.run_id >= 0) & (~runs.mode_seen | (runs.since_mode >= settle))
    same_run_next = np.append((runs.run_id[1:] == runs.run_id[:-1]) & rows.follows[1:], False)
    next_is_seen = np.append(rows.follows[1:], False)
    out &= ~coarse | ~next_is_seen | same_run_next
    candidates = np.flatnonzero(out)
    since_rows = (runs.since_mode[candidates] / step[candidates] + 0.5).astype(np.int64)
    lag = np.minimum(np.ceil(LAG_S / step[candidates]).astype(np.int64), since_rows)
    then = np.maximum(candidates - lag, 0)
    # Rows that were lost make the place a little earlier than meant, possibly before the run: then it is the row itself that is asked.
    then = np.where(runs.run_id[then] == runs.run_id[candidates], then, candidates)
    wide = np.maximum(1.0, (rows.t[candidates] - rows.t[then]) / LAG_S)
    even = np.ones(len(candidates), bool)
    for name, most in EVEN.items():
        values = channels.find(name)
        if values is not None:
            even &= ~(np.abs(values[candidates] - values[then]) > most * wide)
    power = channels.find("power")
    if power is not None:
        even &= ~(np.abs(power[candidates] - power[then]) > EVEN_POWER * wide * np.abs(power[candidates]))
    out[candidates] = even
    return out
