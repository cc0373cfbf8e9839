"""What rooms are asked to be, whether they get there, and whether machines of one zone work against each other."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lineset.diagnostics.features.spans import codes_of, is_code, setting, where_known
from lineset.diagnostics.machine import column
from lineset.diagnostics.modes import AUXILIARY, COOLING, HEATING, OFF, source_on
from lineset.diagnostics.samples import Flags, Floats, Ints, Samples

FAR_K = 1.5
"""A room this far from its set point is not at it: comfort bands are 1 K to either side (EN 16798-1, category II, is wider)."""
WATER_FAR_K, SUPPLY_FAR_K = 8.0, 8.0
EXTREME_COLD_C, EXTREME_HOT_C = -18.0, 40.0
"""Beyond these no machine is sized to hold the room."""
TURN_S = 7200.0
"""Heating and cooling that follow each other within this long are one quarrel, not a change of the weather."""
CROSSED_K = 0.5
_ROOM_FAMILIES = ("heat_pump", "air_conditioner", "furnace", "boiler", "ventilation")


def unmet(samples: Samples) -> Mapping[str, Floats]:
    """`unmet.s` seconds in which a set point is wanted and known; of them `unmet.heating.s` too cold while the machine heats,
    `unmet.cooling.s` too warm while it cools, `unmet.idle.s` too cold or too warm while the thermostat calls and it stands still;
    `unmet.gap.x` (K s) by how much. `unmet.water.s`, `unmet.water.far.s` the same of a tank; `unmet.supply.s`, `unmet.supply.far.s` of
    water that a running chiller or boiler sends out."""
    out: dict[str, Floats] = {}
    rooms = samples.of_family(*_ROOM_FAMILIES) & ~np.isnan(samples.point("room_temperature"))
    if rooms.any():
        out |= _rooms(samples, rooms)
    tanks = samples.of_family("water_heater") & ~np.isnan(samples.point("tank_top_temperature"))
    if tanks.any():
        away = is_code(samples, "vacation_mode", "on") | is_code(samples, "water_heater_mode", "off")
        wanted = setting(samples, "hot_water_setpoint")
        known = tanks & ~away & ~np.isnan(wanted)
        far = known & (samples.point("tank_top_temperature") < wanted - WATER_FAR_K)
        out |= where_known(samples, known, unmet__water__s=samples.seconds(known), unmet__water__far__s=samples.seconds(far))
    return out | _supply(samples)


def _rooms(samples: Samples, rooms: Flags) -> dict[str, Floats]:
    room, outdoor = samples.point("room_temperature"), samples.point("outdoor_temperature")
    heat_to, cool_to = setting(samples, "heating_setpoint"), setting(samples, "cooling_setpoint")
    away = is_code(samples, "vacation_mode", "on") | is_code(samples, "system_mode", "off", "fan_only", "dry")
    heats = rooms & ~away & ~np.isnan(heat_to) & ~is_code(samples, "system_mode", "cooling") & ~(outdoor < EXTREME_COLD_C)
    cools = rooms & ~away & ~np.isnan(cool_to) & ~is_code(samples, "system_mode", "heating") & ~(outdoor > EXTREME_HOT_C)
    cold, hot = heats & (room < heat_to - FAR_K), cools & (room > cool_to + FAR_K)
    heating = samples.running & ((samples.mode == HEATING) | (samples.mode == AUXILIARY))
    cooling = samples.running & (samples.mode == COOLING)
    called = (cold & is_code(samples, "thermostat_call", "heating")) | (hot & is_code(samples, "thermostat_call", "cooling"))
    idle = called & ((samples.mode == OFF) | (samples.mode == codes_of("operating_mode")["idle"]))
    gap = np.where(cold, heat_to - room, np.where(hot, room - cool_to, 0.0))
    return where_known(
        samples,
        heats | cools,
        unmet__s=samples.seconds(heats | cools),
        unmet__heating__s=samples.seconds(cold & heating),
        unmet__cooling__s=samples.seconds(hot & cooling),
        unmet__idle__s=samples.seconds(idle),
        unmet__gap__x=samples.total(gap * samples.dt),
    )


def _supply(samples: Samples) -> dict[str, Floats]:
    settled = samples.running & (samples.runs.since_mode >= 1800.0)
    chilled = samples.point("chilled_water_supply_temperature") - setting(samples, "chilled_water_setpoint")
    warm = setting(samples, "supply_water_setpoint") - samples.point("outlet_water_temperature")
    cold_side = samples.of_family("chiller") & ~np.isnan(chilled) & settled
    warm_side = samples.of_family("boiler") & ~np.isnan(warm) & settled & (samples.mode == HEATING)
    known = cold_side | warm_side
    if not known.any():
        return {}
    far = (cold_side & (chilled > 2.0)) | (warm_side & (warm > SUPPLY_FAR_K))
    return where_known(samples, known, unmet__supply__s=samples.seconds(known), unmet__supply__far__s=samples.seconds(far))


def opposed(samples: Samples) -> Mapping[str, Floats]:
    """Of machines that condition rooms, by hours of the same zone: `opposed.s` seconds known; `opposed.cooling.s` own cooling in hours in
    which others heat (the smaller of both), `opposed.heating.s` the reverse, `opposed.own.s` heat and cold at the same moment in this
    machine; `turns.n` changes between heating and cooling within two hours (not of air handlers, which hold the temperature of their
    supply air); `crossed.s` seconds in which it heats or cools while its set point for heating is above its own for cooling, or in hours
    above another's in the zone, or the reverse. Machines of a zone have to be in one `Samples`."""
    rooms = samples.of_family(*_ROOM_FAMILIES, "thermostat")
    if not rooms.any():
        return {}
    cooling = rooms & (samples.mode == COOLING) & samples.running
    heating = rooms & ((samples.mode == HEATING) | (samples.mode == AUXILIARY)) & samples.running
    machine = ~samples.of_family("thermostat")
    heats, cools = samples.seconds(heating & machine), samples.seconds(cooling & machine)
    zone = _zone_hours(samples)
    other_heat, other_cool = _others(zone, heats), _others(zone, cools)
    both = cooling & ((source_on(samples, "flame") == 1) | (source_on(samples, "auxiliary") == 1))
    return where_known(
        samples,
        rooms,
        opposed__s=samples.seconds(rooms),
        opposed__cooling__s=np.minimum(cools, other_heat),
        opposed__heating__s=np.minimum(heats, other_cool),
        opposed__own__s=samples.seconds(both),
        turns__n=_turns(samples, heating, cooling),
        crossed__s=_crossed(samples, zone, rooms, heating, cooling),
    )


