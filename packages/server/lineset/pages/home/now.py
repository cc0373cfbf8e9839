"""The first page of the home app: is it comfortable, what does the equipment do and why, and turn it up or down."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from lineset_contract.control import Bounds
from lineset_contract.profiles import PROFILES

from ..common.day import Chart, Wanted, chart
from ..common.draw import Dial, dial
from ..common.facts import LIVE_S, Day, Machine, Order, Site
from ..common.findings import FindingView
from ..common.orders import OrderLine, order_line
from ..common.quantity import degrees, mode_tone, point_scale, scale, shown
from ..common.reader import Reader
from .answer import Answer, answer

_MAIN_FIRST = ("thermostat", "heat_pump", "furnace", "boiler", "air_conditioner", "ventilation")
_FAR_K = 0.6  # a room further than this from its set point takes a colour
_WATER_POINTS = ("tank_top_temperature", "hot_water_temperature", "tank_middle_temperature")


class Stepper(msgspec.Struct, frozen=True):
    """The set point with its two buttons. `lower` and `higher` are in the reader's unit; empty at a limit."""

    equipment: str
    setting: str
    shown: str
    lower: str
    higher: str
    lower_text: str
    higher_text: str
    step: float
    low: float
    high: float
    note: str


class Fact(msgspec.Struct, frozen=True):
    """One further reading: outdoor, hot water, humidity, power."""

    name: str
    digits: str
    unit: str
    note: str
    tone: str
    live: str
    factor: float
    offset: float
    decimals: int


class Now(msgspec.Struct, frozen=True):
    """The page's view."""

    site: Site
    sites: tuple[Site, ...]
    machine: str
    machine_name: str
    state: str  # live, late, offline, none
    updated: str
    seen: float
    dial: Dial | None
    dial_text: str
    target_text: str
    tone: str
    factor: float
    offset: float
    reading_line: str
    answer: Answer
    stepper: Stepper | None
    command: OrderLine | None
    facts: tuple[Fact, ...]
    chart: Chart | None
    shared: tuple[str, ...]
    findings: tuple[FindingView, ...] = ()
    advice: int = 0
    tomorrow: str = ""


def now_view(
    reader: Reader,
    site: Site,
    sites: Sequence[Site],
    machines: Sequence[Machine],
    day: Day | None,
    order: Order | None,
    limits: Bounds | None,
    shared: Sequence[str],
    now: datetime,
    *,
    findings: Sequence[FindingView] = (),
    advice: int = 0,
    tomorrow: str = "",
) -> Now:
    """Build the page for `site`. `day` and `limits` belong to the machine that `main_machine` names; `findings` are the open ones of the
    site, `advice` how much of it stands, `tomorrow` the sentence of its forecast."""
    machine = main_machine(machines)
    if machine is None:
        return _without_machine(reader, site, sites, shared)
    setting = setting_of(machine)
    room, target = machine.number("room_temperature"), machine.number(setting) if setting else None
    seen = max((r.t for r in machine.latest.values()), default=machine.seen or 0.0)
    state = state_of(machine, now)
    us = reader.units == "us"
    ruler = scale(reader, "degC")
    if target is not None and order is not None and not order.done and order.args.get("setting") == setting:
        waiting = order.args.get("value")
        target = float(waiting) if isinstance(waiting, (int, float)) else target
    else:
        waiting = None
    drawn = dial(
        None if room is None else ruler.apply(room),
        None if target is None else ruler.apply(target),
        major=10.0 if us else 5.0,
        span=(50.0, 80.0) if us else (10.0, 30.0),
    )
    tone = _tone(machine, room, target)
    return Now(
        site=site,
        sites=tuple(sites),
        machine=machine.id,
        machine_name=machine.name,
        state=state,
        updated=_updated(reader, state, seen, now),
        seen=seen,
        dial=drawn,
        dial_text="–" if room is None else degrees(reader, room),
        target_text=_target_text(reader, target, waiting is not None),
        tone=tone,
        factor=ruler.factor,
        offset=ruler.offset,
        reading_line=_reading_line(reader, machine, machines),
        answer=answer(reader, machine, day, state, seen, now, target),
        stepper=_stepper(reader, machine, setting, target, limits),
        command=None if order is None else order_line(reader, order, machine.type, now),
        facts=_facts(reader, machines),
        chart=None if day is None else chart(reader, machine.id, day, _panels(setting, room, target)),
        shared=tuple(shared),
        findings=tuple(findings),
        advice=advice,
        tomorrow=tomorrow,
    )


def _without_machine(reader: Reader, site: Site, sites: Sequence[Site], shared: Sequence[str]) -> Now:
    return Now(
        site=site,
        sites=tuple(sites),
        machine="",
        machine_name="",
        state="none",
        updated="",
        seen=0.0,
        dial=None,
        dial_text="",
        target_text="",
        tone="",
        factor=1.0,
        offset=0.0,
        reading_line="",
        answer=Answer(reader.gettext("No machine yet."), "", "", ()),
        stepper=None,
        command=None,
        facts=(),
        chart=None,
        shared=tuple(shared),
    )


