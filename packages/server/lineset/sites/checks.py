"""What people say about sites and machines, checked against the profiles."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

import msgspec
from lineset_contract.profiles import PROFILES, Profile, UnknownProfile, profile

from lineset.kit.clock import is_time_zone, now
from lineset.kit.errors import Invalid

SITE_KINDS = ("residential", "commercial")
MOST_CAPACITY_W = 20e6
"""20 MW of heating or cooling: beyond the largest single chiller on the market."""
REFRIGERANT = re.compile(r"R\d{2,4}[A-Z]{0,3}")
"""A number of ASHRAE Standard 34, without its dash."""


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a site stands; every part may be empty. `country` is ISO 3166-1 alpha-2."""

    street: str = ""
    unit: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    @property
    def line(self) -> str:
        """In one line, for lists and searches."""
        place = " ".join(part for part in (self.region, self.postal_code) if part)
        return ", ".join(part for part in (self.street, self.unit, self.city, place, self.country) if part)


class NewEquipment(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as somebody enters it. `capacity_w` is the rated output in W; `limits` narrows settings: {"heating_setpoint": [16, 24]}."""

    name: str
    type: str
    local_name: str = ""
    make: str = ""
    model: str = ""
    serial_number: str = ""
    capacity_w: float | None = None
    fuel: str = ""
    refrigerant: str = ""
    place: str = ""
    installed_on: date | None = None
    installer: str = ""
    limits: Mapping[str, list[float]] = {}


def clean(text: str, field: str, what: str, *, most: int = 80, least: int = 0) -> str:
    """One line without control characters.

    Raises:
        Invalid: it is too short, too long, or has control characters.
    """
    line = unicodedata.normalize("NFC", text).strip()
    if len(line) < least:
        raise Invalid("missing", f"Give {what}.", field)
    if len(line) > most or any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in line):
        raise Invalid("bad_text", f"Give {what} in one line of at most {most} characters.", field)
    return line


def clean_address(address: Address) -> Address:
    """The address with each part cleaned.

    Raises:
        Invalid: a part can't be used; `field` names it.
    """
    parts = {name: clean(getattr(address, name), name, f"the {name.replace('_', ' ')}", most=120) for name in Address.__struct_fields__}
    parts["country"] = parts["country"].upper()
    if parts["country"] and not (len(parts["country"]) == 2 and parts["country"].isascii() and parts["country"].isalpha()):
        raise Invalid("bad_country", "Give the country by its two letters, such as US or ES.", "country")
    return Address(**parts)


def check_zone(time_zone: str) -> str:
    """Raises Invalid unless the tz database has this zone."""
    if not is_time_zone(time_zone):
        raise Invalid("bad_time_zone", "Choose a time zone such as America/Denver.", "time_zone")
    return time_zone


def check_kind(kind: str) -> str:
    """Raises Invalid unless it is a kind of site."""
    if kind not in SITE_KINDS:
        raise Invalid("bad_kind", "A site is either residential or commercial.", "kind")
    return kind


def check_equipment(new: NewEquipment) -> dict[str, object]:
    """The checked columns of a machine, without its keys and limits.

    Raises:
        Invalid: the type is unknown, the fuel is not one of its, the capacity is not a positive number of W, the refrigerant is no
            number of one (ASHRAE Standard 34), or a text can't be used.
    """
    kind = find_profile(new.type)
    fuel = new.fuel or (kind.fuels[0] if len(kind.fuels) == 1 else "")
    if fuel and fuel not in kind.fuels:
        raise Invalid("bad_fuel", f"A machine of this type runs on one of: {', '.join(kind.fuels)}.", "fuel")
    capacity = new.capacity_w
    if capacity is not None and not 0 < capacity <= MOST_CAPACITY_W:
        raise Invalid(
            "bad_capacity", "Give the rated capacity in W as a number above 0 and at most 20 MW, or leave it empty.", "capacity_w"
        )
    if new.installed_on is not None and not date(1900, 1, 1) <= new.installed_on <= date.fromordinal(now().date().toordinal() + 366):
        raise Invalid("bad_date", "Give the day of installation, from 1900 to a year from now.", "installed_on")
    refrigerant = new.refrigerant.strip().upper().replace(" ", "").replace("-", "")
    if refrigerant and not REFRIGERANT.fullmatch(refrigerant):
        raise Invalid("bad_refrigerant", "Give the refrigerant by its number, such as R-410A, or leave it empty.", "refrigerant")
    return {
        "name": clean(new.name, "name", "a name for the machine", least=1),
        "type": kind.type,
        "make": clean(new.make, "make", "the make"),
        "model": clean(new.model, "model", "the model"),
        "serial_number": clean(new.serial_number, "serial_number", "the serial number"),
        "capacity_w": capacity,
        "fuel": fuel,
        "refrigerant": f"R-{refrigerant[1:]}" if refrigerant else "",
        "place": clean(new.place, "place", "the place in words", most=120),
        "installed_on": new.installed_on,
        "installer": clean(new.installer, "installer", "the company that installed it"),
    }


def find_profile(kind: str) -> Profile:
    """The profile of a type.

    Raises:
        Invalid: there is no such type; the message lists those that there are.
    """
    try:
        return profile(kind)
    except UnknownProfile as error:
        raise Invalid("unknown_type", str(error), "type") from error


def check_limits(limits: Mapping[str, list[float]], kinds: list[Profile] | None = None) -> dict[str, list[float]]:
    """Limits by setting, each [low, high] within what the profiles allow; of one machine's profile, or of any for a site.

    Raises:
        Invalid: a setting is unknown or not numeric, or the range is not within the profile's.
    """
    kinds = list(PROFILES.values()) if kinds is None else kinds
    result = {}
    for name, ends in limits.items():
        settings = [k.settings[name] for k in kinds if name in k.settings and not k.settings[name].choices]
        if not settings:
            known = sorted({s.name for k in kinds for s in k.settings.values() if not s.choices})
            raise Invalid("unknown_setting", f"{name[:64]!r} has no limits. Use one of: {', '.join(known) or 'none'}.", "limits")
        low, high = min(s.low for s in settings), max(s.high for s in settings)
        if len(ends) != 2 or not all(isinstance(e, (int, float)) for e in ends) or not low <= ends[0] <= ends[1] <= high:
            say = f"Limits of {name} are two numbers in order from {low:g} to {high:g} {settings[0].unit}."
            raise Invalid("bad_limits", say, "limits")
        result[name] = [float(e) for e in ends]
    return result
