"""Units for people: conversion from the catalogue's units to what a reader prefers, and back.

Locale-neutral: numbers in, numbers out; writing them down is the page's task. Temperature *differences* (K) convert
without the offset and have units of their own, so that a 5 K superheat never becomes 41 °F.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

System = Literal["metric", "us"]


class UnitError(Exception):
    """No conversion between these units. The message lists what the unit converts to."""


class Unit(msgspec.Struct, frozen=True):
    """A unit to show: shown = value * factor + offset. `base` is the catalogue's unit, `symbol` what people read."""

    name: str
    base: str
    symbol: str
    factor: float = 1.0
    offset: float = 0.0


_FOOT = 0.3048  # m, exact
_GALLON = 3.785411784  # L, exact (US liquid)
_POUND_FORCE_PER_SQUARE_INCH = 6.894757293168361  # kPa
_STANDARD_ATMOSPHERE = 101.325  # kPa, exact

_TABLE = (
    Unit("degC", "degC", "°C"),
    Unit("degF", "degC", "°F", 1.8, 32.0),
    Unit("K", "K", "K"),
    Unit("delta_degF", "K", "°F", 1.8),
    Unit("kPa", "kPa", "kPa"),
    Unit("bar", "kPa", "bar", 0.01),
    Unit("psi", "kPa", "psia", 1 / _POUND_FORCE_PER_SQUARE_INCH),
    Unit("psig", "kPa", "psig", 1 / _POUND_FORCE_PER_SQUARE_INCH, -_STANDARD_ATMOSPHERE / _POUND_FORCE_PER_SQUARE_INCH),
    Unit("barg", "kPa", "bar(g)", 0.01, -_STANDARD_ATMOSPHERE / 100),
    Unit("Pa", "Pa", "Pa"),
    Unit("inH2O", "Pa", "in. w.c.", 1 / 249.08891),  # conventional inch of water, NIST SP 811
    Unit("kg/s", "kg/s", "kg/s"),
    Unit("L/min", "kg/s", "L/min", 60.0),  # water at 1 kg/L
    Unit("gpm", "kg/s", "gpm", 60.0 / _GALLON),  # water at 1 kg/L
    Unit("W", "W", "W"),
    Unit("kW", "W", "kW", 0.001),
    Unit("Btu/h", "W", "Btu/h", 3600 / 1055.05585262),  # International Table Btu
    Unit("ton", "W", "ton", 3600 / 1055.05585262 / 12_000),  # 12,000 Btu/h of cooling
    Unit("kWh", "kWh", "kWh"),
    Unit("kBtu", "kWh", "kBtu", 3600 / 1055.05585262),
    Unit("therm", "kWh", "therm", 3600 / 105_505.585262),  # 100,000 International Table Btu
    Unit("m3", "m3", "m³"),
    Unit("ft3", "m3", "ft³", 1 / _FOOT**3),
    Unit("m3/h", "m3/h", "m³/h"),
    Unit("cfm", "m3/h", "cfm", 1 / (60 * _FOOT**3)),
    Unit("L", "L", "L"),
    Unit("gal", "L", "gal", 1 / _GALLON),
    Unit("s", "s", "s"),
    Unit("h", "s", "h", 1 / 3600),
    Unit("%", "%", "%"),
    Unit("ppm", "ppm", "ppm"),
    Unit("Hz", "Hz", "Hz"),
    Unit("rpm", "rpm", "rpm"),
    Unit("V", "V", "V"),
    Unit("A", "A", "A"),
    Unit("mA", "mA", "mA"),
    Unit("uA", "uA", "µA"),
    Unit("dBm", "dBm", "dBm"),
    Unit("1", "1", ""),
    Unit("deg", "deg", "°"),
    Unit("", "", ""),
)

UNITS: Mapping[str, Unit] = MappingProxyType({unit.name: unit for unit in _TABLE})

_US = MappingProxyType(
    {
        "degC": "degF",
        "K": "delta_degF",
        "kPa": "psi",
        "Pa": "inH2O",
        "kg/s": "gpm",
        "m3": "ft3",
        "m3/h": "cfm",
        "L": "gal",
    }
)


def display_unit(unit: str, system: System) -> str:
    """The unit in which a reader of a system sees a catalogue unit. Electric power stays in W; see `UNITS`."""
    return _US.get(unit, unit) if system == "us" else unit


def convert(value: float, unit: str, to: str) -> float:
    """`value` from one unit to another of the same base. Raises UnitError."""
    source, target = UNITS.get(unit), UNITS.get(to)
    if source is None or target is None or source.base != target.base:
        known = ", ".join(other.name for other in _TABLE if source is not None and other.base == source.base)
        raise UnitError(f"{unit!r} cannot become {to!r}." + (f" It converts to: {known}." if known else ""))
    if source is target:
        return value
    return (value - source.offset) / source.factor * target.factor + target.offset


def convert_difference(value: float, unit: str, to: str) -> float:
    """A difference of two values, for example of temperatures in degC: the offset stays out. Raises UnitError."""
    return convert(value, unit, to) - convert(0.0, unit, to)


def symbol(unit: str) -> str:
    """What people read for a unit: "°C" for degC; the name itself when it is not known."""
    known = UNITS.get(unit)
    return unit if known is None else known.symbol
