"""Faults of a refrigerant circuit against what was measured on machines; other faults by what a technician would see.

Losses of COP: Domanski, Henderson and Payne (2014), NIST Technical Note 1848, chapter 3 (charge 30 % low about 17 % at 27 degC
indoors and 35 degC outdoors, 30 % high about 3 %); Kim, Payne, Domanski, Yoon and Hermes (2009) and Yoon, Payne and Domanski
(2011) for which way each temperature goes. The ranges are wide enough for other machines than theirs.
"""

import numpy as np
import pytest
from lineset_simulator import Fault, Home, HomeSpec
from lineset_simulator.chance import Floats
from lineset_simulator.machines.circuit import Circuit
from lineset_simulator.spec import as_built

from .homes import home, machine, moment, settled

HOUR = 60


def cooling(**faults: float) -> dict[str, Floats]:
    """A cooling circuit of 10 kW at 27 degC and 35 degC, an hour after its start, minute by minute."""
    circuit = Circuit("R410A", 10_000.0, 9.0, 46.0)
    circuit.suffer(faults)
    rows = []
    for _ in range(2 * HOUR):
        circuit.run(60.0, 1.0, 10_000.0 / 13.0, 22.0, circuit.full_given / 11.0, 35.0)
        s = circuit.state
        rows.append((s.taken, s.taken / s.work, s.superheat, s.subcooling, s.condensing, s.discharge))
    names = ("capacity", "cop", "superheat", "subcooling", "condensing", "discharge")
    return dict(zip(names, np.array(rows[HOUR:]).T, strict=True))


@pytest.mark.parametrize(
    ("fault", "level", "loss", "superheat", "subcooling", "condensing"),
    [
        ("low_charge", 0.3, (0.08, 0.22), (4.0, 20.0), (-8.0, -2.0), (-6.0, 0.0)),
        ("overcharge", 0.3, (0.01, 0.09), (-1.0, 1.0), (4.0, 10.0), (0.5, 6.0)),
        ("non_condensables", 1.0, (0.05, 0.25), (-1.0, 1.0), (4.0, 10.0), (3.0, 10.0)),
        ("liquid_line_restriction", 0.4, (0.05, 0.30), (4.0, 20.0), (0.5, 8.0), (-8.0, 0.0)),
        ("compressor_valve_leak", 0.3, (0.04, 0.35), (-2.0, 3.0), (-4.0, 1.0), (-8.0, 0.0)),
        ("cop_degradation", 0.2, (0.13, 0.21), (-1.0, 1.0), (-1.0, 1.0), (-1.0, 3.0)),
    ],
)
def test_a_fault_of_the_circuit_costs_and_shows_as_measured(
    fault: str,
    level: float,
    loss: tuple[float, float],
    superheat: tuple[float, float],
    subcooling: tuple[float, float],
    condensing: tuple[float, float],
) -> None:
    sound, faulty = cooling(), cooling(**{fault: level})
    assert loss[0] < 1.0 - faulty["cop"].mean() / sound["cop"].mean() < loss[1]
    for name, (low, high) in {"superheat": superheat, "subcooling": subcooling, "condensing": condensing}.items():
        assert low <= (faulty[name] - sound[name]).mean() <= high, name


def test_a_worn_compressor_lacks_capacity() -> None:
    sound, worn = cooling(), cooling(capacity_degradation=0.25)
    assert 0.12 < 1.0 - worn["capacity"].mean() / sound["capacity"].mean() < 0.26
    assert 0.05 < 1.0 - worn["cop"].mean() / sound["cop"].mean() < 0.2


def test_a_hunting_valve_swings_and_costs() -> None:
    sound, hunting = cooling(), cooling(expansion_valve_hunting=0.8)
    assert np.ptp(sound["superheat"]) < 0.5
    assert np.ptp(hunting["superheat"]) > 8.0
    assert 0.01 < 1.0 - hunting["cop"].mean() / sound["cop"].mean() < 0.15


def with_fault(kind: str, severity: float, spec: HomeSpec, point: str = "") -> HomeSpec:
    faults = (Fault(spec.equipment[0].local, kind, severity, 30.0, 0.0, point),)  # type: ignore[arg-type]
    return HomeSpec(**{f: getattr(spec, f) for f in spec.__struct_fields__} | {"faults": faults})


