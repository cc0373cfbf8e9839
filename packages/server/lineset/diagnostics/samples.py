"""Samples: readings as columns, with what detectors and performance both derive from them."""

from functools import cached_property

import numpy as np

from lineset.diagnostics import modes, runs
from lineset.diagnostics.channels import Channels
from lineset.diagnostics.rows import DAY_S, HOUR_S, LONGEST_HOLD_S, Flags, Floats, Ints, Rows

__all__ = ["DAY_S", "HOUR_S", "LONGEST_HOLD_S", "Flags", "Floats", "Ints", "Samples"]


class Samples(Rows):
    """Rows of readings with the machine's state at each row, and quantities derived from the points that are there.

    A run that began before the first row of its machine, or that ends after its last, has no length. Who takes an hour at a time therefore
    gives the rows of the hour before as well, and leaves out that hour's features.
    """

    @cached_property
    def mode(self) -> modes.Modes:
        """What the machine does, as codes of `operating_mode`, shape (rows,); `modes.UNKNOWN` where nothing tells. Read, or inferred."""
        return modes.mode(self)

    @cached_property
    def running(self) -> Flags:
        """Whether the machine conditions air or water, or defrosts, shape (rows,)."""
        return modes.running(self, self.mode)

    @cached_property
    def runs(self) -> runs.Runs:
        """The runs that the rows are made of."""
        return runs.find(self, self.mode, self.running)

    @property
    def run_id(self) -> Ints:
        """Which run a row belongs to, shape (rows,): ascending over all machines; -1 while it does not run."""
        return self.runs.run_id

    @property
    def since_start(self) -> Floats:
        """How long the run has lasted at the row (s), since its first row that is here; NaN while it does not run."""
        return self.runs.since_start

    @cached_property
    def steady(self) -> Flags:
        """Whether the machine has run in one mode for so long, and so evenly, that its circuit is in balance, shape (rows,)."""
        return runs.steady(self, self.runs, self.channels)

    @cached_property
    def channels(self) -> Channels:
        """Quantities derived from points."""
        return Channels(self, self.mode)

    def channel(self, name: str) -> Floats:
        """A quantity of `channels.NAMES`, read or derived, shape (rows,); NaN where the points at hand do not give it."""
        found = self.channels.find(name)
        return np.full(len(self.t), np.nan) if found is None else found