def main_machine(machines: Sequence[Machine]) -> Machine | None:
    """The machine that the room depends on: the first that reads a room temperature, thermostats before others."""

    def rank(machine: Machine) -> tuple[bool, int]:
        family = PROFILES[machine.type].family if machine.type in PROFILES else ""
        order = _MAIN_FIRST.index(family) if family in _MAIN_FIRST else len(_MAIN_FIRST)
        return machine.number("room_temperature") is None, order

    return min(machines, key=rank, default=None)


def setting_of(machine: Machine) -> str:
    """Which set point counts now: cooling while it cools or may only cool, else heating; empty without one."""
    profile = PROFILES.get(machine.type)
    settings = profile.settings if profile is not None else {}
    cools = machine.word("operating_mode") == "cooling" or machine.word("system_mode") == "cooling"
    order = ("cooling_setpoint", "heating_setpoint") if cools else ("heating_setpoint", "cooling_setpoint")
    for name in (*order, "hot_water_setpoint"):
        if name in settings:
            return name
    return ""


def state_of(machine: Machine, now: datetime) -> str:
    """live, late (a reading older than a minute) or offline (no link)."""
    if not machine.online:
        return "offline"
    newest = max((r.t for r in machine.latest.values()), default=0.0)
    return "live" if now.timestamp() - newest <= LIVE_S else "late"


def _tone(machine: Machine, room: float | None, target: float | None) -> str:
    tone = mode_tone(machine.word("operating_mode"))
    if tone in ("heat", "cool"):
        return tone
    if room is None or target is None or abs(room - target) < _FAR_K:
        return ""
    return "cool" if room < target else ""


def _updated(reader: Reader, state: str, seen: float, now: datetime) -> str:
    moment = datetime.fromtimestamp(seen, now.tzinfo)
    if state == "live":
        return reader.clock(moment)
    return reader.when(moment, now)


def _target_text(reader: Reader, target: float | None, waits: bool) -> str:
    if target is None:
        return ""
    text = degrees(reader, target)
    return reader.gettext("%(target)s waits", target=text) if waits else reader.gettext("%(target)s set", target=text)


def _reading_line(reader: Reader, machine: Machine, machines: Sequence[Machine]) -> str:
    outdoor = _first(machines, "outdoor_temperature")
    if machine.number("room_temperature") is None:
        return reader.gettext("No room reading")
    if outdoor is None:
        return reader.gettext("inside")
    return reader.gettext("inside. Outside %(outdoor)s", outdoor=degrees(reader, outdoor[1]))


def _stepper(reader: Reader, machine: Machine, setting: str, target: float | None, limits: Bounds | None) -> Stepper | None:
    if not setting or target is None or limits is None:
        return None
    ruler = scale(reader, "degC")
    step = 1.0 if reader.units == "us" else 0.5
    digits = 0 if step == 1.0 else 1
    value = round(ruler.apply(target) / step) * step
    low, high = ruler.apply(limits.low), ruler.apply(limits.high)
    down, up = value - step, value + step

    def say(number: float) -> str:
        return f"{reader.number(number, digits if number % 1 else 0)}°"

    return Stepper(
        equipment=machine.id,
        setting=setting,
        shown=say(value),
        lower=f"{down:g}" if down >= low - 1e-6 else "",
        higher=f"{up:g}" if up <= high + 1e-6 else "",
        lower_text=say(down),
        higher_text=say(up),
        step=step,
        low=round(low, 1),
        high=round(high, 1),
        note=reader.gettext("%(low)s to %(high)s allowed here", low=say(low), high=say(high)),
    )


def _first(machines: Sequence[Machine], point: str) -> tuple[Machine, float] | None:
    for machine in machines:
        value = machine.number(point)
        if value is not None:
            return machine, value
    return None


def _facts(reader: Reader, machines: Sequence[Machine]) -> tuple[Fact, ...]:
    facts: list[Fact] = []

    def add(point: str, name: str, tone: str, note: str = "") -> None:
        found = _first(machines, point)
        if found is None:
            return
        machine, value = found
        ruler = point_scale(reader, point)
        decimals = 0 if ruler.symbol == "°F" else ruler.digits
        text = shown(reader, point, value, decimals)
        live = f"{machine.id}/{point}"
        facts.append(Fact(name, text.digits, text.unit, note, tone, live, ruler.factor, ruler.offset, decimals))

    add("outdoor_temperature", reader.gettext("Outside"), "")
    for point in _WATER_POINTS:
        found = _first(machines, point)
        if found is not None:
            target = found[0].number("hot_water_setpoint")
            note = "" if target is None else reader.gettext("set %(target)s", target=degrees(reader, target))
            add(point, reader.gettext("Hot water"), "water", note)
            break
    add("room_humidity", reader.gettext("Humidity"), "")
    add("electric_power", reader.gettext("Power"), "")
    return tuple(facts)


def _panels(setting: str, room: float | None, target: float | None) -> tuple[Wanted, ...]:
    tone = "ink"
    if room is not None and target is not None and abs(room - target) >= _FAR_K:
        tone = "cool" if room < target else "heat"
    return (Wanted("room_temperature", setting, tone, "l", 3.0), Wanted("outdoor_temperature", "", "ink", "s", 4.0))
