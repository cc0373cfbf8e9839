"""Energy in and out, by what it was measured with and what it was for."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lineset.diagnostics import modes
from lineset.diagnostics.channels import BY_AIR, BY_SENSIBLE, BY_WATER, METER
from lineset.diagnostics.features.counters import increments
from lineset.diagnostics.physics import water
from lineset.diagnostics.rows import Flags, Floats
from lineset.diagnostics.samples import Samples

Codes = NDArray[np.int8]

J_PER_KWH = 3.6e6
GAS_KWH_M3 = 10.55
"""Heat in a cubic metre of natural gas by higher heating value (kWh/m3): 38 MJ/m3; 10.3 to 11.1 in public networks (IEA, ISO 6976
conditions of 15 degC), so ±4 %."""
PROPANE_KWH_M3 = 26.0
"""Of propane gas at 15 degC (93.6 MJ/m3)."""


def energy(samples: Samples) -> Mapping[str, Floats]:
    """`kwh.electric` by counter (`.meter`), else by power; its parts by use `.heating .cooling .hot_water .defrost` and by state
    `kwh.standby` over `s.standby`; `s.electric` (s) the covered time of hours that `kwh.electric` knows; `kwh.auxiliary`. NaN in hours in
    which nothing tells."""
    found: dict[str, Floats] = {}
    power = samples.channels.find("power")
    counted = increments(samples, "electric_energy", "kWh")
    by_power = None if power is None else power * samples.dt / J_PER_KWH
    found |= _by(samples, "kwh.electric", counted, by_power)
    if "kwh.electric" in found:
        if counted is not None:
            found["kwh.electric.meter"] = _whole(samples, counted)
        found["s.electric"] = np.where(np.isnan(found["kwh.electric"]), 0.0, samples.total(samples.dt))
    rows = by_power if by_power is None or counted is None else np.where(np.isnan(by_power), counted, by_power)
    rows = counted if rows is None else rows
    if rows is not None:
        for name, code in (
            ("heating", modes.HEATING),
            ("cooling", modes.COOLING),
            ("hot_water", modes.HOT_WATER),
            ("defrost", modes.DEFROST),
        ):
            found[f"kwh.electric.{name}"] = _over(samples, rows, samples.mode == code)
    if by_power is not None:
        fan = np.fmax(samples.point("indoor_fan_speed"), samples.point("supply_fan_speed"))
        rests = ~samples.running & (samples.mode != modes.UNKNOWN) & ~(fan > 1.0) & ~np.isnan(by_power) & (samples.mode != modes.FAN_ONLY)
        found["s.standby"] = samples.seconds(rests)
        found["kwh.standby"] = _over(samples, by_power, rests)
    auxiliary = samples.points.get("auxiliary_heat_power")
    found |= _by(
        samples,
        "kwh.auxiliary",
        increments(samples, "auxiliary_heat_energy", "kWh"),
        None if auxiliary is None else auxiliary * samples.dt / J_PER_KWH,
    )
    return found | _gas(samples)


def _gas(samples: Samples) -> dict[str, Floats]:
    """`kwh.gas` by energy counter, else by heat input, else by volume at the fuel's usual heating value (of which `kwh.gas.volume`)."""
    meter, volume, power = (
        increments(samples, "gas_energy", "kWh"),
        increments(samples, "gas_volume", "m3"),
        samples.points.get("gas_input"),
    )
    by_power = None if power is None else power * samples.dt / J_PER_KWH
    if volume is None:
        return _by(samples, "kwh.gas", meter, by_power)
    propane = np.array([machine.fuel == "propane" for machine in samples.machines], bool)[samples.row_machine]
    by_volume = volume * np.where(propane, PROPANE_KWH_M3, GAS_KWH_M3)
    known = _by(samples, "kwh.gas", meter, by_power).get("kwh.gas", np.full(len(samples.first), np.nan))
    rest = np.where(np.isnan(known), _whole(samples, by_volume), np.nan)
    return {"kwh.gas": np.where(np.isnan(known), rest, known), "kwh.gas.volume": rest}


