"""The names of faults."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """A named fault; `label` has a text for each language ("en", "es")."""

    name: str
    label: Mapping[str, str]


def _load() -> Mapping[str, Fault]:
    text = files("lineset_contract").joinpath("faults.yaml").read_bytes()
    lines = msgspec.yaml.decode(text, type=dict[str, dict[str, str]])
    return MappingProxyType({name: Fault(name, MappingProxyType(label)) for name, label in lines.items()})


FAULTS: Mapping[str, Fault] = _load()
