"""Performance: published worked examples, doubt, reasons for what is absent, and sums that do not depend on how they are cut."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.diagnostics.days import Days, fold
from lineset.diagnostics.features import features
from lineset.diagnostics.features.counters import increments
from lineset.diagnostics.performance import figures, performance
from lineset.diagnostics.samples import Floats, Samples
from lineset.diagnostics.views import Figure
from numpy.typing import ArrayLike

from tests.diagnostics.columns import T0, machine, recorded, together

ID = "0197c0de-0000-7000-8000-000000000001"
DAY = 86_400


def days_of(samples: Samples) -> Days:
    return fold(samples.machines, samples.hour_machine, samples.hour_day, features(samples))


def figures_of(samples: Samples) -> dict[str, Figure]:
    (found,) = performance(days_of(samples), "whole")
    assert found.equipment == UUID(ID)
    return found.figures


def value(figure: Figure) -> float:
    assert figure.value is not None, figure.why
    return figure.value


def heat_pump(rows: int = 240, type_: str = "heat_pump_air_water", step: float = 60.0, **points: ArrayLike) -> Samples:
    return recorded(machine(type_, id=ID), step, operating_mode=np.ones(rows), **points)


WATER: dict[str, Any] = {"inlet_water_temperature": 30.0, "outlet_water_temperature": 35.0, "water_flow_rate": 0.2, "electric_power": 930.0}


def test_DIA_01_water_side_heat_and_cop_as_in_a_test_report() -> None:
    """EN 14511-3 (A7/W35): 0.20 kg/s * 4.179 kJ/(kg K) * 5 K = 4.18 kW; over 4 h 16.7 kWh; at 930 W a COP of 4.49. Carnot between 7 and
    35 degC is 308.15 / 28 = 11.0, of which that is 40.8 %."""
    found = figures_of(heat_pump(outdoor_temperature=7.0, **WATER))
    assert value(found["heat"]) == pytest.approx(16.72, abs=0.01)
    assert value(found["capacity_heating"]) == pytest.approx(4179, abs=5)
    assert value(found["cop_heating"]) == pytest.approx(4.49, abs=0.01)
    assert value(found["spf_h3"]) == pytest.approx(4.49, abs=0.01)
    assert value(found["carnot_heating"]) == pytest.approx(40.8, abs=0.2)
    assert {found[name].basis for name in ("heat", "cop_heating", "spf_h3")} == {"water_side"}
    # Doubt by hand: flow 3 %, 0.3 K of 5 K is 6 %, together 6.7 %; with 2 % of power 7.0 %.
    assert found["heat"].doubt == pytest.approx(16.72 * 0.0671, rel=0.01)
    assert found["cop_heating"].doubt == pytest.approx(4.49 * 0.0700, rel=0.01)
    assert found["water_split_heating"].value == pytest.approx(5.0)
    assert value(found["hours_heating"]) == 4.0
    assert value(found["covered"]) == pytest.approx(100 * 4 / 48)  # the hours lie on either side of midnight


def test_DIA_01_air_side_cooling_by_enthalpy_as_the_handbook() -> None:
    """ASHRAE Fundamentals, chapter 1, example 3 (moist air cooling): 5 m3/s of air at 30 degC and 50 % is cooled to saturation at 10 degC.
    h1 = 64.3, h2 = 29.5 kJ/kg of dry air, and with v1 = 0.877 m3/kg 5.70 kg/s: 198 kW, of which the condensate takes 1.3 kW."""
    volume = 3600.0 * 5.0 / 0.877 * 0.8118  # the supply's volume: 0.8118 m3/kg at 10 degC saturated
    air = {"return_air_temperature": 30.0, "return_air_humidity": 50.0, "supply_air_temperature": 10.0, "supply_air_humidity": 100.0}
    samples = recorded(machine("air_conditioner", id=ID), 60.0, operating_mode=np.full(60, 2.0), supply_air_flow=volume, **air)
    found = figures_of(samples)
    assert value(found["cooling"]) == pytest.approx(198.0, rel=0.01)
    assert found["cooling"].basis == "air_side"
    assert found["cop_cooling"].why == "not_measured"
    del air["supply_air_humidity"]
    dry = figures_of(recorded(machine("air_conditioner", id=ID), 60.0, operating_mode=np.full(60, 2.0), supply_air_flow=volume, **air))
    assert dry["cooling"].basis == "air_sensible_only"
    assert value(dry["cooling"]) == pytest.approx(5.70 * 1.031 * 20.0, rel=0.01)


def test_DIA_01_superheat_and_subcooling_by_gauges() -> None:
    """A technician's example of AHRI/ACCA 4 with R-410A: 130 psig suction (997.7 kPa absolute) is 7.2 degC, line at 13.2 degC: 6.0 K;
    400 psig liquid (2859 kPa) is 46.7 degC at the bubble point, line at 41.2 degC: 5.5 K."""
    gauges = {
        "suction_line_pressure": 997.7,
        "suction_line_temperature": 13.2,
        "liquid_line_pressure": 2859.2,
        "liquid_line_temperature": 41.2,
    }
    found = figures_of(recorded(machine("air_conditioner", id=ID), 60.0, operating_mode=np.full(60, 2.0), **gauges))
    assert value(found["superheat_cooling"]) == pytest.approx(6.0, abs=0.3)
    assert value(found["subcooling_cooling"]) == pytest.approx(5.5, abs=0.3)
    assert found["superheat_cooling"].doubt == pytest.approx(1.17, abs=0.01)
    assert found["discharge_cooling"].why == "not_measured"
    assert "superheat_heating" not in found


def test_seasonal_factors_by_boundary() -> None:
    """SEPEMO: a backup heater of 1 kW for the whole time lowers H3, not H2."""
    found = figures_of(heat_pump(heat_output=5000.0, electric_power=2000.0, auxiliary_heat_power=1000.0))
    assert value(found["spf_h3"]) == pytest.approx(2.5)
    assert value(found["spf_h2"]) == pytest.approx(4.0)
    assert value(found["backup_share"]) == pytest.approx(20.0)
    assert found["backup_share"].basis == "of_heat"


def test_defrost_penalty_is_what_it_drew_and_what_replaces_the_heat_it_took() -> None:
    mode = np.r_[np.ones(50), np.full(6, 3.0), np.ones(64)]
    heat = np.where(mode == 3.0, -4000.0, 6000.0)
    found = figures_of(recorded(machine("heat_pump_air_water", id=ID), 60.0, operating_mode=mode, heat_output=heat, electric_power=2000.0))
    assert value(found["defrosts"]) == 1
    assert value(found["defrost_share"]) == pytest.approx(5.0)
    cop = (114 * 6000 - 6 * 4000) / (120 * 2000)
    assert value(found["cop_heating"]) == pytest.approx(cop)
    assert value(found["defrost_penalty"]) == pytest.approx((6 / 60) * 2.0 + (6 / 60) * 4.0 / cop)


def test_implausible_figures_are_absent_with_the_reason() -> None:
    found = figures_of(heat_pump(heat_output=90_000.0, electric_power=900.0))
    assert (found["cop_heating"].value, found["cop_heating"].why) == (None, "implausible")
    both = np.r_[np.ones(60), np.full(60, 2.0)]
    outputs = {"heat_output": 5000.0, "cooling_output": 4000.0, "electric_power": 1500.0}
    mixed = recorded(machine("heat_pump_air_air", id=ID), 60.0, operating_mode=both, **outputs)
    assert figures_of(mixed)["spf_h3"].why == "mixed_use"
    silent = figures_of(heat_pump(room_temperature=20.0))
    assert silent["electric"].why == "not_measured"
    assert silent["heat"].why == "not_measured"


def seasonal(base: float, slope: float, noise: float, count: int = 90) -> Days:
    rng = np.random.default_rng(5)
    outdoor = 5.0 + 6.0 * np.sin(np.arange(count) / 9.0) + rng.normal(0.0, 2.0, count)
    hdd = np.maximum(15.0 - outdoor, 0.0)
    energy = base + slope * hdd + rng.normal(0.0, noise, count)
    sums: dict[str, Floats] = {f"hdd.{b}": np.maximum(b - outdoor, 0.0) * DAY for b in (12, 15, 18)}
    sums |= {"cdd.18": np.zeros(count), "cdd.22": np.zeros(count), "kwh.electric": energy, "outdoor.s": np.full(count, float(DAY))}
    sums |= {"s.covered": np.full(count, float(DAY)), "s.heating": np.full(count, 30_000.0), "s.running": np.full(count, 30_000.0)}
    return Days([machine(id=ID)], np.zeros(count, np.int64), 20_000 + np.arange(count), sums)


def test_energy_by_degree_day_recovers_what_made_it() -> None:
    (found,) = performance(seasonal(base=6.0, slope=2.5, noise=1.0), "whole")
    slope, base = found.figures["energy_per_hdd"], found.figures["base_load"]
    assert abs(value(slope) - 2.5) < 3 * (slope.doubt or 0.0) < 0.3
    assert abs(value(base) - 6.0) < 3 * (base.doubt or 0.0) < 3.0
    (exact,) = performance(seasonal(base=6.0, slope=2.5, noise=0.0), "whole")
    assert value(exact.figures["energy_per_hdd"]) == pytest.approx(2.5, abs=1e-6)
    few = performance(seasonal(base=6.0, slope=2.5, noise=0.0, count=8), "whole")[0].figures
    assert few["energy_per_hdd"].why == "too_little"


def test_degree_days_by_hand() -> None:
    """CIBSE TM41: a day of twelve hours at 5 degC and twelve at 20 degC has 0.5 * (15 - 5) = 5 K d of heating at a base of 15 degC."""
    start = T0 - T0 % DAY
    t = (start + 3600.0 * np.arange(24)).astype(np.float64)
    samples = Samples(
        [machine(id=ID)], np.zeros(24, np.int64), t, {"outdoor_temperature": np.repeat([5.0, 20.0], 12), "operating_mode": np.ones(24)}
    )
    assert features(samples)["hdd.15"].sum() / DAY == pytest.approx(5.0)
    (found,) = performance(days_of(samples), "day")
    assert value(found.figures["degree_days_heating"]) == pytest.approx(5.0)


@given(st.lists(st.integers(0, 50), min_size=3, max_size=60), st.integers(0, 59))
@settings(deadline=None)
def test_a_counter_that_is_set_back_loses_at_most_one_step(steps: list[int], reset: int) -> None:
    counter = np.cumsum(np.array(steps, float)) * 0.01
    back = min(reset, len(steps) - 1)
    broken = np.where(np.arange(len(steps)) >= back, counter - counter[back], counter)
    found = increments(recorded(machine(), 60.0, electric_energy=broken), "electric_energy", "kWh")
    assert found is not None
    assert np.nanmin(found) >= 0.0
    whole = counter[-1] - counter[0]
    lost = (steps[back] * 0.01 if back else 0.0) + 1e-9
    assert whole - lost <= np.nansum(found) <= whole + 1e-9


def test_a_counter_that_jumps_is_not_believed() -> None:
    found = increments(recorded(machine(), 60.0, electric_energy=[10.0, 10.1, 99_999.0, 99_999.1]), "electric_energy", "kWh")
    assert found is not None
    assert found[1:] == pytest.approx([0.1, np.nan, 0.1], nan_ok=True)


def winter(step: float, seed: int = 1) -> Samples:
    """Three days of a heat pump whose weather and cycles are the same whatever the step."""
    t = np.arange(0.0, 3 * DAY, step)
    on = (t % 5400) < 3600
    outdoor = 4.0 + 5.0 * np.sin(2 * np.pi * t / DAY)
    noise = np.random.default_rng(seed).normal(0.0, 0.05, len(t))
    points = {
        "operating_mode": on * 1.0,
        "outdoor_temperature": outdoor + noise,
        "water_flow_rate": on * 0.25,
        "inlet_water_temperature": 30.0 + noise,
        "outlet_water_temperature": np.where(on, 35.5, 30.0) + noise,
        "room_temperature": 20.4 + noise,
        "electric_power": np.where(on, 1800.0 - 20.0 * outdoor, 20.0),
        "suction_line_pressure": 650.0 + 10.0 * outdoor,
        "suction_line_temperature": 4.0 + noise,
    }
    return recorded(machine("heat_pump_air_water", id=ID), step, heating_setpoint=20.5, **points)


def test_a_minute_and_five_minutes_agree() -> None:
    fine, coarse = figures_of(winter(60.0)), figures_of(winter(300.0))
    assert set(fine) == set(coarse)
    for name, one in fine.items():
        other = coarse[name]
        assert (one.basis, one.why) == (other.basis, other.why), name
        if one.value is not None:
            assert other.value == pytest.approx(one.value, rel=0.03, abs=0.12), name


@given(st.integers(1, 70), st.sampled_from(["day", "month", "season", "year", "whole"]))
@settings(max_examples=20, deadline=None)
def test_hours_folded_into_days_and_spans_lose_nothing(hours: int, span: str) -> None:
    samples = together([winter(900.0), recorded(machine("furnace_gas", id=ID), 600.0, flame=np.ones(90), gas_input=9000.0)])
    mine = samples.hour_start < samples.hour_start.min() + hours * 3600.0
    sums = {name: values[mine] for name, values in features(samples).items()}
    days = fold(samples.machines, samples.hour_machine[mine], samples.hour_day[mine], sums)
    rows, _ = figures(days, span)  # type: ignore[arg-type]
    for name, values in sums.items():
        assert np.nansum(rows.sum(name)) == pytest.approx(np.nansum(values), rel=1e-9, abs=1e-9), name


def test_spans_are_those_of_the_calendar() -> None:
    day = np.array(["2026-11-30", "2026-12-01", "2027-01-15", "2027-02-28", "2027-03-01"], "datetime64[D]").astype(np.int64)
    days = Days([machine(id=ID)], np.zeros(5, np.int64), day, {"s.covered": np.ones(5)})
    starts = [str(each.start) for each in performance(days, "season")]
    assert starts == ["2026-09-01", "2026-12-01", "2027-03-01"]
    assert [each.days for each in performance(days, "season")] == [91, 90, 1]
    assert [str(each.start) for each in performance(days, "month")] == [
        "2026-11-01",
        "2026-12-01",
        "2027-01-01",
        "2027-02-01",
        "2027-03-01",
    ]


def test_comfort_counts_what_was_asked_for() -> None:
    room = np.r_[np.full(30, 20.5), np.full(30, 18.0)]
    samples = recorded(machine(id=ID), 60.0, operating_mode=np.ones(60), room_temperature=room, heating_setpoint=21.0, system_mode=1.0)
    found = figures_of(samples)
    assert value(found["comfort"]) == pytest.approx(50.0)
    assert value(found["comfort_missed"]) == pytest.approx(1.75)
    off = figures_of(
        recorded(machine(id=ID), 60.0, operating_mode=np.zeros(60), room_temperature=room, heating_setpoint=21.0, system_mode=0.0)
    )
    assert "comfort" not in off


def test_water_heater_loses_what_it_takes_and_does_not_give() -> None:
    draw = np.r_[np.zeros(90), np.full(30, 0.025)]
    tap = {"hot_water_temperature": 55.0, "cold_water_temperature": 10.0, "hot_water_flow_rate": draw}
    element = np.r_[np.ones(60), np.zeros(60)]
    heater = machine("water_heater_electric", id=ID)
    samples = recorded(heater, 60.0, operating_mode=4.0 * element, electric_power=3000.0 * element, **tap)
    found = figures_of(samples)
    assert value(found["heat"]) == pytest.approx(0.025 * 4.183 * 45.0 * 0.5, rel=0.002)
    assert value(found["hot_water_loss"]) == pytest.approx(3.0 - 2.353, abs=0.01)


def test_a_furnaces_efficiency_is_by_higher_heating_value() -> None:
    air = {"supply_air_temperature": 50.0, "return_air_temperature": 20.0, "supply_air_flow": 1500.0, "gas_input": 15_000.0}
    found = figures_of(recorded(machine("furnace_gas", id=ID), 60.0, operating_mode=np.ones(120), flame=1.0, **air))
    # 1500 m3/h at 50 degC are 0.4515 kg/s; times 1.017 kJ/(kg K) times 30 K: 13.8 kW of 15 kW
    assert value(found["efficiency_gas"]) == pytest.approx(0.917, abs=0.005)
    assert value(found["gas"]) == pytest.approx(30.0)
    assert found["energy_per_hdd"].why == "not_measured"
