"""Starts, runs and defrosts."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics import modes
from lineset.diagnostics.features.counters import increments
from lineset.diagnostics.rows import Flags, Floats, Ints
from lineset.diagnostics.samples import Samples

SHORT_S = 600.0
"""A run below this is short (s): compressors need several minutes to bring their oil back and are held off for three to five after a stop;
ASHRAE Handbook HVAC Systems and Equipment, chapter 38, asks for runs that are long in comparison."""


def cycles(samples: Samples) -> Mapping[str, Floats]:
    """`n.starts` by the machine's counter where it has one, else as seen; `n.cycles` runs whose start and end were seen, in the hour they
    end, `s.cycles` their length (s), `n.short_cycles` those below `SHORT_S`; `n.defrosts` likewise by counter or as seen."""
    runs = samples.runs
    seen = runs.first[runs.start_seen]
    ends = runs.last[~np.isnan(runs.length)]
    length = runs.length[~np.isnan(runs.length)]
    mode, follows = samples.mode, samples.follows
    defrost = mode == modes.DEFROST
    begins = defrost & follows & ~np.r_[False, defrost[:-1]]
    knows = np.isin(mode, (modes.HEATING, modes.DEFROST))
    return {
        "n.starts": _counted(samples, ("compressor_starts", "burner_starts", "starts"), _at(samples, seen)),
        "n.cycles": _at(samples, ends),
        "s.cycles": _at(samples, ends, length),
        "n.short_cycles": _at(samples, ends[length < SHORT_S]),
        "n.defrosts": np.where(samples.seconds(knows) > 0.0, _counted(samples, ("defrost_count",), _of(samples, begins)), np.nan),
    }


def _of(samples: Samples, flags: Flags) -> Floats:
    return samples.total(flags.astype(np.float64))


def _at(samples: Samples, rows: Ints, weights: Floats | None = None) -> Floats:
    """How many of these rows, or the sum of their weights, fall into each hour."""
    return np.bincount(samples.group[rows], weights=weights, minlength=len(samples.first)).astype(np.float64)


def _counted(samples: Samples, points: tuple[str, ...], seen: Floats) -> Floats:
    """The increments of the first of these counters that an hour knows, else what was seen."""
    for point in reversed(points):
        more = increments(samples, point)
        if more is not None:
            seen = np.where(_of(samples, ~np.isnan(more)) > 0, samples.total(more), seen)
    return seen
