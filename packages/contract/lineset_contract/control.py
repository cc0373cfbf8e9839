"""What may be set and ordered: the one function for limits, asked at the cloud and again at the gateway.

A value must lie within the profile's limits (they hold the safety rules), the machine's own, and those that the
site's people chose. Nobody's limits widen another's.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from lineset_contract.points import POINTS
from lineset_contract.profiles import CommandSpec, Profile, ReadBack, Setting
from lineset_contract.refusals import Refusal, refuse
from lineset_contract.wire import Range, WireValue

_NO_RANGES: Mapping[str, Range] = MappingProxyType({})


class Limits(msgspec.Struct, frozen=True):
    """Limits by setting besides the profile's: of the machine, and of the site's people."""

    equipment: Mapping[str, Range] = _NO_RANGES
    site: Mapping[str, Range] = _NO_RANGES


NO_LIMITS = Limits()


class Bounds(msgspec.Struct, frozen=True):
    """The range that is left, and whose limit each end is: profile, equipment, site, or a safety rule's name."""

    low: float
    high: float
    low_whose: str
    high_whose: str


class Action(msgspec.Struct, frozen=True):
    """A checked command: write `value` to `write`, then judge by `read_back`. `setting` is None for a mere action."""

    write: str
    value: float | str
    setting: Setting | None
    read_back: ReadBack
    switches: bool


def bounds(profile: Profile, limits: Limits, name: str) -> Bounds:
    """The range a numeric setting may take. `low` above `high` says that limits leave no value. Raises KeyError."""
    setting = profile.settings[name]
    low, low_whose = setting.low, setting.low_reason or "profile"
    high, high_whose = setting.high, setting.high_reason or "profile"
    for whose, ranges in (("equipment", limits.equipment), ("site", limits.site)):
        chosen = ranges.get(name)
        if chosen is None:
            continue
        if chosen.low is not None and chosen.low > low:
            low, low_whose = chosen.low, whose
        if chosen.high is not None and chosen.high < high:
            high, high_whose = chosen.high, whose
    return Bounds(low, high, low_whose, high_whose)


def tightened(one: Mapping[str, Range], other: Mapping[str, Range]) -> dict[str, Range]:
    """Limits by setting that keep to both: the higher of two lows, the lower of two highs."""
    both = {**one}
    for name, second in other.items():
        first = both.get(name, second)
        lows = [low for low in (first.low, second.low) if low is not None]
        highs = [high for high in (first.high, second.high) if high is not None]
        both[name] = Range(max(lows, default=None), min(highs, default=None))
    return both


def check_setting(
    profile: Profile,
    limits: Limits,
    name: str,
    value: WireValue,
    current: Mapping[str, WireValue] | None = None,
) -> Refusal | None:
    """Whether a setting may take a value; None when it may.

    `current` holds the machine's other settings as last read; with heating and cooling set points in it, the
    profile's deadband between them is kept. The value judged is the one that `rounded` gives.
    """
    setting = profile.settings.get(name)
    if setting is None:
        return refuse("unknown_setting", machine=profile.type, setting=name, known=", ".join(profile.settings) or "none")
    if setting.choices:
        return _check_choice(setting, value)
    if value is None or isinstance(value, (bool, str)):
        return refuse("setting_wrong_type", setting=name, got=_got(value))
    if not _finite(value):
        return refuse("not_finite", point=name)
    left = bounds(profile, limits, name)
    return _check_bounds(setting, left, value) or _check_deadband(profile, setting, rounded(setting, value, left), current or {})


def rounded(setting: Setting, value: float, within: Bounds | None = None) -> float:
    """`value` on the setting's step, moved inwards rather than over a limit of `within`."""
    if not setting.step:
        return float(value)
    steps = round(value / setting.step)
    if within is not None:
        if _at(setting, steps) > within.high:
            steps = math.floor(within.high / setting.step + 1e-9)
        if _at(setting, steps) < within.low:
            steps = math.ceil(within.low / setting.step - 1e-9)
        if not within.low <= _at(setting, steps) <= within.high:
            return float(value)  # the limits are closer together than one step
    return _at(setting, steps)


def check_command(
    profile: Profile,
    limits: Limits,
    name: str,
    args: Mapping[str, WireValue],
    current: Mapping[str, WireValue] | None = None,
    since_switch: float | None = None,
) -> Action | Refusal:
    """A command as the action to take, or why not.

    `since_switch`: s since the last command that may have started or stopped compressor or burner; None if unknown.
    """
    spec = profile.commands.get(name)
    if spec is None:
        return refuse("unknown_command", machine=profile.type, command=name, known=", ".join(profile.commands) or "none")
    given = _arguments(spec, args)
    if isinstance(given, Refusal):
        return given
    lockout = profile.limits.short_cycle_lockout
    if spec.switches and since_switch is not None and 0 <= since_switch < lockout:
        return refuse("lockout", seconds=math.ceil(lockout - since_switch))
    if spec.action:
        return Action(spec.action, 1.0, None, spec.read_back, spec.switches)
    return _setting_action(profile, limits, spec, given, current)


