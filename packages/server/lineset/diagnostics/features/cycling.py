"""Starts against the load at which they happen, and how much of a machine its load takes in cold and in heat."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.counters import increments
from lineset.diagnostics.features.spans import counted
from lineset.diagnostics.modes import COOLING, HEATING, HOT_WATER
from lineset.diagnostics.samples import HOUR_S, Flags, Floats, Samples

SEEN_STEP_S = 120.0
"""With longer steps, short runs fall between readings: then only counters tell of starts."""
BASE_C = 18.3
"""Outdoor temperature at which a house needs neither (degC), the base of degree days (65 degF)."""
COLD_C, HOT_C = 5.0, 30.0
"""Outdoor temperatures under and over which a machine's load says something of its size."""


def cycling(samples: Samples) -> Mapping[str, Floats]:
    """For hours in which starts could be seen, without hot water: `cycle.s` seconds, `cycle.on.s` running, `cycle.starts`, and
    `cycle.load` the sum over hours of 4 X (1 - X) with the share X of the hour that it ran: starts over load is the rate at half load.

    `size.cold.s`, `size.hot.s`: seconds of hours under 5 degC with heating, over 30 degC with cooling; `.on.s` full-load seconds in them
    (weighted with compressor speed or burner modulation), `.kelvin.s` (K s) from 18.3 degC, `.starts`.
    """
    if not len(samples):
        return {}
    starts, sure, seconds = _starts(samples)
    on = samples.running & (samples.mode != HOT_WATER)
    on_s = samples.seconds(on)
    share = np.divide(on_s, seconds, out=np.zeros(len(seconds)), where=seconds > 0)
    load = 4.0 * share * (1.0 - share) * seconds / HOUR_S
    out = {
        "cycle.s": np.where(sure, seconds, np.nan),
        "cycle.on.s": np.where(sure, on_s, np.nan),
        "cycle.starts": np.where(sure, starts, np.nan),
        "cycle.load": np.where(sure, load, np.nan),
    }
    outdoor = samples.point("outdoor_temperature")
    known = ~np.isnan(outdoor)
    told = samples.seconds(known)
    mean = np.divide(samples.total(outdoor * samples.dt), told, out=np.full(len(told), np.nan), where=told > 0)
    full = np.clip(np.nan_to_num(_part_load(samples), nan=1.0), 0.0, 1.0)
    for name, mode, near in (("cold", HEATING, mean < COLD_C), ("hot", COOLING, mean > HOT_C)):
        mine = samples.running & (samples.mode == mode)
        hours = near & sure & (samples.seconds(mine) > 0)
        fits = sure & ~np.isnan(mean)
        out |= {
            f"size.{name}.s": np.where(fits, np.where(hours, seconds, 0.0), np.nan),
            f"size.{name}.on.s": np.where(fits, np.where(hours, samples.total(np.where(mine, full * samples.dt, 0.0)), 0.0), np.nan),
            f"size.{name}.kelvin.s": np.where(fits, np.where(hours, np.abs(mean - BASE_C) * seconds, 0.0), np.nan),
            f"size.{name}.starts": np.where(fits, np.where(hours, starts, 0.0), np.nan),
        }
    return out


def _starts(samples: Samples) -> tuple[Floats, Flags, Floats]:
    """Starts in each hour, whether they could be seen, and the seconds in which the machine's state is known, (groups,) each."""
    hot_water = samples.mode == HOT_WATER
    runs = samples.runs
    counts = runs.start_seen & ~hot_water[runs.first]
    seen = counted(samples, runs.first[counts])
    told = np.full(len(samples.first), np.nan)
    for name in ("compressor_starts", "burner_starts", "starts"):
        rises = increments(samples, name)
        if rises is not None:
            mine = np.where(samples.seconds(~np.isnan(rises)) > 0, samples.total(rises), np.nan)
            told = np.where(np.isnan(told), mine, told)
    told[samples.seconds(hot_water) > 0] = np.nan
    fine = samples.step[samples.hour_machine] <= SEEN_STEP_S
    seconds = samples.seconds(samples.mode >= 0)
    sure = (fine | ~np.isnan(told)) & (seconds > 0)
    return np.where(np.isnan(told), seen, np.where(fine, np.maximum(seen, told), told)), sure, seconds


def _part_load(samples: Samples) -> Floats:
    speed = samples.channel("speed")
    return np.where(np.isnan(speed), samples.point("burner_modulation"), speed) / 100.0
