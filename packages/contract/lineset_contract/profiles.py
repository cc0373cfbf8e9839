"""Equipment profiles: what each type of machine measures, can be set to, and can be told.

A profile is a YAML file in `profiles/`; a new type of machine needs a file and no code.
"""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

import msgspec

from lineset_contract.points import POINTS

Family = Literal["heat_pump", "air_conditioner", "furnace", "boiler", "water_heater", "ventilation", "thermostat", "chiller", "pump"]
Fuel = Literal["electricity", "natural_gas", "propane", "oil", "biomass"]
Label = dict[str, str]


class UnknownProfile(Exception):
    """No profile has this type. The message lists the types there are."""


class PointUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a type uses a point: `required` to be useful at all, `headline` to be seen first."""

    required: bool = False
    headline: bool = False


class Setting(msgspec.Struct, frozen=True):
    """Something people may set.

    `point` reads it back; it holds once the reading is within `tolerance`. A set point has `low`, `high`, `step`,
    `default`, `tolerance` in `unit`; a choice has `choices`, words of the point's codes, and `default` is a word.
    `low_reason` and `high_reason` name the safety rule behind a limit: freeze_protection, scald, hygiene, equipment.
    """

    name: str
    point: str
    unit: str
    low: float
    high: float
    step: float
    default: float | str
    tolerance: float
    label: Mapping[str, str]
    choices: tuple[str, ...] = ()
    low_reason: str = ""
    high_reason: str = ""


class ArgSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One argument of a command.

    kind `setting`: the name of one of `choices`; `value`: the value for the command's setting; `default` stands in
    for an argument left out.
    """

    kind: Literal["setting", "value"]
    label: Label
    choices: tuple[str, ...] = ()
    default: float | str | None = None


class ReadBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a command has succeeded, judged by what the machine says within `within` seconds.

    rule `setting`: the setting's point reads the value, within the setting's tolerance;
    rule `restarted`: `point`, an uptime in s, is below what it was before, or below the time since the command.
    """

    rule: Literal["setting", "restarted"] = "setting"
    point: str = ""
    within: float = 120.0


class CommandSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order that a type understands.

    `setting` is what it writes; empty where the argument of kind `setting` names it. An action without a setting
    (restart) writes `action` to the driver. `switches`: it may start or stop a compressor or burner, so the
    short-cycle lockout holds for it.
    """

    label: Label
    name: str = ""
    setting: str = ""
    action: str = ""
    args: Mapping[str, ArgSpec] = {}
    read_back: ReadBack = ReadBack()
    switches: bool = False


class ProfileLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`short_cycle_lockout`: s between two switching commands. `deadband`: K that cooling stays over heating."""

    short_cycle_lockout: float = 0.0
    deadband: float = 0.0


class Profile(msgspec.Struct, frozen=True):
    """One type of equipment. `derived` names, by derived point, the alternative sets of points it follows from."""

    type: str
    label: Mapping[str, str]
    about: Mapping[str, str]
    family: Family
    fuels: tuple[Fuel, ...]
    points: Mapping[str, PointUse]
    settings: Mapping[str, Setting]
    commands: Mapping[str, CommandSpec]
    derived: Mapping[str, tuple[tuple[str, ...], ...]]
    limits: ProfileLimits

    @property
    def headlines(self) -> tuple[str, ...]:
        """Points to show first, in the file's order."""
        return tuple(name for name, use in self.points.items() if use.headline)


class _Setting(msgspec.Struct, forbid_unknown_fields=True):
    point: str = ""
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    default: float | str = ""
    tolerance: float = 0.0
    choices: tuple[str, ...] = ()
    label: Label = {}
    low_reason: str = ""
    high_reason: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    label: Label
    about: Label
    family: Family
    fuels: tuple[Fuel, ...]
    points: dict[str, PointUse | None]
    settings: dict[str, _Setting]
    commands: dict[str, CommandSpec]
    derived: dict[str, tuple[tuple[str, ...], ...]] = {}
    limits: ProfileLimits = ProfileLimits()


def profile(kind: str) -> Profile:
    """The profile of a type. Raises UnknownProfile, which lists the known types."""
    found = PROFILES.get(kind)
    if found is None:
        raise UnknownProfile(f"There is no equipment type {kind[:64]!r}. Use one of: {', '.join(PROFILES)}.")
    return found


def _setting(name: str, raw: _Setting) -> Setting:
    point = POINTS[raw.point or name]
    choices = raw.choices or (tuple(point.codes) if point.kind == "code" else ())
    return Setting(
        name=name,
        point=point.name,
        unit=point.unit,
        low=raw.low,
        high=raw.high,
        step=raw.step,
        default=raw.default,
        tolerance=raw.tolerance,
        label=MappingProxyType(raw.label or dict(point.label)),
        choices=choices,
        low_reason=raw.low_reason,
        high_reason=raw.high_reason,
    )


def read(kind: str, text: bytes) -> Profile:
    """A profile from YAML text. Raises msgspec.ValidationError or KeyError (a point that is not catalogued)."""
    raw = msgspec.yaml.decode(text, type=_File)
    return Profile(
        type=kind,
        label=MappingProxyType(raw.label),
        about=MappingProxyType(raw.about),
        family=raw.family,
        fuels=raw.fuels,
        points=MappingProxyType({POINTS[name].name: use or PointUse() for name, use in raw.points.items()}),
        settings=MappingProxyType({name: _setting(name, setting) for name, setting in raw.settings.items()}),
        commands=MappingProxyType({name: msgspec.structs.replace(command, name=name) for name, command in raw.commands.items()}),
        derived=MappingProxyType(raw.derived),
        limits=raw.limits,
    )


def _load() -> Mapping[str, Profile]:
    folder = files("lineset_contract").joinpath("profiles")
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda e: e.name)
    return MappingProxyType(
        {entry.name.removesuffix(".yaml"): read(entry.name.removesuffix(".yaml"), entry.read_bytes()) for entry in found}
    )


PROFILES: Mapping[str, Profile] = _load()
