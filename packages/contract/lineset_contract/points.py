"""The catalogue of points: every quantity Lineset knows by name, with its unit and plausible range."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

import msgspec

Kind = Literal["real", "counter", "code"]
Consent = Literal["", "presence", "location"]


class Point(msgspec.Struct, frozen=True):
    """One measured or commanded quantity.

    `low` and `high` are in `unit`. A `code` point holds one of `codes`, word to number, and travels as either.
    `label` has a text for each language ("en", "es"). `consent` names what its home has to have switched on before it is taken.
    """

    name: str
    unit: str
    kind: Kind
    low: float
    high: float
    label: Mapping[str, str]
    about: str
    codes: Mapping[str, int]
    consent: Consent = ""

    def word(self, number: float) -> str | None:
        """The word of a code's number, or None when the number is not one of the codes."""
        return next((word for word, code in self.codes.items() if code == number), None)


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    unit: str
    en: str
    es: str
    about: str
    kind: Kind = "real"
    low: float = 0.0
    high: float = 0.0
    codes: dict[str, int] = {}
    consent: Consent = ""


def _load() -> Mapping[str, Point]:
    text = files("lineset_contract").joinpath("points.yaml").read_bytes()
    points: dict[str, Point] = {}
    for name, line in msgspec.yaml.decode(text, type=dict[str, _Line]).items():
        low, high = (min(line.codes.values()), max(line.codes.values())) if line.codes else (line.low, line.high)
        points[name] = Point(
            name=name,
            unit=line.unit,
            kind=line.kind,
            low=float(low),
            high=float(high),
            label=MappingProxyType({"en": line.en, "es": line.es}),
            about=line.about,
            codes=MappingProxyType(line.codes),
            consent=line.consent,
        )
    return MappingProxyType(points)


POINTS: Mapping[str, Point] = _load()

_MOST_NAME = 64
_PRESENCE = ("occupancy", "occupied", "occupants", "presence", "motion", "pir", "people", "person", "persons")
_LOCATION = ("latitude", "longitude", "lat", "lon", "lng", "gps", "location", "geolocation", "geohash", "coordinates")
_TELLING: dict[str, Consent] = {**dict.fromkeys(_PRESENCE, "presence"), **dict.fromkeys(_LOCATION, "location")}
"""Words in names that a device makes up itself, by what they tell of people."""


def consent_for(name: str) -> Consent:
    """What a home has to have switched on before a point of that name is taken from its devices; "" for nothing.

    A name that the catalogue does not know is judged by its words: `hall_motion` tells of presence.
    """
    return _consent_for(name) if len(name) <= _MOST_NAME else ""


@lru_cache(maxsize=10_000)
def _consent_for(name: str) -> Consent:
    known = POINTS.get(name)
    if known is not None:
        return known.consent
    return next((_TELLING[word] for word in name.lower().split("_") if word in _TELLING), "")
