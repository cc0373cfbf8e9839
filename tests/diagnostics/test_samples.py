"""What a machine does at a row: mode, runs, steadiness, derived quantities, at any step and with any points missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.diagnostics import modes
from lineset.diagnostics.features import features
from lineset.diagnostics.samples import Samples

from tests.diagnostics.columns import T0, machine, recorded, together

nan = np.nan


@pytest.mark.parametrize(
    ("type_", "points", "mode"),
    [
        ("heat_pump_air_air", {"operating_mode": 2.0, "compressor_state": 1.0}, modes.COOLING),
        ("heat_pump_air_air", {"operating_mode": 1.0, "defrost_state": 1.0}, modes.DEFROST),
        ("heat_pump_air_air", {"compressor_state": 1.0, "reversing_valve": 0.0}, modes.HEATING),
        ("heat_pump_air_air", {"compressor_state": 0.0, "reversing_valve": 0.0}, modes.OFF),
        ("heat_pump_air_air", {"compressor_state": 1.0, "reversing_valve": 1.0, "thermostat_call": 1.0}, modes.DEFROST),
        ("heat_pump_air_air", {"compressor_speed": 40.0, "supply_air_temperature": 36.0, "return_air_temperature": 20.0}, modes.HEATING),
        ("heat_pump_air_air", {"electric_power": 1900.0, "supply_air_temperature": 13.0, "return_air_temperature": 24.0}, modes.COOLING),
        ("heat_pump_air_air", {"electric_power": 25.0, "supply_air_temperature": 24.0, "return_air_temperature": 24.0}, modes.OFF),
        ("heat_pump_air_air", {"compressor_state": 0.0, "auxiliary_heat_state": 1.0}, modes.AUXILIARY),
        ("heat_pump_air_air", {"compressor_state": 0.0, "indoor_fan_speed": 60.0}, modes.FAN_ONLY),
        ("heat_pump_air_water", {"electric_power": 1500.0, "diverter_valve": 1.0}, modes.HOT_WATER),
        ("heat_pump_air_water", {"outlet_water_temperature": 40.0, "inlet_water_temperature": 35.0}, modes.HEATING),
        ("air_conditioner", {"electric_power": 1500.0}, modes.COOLING),
        ("furnace_gas", {"flame": 1.0}, modes.HEATING),
        ("boiler_gas", {"burner_modulation": 35.0, "diverter_valve": 1.0}, modes.HOT_WATER),
        ("water_heater_electric", {"lower_element_state": 1.0}, modes.HOT_WATER),
        ("water_heater_heat_pump", {"operating_mode": 1.0}, modes.HOT_WATER),
        ("heat_pump_air_air", {"outdoor_temperature": 5.0}, modes.UNKNOWN),
    ],
)
def test_mode_is_read_or_inferred(type_: str, points: dict[str, float], mode: int) -> None:
    samples = recorded(machine(type_), 60.0, **{name: [value] * 3 for name, value in points.items()})
    assert samples.mode.tolist() == [mode] * 3


def test_a_machine_that_is_asked_to_heat_but_rests_does_not_run() -> None:
    samples = recorded(machine(), 60.0, operating_mode=[1.0] * 4, compressor_state=[0.0, 1.0, 1.0, nan])
    assert samples.running.tolist() == [False, True, True, True]


def test_runs_starts_and_cycles() -> None:
    on = np.r_[np.zeros(10), np.ones(20), np.zeros(15), np.ones(5), np.zeros(10)]
    samples = recorded(machine(), 60.0, operating_mode=on)
    assert samples.runs.length.tolist() == [1200.0, 300.0]
    assert samples.since_start[10] == 0.0
    assert samples.since_start[29] == 1140.0
    assert np.unique(samples.run_id).tolist() == [-1, 0, 1]
    found = features(samples)
    assert (found["n.starts"][0], found["n.cycles"][0], found["s.cycles"][0], found["n.short_cycles"][0]) == (2, 2, 1500, 1)


def test_a_run_that_began_before_the_rows_or_across_a_gap_has_no_length() -> None:
    samples = recorded(machine(), 60.0, operating_mode=np.r_[np.ones(10), np.zeros(10)])
    assert np.isnan(samples.runs.length).all()
    t = T0 + 60.0 * np.r_[np.arange(10), np.arange(40, 50)]
    gap = Samples([machine()], np.zeros(20, np.int64), t, {"operating_mode": np.r_[np.zeros(5), np.ones(10), np.zeros(5)]})
    assert np.isnan(gap.runs.length).all()
    assert gap.runs.start_seen.tolist() == [True, False]


@pytest.mark.parametrize(("step", "first_s"), [(10.0, 480.0), (60.0, 480.0), (300.0, 600.0), (900.0, 900.0)])
def test_steady_begins_when_a_run_has_settled(step: float, first_s: float) -> None:
    rest, run = int(3600 / step), int(10800 / step)
    samples = recorded(machine(), step, operating_mode=np.r_[np.zeros(rest), np.ones(run), np.zeros(rest)])
    steady = samples.since_start[samples.steady]
    assert steady.min() == first_s
    assert np.diff(np.flatnonzero(samples.steady)).max() == 1


def test_a_defrost_and_a_changing_speed_are_not_steady() -> None:
    mode = np.r_[np.zeros(5), np.full(30, 1.0), np.full(5, 3.0), np.full(30, 1.0)]
    samples = recorded(machine(), 60.0, operating_mode=mode)
    assert not samples.steady[35:48].any()
    assert samples.steady[[20, 60]].all()
    ramp = recorded(
        machine(), 60.0, operating_mode=np.r_[np.zeros(5), np.ones(50)], compressor_speed=np.r_[np.zeros(5), np.linspace(20, 100, 50)]
    )
    assert not ramp.steady.any()


def test_single_points_of_a_steady_laboratory_test_count() -> None:
    one = recorded(machine(), 60.0, operating_mode=[2.0], suction_line_pressure=[1000.0], suction_line_temperature=[15.0])
    few = recorded(machine(), 5.0, operating_mode=[2.0] * 6, discharge_line_temperature=[70.0, 70.2, 70.1, 69.9, 70.0, 70.1])
    assert one.steady.tolist() == [True]
    assert few.steady.all()


def test_channels_are_derived_from_pressures_by_refrigerant() -> None:
    """Pressure-temperature charts: R-410A at 1084.8 kPa and R-32 at 1106.9 kPa are saturated at 10 degC."""
    parts = [
        recorded(machine(refrigerant=name), 60.0, operating_mode=[2.0], suction_line_pressure=[p], suction_line_temperature=[16.0])
        for name, p in (("R-410A", 1084.8), ("R32", 1106.9), ("", 900.0))
    ]
    superheat = together(parts).channel("superheat")
    assert superheat[:2] == pytest.approx([6.0, 6.0], abs=0.05)
    assert np.isnan(superheat[2])


def test_source_and_sink_change_sides_with_the_mode() -> None:
    samples = recorded(machine(), 60.0, operating_mode=[1.0, 2.0, 0.0], outdoor_temperature=5.0, return_air_temperature=21.0)
    assert samples.channel("source").tolist()[:2] == [5.0, 21.0]
    assert samples.channel("sink").tolist()[:2] == [21.0, 5.0]
    assert np.isnan(samples.channel("sink")[2])


def test_capacity_of_air_is_sensible_without_humidity_and_says_so() -> None:
    from lineset.diagnostics.channels import BY_AIR, BY_SENSIBLE  # noqa: PLC0415

    air = {"supply_air_temperature": 13.0, "return_air_temperature": 26.0, "supply_air_flow": 1200.0}
    dry = recorded(machine("air_conditioner"), 60.0, operating_mode=[2.0], **air)
    wet = recorded(machine("air_conditioner"), 60.0, operating_mode=[2.0], supply_air_humidity=92.0, return_air_humidity=50.0, **air)
    # 1200 m3/h at 13 degC are 0.407 kg/s; sensible 0.407 * 1.017 * 13 = 5.4 kW; enthalpy 53.0 - 34.6 kJ/kg: 7.4 kW
    assert dry.channel("capacity")[0] == pytest.approx(5390.0, rel=0.01)
    assert wet.channel("capacity")[0] == pytest.approx(7400.0, rel=0.03)
    assert (dry.channels.capacity_basis[0], wet.channels.capacity_basis[0]) == (BY_SENSIBLE, BY_AIR)


def test_capacity_of_water_as_in_a_test_report() -> None:
    """EN 14511-3: 0.20 kg/s of water warmed from 30 to 35 degC is 0.20 * 4.179 * 5 = 4.18 kW; with 0.93 kW a COP of 4.49 (A7/W35)."""
    water = {"inlet_water_temperature": 30.0, "outlet_water_temperature": 35.0, "water_flow_rate": 0.2}
    samples = recorded(machine("heat_pump_air_water"), 60.0, operating_mode=[1.0], electric_power=930.0, **water)
    assert samples.channel("capacity")[0] == pytest.approx(4179.0, rel=0.001)
    assert samples.channel("cop")[0] == pytest.approx(4.49, abs=0.01)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_missing_points_never_break_and_never_invent(seed: int) -> None:
    """Any points may be missing in any combination: features of many machines together are those of each alone."""
    rng = np.random.default_rng(seed)
    names = (
        *("operating_mode", "compressor_state", "electric_power", "supply_air_temperature", "return_air_temperature", "supply_air_flow"),
        *("suction_line_pressure", "room_temperature", "suction_line_temperature", "outdoor_temperature", "electric_energy", "flame"),
        *("heating_setpoint", "thermostat_call", "gas_input", "compressor_starts", "starts", "system_mode", "defrost_state"),
    )
    types = ("heat_pump_air_air", "heat_pump_air_water", "furnace_gas", "thermostat", "water_heater_heat_pump")
    parts = []
    for n, type_ in enumerate(rng.choice(types, 3)):
        rows = int(rng.integers(1, 200))
        points = {name: rng.integers(0, 3, rows) * (1.0 if name in ("operating_mode", "flame") else 12.0) for name in rng.choice(names, 7)}
        holes = {name: np.where(rng.random(rows) < 0.3, nan, values) for name, values in points.items()}
        parts.append(recorded(machine(str(type_), id=str(n)), float(rng.choice([10.0, 60.0, 900.0])), **holes))
    whole = together(parts)
    found = features(whole)
    for n, part in enumerate(parts):
        mine = whole.hour_machine == n
        for name, values in features(part).items():
            assert found[name][mine] == pytest.approx(values, rel=1e-6, abs=1e-6, nan_ok=True), name


def test_median_of_each_machine_is_numpys() -> None:
    rng = np.random.default_rng(3)
    row_machine = np.sort(rng.integers(0, 7, 300))
    values = np.where(rng.random(300) < 0.2, nan, rng.normal(size=300))
    samples = Samples([machine(id=str(n)) for n in range(8)], row_machine, T0 + np.arange(300.0), {})
    found = samples.of_machine(values)
    for n in range(7):
        assert found[n] == pytest.approx(np.nanmedian(values[row_machine == n]))
    assert np.isnan(found[7])
