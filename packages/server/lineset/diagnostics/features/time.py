"""Time in each state, and how comfortable it was."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics import modes
from lineset.diagnostics.rows import Flags, Floats
from lineset.diagnostics.samples import Samples

COMFORT_K = 1.0
"""A room is comfortable while it is no further than this below its heating set point or above its cooling set point (K)."""


def states(samples: Samples) -> Mapping[str, Floats]:
    """`s.…`: seconds with readings, and in each state. A machine whose compressor or burner rests is `off`, whatever was asked of it."""
    mode, running = samples.mode, samples.running
    found = {
        "s.covered": samples.total(samples.dt),
        "s.off": samples.seconds(~running & (mode != modes.UNKNOWN)),
        "s.running": samples.seconds(running),
    }
    for name, code in (("heating", modes.HEATING), ("cooling", modes.COOLING), ("defrost", modes.DEFROST), ("hot_water", modes.HOT_WATER)):
        mine = mode == code if code != modes.COOLING else np.isin(mode, (modes.COOLING, modes.DRY))
        found[f"s.{name}"] = samples.seconds(running & mine)
    auxiliary = np.fmax(modes.source_on(samples, "auxiliary"), np.where(mode == modes.AUXILIARY, 1.0, np.nan))
    found["s.auxiliary"] = known(samples, auxiliary == 1.0, ~np.isnan(auxiliary))
    fan = np.fmax(np.fmax(samples.point("indoor_fan_speed"), samples.point("supply_fan_speed")), samples.point("fan_power"))
    found["s.fan"] = known(samples, fan > 1.0, ~np.isnan(fan))
    return found


def comfort(samples: Samples) -> Mapping[str, Floats]:
    """`s.comfort` of `s.comfort.known` seconds the room was within `COMFORT_K` of what was asked; `comfort.below.x` and `.above.x` (K s) is
    by how much it missed it. Known while the room and a set point that the chosen mode obeys are, and the machine is not switched off."""
    room = samples.points.get("room_temperature")
    if room is None:
        return {}
    chosen = samples.point("system_mode")
    heat = np.where(np.isin(chosen, (0.0, 2.0, 4.0, 5.0)), np.nan, samples.point("heating_setpoint"))
    cool = np.where(np.isin(chosen, (0.0, 1.0, 4.0, 6.0)), np.nan, samples.point("cooling_setpoint"))
    below, above = np.fmax(heat - room, 0.0), np.fmax(room - cool, 0.0)
    below, above = np.where(np.isnan(heat), np.nan, below), np.where(np.isnan(cool), np.nan, above)
    miss = np.fmax(below, above)
    there = ~np.isnan(miss) & ~np.isnan(room)
    return {
        "s.comfort": known(samples, miss <= COMFORT_K, there),
        "s.comfort.known": known(samples, there, there),
        "comfort.below.x": known_total(samples, np.where(there, np.nan_to_num(below), np.nan)),
        "comfort.above.x": known_total(samples, np.where(there, np.nan_to_num(above), np.nan)),
    }


def known(samples: Samples, flags: Flags, there: Flags) -> Floats:
    """For how long something held in each hour (s), shape (groups,); NaN in hours in which nothing tells."""
    return np.where(samples.seconds(there) > 0.0, samples.seconds(flags & there), np.nan)


def known_total(samples: Samples, values: Floats) -> Floats:
    """The integral over each hour (unit s), shape (groups,); NaN in hours without a value."""
    return np.where(samples.seconds(~np.isnan(values)) > 0.0, samples.total(values * samples.dt), np.nan)
