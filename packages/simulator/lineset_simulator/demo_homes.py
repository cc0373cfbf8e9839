"""What a home of the demo is written down as, and the towns they are in."""

from typing import Literal

import msgspec

from .spec import EquipmentSpec, Fault, Silence, ZoneSpec


class Town(msgspec.Struct, frozen=True):
    """A real town: degrees, m, telephone area."""

    name: str
    state: str
    tz: str
    latitude: float
    longitude: float
    altitude: float
    climate: str
    area: str


class Draft(msgspec.Struct, frozen=True):
    """A home before names become people and serial numbers are given. `site` is set for a commercial one."""

    name: str
    people: tuple[str, ...]
    street: str
    postcode: str
    zones: tuple[ZoneSpec, ...]
    equipment: tuple[EquipmentSpec, ...]
    occupancy: str = "workers"
    faults: tuple[Fault, ...] = ()
    silence: tuple[Silence, ...] = ()
    site: str = ""
    residents: int = 0
    sensors: Literal["basic", "standard", "full"] = "standard"


BEND = Town("Bend", "OR", "America/Los_Angeles", 44.06, -121.31, 1105.0, "cold", "541")
PORTLAND = Town("Portland", "OR", "America/Los_Angeles", 45.52, -122.68, 15.0, "marine", "503")
TUCSON = Town("Tucson", "AZ", "America/Phoenix", 32.22, -110.97, 730.0, "hot", "520")
ALBUQUERQUE = Town("Albuquerque", "NM", "America/Denver", 35.08, -106.65, 1615.0, "mixed", "505")
