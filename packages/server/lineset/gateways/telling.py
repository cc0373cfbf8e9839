"""What an event of a gateway tells of people beside what it is about: places, and what sensors see of somebody. Pure."""

from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from lineset_contract.points import consent_for

_DEEP = 8
_LATITUDE, _LONGITUDE = ("latitude", "lat"), ("longitude", "lon", "lng")


@dataclass(frozen=True, slots=True)
class Told:
    """A place that a gateway tells of itself with its people's consent, in degrees north and east."""

    household: UUID
    gateway: UUID
    latitude: float
    longitude: float


@dataclass(slots=True)
class Telling:
    """An event's detail without what tells of people (`rest`), of what that told with the first name for it, and a place if one was."""

    rest: dict[str, object] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    place: tuple[float, float] | None = None


def take_telling(detail: dict[str, object]) -> Telling:
    """Take out of an event's detail, at any depth, what waits for consent."""
    told = Telling()
    found: dict[str, float] = {}
    told.rest = cast("dict[str, object]", _without(detail, told, found, _DEEP))
    north, east = (next((found[n] for n in names if n in found), None) for names in (_LATITUDE, _LONGITUDE))
    if north is not None and east is not None and abs(north) <= 90 and abs(east) <= 180:
        told.place = north, east
    return told


def _without(value: object, told: Telling, found: dict[str, float], deep: int) -> object:
    if not deep:
        return value  # deeper than anything that is kept
    if isinstance(value, list):
        return [_without(v, told, found, deep - 1) for v in value]
    if not isinstance(value, dict):
        return value
    rest = {}
    for name, inner in value.items():
        purpose = consent_for(str(name))
        if not purpose:
            rest[name] = _without(inner, told, found, deep - 1)
            continue
        told.names.setdefault(purpose, str(name))
        for key, number in (inner if isinstance(inner, dict) else {name: inner}).items():
            if isinstance(number, int | float) and not isinstance(number, bool):
                found.setdefault(str(key).lower(), float(number))
    return rest