PUMP = home(machine("hp1", "heat_pump_air_air", 10500.0, stages=1, backup=9000.0))
TO_WATER = home(machine("hp1", "heat_pump_air_water", 9000.0))
FURNACE = home(machine("furn1", "furnace_gas", 17600.0, fuel="natural_gas"))
BOILER = home(machine("boil1", "boiler_gas", 18000.0, fuel="natural_gas", hottest=55.0))
HEATER = home(machine("wh1", "water_heater_electric", 4500.0, litres=190.0))


def test_faults_of_control_and_ducts_show_at_the_heat_pump() -> None:
    sound = settled(PUMP, 1)["hp1"]
    idle = sound["compressor_state"] == 0.0
    excess = settled(with_fault("standby_excess", 1.0, PUMP), 1)["hp1"]
    idle_too = excess["compressor_state"] == 0.0
    assert excess["electric_power"][idle_too].min() > sound["electric_power"][idle].max() + 100.0
    leaky = settled(with_fault("setpoint_not_reached", 0.6, PUMP), 1)["hp1"]
    assert leaky["electric_energy"][-1] - leaky["electric_energy"][0] > 1.5 * (sound["electric_energy"][-1] - sound["electric_energy"][0])
    fighting = settled(with_fault("thermostat_fighting", 1.0, PUMP), 1)["hp1"]
    assert {1.0, 2.0} <= set(fighting["thermostat_call"])
    assert (fighting["cooling_setpoint"] < fighting["heating_setpoint"]).all()
    swapped = settled(with_fault("sensor_swapped", 1.0, PUMP, "supply_air_temperature,return_air_temperature"), 1)["hp1"]
    assert np.array_equal(swapped["supply_air_temperature"], sound["return_air_temperature"])


def test_an_oversized_machine_gives_more_than_its_plan() -> None:
    large = with_fault("oversizing", 1.0, PUMP)
    assert as_built(large).equipment[0].capacity == 21000.0
    assert as_built(PUMP) is PUMP
    assert settled(large, 1)["hp1"]["heat_output"].max() > 1.6 * settled(PUMP, 1)["hp1"]["heat_output"].max()


def test_faults_of_water_show_at_the_heat_pump() -> None:
    sound, airy = settled(TO_WATER, 1)["hp1"], settled(with_fault("air_in_water", 0.8, TO_WATER), 1)["hp1"]
    flows = [points["water_flow_rate"][points["pump_state"] > 0.0] for points in (sound, airy)]
    assert np.std(flows[1]) > 4.0 * np.std(flows[0])
    assert airy["water_pressure"].mean() < sound["water_pressure"].mean() - 60.0


def test_a_burner_that_does_not_condense_wastes_gas() -> None:
    for spec, local in ((FURNACE, "furn1"), (BOILER, "boil1")):
        efficiency = []
        for each in (spec, with_fault("no_condensing", 1.0, spec)):
            points = settled(each, 1)[local]
            used, given = (points[name][-1] - points[name][0] for name in ("gas_energy", "heat_energy"))
            efficiency.append(given / used)
        assert 0.02 < 1.0 - efficiency[1] / efficiency[0] < 0.2


def test_a_consumed_anode_carries_no_current() -> None:
    sound, due = settled(HEATER, 6)["wh1"], settled(with_fault("anode_due", 1.0, HEATER), 6)["wh1"]
    assert sound["anode_current"].min() > 2.0
    assert due["anode_current"].max() < 0.8


def test_a_machine_that_is_off_the_bus_sends_nothing() -> None:
    silent = Home(with_fault("offline", 1.0, PUMP), moment(1))
    assert silent.frames(moment(1)) == []
    assert len(Home(PUMP, moment(1)).frames(moment(1))) == 1


def test_sensors_leave_the_factory_with_errors_and_lose_readings() -> None:
    used = HomeSpec(**{f: getattr(PUMP, f) for f in PUMP.__struct_fields__} | {"calibration": 1.0, "dropouts": 0.05})
    plain, read = settled(PUMP, 1)["hp1"], settled(used, 1)["hp1"]
    off = [float(np.nanmean(read[name] - plain[name])) for name in plain if name.endswith("_temperature")]
    assert 0.05 < np.std(off) < 0.5
    lost = np.isnan(read["outdoor_temperature"]).mean()
    assert 0.0 < lost < 0.2
    assert not np.isnan(read["heating_setpoint"]).any()
