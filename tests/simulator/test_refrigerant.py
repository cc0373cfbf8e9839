"""Tables of refrigerants against CoolProp, and the compressor and circuit made from them."""

import numpy as np
import pytest
from CoolProp.CoolProp import PropsSI
from lineset_simulator.machines.circuit import Circuit
from lineset_simulator.machines.compressor import compressor_map
from lineset_simulator.make_tables import COOLPROP_NAMES
from lineset_simulator.refrigerant import NAMES, refrigerant


@pytest.mark.parametrize("name", NAMES)
def test_saturation_agrees_with_coolprop_to_a_hundredth_of_a_kelvin(name: str) -> None:
    gas = refrigerant(name)
    for t in np.linspace(-44.87, 54.13, 23):
        for line, quality in (("dew", 1), ("bubble", 0)):
            pressure = PropsSI("P", "T", t + 273.15, "Q", quality, COOLPROP_NAMES[name])
            found = gas.temperature(np.array([pressure]), "dew" if line == "dew" else "bubble")[0]
            assert found == pytest.approx(t, abs=0.01), (name, line)
            back = gas.pressure(np.array([t]), "dew" if line == "dew" else "bubble")[0]
            assert back == pytest.approx(pressure, rel=3e-4)


def test_a_blend_glides_and_a_pure_one_does_not() -> None:
    pressure = np.array([1.0e6])
    glides = {
        name: float(refrigerant(name).temperature(pressure, "dew")[0] - refrigerant(name).temperature(pressure, "bubble")[0])
        for name in NAMES
    }
    assert 0.9 < glides["R454B"] < 1.8
    assert abs(glides["R32"]) < 1e-3
    assert abs(glides["R290"]) < 1e-3
    with pytest.raises(ValueError, match="use one of: R410A"):
        refrigerant("R12")


@pytest.mark.parametrize("name", NAMES)
def test_the_compressor_stays_under_carnot_and_falls_with_lift(name: str) -> None:
    made = compressor_map(name)
    cops = []
    for e, c in ((5.0, 35.0), (0.0, 40.0), (-10.0, 40.0), (-20.0, 45.0)):
        cop = made.effect(e, 6.0, c - 5.0) / made.energy(e, c)
        carnot = (e + 273.15) / (c - e)
        assert 0.35 < cop / carnot < 0.68
        cops.append(cop)
    assert cops == sorted(cops, reverse=True)


def steady(circuit: Circuit, speed: float = 1.0) -> None:
    k_out, k_in = circuit.full_given / 11.0, 10500.0 / 18.2
    for _ in range(40):
        circuit.run(60.0, speed, k_in * 1.75, 19.4, k_out, 35.0)


def test_heat_given_is_heat_taken_and_the_work() -> None:
    circuit = Circuit("R410A", 10500.0, 9.0, 46.0)
    steady(circuit)
    s = circuit.state
    assert s.taken == pytest.approx(10500.0, rel=0.02)
    assert s.evaporating == pytest.approx(9.0, abs=0.5)
    assert s.condensing == pytest.approx(46.0, abs=0.7)
    assert s.taken < s.given < s.taken + s.work
    # what both coils pass is what the circuit moves
    assert s.taken == pytest.approx(10500.0 / 18.2 * 1.75 * (19.4 - s.guess_e), rel=0.01)
    assert s.given == pytest.approx(circuit.full_given / 11.0 * (s.guess_c - 35.0), rel=0.01)


def readings(**faults: float) -> tuple[float, float, float, float, float]:
    circuit = Circuit("R410A", 10500.0, 9.0, 46.0)
    circuit.suffer(faults)
    steady(circuit)
    s = circuit.state
    return s.taken, s.superheat, s.subcooling, s.discharge, s.taken / s.work


def test_faults_of_the_circuit_point_where_technicians_know() -> None:
    capacity, superheat, subcooling, discharge, cop = readings()
    for severity in (0.2, 0.35, 0.6):
        lean = readings(low_charge=severity)
        assert lean[0] < 0.93 * capacity
        assert lean[1] > superheat + 4.0
        assert lean[2] < subcooling - 2.0
        assert lean[3] > discharge
        assert lean[4] < cop
    blocked = readings(liquid_line_restriction=0.5)
    assert blocked[0] < 0.9 * capacity
    assert blocked[1] > superheat + 6.0
    assert blocked[2] > subcooling + 2.0
    worn = readings(compressor_valve_leak=0.6)
    assert worn[0] < 0.9 * capacity
    assert worn[3] > discharge + 5.0
    assert worn[4] < 0.9 * cop
    crossed = readings(reversing_valve=0.6)
    assert crossed[0] < 0.92 * capacity
    assert crossed[1] > superheat + 5.0
