"""What the home app says of a machine: only what its readings carry."""

from datetime import UTC, datetime

import pytest
from lineset.pages.common.facts import Day, Machine, Reading
from lineset.pages.common.reader import Reader
from lineset.pages.home.answer import answer, pace

NOW = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)
READER = Reader("en", "us", "UTC", clock24=False)


def machine(online: bool = True, **values: float | str) -> Machine:
    latest = {name: Reading(value, NOW.timestamp() - 3) for name, value in values.items()}
    return Machine("m", "heat_pump_air_air", "HP-1", latest, online, NOW.timestamp() - 3)


def day(k_per_hour: float, last: float = 18.0) -> Day:
    times = [NOW.timestamp() - 3600 + n * 300 for n in range(13)]
    room = [last + (t - NOW.timestamp()) / 3600 * k_per_hour for t in times]
    return Day(times[0] - 1, NOW.timestamp(), times, {"room_temperature": room})


def said(m: Machine, d: Day | None, state: str = "live") -> str:
    found = answer(READER, m, d, state, NOW.timestamp() - 3, NOW, m.number("heating_setpoint"))
    return f"{found.head} {found.tail}".strip()


def test_pace_of_a_rising_room() -> None:
    assert pace(day(1.5)) == pytest.approx(1.5, abs=0.01)
    assert pace(None) is None


def test_heating_room_says_when_it_will_be_warm() -> None:
    m = machine(room_temperature=18.0, heating_setpoint=20.0, operating_mode="heating")
    assert said(m, day(2.0)) == "Heat is on. Warm by about 1:00\N{NO-BREAK SPACE}pm."
    assert said(m, day(-0.5)) == "Heat is on. Not getting warmer yet."
    assert said(m, None) == "Heat is on."


def test_reached_room_rests() -> None:
    m = machine(room_temperature=20.1, heating_setpoint=20.0, operating_mode="idle")
    assert said(m, day(0.0)) == "Resting. It is 68°, as set."


def test_machine_without_a_link_is_not_called_running_as_shown() -> None:
    m = machine(online=False, room_temperature=18.0, heating_setpoint=20.0, operating_mode="heating")
    text = said(m, day(1.0), "offline")
    assert text.startswith("No link since")
    assert "Heat is on" not in text


def test_faulty_machine_is_never_called_safe() -> None:
    m = machine(room_temperature=15.0, heating_setpoint=20.0, operating_mode="lockout", fault_code=34.0)
    found = answer(READER, m, day(-1.0, 15.0), "live", NOW.timestamp(), NOW, 20.0)
    assert found.head == "The machine stopped itself."
    assert found.fault == "HP-1 reports fault code 34."
    assert "safe" not in " ".join((found.head, found.tail, *found.why)).casefold()
