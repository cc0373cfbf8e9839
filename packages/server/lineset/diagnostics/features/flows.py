"""Water and air that machines without a refrigerant circuit move: temperature differences, flow against pump speed, filters."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.spans import is_code, where_known
from lineset.diagnostics.modes import HOT_WATER
from lineset.diagnostics.samples import Floats, Samples

SETTLED_S = 240.0
WIDE_K = 32.0
"""Difference between flow and return of a boiler that its water is short of: systems are laid out for 10 to 20 K (EN 12828)."""
RISE_K = 42.0
"""Temperature rise of air through a furnace above which rating plates no longer allow it (commonly 35 to 70 degF, 19 to 39 K)."""
CLOGGED_PA = 250.0
"""Final pressure drop of filters (EN 13053; EN 16798-3 recommends 250 Pa at most for fine filters)."""


def flows(samples: Samples) -> Mapping[str, Floats]:
    """`flow.burn.s` settled burning of a boiler with both water temperatures, `flow.burn.x` (K s) their difference, `flow.wide.s` over
    32 K. `flow.pump.s` seconds of a running pump with flow and speed, `flow.pump.x` flow per full speed (kg/s s), `flow.blocked.s` pump
    blocked or dry. `flow.rise.s` settled burning of a furnace with both air temperatures, `flow.rise.x` (K s), `flow.steep.s` over 42 K;
    `flow.limit.s` high limit open. `flow.filter.s`, `flow.filter.x` (Pa s) filter pressure drop at a running fan, `flow.clogged.s`."""
    out: dict[str, Floats] = {}
    settled = samples.running & (samples.runs.since_mode >= SETTLED_S) & (samples.mode != HOT_WATER)
    water = samples.point("outlet_water_temperature") - samples.point("inlet_water_temperature")
    boiler = samples.of_family("boiler") & ~np.isnan(water)
    if boiler.any():
        mine = boiler & settled
        out |= where_known(
            samples,
            boiler,
            flow__burn__s=samples.seconds(mine),
            flow__burn__x=samples.total(np.where(mine, water * samples.dt, 0.0)),
            flow__wide__s=samples.seconds(mine & (water > WIDE_K)),
        )
    speed, flow = samples.point("pump_speed"), samples.point("water_flow_rate")
    pump = samples.of_family("pump") & ~np.isnan(speed)
    if pump.any():
        on = pump & (speed > 15.0) & ~np.isnan(flow)
        blocked = is_code(samples, "pump_state", "blocked", "dry_running")
        out |= where_known(
            samples,
            pump,
            flow__pump__s=samples.seconds(on),
            flow__pump__x=samples.total(np.where(on, flow / np.maximum(speed, 1.0) * 100.0 * samples.dt, 0.0)),
            flow__blocked__s=samples.seconds(pump & blocked),
        )
    air = samples.point("supply_air_temperature") - samples.point("return_air_temperature")
    furnace = samples.of_family("furnace") & ~np.isnan(air)
    if furnace.any():
        mine = furnace & settled
        out |= where_known(
            samples,
            furnace,
            flow__rise__s=samples.seconds(mine),
            flow__rise__x=samples.total(np.where(mine, air * samples.dt, 0.0)),
            flow__steep__s=samples.seconds(mine & (air > RISE_K)),
            flow__limit__s=samples.seconds(furnace & is_code(samples, "limit_switch", "open")),
        )
    drop = samples.point("filter_pressure_drop")
    known = samples.of_family("furnace") & ~np.isnan(drop)
    if known.any():
        blows = known & (drop > 5.0)
        out |= where_known(
            samples,
            known,
            flow__filter__s=samples.seconds(blows),
            flow__filter__x=samples.total(np.where(blows, drop * samples.dt, 0.0)),
            flow__clogged__s=samples.seconds(blows & (drop > CLOGGED_PA)),
        )
    return out
