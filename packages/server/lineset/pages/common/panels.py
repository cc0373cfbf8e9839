"""Which quantities the chart of a type of machine shows, and in which colour."""

import msgspec
from lineset_contract.profiles import PROFILES

from .day import Wanted
from .facts import Machine

_PANELS: dict[str, tuple[Wanted, ...]] = {
    "air": (
        Wanted("room_temperature", "heating_setpoint", "ink", "l", 3.0),
        Wanted("supply_air_temperature", "", "heat", "m", 8.0),
        Wanted("outdoor_temperature", "", "ink", "s", 4.0),
        Wanted("electric_power", "", "ink", "m", 500.0, zero=True),
        Wanted("gas_input", "", "heat", "m", 500.0, zero=True),
    ),
    "water": (
        Wanted("outlet_water_temperature", "supply_water_setpoint", "water", "l", 8.0),
        Wanted("chilled_water_supply_temperature", "chilled_water_setpoint", "cool", "l", 3.0),
        Wanted("room_temperature", "heating_setpoint", "ink", "m", 3.0),
        Wanted("tank_top_temperature", "hot_water_setpoint", "water", "m", 8.0),
        Wanted("outdoor_temperature", "", "ink", "s", 4.0),
        Wanted("electric_power", "", "ink", "m", 500.0, zero=True),
        Wanted("gas_input", "", "heat", "m", 500.0, zero=True),
    ),
    "tank": (
        Wanted("tank_top_temperature", "hot_water_setpoint", "water", "l", 8.0),
        Wanted("tank_bottom_temperature", "", "water", "m", 8.0),
        Wanted("electric_power", "", "ink", "m", 500.0, zero=True),
        Wanted("gas_input", "", "heat", "m", 500.0, zero=True),
    ),
    "pump": (Wanted("water_flow_rate", "", "water", "l", 0.1, zero=True), Wanted("electric_power", "", "ink", "m", 50.0, zero=True)),
}
_BY_FAMILY = {"boiler": "water", "chiller": "water", "water_heater": "tank", "pump": "pump"}


def chart_points(machine_type: str) -> tuple[str, ...]:
    """The points whose series a machine's chart wants."""
    names = [name for want in _wanted(machine_type) for name in (want.point, want.should) if name]
    return tuple(dict.fromkeys([*names, *(["cooling_setpoint"] if "room_temperature" in names else [])]))


def _wanted(machine_type: str) -> tuple[Wanted, ...]:
    profile = PROFILES.get(machine_type)
    if profile is None:
        return _PANELS["air"]
    key = "water" if machine_type == "heat_pump_air_water" else _BY_FAMILY.get(profile.family, "air")
    return _PANELS[key]


def panels(machine: Machine) -> list[Wanted]:
    """The panels of a machine: a room away from its set point takes the colour of too cold or too warm."""
    cools = machine.word("operating_mode") == "cooling" or "heating_setpoint" not in machine.latest
    room = machine.number("room_temperature")
    toned: list[Wanted] = []
    for want in _wanted(machine.type):
        if want.point != "room_temperature":
            toned.append(want)
            continue
        should = "cooling_setpoint" if cools else "heating_setpoint"
        target = machine.number(should)
        off = 0.0 if room is None or target is None else room - target
        tone = "cool" if off < -0.6 and not cools else "heat" if off > 0.6 and cools else "ink"
        toned.append(msgspec.structs.replace(want, should=should, tone=tone))
    return toned
