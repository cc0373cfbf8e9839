"""The catalogue of points: every quantity Lineset knows by name, with its unit and plausible range."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

import msgspec

Kind = Literal["real", "counter", "code"]


class Point(msgspec.Struct, frozen=True):
    """One measured or commanded quantity.

    `low` and `high` are in `unit`. A `code` point holds one of `codes`, word to number, and travels as either.
    `label` has a text for each language ("en", "es").
    """

    name: str
    unit: str
    kind: Kind
    low: float
    high: float
    label: Mapping[str, str]
    about: str
    codes: Mapping[str, int]

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
        )
    return MappingProxyType(points)


POINTS: Mapping[str, Point] = _load()