def _turns(samples: Samples, heating: Flags, cooling: Flags) -> Floats:
    room = (column(samples.machines, "type") != "air_handler")[samples.row_machine]
    rows = np.flatnonzero((heating | cooling) & room)
    if len(rows) < 2:
        return np.zeros(len(samples.first))
    turned = (cooling[rows[1:]] != cooling[rows[:-1]]) & (samples.row_machine[rows[1:]] == samples.row_machine[rows[:-1]])
    turned &= samples.t[rows[1:]] - samples.t[rows[:-1]] <= TURN_S
    return np.bincount(samples.group[rows[1:]], turned.astype(float), len(samples.first)).astype(np.float64)


def _zone_hours(samples: Samples) -> Ints:
    """Which hour of which zone a group is, (groups,), numbered from 0; groups of machines without a site are alone."""
    names = [f"{machine.site}\n{machine.zone}" if machine.site else f"\n\n{n}" for n, machine in enumerate(samples.machines)]
    _, zone = np.unique(np.array(names), return_inverse=True)
    key = zone[samples.hour_machine].astype(np.int64) * 10_000_000 + np.floor(samples.hour_start / 3600.0).astype(np.int64)
    return np.asarray(np.unique(key, return_inverse=True)[1], np.int64)


def _others(zone: Ints, seconds: Floats) -> Floats:
    """What the others of each group's zone sum up to in its hour."""
    return np.bincount(zone, seconds)[zone] - seconds if len(zone) else seconds


def _crossed(samples: Samples, zone: Ints, rooms: Flags, heating: Flags, cooling: Flags) -> Floats:
    heat_to, cool_to = setting(samples, "heating_setpoint"), setting(samples, "cooling_setpoint")
    may_heat = rooms & ~np.isnan(heat_to) & ~is_code(samples, "system_mode", "off", "cooling", "fan_only", "dry")
    may_cool = rooms & ~np.isnan(cool_to) & ~is_code(samples, "system_mode", "off", "heating", "fan_only", "dry", "emergency_heat")
    mine_heat, mine_cool = _hourly(samples, heat_to, may_heat), _hourly(samples, cool_to, may_cool)
    count = int(zone.max()) + 1 if len(zone) else 0
    lowest_cool, highest_heat = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(lowest_cool, zone, np.nan_to_num(mine_cool, nan=np.inf))
    np.maximum.at(highest_heat, zone, np.nan_to_num(mine_heat, nan=-np.inf))
    crossed = (mine_heat > lowest_cool[zone] + CROSSED_K) | (mine_cool < highest_heat[zone] - CROSSED_K)
    within = may_heat & may_cool & (heat_to > cool_to + CROSSED_K) & (heating | cooling)
    return np.where(crossed, samples.seconds(heating | cooling), samples.seconds(within))


def _hourly(samples: Samples, values: Floats, chosen: Flags) -> Floats:
    weight = samples.seconds(chosen)
    mean: NDArray[np.float64] = np.divide(
        samples.total(np.where(chosen, values * samples.dt, 0.0)), weight, out=np.full(len(weight), np.nan), where=weight > 0
    )
    return mean