def _setting_action(
    profile: Profile,
    limits: Limits,
    spec: CommandSpec,
    given: Mapping[str, WireValue],
    current: Mapping[str, WireValue] | None,
) -> Action | Refusal:
    target: WireValue = spec.setting
    value: WireValue = None
    for arg_name, arg in spec.args.items():
        if arg.kind == "value":
            value = given[arg_name]
            continue
        target = given[arg_name]
        if target not in arg.choices:
            return refuse("unknown_choice", setting=arg_name, value=_got(target), known=", ".join(arg.choices))
    refusal = check_setting(profile, limits, str(target), value, current)
    if refusal is not None:
        return refusal
    setting = profile.settings[str(target)]
    if setting.choices:
        return Action(setting.name, str(value), setting, spec.read_back, spec.switches)
    assert isinstance(value, (int, float))  # noqa: S101  check_setting refused anything else
    wanted = rounded(setting, value, bounds(profile, limits, setting.name))
    return Action(setting.name, wanted, setting, spec.read_back, spec.switches)


def holds(setting: Setting, wanted: float | str, reading: WireValue) -> bool:
    """Whether a reading of the setting's point confirms the value wanted: a code by word or number, else within
    the setting's tolerance."""
    if reading is None:
        return False
    if setting.choices:
        return _word(setting, reading) == wanted
    if isinstance(reading, (bool, str)) or not _finite(reading):
        return False
    return abs(float(reading) - float(wanted)) <= setting.tolerance + 1e-9


def _check_choice(setting: Setting, value: WireValue) -> Refusal | None:
    if isinstance(value, str) and value in setting.choices:
        return None
    return refuse("unknown_choice", setting=setting.name, value=_got(value), known=", ".join(setting.choices))


def _check_bounds(setting: Setting, left: Bounds, value: float) -> Refusal | None:
    if left.low > left.high:
        return refuse(
            "no_value_allowed",
            setting=setting.name,
            unit=setting.unit,
            low=left.low,
            high=left.high,
            low_whose=left.low_whose,
            high_whose=left.high_whose,
        )
    if value < left.low:
        return refuse(
            "below_limit",
            setting=setting.name,
            value=float(value),
            unit=setting.unit,
            limit=left.low,
            whose=left.low_whose,
        )
    if value > left.high:
        return refuse(
            "above_limit",
            setting=setting.name,
            value=float(value),
            unit=setting.unit,
            limit=left.high,
            whose=left.high_whose,
        )
    return None


def _check_deadband(profile: Profile, setting: Setting, value: float, current: Mapping[str, WireValue]) -> Refusal | None:
    pair = {"heating_setpoint": ("cooling_setpoint", 1.0), "cooling_setpoint": ("heating_setpoint", -1.0)}
    if not profile.limits.deadband or setting.name not in pair:
        return None
    other, sign = pair[setting.name]
    reading = current.get(other)
    if reading is None or isinstance(reading, (bool, str)) or not _finite(reading):
        return None
    if sign * (float(reading) - value) >= profile.limits.deadband - 1e-9:
        return None
    return refuse(
        "deadband",
        deadband=profile.limits.deadband,
        setting=setting.name,
        value=value,
        unit=setting.unit,
        other=other,
        other_value=float(reading),
    )


def _arguments(spec: CommandSpec, args: Mapping[str, WireValue]) -> Mapping[str, WireValue] | Refusal:
    given: dict[str, WireValue] = {}
    for name in args:
        if name not in spec.args:
            known = ", ".join(spec.args) or "none"
            return refuse("unknown_argument", command=spec.name, argument=name, known=known)
    for name, arg in spec.args.items():
        value = args.get(name)
        if value is None:
            value = arg.default
        if value is None:
            return refuse("missing_argument", command=spec.name, argument=name)
        given[name] = value
    return given


def _word(setting: Setting, reading: float | int | str | bool) -> str | None:
    return reading if isinstance(reading, str) else POINTS[setting.point].word(reading)


def _at(setting: Setting, steps: int) -> float:
    return round(steps * setting.step, 6)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _got(value: WireValue) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value[:40]}"'
    return f"{value:.12g}" if _finite(value) else "a number beyond 1e308"
