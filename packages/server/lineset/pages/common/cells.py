"""Readings ready to stand on a page: name, digits, unit, age, and what a script needs to keep them current."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from lineset_contract.points import POINTS
from lineset_contract.profiles import PROFILES

from .facts import LIVE_S, Machine, Reading
from .quantity import label, mode_tone, point_scale, word
from .reader import Reader


class Cell(msgspec.Struct, frozen=True):
    """One reading. `live` is the address a script listens to; `late` marks a reading older than a minute."""

    point: str
    name: str
    text: str
    unit: str
    live: str
    factor: float
    offset: float
    digits: int
    t: float
    age: str
    late: bool
    tone: str = ""
    unknown: bool = False


class Group(msgspec.Struct, frozen=True):
    """Readings that belong together."""

    title: str
    cells: tuple[Cell, ...]


def cell(reader: Reader, machine: Machine, point: str, reading: Reading, now: datetime) -> Cell:
    """`reading` of `machine` as a cell."""
    ruler = point_scale(reader, point)
    age = max(0.0, now.timestamp() - reading.t)
    coded = isinstance(reading.value, str)
    value = 0.0 if isinstance(reading.value, str) else ruler.apply(reading.value)
    digits = 0 if coded or abs(value) >= 1000 else ruler.digits
    return Cell(
        point=point,
        name=label(reader, point),
        text=word(reader, str(reading.value)) if coded else reader.number(value, digits),
        unit="" if coded else ruler.symbol,
        live=f"{machine.id}/{point}",
        factor=ruler.factor,
        offset=ruler.offset,
        digits=digits,
        t=reading.t,
        age=reader.age(age),
        late=age > LIVE_S,
        tone=mode_tone(str(reading.value)) if point == "operating_mode" else "",
        unknown=point not in POINTS,
    )


def cells(reader: Reader, machine: Machine, now: datetime) -> dict[str, Cell]:
    """All readings of `machine` by point."""
    return {point: cell(reader, machine, point, reading, now) for point, reading in machine.latest.items()}


def groups(reader: Reader, machine: Machine, ready: Mapping[str, Cell]) -> tuple[Group, ...]:
    """Readings in the profile's own order: what matters first, then set points, states, quantities, counters, unknown."""
    profile = PROFILES.get(machine.type)
    order = list(profile.points) if profile is not None else []
    names = [*(p for p in order if p in ready), *(p for p in ready if p not in order)]
    first = set(profile.headlines) if profile is not None else set()
    settings = {s.point for s in profile.settings.values()} if profile is not None else set()

    def kind(point: str) -> int:
        known = POINTS.get(point)
        if known is None:
            return 5
        if point in first:
            return 0
        if point in settings:
            return 1
        return {"real": 2, "code": 3, "counter": 4}[known.kind]

    titles = (
        reader.gettext("At a glance"),
        reader.gettext("Set points and modes"),
        reader.gettext("Measured"),
        reader.gettext("States"),
        reader.gettext("Counters"),
        reader.gettext("Not in the catalogue, kept as sent"),
    )
    sorted_names: list[list[str]] = [[] for _ in titles]
    for name in names:
        sorted_names[kind(name)].append(name)
    return tuple(Group(title, _take(ready, found)) for title, found in zip(titles, sorted_names, strict=True) if found)


def _take(ready: Mapping[str, Cell], names: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(ready[name] for name in names)
