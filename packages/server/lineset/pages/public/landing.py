"""The first page: what Lineset is, with examples drawn by the same code as the real pages."""

import math

import msgspec

from ..common.draw import Dial, Spark, dial, spark
from ..common.reader import Reader


class ExampleRow(msgspec.Struct, frozen=True):
    """One made-up row of a work list."""

    home: str
    machine: str
    room: str
    target: str
    tone: str
    spark: Spark
    alarm: bool
    what: str


class Example(msgspec.Struct, frozen=True):
    """The made-up readings that the first page shows; the page calls them examples."""

    dial: Dial
    dial_text: str
    target: str
    ready: str
    rows: tuple[ExampleRow, ...]


Day = list[tuple[float, float]]


def _day(start: int, end: int, drop: float, wobble: float) -> Day:
    """96 quarter hours in K from the set point: on it, then off by up to `drop` between `start` and `end`."""
    values: Day = []
    off = 0.0
    for index in range(96):
        aim = drop if start <= index < end else 0.0
        off += (aim - off) * 0.12
        values.append((index * 900.0, off + wobble * math.sin(index / 3.1)))
    return values


def example(reader: Reader) -> Example:
    """The examples in the reader's own units."""
    us = reader.units == "us"
    room, target = (61.0, 68.0) if us else (16.1, 20.0)
    span, major = ((50.0, 80.0), 10.0) if us else ((10.0, 30.0), 5.0)
    scale, offset = (1.8, 32.0) if us else (1.0, 0.0)
    unit = "°F" if us else "°C"

    def shown(celsius: float) -> str:
        return f"{reader.number(celsius * scale + offset, 1)}"

    gap = _day(70, 96, -9.0, 0.25)
    del gap[60:66]
    rows = (
        ("8 Donner Pass Rd", "HP-1", 10.9, 18.9, "cool", _day(66, 96, -8.4, 0.15), True, reader.gettext("Locked out by high pressure")),
        ("14 Sugar Pine Rd", "HP-1", 16.0, 20.0, "cool", gap, True, reader.gettext("Gives less heat than it should")),
        (
            "501 K St, suite 3",
            "RTU-2",
            23.8,
            21.1,
            "heat",
            _day(48, 96, 2.8, 0.5),
            True,
            reader.gettext("Heats while AC-1 cools the same room"),
        ),
        ("2210 Lakeview Dr", "HP-1", 20.1, 20.0, "", _day(96, 96, 0.0, 0.18), False, reader.gettext("As it should be")),
    )
    return Example(
        dial=dial(room, target, major=major, span=span),
        dial_text=f"{reader.number(room)}°",
        target=f"{reader.number(target)}°",
        ready="9:40" if not reader.clock24 else "09:40",
        rows=tuple(
            ExampleRow(
                home,
                machine,
                f"{shown(now)} {unit}",
                shown(aim),
                tone,
                spark(day, [(0.0, 0.0)], 0.0, 86400.0, gap=1000.0, least=3.0),
                alarm,
                what,
            )
            for home, machine, now, aim, tone, day, alarm, what in rows
        ),
    )
