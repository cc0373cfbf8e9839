"""How a machine was used: time, starts, energy, standby, comfort, and how much of it is known."""

from collections.abc import Mapping

import numpy as np

from lineset.diagnostics.cases import ratio
from lineset.diagnostics.features.energy import J_PER_KWH
from lineset.diagnostics.performance import accuracy
from lineset.diagnostics.performance.table import NOT_RUN, TOO_LITTLE, Column, Spans, column, reasons

DAY_S = 86_400.0
_TIMES = ("running", "heating", "cooling", "hot_water", "defrost", "auxiliary", "fan")
_OFTEN = ("heat_pump", "air_conditioner", "furnace", "boiler", "chiller", "ventilation", "water_heater")


def times(spans: Spans) -> Mapping[str, Column]:
    """`hours_<state>` (h), `starts`, `cycle_length` (s: running time over starts, which also counts runs that a gap in the readings cut),
    `defrosts`. Counted as seen, in the covered time; a length in doubt by how often was looked is not: steps are far below an hour."""
    found = {}
    for state in _TIMES:
        value = spans.sum(f"s.{state}") / 3600.0
        optional = state in ("auxiliary", "fan", "cooling", "hot_water", "defrost")
        found[f"hours_{state}"] = column("h", value, applies=~optional | (np.nan_to_num(value) > 0.0))
    mine = spans.family(*_OFTEN)
    starts, running = spans.sum("n.starts"), spans.sum("s.running")
    found["starts"] = column("1", starts, basis="counted", applies=mine)
    none = reasons((np.nan_to_num(running) <= 0.0, NOT_RUN), (starts < 1.0, TOO_LITTLE))
    found["cycle_length"] = column("s", ratio(running, starts), basis="counted", why=none, applies=mine)
    heats = spans.family("heat_pump") & (np.nan_to_num(spans.sum("s.heating")) > 0.0)
    found["defrosts"] = column("1", spans.sum("n.defrosts"), basis="counted", applies=heats)
    return found


def energies(spans: Spans) -> Mapping[str, Column]:
    """`electric`, `gas`, `backup` (kWh) as far as the time is covered; `standby_power` (W) while the machine rests with its fan off, and
    `standby` (kWh). Gas by higher heating value."""
    electric, gas, backup = spans.sum("kwh.electric"), spans.sum("kwh.gas"), spans.sum("kwh.auxiliary")
    metered = np.nan_to_num(spans.sum("kwh.electric.meter")) > 0.5 * np.nan_to_num(electric)
    burns = spans.family("furnace", "boiler") | (np.nan_to_num(gas) > 0.0)
    by_volume = np.nan_to_num(spans.sum("kwh.gas.volume")) > 0.5 * np.nan_to_num(gas)
    share = np.where(metered, accuracy.METERED_POWER, accuracy.POWER)
    rest, resting = spans.sum("kwh.standby"), spans.sum("s.standby")
    watts = ratio(rest * J_PER_KWH, resting)
    gas_share = np.where(by_volume, accuracy.GAS_BY_VOLUME, accuracy.GAS)
    short = reasons((resting < 3600.0, TOO_LITTLE))
    return {
        "electric": column(
            "kWh", electric, doubt=share * electric, basis=np.where(metered, "metered", "by_power"), applies=~spans.family("thermostat")
        ),
        "gas": column("kWh", gas, doubt=gas_share * gas, basis=np.where(by_volume, "by_volume", "metered"), applies=burns),
        "backup": column("kWh", backup, doubt=accuracy.POWER * backup, applies=~np.isnan(backup)),
        "standby_power": column("W", watts, doubt=accuracy.POWER * watts + 1.0, basis="by_power", why=short, applies=~np.isnan(electric)),
        "standby": column("kWh", rest, doubt=accuracy.POWER * rest + resting / J_PER_KWH, basis="by_power", applies=~np.isnan(electric)),
    }


def comfort(spans: Spans) -> Mapping[str, Column]:
    """`comfort` (%): of the time that a set point and the room were known, how much the room was no more than 1 K below what heating or
    above what cooling was asked for; `comfort_missed` (K): by how much it missed that on average, the 1 K not taken off."""
    known = spans.sum("s.comfort.known")
    missed = ratio(spans.sum("comfort.below.x") + spans.sum("comfort.above.x"), known)
    return {
        "comfort": column("%", 100.0 * ratio(spans.sum("s.comfort"), known), applies=~np.isnan(known)),
        "comfort_missed": column("K", missed, doubt=accuracy.AIR_K, applies=~np.isnan(known)),
    }


def quality(spans: Spans) -> Mapping[str, Column]:
    """`covered` (%): the time with readings over all time of the span; `covered_energy`: that for which electricity is known."""
    whole = spans.length * DAY_S
    return {
        "covered": column("%", np.minimum(100.0 * spans.sum("s.covered") / whole, 100.0)),
        "covered_energy": column(
            "%", np.minimum(100.0 * spans.sum("s.electric") / whole, 100.0), applies=~np.isnan(spans.sum("kwh.electric"))
        ),
    }
