"""One machine for the contractor: drawn with its readings, its day, its commands, and what may be set."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec
from lineset_contract.control import Bounds
from lineset_contract.profiles import PROFILES

from ..common.cells import Group, cells, groups
from ..common.controls import Control, controls
from ..common.day import Chart, Wanted, chart
from ..common.facts import LIVE_S, Day, Machine, Order, Site
from ..common.orders import OrderLine, order_line
from ..common.quantity import mode_tone, scale, word
from ..common.reader import Reader
from ..common.schematic import Schematic, schematic

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


class Equipment(msgspec.Struct, frozen=True):
    """The page's view."""

    site: Site
    machine: Machine
    household: str
    type_name: str
    plate: tuple[str, ...]
    state: str
    mode: str
    mode_tone: str
    seen: float
    age: str
    alarm: str
    schematic: Schematic | None
    groups: tuple[Group, ...]
    chart: Chart | None
    orders: tuple[OrderLine, ...]
    controls: tuple[Control, ...]
    may_command: bool
    days: int


def chart_points(machine_type: str) -> tuple[str, ...]:
    """The points whose series the page's chart wants."""
    return tuple(dict.fromkeys(name for want in _wanted(machine_type) for name in (want.point, want.should) if name))


def _wanted(machine_type: str) -> tuple[Wanted, ...]:
    profile = PROFILES.get(machine_type)
    if profile is None:
        return _PANELS["air"]
    key = "water" if machine_type == "heat_pump_air_water" else _BY_FAMILY.get(profile.family, "air")
    return _PANELS[key]


def equipment_view(
    reader: Reader,
    site: Site,
    household: str,
    machine: Machine,
    day: Day | None,
    orders: Sequence[Order],
    limits: Mapping[str, Bounds],
    now: datetime,
    *,
    may_command: bool,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    days: int = 1,
) -> Equipment:
    """Build the page. `limits` by numeric setting; `typed` and `errors` by setting after a refused form."""
    profile = PROFILES.get(machine.type)
    ready = cells(reader, machine, now)
    newest = max((r.t for r in machine.latest.values()), default=machine.seen or 0.0)
    mode = machine.word("operating_mode")
    age = now.timestamp() - newest
    return Equipment(
        site=site,
        machine=machine,
        household=household,
        type_name=profile.label.get(reader.language, profile.label["en"]) if profile is not None else machine.type,
        plate=_plate(reader, machine),
        state="none" if not newest else "offline" if not machine.online else "live" if age <= LIVE_S else "late",
        mode=word(reader, mode) if mode else "",
        mode_tone=mode_tone(mode),
        seen=newest,
        age=reader.age(age) if newest else "",
        alarm=_alarm(reader, machine),
        schematic=schematic(reader, machine, ready),
        groups=groups(reader, machine, ready),
        chart=None if day is None else chart(reader, machine.id, day, _toned(machine, _wanted(machine.type))),
        orders=tuple(order_line(reader, order, machine.type, now) for order in orders),
        controls=controls(reader, machine, limits, typed, errors) if may_command else (),
        may_command=may_command,
        days=days,
    )


def _toned(machine: Machine, wanted: Sequence[Wanted]) -> list[Wanted]:
    """A room away from its set point takes the colour of too cold or too warm; a cooling machine compares with its own."""
    cools = machine.word("operating_mode") == "cooling" or "heating_setpoint" not in machine.latest
    room = machine.number("room_temperature")
    toned: list[Wanted] = []
    for want in wanted:
        if want.point != "room_temperature":
            toned.append(want)
            continue
        should = "cooling_setpoint" if cools else "heating_setpoint"
        target = machine.number(should)
        off = 0.0 if room is None or target is None else room - target
        tone = "cool" if off < -0.6 and not cools else "heat" if off > 0.6 and cools else "ink"
        toned.append(msgspec.structs.replace(want, should=should, tone=tone))
    return toned


def _plate(reader: Reader, machine: Machine) -> tuple[str, ...]:
    """What stands on the name plate, as far as it is known."""
    made = " ".join(part for part in (machine.make, machine.model) if part)
    parts = [made]
    if machine.capacity_w:
        parts.append(_capacity(reader, machine.capacity_w))
    if machine.serial:
        parts.append(reader.gettext("serial %(serial)s", serial=machine.serial))
    if machine.location:
        parts.append(machine.location)
    if machine.installed:
        when = date.fromisoformat(machine.installed)
        parts.append(reader.gettext("since %(date)s", date=reader.day(when)))
    return tuple(part for part in parts if part)


def _capacity(reader: Reader, watts: float) -> str:
    if reader.units == "us":
        return reader.gettext("%(tons)s ton", tons=reader.number(watts / 3516.8528, 1))  # 12,000 Btu/h
    ruler = scale(reader, "W")
    return f"{reader.number(ruler.apply(watts), 1)} {ruler.symbol}"


def _alarm(reader: Reader, machine: Machine) -> str:
    state, code = machine.word("alarm_state"), machine.number("fault_code")
    if code:
        return reader.gettext("The machine reports fault code %(code)s. Its maker's manual explains it.", code=f"{code:.0f}")
    if state in ("warning", "fault", "lockout"):
        return reader.gettext("The machine reports: %(state)s.", state=word(reader, state))
    return ""
