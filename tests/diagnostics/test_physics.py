"""Formulas against the handbooks and the reference programs: refrigerants by CoolProp, moist air by PsychroLib, water by IAPWS-95."""

import contextlib

import numpy as np
import psychrolib
import pytest
from CoolProp.CoolProp import PropsSI
from hypothesis import given
from hypothesis import strategies as st
from lineset.diagnostics.physics import air, water
from lineset.diagnostics.physics.make_refrigerants import FLUIDS
from lineset.diagnostics.physics.refrigerants import index_of, refrigerants, saturation_temperature


@pytest.mark.parametrize("number", sorted(FLUIDS))
@pytest.mark.parametrize(("line", "quality"), [("dew", 1), ("bubble", 0)])
def test_saturation_lines_are_those_of_coolprop(number: str, line: str, quality: int) -> None:
    pressures = {}
    for degc in (-48.3, -40.0, -20.7, -3.1, 4.9, 12.2, 31.7, 44.4, 56.5, 60.0):
        with contextlib.suppress(ValueError):  # CoolProp's solver misses single points of mixtures
            pressures[degc] = PropsSI("P", "T", degc + 273.15, "Q", quality, FLUIDS[number]) / 1000.0
    assert len(pressures) >= 8
    t, pressure = np.array(list(pressures)), np.array(list(pressures.values()))
    index = np.full(len(t), index_of(number))
    assert np.abs(saturation_temperature(index, pressure, "dew" if line == "dew" else "bubble") - t).max() < 0.05


def test_published_saturation_points() -> None:
    """ASHRAE Fundamentals (2021), chapter 30: R-134a boils at 101.325 kPa at -26.07 degC, R-22 at -40.81 degC, R-410A at -51.44 degC."""
    for name, boils in (("R-134a", -26.07), ("R22", -40.81), ("r410a", -51.44)):
        found = saturation_temperature(np.array([index_of(name)]), np.array([101.325]), "bubble")
        assert found[0] == pytest.approx(boils, abs=0.1)


def test_no_table_no_temperature() -> None:
    assert index_of("R999") == -1
    assert {index_of(name) for name in ("R-410A", "410a", "R 410 A")} == {refrigerants().index("R410A")}
    found = saturation_temperature(np.array([-1, 0, 0, 0]), np.array([800.0, -5.0, 1e6, np.nan]), "dew")
    assert np.isnan(found).all()


@given(st.floats(-40, 60), st.floats(1, 100))
def test_moist_air_is_that_of_psychrolib(t: float, humidity: float) -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)
    ratio = air.humidity_ratio(np.array(t), np.array(humidity))
    expected = psychrolib.GetHumRatioFromRelHum(t, humidity / 100.0, 101_325.0)
    if expected > 1e-7:  # PsychroLib gives no smaller ratio
        assert ratio == pytest.approx(expected, rel=1e-6)
        assert air.enthalpy(np.array(t), ratio) == pytest.approx(psychrolib.GetMoistAirEnthalpy(t, expected), abs=0.5)
        assert air.specific_volume(np.array(t), ratio) == pytest.approx(psychrolib.GetMoistAirVolume(t, expected, 101_325.0), rel=1e-5)


@given(st.floats(0, 45), st.floats(20, 99))
def test_dew_point_and_wet_bulb_are_near_those_of_psychrolib(t: float, humidity: float) -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)
    dew = psychrolib.GetTDewPointFromRelHum(t, humidity / 100.0)
    assert air.dew_point(np.array(t), np.array(humidity)) == pytest.approx(dew, abs=0.3)
    wet = psychrolib.GetTWetBulbFromRelHum(t, humidity / 100.0, 101_325.0)
    assert air.wet_bulb(np.array(t), np.array(humidity)) == pytest.approx(wet, abs=1.0)
    assert float(air.dew_point(np.array(t), np.array(humidity))) <= t + 0.3


def test_handbook_example_of_moist_air() -> None:
    """ASHRAE Fundamentals, chapter 1, example 1: 40 degC dry bulb, 20 degC wet bulb, 101.325 kPa: W = 6.5 g/kg, h = 56.7 kJ/kg, relative
    humidity 14 %, dew point 7 degC, v = 0.896 m3/kg."""
    ratio = air.humidity_ratio(np.array(40.0), np.array(14.0))
    assert ratio == pytest.approx(0.0065, abs=0.0001)
    assert air.enthalpy(np.array(40.0), ratio) / 1000.0 == pytest.approx(56.7, abs=0.5)
    assert air.specific_volume(np.array(40.0), ratio) == pytest.approx(0.896, abs=0.001)
    assert air.dew_point(np.array(40.0), np.array(14.0)) == pytest.approx(7.0, abs=0.5)
    assert air.wet_bulb(np.array(40.0), np.array(14.0)) == pytest.approx(20.0, abs=0.7)
    assert air.pressure_at(1500.0) == pytest.approx(84.556, abs=0.01)  # table 1


def test_water_is_that_of_iapws() -> None:
    for t in (2.0, 7.0, 12.0, 30.0, 45.0, 60.0, 85.0):
        assert water.heat_capacity(np.array(t)) == pytest.approx(PropsSI("C", "T", t + 273.15, "P", 2e5, "Water"), rel=1e-3)
        assert water.density(np.array(t)) == pytest.approx(PropsSI("D", "T", t + 273.15, "P", 101_325.0, "Water"), rel=1e-4)
