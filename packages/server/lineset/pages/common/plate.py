"""A machine in words: its name plate, and what it says of itself."""

from datetime import date

from lineset_contract.profiles import PROFILES

from .facts import Machine
from .quantity import scale, word
from .reader import Reader


def type_name(reader: Reader, machine_type: str) -> str:
    """What a type of machine is called."""
    profile = PROFILES.get(machine_type)
    return machine_type if profile is None else profile.label.get(reader.language, profile.label["en"])


def plate(reader: Reader, machine: Machine) -> tuple[str, ...]:
    """What stands on the name plate, as far as it is known."""
    made = " ".join(part for part in (machine.make, machine.model) if part)
    parts = [made]
    if machine.capacity_w:
        parts.append(_capacity(reader, machine.capacity_w))
    if machine.serial:
        parts.append(reader.gettext("serial %(serial)s", serial=machine.serial))
    if machine.location:
        parts.append(machine.location)
    if machine.installed:
        when = date.fromisoformat(machine.installed)
        parts.append(reader.gettext("since %(date)s", date=reader.day(when)))
    return tuple(part for part in parts if part)


def _capacity(reader: Reader, watts: float) -> str:
    if reader.units == "us":
        return reader.gettext("%(tons)s ton", tons=reader.number(watts / 3516.8528, 1))  # 12,000 Btu/h
    ruler = scale(reader, "W")
    return f"{reader.number(ruler.apply(watts), 1)} {ruler.symbol}"


def alarm_words(reader: Reader, machine: Machine) -> str:
    """What the machine says is wrong with it, empty where nothing is."""
    state, code = machine.word("alarm_state"), machine.number("fault_code")
    if code:
        return reader.gettext("The machine reports fault code %(code)s. Its maker's manual explains it.", code=f"{code:.0f}")
    if state in ("warning", "fault", "lockout"):
        return reader.gettext("The machine reports: %(state)s.", state=word(reader, state))
    return ""
