"""A machine's page: drawn with its readings, its day, its commands and what may be set; and machines as lines of a list."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from lineset_contract.control import Bounds
from lineset_contract.profiles import PROFILES

from .cells import Group, cells, groups
from .charting import ChartPart
from .controls import Control, controls
from .facts import LIVE_S, Machine, Order
from .health import Health
from .orders import OrderLine, order_line
from .plate import alarm_words, plate, type_name
from .quantity import label, mode_tone, shown, word
from .reader import Reader
from .schematic import Schematic, schematic


class Line(msgspec.Struct, frozen=True):
    """One machine in a list. `state` is live, late, offline or none."""

    id: str
    name: str
    type_name: str
    plate: str
    mode: str
    mode_tone: str
    headline: str
    seen: float
    age: str
    state: str
    alarm: str


class MachinePage(msgspec.Struct, frozen=True):
    """One machine's page."""

    machine: Machine
    line: Line
    schematic: Schematic | None
    groups: tuple[Group, ...]
    chart: ChartPart | None
    orders: tuple[OrderLine, ...]
    controls: tuple[Control, ...]
    may_command: bool
    health: Health | None = None


def lines(reader: Reader, machines: Sequence[Machine], now: datetime) -> tuple[Line, ...]:
    """Machines as lines of a list."""
    return tuple(line(reader, machine, now) for machine in machines)


def line(reader: Reader, machine: Machine, now: datetime) -> Line:
    """One machine as a line of a list."""
    mode = machine.word("operating_mode")
    newest = max((r.t for r in machine.latest.values()), default=machine.seen or 0.0)
    age = now.timestamp() - newest
    state = "none" if not newest else "offline" if not machine.online else "live" if age <= LIVE_S else "late"
    return Line(
        id=machine.id,
        name=machine.name,
        type_name=type_name(reader, machine.type),
        plate=", ".join(plate(reader, machine)),
        mode=word(reader, mode) if mode else "",
        mode_tone=mode_tone(mode),
        headline=_headline(reader, machine),
        seen=newest,
        age=reader.age(age) if newest else "",
        state=state,
        alarm=alarm_words(reader, machine),
    )


def _headline(reader: Reader, machine: Machine) -> str:
    """The two readings that say most about this type."""
    profile = PROFILES.get(machine.type)
    names = profile.headlines if profile is not None else tuple(machine.latest)
    found: list[str] = []
    for name in names:
        value = machine.number(name)
        if value is not None and not name.endswith("setpoint"):
            found.append(f"{label(reader, name)} {shown(reader, name, value)}")
    return ", ".join(found[:2])


def machine_page(
    reader: Reader,
    machine: Machine,
    chart: ChartPart | None,
    orders: Sequence[Order],
    limits: Mapping[str, Bounds],
    now: datetime,
    *,
    may_command: bool,
    health: Health | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> MachinePage:
    """Build one machine's page. `limits` by numeric setting; `typed` and `errors` by setting after a refused form."""
    ready = cells(reader, machine, now)
    return MachinePage(
        machine=machine,
        line=line(reader, machine, now),
        schematic=schematic(reader, machine, ready),
        groups=groups(reader, machine, ready),
        chart=chart,
        orders=tuple(order_line(reader, order, machine.type, now) for order in orders),
        controls=controls(reader, machine, limits, typed, errors) if may_command else (),
        may_command=may_command,
        health=health,
    )
