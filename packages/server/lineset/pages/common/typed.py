"""Numbers that people type, in their own unit and with their own decimal sign, as the catalogue's numbers."""

import re

from lineset_contract.profiles import PROFILES

from lineset.kit.errors import Invalid

from .quantity import scale
from .reader import Reader

_NUMBER = re.compile(r"[+\-\N{MINUS SIGN}]?\d{1,9}([.,]\d{1,6})?")


def plain_number(reader: Reader, text: str, field: str = "value") -> float:
    """The number that was typed.

    Raises:
        Invalid: it is no number.
    """
    cleaned = text.strip().removesuffix("°").strip()
    if not _NUMBER.fullmatch(cleaned):
        raise Invalid("not_a_number", reader.gettext("Type a number, such as 68 or 20.5."), field)
    return float(cleaned.replace("\N{MINUS SIGN}", "-").replace(",", "."))


def typed_number(reader: Reader, machine_type: str, setting: str, text: str) -> float:
    """A value for a machine's setting in the catalogue's unit; an unknown setting passes as it is, for control to refuse.

    Raises:
        Invalid: it is no number.
    """
    number = plain_number(reader, text, setting)
    profile = PROFILES.get(machine_type)
    known = profile.settings.get(setting) if profile is not None else None
    if known is None:
        return number
    ruler = scale(reader, known.unit)
    return round((number - ruler.offset) / ruler.factor, 4)
