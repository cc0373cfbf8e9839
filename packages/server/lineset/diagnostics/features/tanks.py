"""Hot-water tanks: how hot they get, what their elements draw, what a recovery takes, and what protects them."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.features.spans import Spans, counted, is_code, setting, spans, where_known
from lineset.diagnostics.machine import column
from lineset.diagnostics.modes import AUXILIARY, HOT_WATER, OFF, source_on
from lineset.diagnostics.samples import HOUR_S, Flags, Floats, Samples

DEAD_W = 150.0
"""An element takes 1 kW and more; below this it takes nothing."""
STILL_S, STILL_K, BELOW_K = 2400.0, 0.5, 4.0
"""An element that is on for the first without its water warming by the second, though it is colder than the set point by the third."""
RECOVERY_S, RECOVERY_KWH, RECOVERY_K = 900.0, 0.5, 3.0
"""Recoveries shorter or smaller than this tell nothing: sensors lag and layers mix."""
SETTLE_S = 60.0
RATED_V = 240.0
"""Voltage at which tanks of 208 to 240 V are rated (UL 174)."""
BURNT_S = 180.0
"""After this long flue gas of a tank has come to the temperature that it keeps."""
_TANK = ("tank_top_temperature", "tank_middle_temperature", "tank_bottom_temperature")
_ELEMENTS = (("upper", "tank_top_temperature"), ("lower", "tank_bottom_temperature"))


def hygiene(samples: Samples) -> Mapping[str, Floats]:
    """`hygiene.highest.max` the hottest reading of the tank (degC); `hygiene.s` seconds in which it is known; `hygiene.told.s` in which the
    machine tells of its hot cycle, `hygiene.missed.s` of those says it was missed, `hygiene.cycle.s` that it runs; `hygiene.off.s` switched
    off or on vacation. `anode.x` (mA s), `anode.s` the protection current."""
    hottest = np.full(len(samples), np.nan)
    for name in (*_TANK, "hot_water_temperature"):
        hottest = np.fmax(hottest, samples.point(name))
    out: dict[str, Floats] = {}
    known = ~np.isnan(hottest)
    if known.any():
        away = (
            is_code(samples, "vacation_mode", "on") | is_code(samples, "water_heater_mode", "off") | is_code(samples, "system_mode", "off")
        )
        state = samples.point("legionella_cycle_state")
        out = where_known(samples, known, hygiene__s=samples.seconds(known), hygiene__off__s=samples.seconds(known & away))
        out["hygiene.highest.max"] = samples.highest(hottest)
        out |= where_known(
            samples,
            ~np.isnan(state),
            hygiene__told__s=samples.seconds(~np.isnan(state)),
            hygiene__missed__s=samples.seconds(is_code(samples, "legionella_cycle_state", "missed")),
            hygiene__cycle__s=samples.seconds(is_code(samples, "legionella_cycle_state", "on")),
        )
    current = samples.point("anode_current")
    there = ~np.isnan(current)
    if there.any():
        out |= where_known(samples, there, anode__x=samples.total(current * samples.dt), anode__s=samples.seconds(there))
    return out


def elements(samples: Samples) -> Mapping[str, Floats]:
    """Of `upper` and `lower`: `element.<e>.s` seconds commanded on alone, for a minute at least, with power measured, `.dead.s` of them
    without power; `.n` long spans in which the water was too cold, `.still.n` of them without warming it. `element.call.s` seconds in which
    the heater says it heats by elements, `element.call.dead.s` without power. `element.on.s` with any element on; `element.lone.s` with one
    of them on for a minute at least and power measured, `element.lone.x` (W s) that power, at `RATED_V` where the voltage is known."""
    mine = samples.of_family("water_heater")
    states = {name: samples.point(f"{name}_element_state") for name, _ in _ELEMENTS}
    power = samples.point("electric_power")
    metered = mine & ~np.isnan(power)
    wanted = setting(samples, "hot_water_setpoint")
    compressor = source_on(samples, "compressor") == 1
    out: dict[str, Floats] = {}
    any_on = np.zeros(len(samples), bool)
    for name, place in _ELEMENTS:
        known = mine & ~np.isnan(states[name])
        if not known.any():
            continue
        on = known & (states[name] == 1)
        any_on |= on
        other = states["lower" if name == "upper" else "upper"] == 1
        each = spans(samples, on)
        alone = metered & on & ~other & ~compressor & (_since(samples, each) >= SETTLE_S)
        water = samples.point(place)
        cold = each.of((each.s >= STILL_S) & (water[each.first] < wanted[each.first] - BELOW_K))
        still = cold.of(water[cold.last] - water[cold.first] < STILL_K)
        out |= where_known(
            samples,
            known,
            **{
                f"element__{name}__s": samples.seconds(alone),
                f"element__{name}__dead__s": samples.seconds(alone & (power < DEAD_W)),
                f"element__{name}__n": counted(samples, cold.last),
                f"element__{name}__still__n": counted(samples, still.last),
            },
        )
    if metered.any():
        says = metered & _electric(samples) & np.isin(samples.mode, (HOT_WATER, AUXILIARY))
        steady = says & np.r_[False, says[:-1]] & samples.follows
        out |= where_known(
            samples, metered, element__call__s=samples.seconds(steady), element__call__dead__s=samples.seconds(steady & (power < DEAD_W))
        )
    return out | (_lone(samples, metered & ~compressor, states, any_on) if any_on.any() else {})


def _lone(samples: Samples, metered: Flags, states: Mapping[str, Floats], any_on: Flags) -> dict[str, Floats]:
    """What one element takes while it is on by itself."""
    # Power goes with the square of the voltage, so that of a weak grid is told from that of a weak element.
    share = np.nan_to_num(samples.point("voltage") / RATED_V, nan=1.0) ** 2
    both = (states["upper"] == 1) & (states["lower"] == 1)
    one = metered & any_on & ~both & (_since(samples, spans(samples, any_on)) >= SETTLE_S)
    power = samples.point("electric_power") / np.maximum(share, 0.25)
    return where_known(
        samples,
        metered,
        element__lone__s=samples.seconds(one),
        element__lone__x=samples.total(np.where(one, power * samples.dt, 0.0)),
    ) | where_known(samples, samples.of_family("water_heater"), element__on__s=samples.seconds(any_on))


def burning(samples: Samples) -> Mapping[str, Floats]:
    """Of tanks with a burner, once it has burnt for `BURNT_S`: `burnt.flue.x` (K s) by how much its flue gas is hotter than the tank, and
    `burnt.share.x` (s) the efficiency that it tells of itself (of 1); `.s` (s) of both the time over which they are known."""
    mine = samples.of_family("water_heater") & samples.running & (samples.since_start >= BURNT_S)
    over, told = samples.point("flue_gas_temperature") - _mean_tank(samples), samples.point("thermal_efficiency") / 100.0
    out: dict[str, Floats] = {}
    for name, values in (("flue", over), ("share", np.where(told > 0.1, told, np.nan))):
        known = mine & ~np.isnan(values)
        if known.any():
            total = samples.total(np.where(known, values * samples.dt, 0.0))
            out |= where_known(samples, known, **{f"burnt__{name}__x": total, f"burnt__{name}__s": samples.seconds(known)})
    return out


def recovery(samples: Samples) -> Mapping[str, Floats]:
    """What it takes to heat the tank while nobody draws: `recovery.n` recoveries, `recovery.kwh` what they took (electricity or gas),
    `recovery.rise` (K) by how much the tank's mean temperature rose; `steady.hot_water.recovery.x` (K s/kWh) and `.s` (s) their quotient
    over the time that they took, which the machine's memory learns as a channel."""
    mine = samples.of_family("water_heater")
    power = np.where(np.isnan(samples.point("gas_input")), samples.point("electric_power"), samples.point("gas_input"))
    tank = _mean_tank(samples)
    known = mine & ~np.isnan(power) & ~np.isnan(tank)
    if not known.any():
        return {}
    heats = known & (power > DEAD_W) & (samples.mode != OFF) & ~(samples.point("hot_water_flow_rate") > 0.002)
    each = spans(samples, heats)
    used = np.cumsum(np.where(known, power * samples.dt, 0.0)) / HOUR_S / 1000.0
    kwh = used[each.last] - used[each.first]
    rise = tank[each.last] - tank[each.first]
    good = (
        (samples.t[each.last] - samples.t[each.first] >= RECOVERY_S)
        & (kwh >= RECOVERY_KWH)
        & (rise > RECOVERY_K)
        & (each.last - each.first >= 4)
        & ~_cooled(samples, each)
    )
    rows = each.last[good]
    seconds = (samples.t[each.last] - samples.t[each.first])[good]
    long, total_kwh, total_rise = counted(samples, rows, seconds), counted(samples, rows, kwh[good]), counted(samples, rows, rise[good])
    some = long > 0
    rate = np.divide(total_rise, total_kwh, out=np.full(len(long), np.nan), where=some)
    return {
        "recovery.n": np.where(some, counted(samples, rows), np.nan),
        "recovery.kwh": np.where(some, total_kwh, np.nan),
        "recovery.rise": np.where(some, total_rise, np.nan),
        "steady.hot_water.recovery.x": rate * long,
        "steady.hot_water.recovery.s": np.where(some, long, np.nan),
    }


