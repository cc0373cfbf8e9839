"""Quantities in words and digits: which unit a reader sees, how many decimals, what a code is called."""

from collections.abc import Callable

import msgspec
from lineset_contract.points import POINTS
from lineset_contract.units import UNITS, convert, convert_difference, display_unit

from .reader import Reader, Shown

_DIGITS = {
    "degC": 1, "degF": 1, "K": 1, "delta_degF": 1, "kPa": 0, "psi": 0, "Pa": 0, "inH2O": 2, "kg/s": 3, "gpm": 1, "W": 0, "kW": 2,
    "kWh": 1, "m3": 1, "ft3": 0, "m3/h": 0, "cfm": 0, "L": 0, "gal": 0, "s": 0, "h": 1, "%": 0, "A": 1, "V": 0, "Hz": 0, "1": 1,
}  # fmt: skip


class Scale(msgspec.Struct, frozen=True):
    """How a catalogue value becomes what the reader sees: value * factor + offset, `digits` decimals, `symbol` after."""

    factor: float
    offset: float
    digits: int
    symbol: str

    def apply(self, value: float) -> float:
        """`value` in the reader's unit."""
        return value * self.factor + self.offset


def scale(reader: Reader, unit: str) -> Scale:
    """The scale on which `reader` sees the catalogue's `unit`. Power reads in kW."""
    to = "kW" if unit == "W" else "h" if unit == "s" else display_unit(unit, reader.units)
    if unit not in UNITS:
        return Scale(1.0, 0.0, 1, unit)
    offset = convert(0.0, unit, to)
    return Scale(convert_difference(1.0, unit, to), offset, _DIGITS.get(to, 1), UNITS[to].symbol)


def point_scale(reader: Reader, point: str) -> Scale:
    """The scale of a point of the catalogue; of an unknown point, the bare number."""
    known = POINTS.get(point)
    return scale(reader, known.unit) if known is not None else Scale(1.0, 0.0, 2, "")


def shown(reader: Reader, point: str, value: float, digits: int | None = None) -> Shown:
    """A point's value as digits and unit."""
    ruler = point_scale(reader, point)
    return Shown(reader.number(ruler.apply(value), ruler.digits if digits is None else digits), ruler.symbol)


def degrees(reader: Reader, celsius: float, digits: int = 0) -> str:
    """A temperature as people say it at home: 68°, the unit understood."""
    return f"{reader.number(scale(reader, 'degC').apply(celsius), digits)}°"


def degrees_apart(reader: Reader, kelvin: float, digits: int = 0) -> str:
    """A difference of temperatures as people say it at home; from 3 degrees on without decimals."""
    apart = abs(kelvin) * scale(reader, "K").factor
    return f"{reader.number(apart, digits if apart < 3 else 0)}°"


def label(reader: Reader, point: str) -> str:
    """What a point is called; an unknown one shows its own name."""
    known = POINTS.get(point)
    return known.label.get(reader.language, known.label["en"]) if known is not None else point.replace("_", " ")


def word(reader: Reader, code: str) -> str:
    """What a code's word is called."""
    say = _WORDS.get(code)
    return say(reader.gettext) if say is not None else code.replace("_", " ")


def code_words(reader: Reader) -> dict[str, str]:
    """All words of codes as the reader reads them, for scripts that write live values."""
    return {code: say(reader.gettext) for code, say in _WORDS.items()}


def mode_tone(mode: str) -> str:
    """The colour role of an operating mode: heat, cool, water, fault or none."""
    return _TONES.get(mode, "")


def mode_tones() -> dict[str, str]:
    """The colour roles of all modes that have one, for scripts that draw live modes."""
    return dict(_TONES)


_TONES = {
    "heating": "heat", "auxiliary_heat": "heat", "cooling": "cool", "dry": "cool", "economizer": "cool", "defrost": "cool",
    "hot_water": "water", "pumping": "water", "fault": "fault", "lockout": "fault",
}  # fmt: skip

Gettext = Callable[[str], str]
_WORDS: dict[str, Callable[[Gettext], str]] = {
    "off": lambda gettext: gettext("Off"),
    "on": lambda gettext: gettext("On"),
    "none": lambda gettext: gettext("None"),
    "auto": lambda gettext: gettext("Automatic"),
    "heating": lambda gettext: gettext("Heating"),
    "cooling": lambda gettext: gettext("Cooling"),
    "defrost": lambda gettext: gettext("Defrost"),
    "hot_water": lambda gettext: gettext("Hot water"),
    "idle": lambda gettext: gettext("Idle"),
    "fan_only": lambda gettext: gettext("Fan only"),
    "fan": lambda gettext: gettext("Fan"),
    "dry": lambda gettext: gettext("Dry"),
    "wet": lambda gettext: gettext("Wet"),
    "auxiliary_heat": lambda gettext: gettext("Backup heat"),
    "emergency_heat": lambda gettext: gettext("Backup heat only"),
    "economizer": lambda gettext: gettext("Free cooling"),
    "fault": lambda gettext: gettext("Fault"),
    "warning": lambda gettext: gettext("Warning"),
    "lockout": lambda gettext: gettext("Locked out"),
    "locked_out": lambda gettext: gettext("Locked out"),
    "pumping": lambda gettext: gettext("Pumping"),
    "pending": lambda gettext: gettext("Pending"),
    "starting": lambda gettext: gettext("Starting"),
    "circulate": lambda gettext: gettext("Circulate"),
    "low": lambda gettext: gettext("Low"),
    "medium": lambda gettext: gettext("Medium"),
    "high": lambda gettext: gettext("High"),
    "heat_pump": lambda gettext: gettext("Heat pump only"),
    "hybrid": lambda gettext: gettext("Hybrid"),
    "electric": lambda gettext: gettext("Electric"),
    "gas": lambda gettext: gettext("Gas"),
    "high_demand": lambda gettext: gettext("High demand"),
    "eco": lambda gettext: gettext("Eco"),
    "constant_speed": lambda gettext: gettext("Constant speed"),
    "constant_pressure": lambda gettext: gettext("Constant pressure"),
    "proportional_pressure": lambda gettext: gettext("Proportional pressure"),
    "first": lambda gettext: gettext("Stage 1"),
    "second": lambda gettext: gettext("Stage 2"),
    "third": lambda gettext: gettext("Stage 3"),
    "fourth": lambda gettext: gettext("Stage 4"),
    "space_heating": lambda gettext: gettext("Space heating"),
    "blocked": lambda gettext: gettext("Blocked"),
    "dry_running": lambda gettext: gettext("Running dry"),
    "due": lambda gettext: gettext("Due"),
    "missed": lambda gettext: gettext("Missed"),
}
