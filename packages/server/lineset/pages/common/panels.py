"""Which quantities the chart of a type of machine shows, and in which colour; and which others one may choose."""

from collections.abc import Collection, Iterable

import msgspec
from lineset_contract.points import POINTS
from lineset_contract.profiles import PROFILES

from .day import Wanted
from .facts import Machine
from .spells import is_code

OUTDOOR = "outdoor_temperature"
_WEATHER = Wanted(OUTDOOR, "", "ink", "s", 4.0)
_PANELS: dict[str, tuple[Wanted, ...]] = {
    "air": (
        Wanted("room_temperature", "heating_setpoint", "ink", "l", 3.0),
        Wanted("supply_air_temperature", "", "heat", "m", 8.0),
        _WEATHER,
        Wanted("electric_power", "", "ink", "m", 500.0, zero=True),
        Wanted("gas_input", "", "heat", "m", 500.0, zero=True),
    ),
    "water": (
        Wanted("outlet_water_temperature", "supply_water_setpoint", "water", "l", 8.0),
        Wanted("chilled_water_supply_temperature", "chilled_water_setpoint", "cool", "l", 3.0),
        Wanted("room_temperature", "heating_setpoint", "ink", "m", 3.0),
        Wanted("tank_top_temperature", "hot_water_setpoint", "water", "m", 8.0),
        _WEATHER,
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
_SHOULD = {
    "room_temperature": "heating_setpoint",
    "tank_top_temperature": "hot_water_setpoint",
    "hot_water_temperature": "hot_water_setpoint",
    "outlet_water_temperature": "supply_water_setpoint",
    "chilled_water_supply_temperature": "chilled_water_setpoint",
    "supply_air_temperature": "supply_air_setpoint",
    "room_humidity": "humidity_setpoint",
    "co2_concentration": "co2_setpoint",
    "supply_static_pressure": "static_pressure_setpoint",
    "indoor_fan_speed": "fan_speed_setpoint",
    "pump_speed": "pump_speed_setpoint",
    "pump_head": "pump_head_setpoint",
}
_LEAST = {"degC": 4.0, "K": 4.0, "kPa": 100.0, "Pa": 20.0, "W": 500.0, "%": 10.0, "A": 1.0, "V": 5.0, "Hz": 5.0, "rpm": 100.0, "kWh": 1.0}
_FROM_ZERO = ("W", "A", "m3/h", "kg/s", "rpm", "%")
_TONES = (
    ("heat", ("supply_air", "discharge", "gas_input", "gas_volume", "auxiliary", "burner", "flue", "condenser", "flame")),
    ("cool", ("suction", "evaporator", "outdoor_coil", "chilled", "subcool", "superheat")),
    ("water", ("water", "tank", "brine", "loop")),
)


def usual_panels(machine_type: str) -> tuple[Wanted, ...]:
    """The panels that a type of machine shows when nobody chose."""
    profile = PROFILES.get(machine_type)
    if profile is None:
        return _PANELS["air"]
    key = "water" if machine_type == "heat_pump_air_water" else _BY_FAMILY.get(profile.family, "air")
    return _PANELS[key]


def panels(machine: Machine, chosen: Collection[str] = (), *, outdoor: bool = False) -> list[Wanted]:
    """The panels of a machine: the chosen points, or the usual ones of its type that it has sent; below them the weather if asked for.

    A room away from its set point takes the colour of too cold or too warm.
    """
    wanted = [_plain(point) for point in chosen if not is_code(point)] if chosen else _usual(machine)
    if outdoor and all(want.point != OUTDOOR for want in wanted):
        wanted.append(_WEATHER)
    elif outdoor:
        wanted.sort(key=lambda want: want.point == OUTDOOR)
    return [_toned(machine, want) for want in wanted]


def lanes_of(chosen: Iterable[str]) -> tuple[str, ...]:
    """The chosen points that are codes, which a chart shows as lanes. The operating mode has its lanes anyway."""
    return tuple(point for point in chosen if is_code(point) and point != "operating_mode")


def _usual(machine: Machine) -> list[Wanted]:
    found = [want for want in usual_panels(machine.type) if want.point in machine.latest]
    profile = PROFILES.get(machine.type)
    first = [p for p in (profile.headlines if profile is not None else ()) if p in machine.latest]
    rest = [p for p in machine.latest if not p.endswith("setpoint")]
    return found or [_plain(point) for point in (first or rest) if not is_code(point)][:4]


def _plain(point: str) -> Wanted:
    """A panel for any point of the catalogue, or for one that only this machine knows."""
    usual = next((want for panel in _PANELS.values() for want in panel if want.point == point), None)
    if usual is not None:
        return msgspec.structs.replace(usual, size="m")
    known = POINTS.get(point)
    unit = known.unit if known is not None else ""
    tone = next((tone for tone, parts in _TONES if any(part in point for part in parts)), "ink")
    counter = known is not None and known.kind == "counter"
    return Wanted(point, _SHOULD.get(point, ""), tone, "m", _LEAST.get(unit, 0.5), zero=unit in _FROM_ZERO and not counter)


def _toned(machine: Machine, want: Wanted) -> Wanted:
    if want.should and want.should not in machine.latest and want.point != "room_temperature":
        return msgspec.structs.replace(want, should="")
    if want.point != "room_temperature":
        return want
    cools = machine.word("operating_mode") == "cooling" or "heating_setpoint" not in machine.latest
    room = machine.number("room_temperature")
    should = "cooling_setpoint" if cools else "heating_setpoint"
    target = machine.number(should)
    off = 0.0 if room is None or target is None else room - target
    tone = "cool" if off < -0.6 and not cools else "heat" if off > 0.6 and cools else "ink"
    return msgspec.structs.replace(want, should=should if should in machine.latest else "", tone=tone)
