"""What may be set on a machine: one small form a setting, with its range and whose limit each end is."""

from collections.abc import Mapping

import msgspec
from lineset_contract.control import Bounds
from lineset_contract.profiles import PROFILES
from lineset_contract.refusals import WORDS

from .facts import Machine
from .quantity import scale, word
from .reader import Reader


class Control(msgspec.Struct, frozen=True):
    """One setting: a number with its range, or a choice. `value` is what the form shows first."""

    setting: str
    command: str
    name: str
    value: str
    unit: str
    step: str
    low: str
    high: str
    range_text: str
    choices: tuple[tuple[str, str], ...]
    current: str
    error: str = ""


def controls(
    reader: Reader,
    machine: Machine,
    limits: Mapping[str, Bounds],
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> tuple[Control, ...]:
    """The settings that commands of the machine's profile can write. `limits` by numeric setting, in its own unit."""
    profile = PROFILES.get(machine.type)
    if profile is None:
        return ()
    typed, errors = typed or {}, errors or {}
    rows: list[Control] = []
    for spec in profile.commands.values():
        names = next((arg.choices for arg in spec.args.values() if arg.kind == "setting"), (spec.setting,) if spec.setting else ())
        for name in names:
            setting = profile.settings[name]
            title = setting.label.get(reader.language, setting.label["en"])
            error = errors.get(name, "")
            if setting.choices:
                current = machine.word(setting.point)
                choices = tuple((choice, word(reader, choice)) for choice in setting.choices)
                said = word(reader, current) if current else ""
                chosen = typed.get(name, current or str(setting.default))
                rows.append(Control(name, spec.name, title, chosen, "", "", "", "", "", choices, said, error))
            elif name in limits:
                rows.append(_number(reader, machine, spec.name, name, title, limits[name], typed.get(name), error))
    return tuple(rows)


def _number(
    reader: Reader, machine: Machine, command: str, name: str, title: str, bounds: Bounds, typed: str | None, error: str
) -> Control:
    setting = PROFILES[machine.type].settings[name]
    ruler = scale(reader, setting.unit)
    step = 1.0 if ruler.symbol == "°F" else round(setting.step * ruler.factor, 4)
    digits = 0 if step >= 1 else 1
    reading = machine.number(setting.point)
    current = "" if reading is None else reader.number(ruler.apply(reading), digits)
    low, high = ruler.apply(bounds.low), ruler.apply(bounds.high)
    whose = WORDS.get(bounds.high_whose, {}).get(reader.language, "")
    start = reading if reading is not None else float(setting.default)
    return Control(
        setting=name,
        command=command,
        name=title,
        value=typed if typed is not None else f"{round(ruler.apply(start) / step) * step:.{digits}f}",
        unit=ruler.symbol,
        step=f"{step:g}",
        low=f"{low:.{digits}f}",
        high=f"{high:.{digits}f}",
        range_text=reader.gettext(
            "%(low)s to %(high)s %(unit)s, the limit of %(whose)s",
            low=reader.number(low, digits),
            high=reader.number(high, digits),
            unit=ruler.symbol,
            whose=whose,
        ),
        choices=(),
        current=current,
        error=error,
    )
