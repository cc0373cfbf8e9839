"""What swings: superheat and expansion valve while nothing else changes, and the flow of water at an unchanged pump."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.spans import change, where_known
from lineset.diagnostics.modes import COOLING, HEATING
from lineset.diagnostics.samples import Flags, Floats, Samples

SETTLED_S = 900.0
SWING_K, SWING_VALVE = 2.0, 4.0
"""Readings this far from their hour's mean (K, % of travel) count as a swing."""
SAME_SPEED = 8.0
ROUGH_FLOW, ROUGH_FLOW_BLIND = 0.08, 0.2
"""Change of the flow from one row to the next, as share of its mean, that counts as rough; the second where the pump's speed is unknown."""
ROUGH_PRESSURE_KPA = 12.0
SAME_PUMP = 2.0


def swinging(samples: Samples) -> Mapping[str, Floats]:
    """`swing.s`, `swing.rows` settled running; `swing.superheat.n`, `swing.valve.n` how often the reading went from one side of its mean
    to the other, by more than `SWING_…`; `swing.superheat.v` (K2 s) its squared distance from the mean, `swing.superheat.s` its time."""
    superheat, valve = _superheat(samples), samples.channel("valve")
    known = ~np.isnan(superheat) | ~np.isnan(valve)
    if not known.any():
        return {}
    settled = samples.running & ((samples.mode == HEATING) | (samples.mode == COOLING)) & (samples.runs.since_mode >= SETTLED_S) & known
    speed = samples.channel("speed")
    settled &= ~(np.abs(speed - _mean(samples, speed, settled)[samples.group]) > SAME_SPEED)
    heat, heat_v = _swings(samples, superheat, settled, SWING_K)
    travel, _ = _swings(samples, valve, settled, SWING_VALVE)
    return where_known(
        samples,
        known,
        swing__s=samples.seconds(settled),
        swing__rows=samples.total(settled.astype(float)),
        swing__superheat__n=heat,
        swing__superheat__v=heat_v,
        swing__superheat__s=samples.seconds(settled & ~np.isnan(superheat)),
        swing__valve__n=travel,
    )


def _superheat(samples: Samples) -> Floats:
    """Superheat; without pressures the suction line over the coil that evaporates, which swings with it."""
    coil = np.where(samples.mode == HEATING, samples.point("outdoor_coil_temperature"), samples.point("indoor_coil_temperature"))
    known = samples.channel("superheat")
    return np.asarray(np.where(np.isnan(known), samples.point("suction_line_temperature") - coil, known))


def _mean(samples: Samples, values: Floats, chosen: Flags) -> Floats:
    """The mean of chosen rows in each hour, (groups,); NaN where there is none."""
    there = chosen & ~np.isnan(values)
    count = samples.total(there.astype(float))
    mean: Floats = np.full(len(count), np.nan)
    return np.divide(samples.total(np.where(there, values, 0.0)), count, out=mean, where=count > 0)


def _swings(samples: Samples, values: Floats, chosen: Flags, by: float) -> tuple[Floats, Floats]:
    """How often values went across their hour's mean and beyond `by`, and the time integral of their squared distance, (groups,) each."""
    away = np.where(chosen, values - _mean(samples, values, chosen)[samples.group], np.nan)
    out = np.flatnonzero(np.abs(away) > by)
    crossed = (np.diff(np.sign(away[out])) != 0) & (np.diff(samples.group[out]) == 0)
    count = np.bincount(samples.group[out[1:]], crossed.astype(float), len(samples.first))
    return count.astype(np.float64), samples.total(away**2 * samples.dt)


def roughness(samples: Samples) -> Mapping[str, Floats]:
    """`rough.s` seconds with water moving at an unchanged pump; `rough.flow.s` of them with the flow jumping from row to row;
    `rough.flow.v` (s) squared relative jumps; `rough.pressure.s` with the pressure jumping; `rough.flow.x` (kg) the flow."""
    flow, pressure = samples.point("water_flow_rate"), samples.point("water_pressure")
    known = ~np.isnan(flow)
    if not known.any():
        return {}
    on = known & (flow > 0) & _pump_on(samples)
    step, speed_step = change(samples, flow), change(samples, samples.point("pump_speed"))
    on_before = np.r_[False, on[:-1]]
    both = on & on_before & ~np.isnan(step) & ~(np.abs(speed_step) > SAME_PUMP)
    both &= ~(np.abs(change(samples, samples.mode.astype(float))) > 0)
    share = np.abs(step) / np.maximum(_mean(samples, flow, on)[samples.group], 1e-6)
    rough = share > np.where(np.isnan(speed_step), ROUGH_FLOW_BLIND, ROUGH_FLOW)
    return where_known(
        samples,
        known,
        rough__s=samples.seconds(both),
        rough__flow__s=samples.seconds(both & rough),
        rough__flow__v=samples.total(np.where(both, 0.5 * np.square(np.minimum(share, 2.0)) * samples.dt, 0.0)),
        rough__flow__x=samples.total(np.where(on, flow * samples.dt, 0.0)),
        rough__pressure__s=samples.seconds(both & (np.abs(change(samples, pressure)) > ROUGH_PRESSURE_KPA)),
    )


def _pump_on(samples: Samples) -> Flags:
    """Not certainly off: no pump tells so."""
    state, speed = samples.point("pump_state"), samples.point("pump_speed")
    return np.asarray(~((state == 0) | (speed <= 0)))