def heat(samples: Samples) -> Mapping[str, Floats]:
    """Useful heat and cold: `kwh.heat` all heat (rooms and hot water, less what defrosts take), of it `kwh.hot_water` in hot-water running
    and `kwh.defrost` taken by defrosts; `kwh.cooling`. The parts by what they were derived from: `kwh.heat.meter .water .air`, and
    `kwh.cooling.meter .water .air .sensible` (sensible: cold of air without moisture); of each derived part `kwh_K.…`, flow times heat
    capacity over that time (kWh/K), by which the mean temperature difference follows. Of water heaters heat is what is drawn at the tap."""
    capacity, basis, mode = samples.channels.find("capacity"), samples.channels.capacity_basis, samples.mode
    found: dict[str, Floats] = {}
    heats, cools = (
        np.isin(mode, (modes.HEATING, modes.HOT_WATER, modes.DEFROST, modes.AUXILIARY)),
        np.isin(mode, (modes.COOLING, modes.DRY)),
    )
    rows = None if capacity is None else capacity * samples.dt / J_PER_KWH
    for name, mine, point in (("heat", heats, "heat_energy"), ("cooling", cools, "cooling_energy")):
        counted = increments(samples, point, "kWh")
        meter = None if counted is None else _whole(samples, counted)
        derived = None if rows is None else _over(samples, rows, mine)
        total = _prefer(meter, derived)
        if total is None:
            continue
        found[f"kwh.{name}"] = total
        found |= _parts(samples, name, rows, mine, basis, meter)
    if rows is not None:
        found["kwh.hot_water"] = _over(samples, rows, mode == modes.HOT_WATER)
        found["kwh.defrost"] = -_over(samples, np.fmin(rows, 0.0), mode == modes.DEFROST)
    return _drawn(samples, found)


def efficiency(samples: Samples) -> Mapping[str, Floats]:
    """`cop.<use>.out` and `.in` (kWh): useful heat or cold, and the electricity for it, over exactly the time in which both are known, by
    use: heating (defrosts included: what they take and what they draw), cooling, hot_water. Where only counters tell, the hours that both
    cover stand under heating or cooling, whatever they were for. `cop.gas.out` and `.in`: heat and gas, likewise."""
    found: dict[str, Floats] = {}
    capacity, power, gas = (samples.channels.find(name) for name in ("capacity", "power", "gas"))
    uses = (("heating", (modes.HEATING, modes.DEFROST)), ("cooling", (modes.COOLING, modes.DRY)), ("hot_water", (modes.HOT_WATER,)))
    if capacity is not None and power is not None:
        both = np.isfinite(capacity) & np.isfinite(power)
        for use, codes in uses:
            mine = both & np.isin(samples.mode, codes)
            some = samples.seconds(mine) > 0.0
            for part, values in (("out", capacity), ("in", power)):
                found[f"cop.{use}.{part}"] = np.where(some, samples.total(np.where(mine, values * samples.dt, 0.0)) / J_PER_KWH, np.nan)
    if capacity is not None and gas is not None:
        burns = np.isfinite(capacity) & np.isfinite(gas) & np.isin(samples.mode, (modes.HEATING, modes.HOT_WATER))
        for part, values in (("out", capacity), ("in", gas)):
            out = samples.total(np.where(burns, values * samples.dt, 0.0)) / J_PER_KWH
            found[f"cop.gas.{part}"] = np.where(samples.seconds(burns) > 0.0, out, np.nan)
    return found | _by_counters(samples, found)


def _by_counters(samples: Samples, found: Mapping[str, Floats]) -> dict[str, Floats]:
    electric = increments(samples, "electric_energy", "kWh")
    out: dict[str, Floats] = {}
    for use, point in (("heating", "heat_energy"), ("cooling", "cooling_energy")):
        useful = increments(samples, point, "kWh")
        if electric is None or useful is None:
            continue
        mine = ~np.isnan(electric) & ~np.isnan(useful)
        hours = (samples.seconds(mine) > 0.0) & (samples.total(np.where(mine, useful, 0.0)) > 0.0)
        if f"cop.{use}.out" in found:
            hours &= np.isnan(found[f"cop.{use}.out"])
        for part, values in (("out", useful), ("in", electric)):
            rest = found.get(f"cop.{use}.{part}", np.full(len(samples.first), np.nan))
            out[f"cop.{use}.{part}"] = np.where(hours, samples.total(np.where(mine, values, 0.0)), rest)
    return out


