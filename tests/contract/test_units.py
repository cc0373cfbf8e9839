"""Units for people, against figures that anyone can look up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset_contract.points import POINTS
from lineset_contract.units import UNITS, UnitError, convert, convert_difference, display_unit, symbol


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (0, "degC", "degF", 32),
        (100, "degC", "degF", 212),
        (-40, "degF", "degC", -40),
        (5, "K", "delta_degF", 9),
        (101.325, "kPa", "psi", 14.6959),
        (101.325, "kPa", "psig", 0),
        (1000, "W", "Btu/h", 3412.14),
        (3516.85, "W", "ton", 1),
        (1, "kg/s", "gpm", 15.8503),
        (1, "kg/s", "L/min", 60),
        (1, "m3", "ft3", 35.3147),
        (1.699, "m3/h", "cfm", 1),
        (249.089, "Pa", "inH2O", 1),
        (29.3071, "kWh", "therm", 1),
        (3.785411784, "L", "gal", 1),
        (7200, "s", "h", 2),
    ],
)
def test_conversions(value: float, unit: str, to: str, expected: float) -> None:
    assert convert(value, unit, to) == pytest.approx(expected, rel=1e-4, abs=1e-9)


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)), st.floats(-1e6, 1e6))
def test_there_and_back(unit: str, to: str, value: float) -> None:
    if UNITS[unit].base != UNITS[to].base:
        with pytest.raises(UnitError):
            convert(value, unit, to)
        return
    assert convert(convert(value, unit, to), to, unit) == pytest.approx(value, rel=1e-9, abs=1e-6)


def test_a_difference_of_temperatures_has_no_offset() -> None:
    assert convert_difference(10, "degC", "degF") == pytest.approx(18)
    assert symbol("delta_degF") == "°F"


def test_every_point_can_be_shown_in_both_systems() -> None:
    for point in POINTS.values():
        assert convert(1.0, point.unit, display_unit(point.unit, "metric")) == 1.0
        assert symbol(display_unit(point.unit, "us")) is not None
        convert(1.0, point.unit, display_unit(point.unit, "us"))


def test_an_unknown_unit_says_what_there_is() -> None:
    with pytest.raises(UnitError, match="degF"):
        convert(1, "degC", "kPa")
    with pytest.raises(UnitError):
        convert(1, "cubit", "m")
    assert symbol("cubit") == "cubit"
