"""What the equipment does and why, in plain sentences drawn from its readings. No reading, no sentence."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ..common.facts import Day, Machine
from ..common.quantity import degrees, degrees_apart
from ..common.reader import Reader

_CLOSE_K = 0.6  # within this of the set point counts as reached
_PACE_WINDOW_S = 3600.0
_SLOWEST_K_PER_H = 0.15


class Answer(msgspec.Struct, frozen=True):
    """The page's answer: a headline in two parts (the second coloured by `tone`) and the reasons."""

    head: str
    tail: str
    tone: str
    why: tuple[str, ...]
    fault: str = ""


def answer(
    reader: Reader,
    machine: Machine,
    day: Day | None,
    state: str,
    seen: float,
    now: datetime,
    target: float | None,
) -> Answer:
    """The answer for the room that `machine` keeps. `target` in degC is the set point that counts."""
    if state == "offline":
        return _offline(reader, machine, seen, now)
    room = machine.number("room_temperature")
    mode = machine.word("operating_mode")
    alarm = _alarm(reader, machine)
    if mode in ("fault", "lockout"):
        return Answer(reader.gettext("The machine stopped itself."), "", "fault", _reasons(reader, machine, room, target), alarm)
    if mode in ("heating", "auxiliary_heat", "defrost"):
        head = reader.gettext("Heat is on.") if mode != "defrost" else reader.gettext("Melting ice outdoors.")
        tail, tone = _outlook(reader, day, room, target, now, warmer=True), "heat"
    elif mode == "cooling":
        head, tail, tone = reader.gettext("Cooling is on."), _outlook(reader, day, room, target, now, warmer=False), "cool"
    elif mode == "hot_water":
        head, tail, tone = reader.gettext("Heating the water."), "", "water"
    elif machine.word("system_mode") == "off":
        head, tail, tone = reader.gettext("Switched off."), "", ""
    elif mode in ("idle", "off", "fan_only", "economizer", "dry", "pumping"):
        head, tail, tone = _quiet(reader, room, target)
    else:
        head, tail, tone = reader.gettext("Live."), "", ""
    return Answer(head, tail, tone, _reasons(reader, machine, room, target), alarm)


def pace(day: Day | None) -> float | None:
    """K per hour of the room over the last hour, by least squares; None without enough readings."""
    if day is None:
        return None
    points = [(t / 3600, value) for t, value in day.known("room_temperature") if t >= day.end - _PACE_WINDOW_S]
    if len(points) < 4:
        return None
    mean_t = sum(t for t, _ in points) / len(points)
    mean_v = sum(v for _, v in points) / len(points)
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    return sum((t - mean_t) * (v - mean_v) for t, v in points) / spread if spread else None


def _outlook(reader: Reader, day: Day | None, room: float | None, target: float | None, now: datetime, *, warmer: bool) -> str:
    if room is None or target is None:
        return ""
    short = target - room if warmer else room - target
    if short <= _CLOSE_K:
        return reader.gettext("It is %(room)s, as set.", room=degrees(reader, room))
    speed = pace(day)
    speed = None if speed is None else speed if warmer else -speed
    if speed is None:
        return ""
    if speed < _SLOWEST_K_PER_H:
        return reader.gettext("Not getting warmer yet.") if warmer else reader.gettext("Not getting cooler yet.")
    hours = short / speed
    if hours > 12:
        text = degrees_apart(reader, speed, 1)
        slow = reader.gettext("Rising slowly, %(pace)s an hour.", pace=text)
        return slow if warmer else reader.gettext("Falling slowly, %(pace)s an hour.", pace=text)
    quarter = 300
    ready = datetime.fromtimestamp(round((now.timestamp() + hours * 3600) / quarter) * quarter, UTC)
    text = reader.clock(ready)
    return reader.gettext("Warm by about %(time)s.", time=text) if warmer else reader.gettext("Cool by about %(time)s.", time=text)


def _quiet(reader: Reader, room: float | None, target: float | None) -> tuple[str, str, str]:
    if room is None or target is None:
        return reader.gettext("Resting."), "", ""
    if abs(room - target) <= _CLOSE_K:
        return reader.gettext("Resting."), reader.gettext("It is %(room)s, as set.", room=degrees(reader, room)), ""
    apart = degrees_apart(reader, room - target, 1)
    if room > target:
        return reader.gettext("Resting."), reader.gettext("%(apart)s above your setting.", apart=apart), ""
    return reader.gettext("Resting."), reader.gettext("%(apart)s below your setting.", apart=apart), "cool"


def _reasons(reader: Reader, machine: Machine, room: float | None, target: float | None) -> tuple[str, ...]:
    reasons: list[str] = []
    mode = machine.word("operating_mode")
    if room is not None and target is not None:
        apart = degrees_apart(reader, room - target, 1)
        if mode in ("heating", "auxiliary_heat") and target - room > _CLOSE_K:
            reasons.append(reader.gettext("The room is %(apart)s below your setting, so heat runs.", apart=apart))
        elif mode == "heating":
            reasons.append(reader.gettext("It runs to keep what the house loses."))
        elif mode == "cooling" and room - target > _CLOSE_K:
            reasons.append(reader.gettext("The room is %(apart)s above your setting, so cooling runs.", apart=apart))
    if mode == "defrost":
        reasons.append(reader.gettext("Frost sits on the outdoor coil. Heat pauses for some minutes, then goes on."))
    if mode == "auxiliary_heat" or machine.word("auxiliary_heat_state") == "on":
        reasons.append(reader.gettext("The backup heat helps. It draws more power than the heat pump alone."))
    if machine.word("system_mode") == "off":
        reasons.append(reader.gettext("The mode at the machine is off."))
    supply, back = machine.number("supply_air_temperature"), machine.number("return_air_temperature")
    if mode in ("heating", "cooling") and supply is not None and back is not None:
        reasons.append(
            reader.gettext(
                "Air leaves the machine at %(supply)s and comes back at %(back)s.",
                supply=degrees(reader, supply),
                back=degrees(reader, back),
            )
        )
    return tuple(reasons)


def _alarm(reader: Reader, machine: Machine) -> str:
    state = machine.word("alarm_state")
    code = machine.number("fault_code")
    if state not in ("warning", "fault", "lockout") and not code:
        return ""
    if code:
        return reader.gettext("%(name)s reports fault code %(code)s.", name=machine.name, code=f"{code:.0f}")
    return reader.gettext("%(name)s reports an alarm.", name=machine.name)


def _offline(reader: Reader, machine: Machine, seen: float, now: datetime) -> Answer:
    moment = datetime.fromtimestamp(seen, UTC)
    room = machine.number("room_temperature")
    reasons = []
    if room is not None:
        reasons.append(reader.gettext("It was %(room)s then.", room=degrees(reader, room)))
    reasons.append(reader.gettext("The machine keeps running by itself. A change you make goes out when the link is back."))
    head = reader.gettext("No link since %(time)s.", time=reader.when(moment, now)) if seen else reader.gettext("No link yet.")
    return Answer(head, "", "", tuple(reasons))


def other_alarms(reader: Reader, machines: Sequence[Machine]) -> tuple[str, ...]:
    """Alarms that machines report themselves."""
    return tuple(text for text in (_alarm(reader, machine) for machine in machines) if text)