def _mean_tank(samples: Samples) -> Floats:
    """The mean of the tank's sensors, (rows,); NaN where any that the machine has is absent."""
    total, count = np.zeros(len(samples)), np.zeros(len(samples))
    for name in _TANK:
        if name in samples.points:
            values = samples.points[name]
            has = samples.of_machine(values)[samples.row_machine]
            total += np.where(np.isnan(has), 0.0, values)
            count += ~np.isnan(has)
    mean: Floats = np.full(len(samples), np.nan)
    return np.divide(total, count, out=mean, where=count > 0)


def _cooled(samples: Samples, each: Spans) -> Flags:
    """Spans in which the tank's lowest sensor fell from one row to the next by 1 K: somebody drew water."""
    low = np.full(len(samples), np.nan)
    for name in _TANK:
        low = np.where(np.isnan(samples.point(name)), low, samples.point(name))
    fell = np.r_[0.0, np.diff(low)] < -1.0
    before = np.cumsum(fell)
    return before[each.last] > before[each.first]


def _electric(samples: Samples) -> Flags:
    return np.asarray((column(samples.machines, "type") == "water_heater_electric")[samples.row_machine])


def _since(samples: Samples, each: Spans) -> Floats:
    """How long the span that a row lies in has lasted at the row (s), (rows,); NaN outside of spans."""
    out = np.full(len(samples), np.nan)
    long = each.last - each.first + 1
    rows = (
        np.repeat(each.first, long) + np.arange(long.sum()) - np.repeat(np.r_[0, np.cumsum(long)[:-1]], long) if len(long) else each.first
    )
    out[rows] = samples.t[rows] - np.repeat(samples.t[each.first], long)
    return out
