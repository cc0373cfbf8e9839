"""Numbers, times and sentences as different people read them."""

from datetime import UTC, datetime, timedelta

import pytest
from lineset.kit.errors import Invalid
from lineset.pages.common.quantity import degrees, degrees_apart, shown
from lineset.pages.common.reader import Reader
from lineset.pages.common.typed import plain_number, typed_number

AMERICAN = Reader("en", "us", "America/Denver", clock24=False)
SPANIARD = Reader("es", "metric", "Europe/Madrid")
NOON = datetime(2026, 1, 14, 19, 5, tzinfo=UTC)


def test_temperatures_in_the_readers_unit() -> None:
    assert degrees(AMERICAN, 20.0) == "68°"
    assert degrees(SPANIARD, 20.0) == "20°"
    assert str(shown(AMERICAN, "room_temperature", -12.8)) == "9.0\N{NO-BREAK SPACE}°F"
    assert str(shown(SPANIARD, "room_temperature", -12.84)) == "\N{MINUS SIGN}12,8\N{NO-BREAK SPACE}°C"


def test_a_difference_has_no_offset() -> None:
    assert degrees_apart(AMERICAN, 1.0, 1) == "1.8°"
    assert degrees_apart(SPANIARD, -1.0, 1) == "1,0°"


def test_no_minus_before_zero() -> None:
    assert AMERICAN.number(-0.04, 1) == "0.0"


def test_clock_and_day_in_the_readers_zone() -> None:
    assert AMERICAN.clock(NOON) == "12:05\N{NO-BREAK SPACE}pm"
    assert SPANIARD.clock(NOON) == "20:05"
    assert AMERICAN.when(NOON, NOON + timedelta(days=2)) == "Wed 12:05\N{NO-BREAK SPACE}pm"
    assert SPANIARD.when(NOON, NOON + timedelta(days=30)) == "14 ene 2026, 20:05"


def test_ages_in_words() -> None:
    assert [AMERICAN.age(s) for s in (2, 61, 7300, 200_000)] == ["2 s ago", "1 min ago", "2 h ago", "2 days ago"]
    assert SPANIARD.age(61) == "hace 1 min"


def test_typed_numbers_take_either_decimal_sign() -> None:
    assert plain_number(SPANIARD, "20,5") == 20.5
    assert plain_number(AMERICAN, "\N{MINUS SIGN}4.5 °") == -4.5
    assert typed_number(AMERICAN, "heat_pump_air_air", "heating_setpoint", "68") == pytest.approx(20.0)


@pytest.mark.parametrize("text", ["", "warm", "1e5", "nan", "68 69", "--2", "9" * 40])
def test_what_is_no_number_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        plain_number(AMERICAN, text, "value")
    assert refusal.value.field == "value"
