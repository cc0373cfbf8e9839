"""What people need to know of each fault: how soon to act, what suffers, likely causes, what to check and bring, in both languages."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

import msgspec
from lineset_contract.faults import FAULTS

Suffers = Literal["heating", "hot_water", "air", "cost", "machine", "health"]
AdviceKind = Literal["repair", "maintenance", "setting", "service"]
MILDEST = 4.0
"""A fault that hardly shows leaves so many times as long to act as one at full severity."""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault in one language. `home`, `do`: what is wrong and the next step, for the household. `line`: the technician's line; `decides`:
    what tells it from those that look alike."""

    home: str
    do: str
    line: str
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    bring: tuple[str, ...]
    decides: str


class Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault. `within_days`: act within so many days at full severity; `repair_hours` and `parts` (USD) are what pay-back assumes."""

    advice: AdviceKind
    within_days: float
    suffers: Suffers
    repair_hours: float
    parts: float
    en: Words
    es: Words

    def said(self, language: str) -> Words:
        """The words in that language; English where it is unknown."""
        return self.es if language == "es" else self.en

    def days_left(self, severity: float, age_days: float) -> float:
        """Days until somebody should act, of a fault of `severity` (0 to 1) that was found `age_days` ago; never below 0."""
        whole = self.within_days * (1.0 + (MILDEST - 1.0) * (1.0 - min(max(severity, 0.0), 1.0)))
        return max(0.0, whole - max(age_days, 0.0))


def _load() -> Mapping[str, Knowledge]:
    text = files("lineset.diagnostics").joinpath("knowledge.yaml").read_bytes()
    known = msgspec.yaml.decode(text, type=dict[str, Knowledge])
    apart = set(known) ^ set(FAULTS)
    if apart:
        raise ValueError(f"knowledge.yaml and faults.yaml differ in {sorted(apart)}")
    return MappingProxyType(known)


KNOWLEDGE: Mapping[str, Knowledge] = _load()