def _parts(samples: Samples, name: str, rows: Floats | None, mine: Flags, basis: Codes | None, meter: Floats | None) -> dict[str, Floats]:
    """What heat was derived from, in hours that no meter tells of."""
    metered = np.zeros(len(samples.first), bool) if meter is None else ~np.isnan(meter)
    found = {} if meter is None else {f"kwh.{name}.meter": meter}
    if rows is None or basis is None:
        return found
    for part, code, side in (
        ("meter", METER, 0),
        ("water", BY_WATER, BY_WATER),
        ("air", BY_AIR, BY_AIR),
        ("sensible", BY_SENSIBLE, BY_AIR),
    ):
        here = mine & (basis == code)
        if not here.any():
            continue
        found[f"kwh.{name}.{part}"] = np.where(metered, found.get(f"kwh.{name}.{part}", np.nan), _over(samples, rows, here))
        flow = samples.channels.mass_flow_heat(side) if side else None
        if flow is not None:
            found[f"kwh_K.{name}.{part}"] = np.where(metered, np.nan, _over(samples, flow * samples.dt / J_PER_KWH, here))
    return found


def _drawn(samples: Samples, found: dict[str, Floats]) -> dict[str, Floats]:
    """Water heaters: heat drawn at the tap, measured or as flow, heat capacity and warming of the water."""
    heater = np.array([machine.family == "water_heater" for machine in samples.machines], bool)
    if not heater.any():
        return found
    mine = heater[samples.hour_machine]
    output = samples.points.get("heat_output")
    flow, hot = samples.points.get("hot_water_flow_rate"), samples.point("hot_water_temperature")
    hot = np.where(np.isnan(hot), samples.point("tank_top_temperature"), hot)
    cold = samples.point("cold_water_temperature")
    drawn = (
        None if flow is None else np.where(flow > 0.0, flow * water.heat_capacity(hot) * (hot - cold), np.where(flow == 0.0, 0.0, np.nan))
    )
    meter = increments(samples, "heat_energy", "kWh")
    measured = _prefer(
        None if meter is None else _whole(samples, meter), None if output is None else _whole(samples, output * samples.dt / J_PER_KWH)
    )
    derived = None if drawn is None else _whole(samples, drawn * samples.dt / J_PER_KWH)
    tap = _prefer(measured, derived)
    nothing = np.full(len(samples.first), np.nan)
    for name, values in (("kwh.heat", tap), ("kwh.hot_water", tap), ("kwh.heat.meter", measured), ("kwh.heat.water", derived)):
        if values is None and name not in found:
            continue
        only = values if name != "kwh.heat.water" or values is None or measured is None else np.where(np.isnan(measured), values, np.nan)
        found[name] = np.where(mine, nothing if only is None else only, found.get(name, nothing))
    return found


def _by(samples: Samples, name: str, counted: Floats | None, by_power: Floats | None) -> dict[str, Floats]:
    """An hour's energy by counter where that was read throughout, else by power."""
    total = _prefer(None if counted is None else _whole(samples, counted), None if by_power is None else _whole(samples, by_power))
    return {} if total is None else {name: total}


def _prefer(one: Floats | None, other: Floats | None) -> Floats | None:
    if one is None or other is None:
        return other if one is None else one
    return np.where(np.isnan(one), other, one)


def _whole(samples: Samples, values: Floats) -> Floats:
    """The sum of each hour; NaN in hours with nothing, or with less than 90 % of their rows known."""
    there = samples.total((~np.isnan(values)).astype(np.float64))
    rows = np.bincount(samples.group, minlength=len(samples.first))
    return np.where((there > 0.0) & (there >= 0.9 * rows - 1.0), samples.total(values), np.nan)


def _over(samples: Samples, values: Floats, flags: Flags) -> Floats:
    """The sum over rows where something holds; NaN in hours in which the value is never known."""
    return np.where(samples.seconds(~np.isnan(values)) > 0.0, samples.total(np.where(flags, values, 0.0)), np.nan)
