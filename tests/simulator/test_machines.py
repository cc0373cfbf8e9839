"""Each machine alone in a house: what a technician would expect of it, healthy and faulty."""

import numpy as np
import pytest
from lineset_contract.points import POINTS
from lineset_simulator import EquipmentSpec, Fault, ZoneSpec, history
from lineset_simulator.machines.base import Points

from .homes import home, machine, moment, settled, while_on

OPERATING = POINTS["operating_mode"].codes
HEAT_PUMP = machine("hp1", "heat_pump_air_air", 10500.0, stages=1, backup=9000.0)
INVERTER = machine("hp1", "heat_pump_air_air", 10500.0, stages=0, backup=9000.0)
TO_WATER = machine("hp1", "heat_pump_air_water", 9000.0)
FURNACE = machine("furn1", "furnace_gas", 17600.0, fuel="natural_gas")
COOLER = machine("ac1", "air_conditioner", 10500.0, serves="furn1")
BOILER = machine("boil1", "boiler_gas", 18000.0, fuel="natural_gas", tank=160.0)
ROOFTOP = machine("rtu1", "rooftop_unit", 17500.0, fuel="natural_gas")


def of(spec: EquipmentSpec, month: int, climate: str = "cold", faults: tuple[Fault, ...] = (), hours: float = 12.0) -> Points:
    return settled(home(spec, climate=climate, faults=faults), month, hours)[spec.local]


def fault(kind: str, severity: float = 1.0, local: str = "hp1", point: str = "") -> tuple[Fault, ...]:
    return (Fault(local, kind, severity, 30.0, 0.0, point),)  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", [HEAT_PUMP, INVERTER])
def test_a_heat_pump_heats_as_its_plate_says(spec: EquipmentSpec) -> None:
    winter = of(spec, 1)
    cop = while_on(winter, "cop")
    assert 2.2 < cop.min() <= cop.max() < 5.5
    assert while_on(winter, "superheat").min() > 2.0
    assert while_on(winter, "superheat").max() < 12.0
    assert while_on(winter, "subcooling").min() > 1.0
    assert while_on(winter, "subcooling").max() < 12.0
    assert (while_on(winter, "supply_air_temperature") > while_on(winter, "return_air_temperature") + 5.0).all()
    assert (while_on(winter, "evaporating_temperature") < while_on(winter, "outdoor_temperature")).all()
    assert 50.0 < while_on(winter, "discharge_line_temperature", 20).mean() < 110.0
    assert winter["room_temperature"].min() > 19.0
    # the meter's counter is the sum of the power readings
    used = winter["electric_energy"][-1] - winter["electric_energy"][0]
    assert used == pytest.approx(winter["electric_power"][1:].sum() / 60.0 / 1000.0, rel=0.02)


def test_capacity_and_efficiency_of_a_heat_pump_fall_with_the_cold() -> None:
    winter = of(HEAT_PUMP, 1, hours=48.0)
    outdoor, cop, heat = (while_on(winter, name) for name in ("outdoor_temperature", "cop", "heat_output"))
    plain = while_on(winter, "auxiliary_heat_power") == 0.0
    slope = np.polyfit(outdoor[plain], cop[plain], 1)[0]
    assert 0.02 < slope < 0.12
    assert np.polyfit(outdoor[plain], heat[plain], 1)[0] > 60.0


def test_a_heat_pump_cools_and_dries_in_summer() -> None:
    summer = of(HEAT_PUMP, 7, "hot", hours=16.0)
    cop = while_on(summer, "cop")
    assert 2.0 < cop.min() <= cop.max() < 5.5
    assert -16.0 < while_on(summer, "temperature_split").mean() < -7.0
    assert 2.0 < while_on(summer, "superheat").mean() < 12.0
    assert 24.0 < summer["room_temperature"].min() <= summer["room_temperature"].max() < 27.0
    assert 25.0 < summer["room_humidity"].min() <= summer["room_humidity"].max() < 65.0


def test_defrosts_come_with_frost_and_end_soon() -> None:
    frosty = settled(home(HEAT_PUMP, climate="cold"), 1, 48.0)["hp1"]
    count = frosty["defrost_count"][-1] - frosty["defrost_count"][0]
    assert 2 <= count <= 40
    assert 2.0 * 60.0 < (frosty["defrost_run_time"][-1] - frosty["defrost_run_time"][0]) / count < 11.0 * 60.0
    assert of(HEAT_PUMP, 7, "hot")["defrost_state"].max() == 0.0


def test_faults_of_a_heat_pump_show_where_they_should() -> None:
    healthy = of(HEAT_PUMP, 1)
    lean = of(HEAT_PUMP, 1, faults=fault("low_charge", 0.4))
    assert while_on(lean, "superheat").mean() > while_on(healthy, "superheat").mean() + 6.0
    assert while_on(lean, "subcooling").mean() < while_on(healthy, "subcooling").mean() - 1.5
    assert while_on(lean, "cop").mean() < while_on(healthy, "cop").mean()
    assert lean["run_time"][-1] - lean["run_time"][0] > healthy["run_time"][-1] - healthy["run_time"][0]

    choked = of(HEAT_PUMP, 1, faults=fault("low_air_flow", 0.8))
    assert while_on(choked, "supply_air_flow").mean() < 0.65 * while_on(healthy, "supply_air_flow").mean()
    assert while_on(choked, "supply_air_temperature").mean() > while_on(healthy, "supply_air_temperature").mean() + 3.0
    assert while_on(choked, "condensing_temperature").mean() > while_on(healthy, "condensing_temperature").mean() + 3.0

    locked = of(HEAT_PUMP, 1, faults=fault("auxiliary_heat_locked_in", 0.6))
    assert locked["auxiliary_heat_energy"][-1] - locked["auxiliary_heat_energy"][0] > 5.0

    cycling = of(HEAT_PUMP, 1, faults=fault("short_cycling", 0.9))
    assert cycling["compressor_starts"][-1] - cycling["compressor_starts"][0] > 2.0 * (
        healthy["compressor_starts"][-1] - healthy["compressor_starts"][0]
    )

    missed = of(HEAT_PUMP, 1, faults=fault("defrost_missed"), hours=24.0)
    assert missed["defrost_count"][-1] == missed["defrost_count"][0]
    assert while_on(missed, "evaporating_temperature").mean() < while_on(healthy, "evaporating_temperature").mean() - 1.0
    stuck = of(HEAT_PUMP, 1, faults=fault("defrost_stuck", 0.9), hours=24.0)
    assert stuck["defrost_count"][-1] - stuck["defrost_count"][0] > 10


def test_fouled_outdoor_coil_raises_condensing_in_cooling() -> None:
    healthy = of(HEAT_PUMP, 7, "hot")
    fouled = of(HEAT_PUMP, 7, "hot", fault("outdoor_coil_fouling", 0.7))
    assert while_on(fouled, "condensing_temperature").mean() > while_on(healthy, "condensing_temperature").mean() + 4.0
    assert while_on(fouled, "cop").mean() < 0.92 * while_on(healthy, "cop").mean()
    inside = of(HEAT_PUMP, 7, "hot", fault("indoor_coil_fouling", 0.8))
    assert while_on(inside, "evaporating_temperature").mean() < while_on(healthy, "evaporating_temperature").mean() - 1.0


def test_a_heat_pump_on_water_heats_house_and_tank() -> None:
    winter = of(TO_WATER, 1, hours=24.0)
    cop = while_on(winter, "cop", 20)
    assert 1.4 < cop.min() <= cop.max() < 5.5
    assert (while_on(winter, "outlet_water_temperature", 20) > while_on(winter, "inlet_water_temperature", 20) + 1.0).all()
    assert winter["room_temperature"].min() > 17.5
    assert 40.0 < winter["tank_top_temperature"].min() <= winter["tank_top_temperature"].max() < 66.0
    slow = of(TO_WATER, 1, faults=fault("low_water_flow", 0.7), hours=24.0)
    assert slow["water_flow_rate"].max() < 0.6 * winter["water_flow_rate"].max()
    assert np.nanmax(slow["water_temperature_difference"]) > 1.4 * np.nanmax(winter["water_temperature_difference"])


def test_the_tank_is_made_hygienic_once_a_week() -> None:
    week = history(home(TO_WATER), moment(1) - 7.5 * 86400.0, moment(1), 900)
    bottoms = [block.points["tank_bottom_temperature"] for block in week]
    assert 58.5 < max(float(b.max()) for b in bottoms) < 66.0


def test_furnace_and_air_conditioner_share_a_blower() -> None:
    both = home(FURNACE, COOLER, climate="mixed")
    winter, summer = settled(both, 1), settled(both, 7)
    furnace, cooler = winter["furn1"], summer["ac1"]
    burns = furnace["flame"] > 0.0
    assert furnace["supply_air_temperature"].max() < 70.0
    assert (furnace["supply_air_temperature"] - furnace["return_air_temperature"])[burns].max() > 22.0
    gas, heat = (furnace[name][-1] - furnace[name][0] for name in ("gas_energy", "heat_energy"))
    assert 0.88 < heat / gas < 0.97
    assert 8 <= furnace["burner_starts"][-1] - furnace["burner_starts"][0] <= 60
    assert furnace["limit_switch"].max() == 0.0
    assert winter["ac1"]["compressor_state"].max() == 0.0
    assert 2.0 < while_on(cooler, "superheat").mean() < 12.0
    assert summer["furn1"]["electric_power"].max() > 150.0
    assert summer["furn1"]["gas_input"].max() == 0.0
    choked = settled(home(FURNACE, COOLER, climate="mixed", faults=fault("low_air_flow", 0.9, "furn1")), 1)["furn1"]
    assert choked["supply_air_temperature"].max() > furnace["supply_air_temperature"].max() + 12.0
    failing = settled(home(FURNACE, COOLER, climate="mixed", faults=fault("ignition_retries", 0.8, "furn1")), 1)["furn1"]
    assert failing["ignition_retries"][-1] - failing["ignition_retries"][0] > 20.0


def test_a_boiler_condenses_and_follows_the_weather() -> None:
    winter = of(BOILER, 1, "marine", hours=24.0)
    used, heat = (winter[name][-1] - winter[name][0] for name in ("gas_energy", "heat_energy"))
    assert 0.86 < heat / used < 0.98
    assert winter["room_temperature"].min() > 18.5
    assert winter["outlet_water_temperature"].max() < 82.0
    assert winter["tank_top_temperature"].min() > 40.0
    assert winter["tank_top_temperature"].max() < 68.0


def test_a_rooftop_unit_ventilates_heats_and_cools_free() -> None:
    shop = (ZoneSpec("Shop", "shop", 180.0, 18.0, 21.0, 3.0),)
    spring = settled(home(ROOFTOP, climate="marine", zones=shop, occupancy="shop"), 5, 24.0)["rtu1"]
    assert spring["outdoor_damper_position"].max() > 30.0
    assert 400.0 < spring["co2_concentration"].max() < 1300.0
    assert OPERATING["economizer"] in spring["operating_mode"]
    winter = settled(home(ROOFTOP, zones=shop, occupancy="shop"), 1, 24.0)["rtu1"]
    assert winter["gas_input"].max() > 10000.0
    assert winter["room_temperature"].min() > 14.0


def test_a_chiller_keeps_its_water_cold_for_its_handlers() -> None:
    office = (ZoneSpec("Office", "office", 300.0, 21.0, 24.0, 3.0),)
    plant = home(
        machine("ch1", "chiller", 45000.0),
        machine("cp1", "circulation_pump", 400.0, serves="ch1"),
        machine("ah1", "air_handler", 40000.0, serves="ch1"),
        climate="hot",
        zones=office,
        occupancy="office",
    )
    found = settled(plant, 7, 12.0)
    chiller, handler, pump = found["ch1"], found["ah1"], found["cp1"]
    assert while_on(chiller, "chilled_water_supply_temperature", 30).mean() == pytest.approx(7.0, abs=1.0)
    assert 2.2 < while_on(chiller, "cop", 30).mean() < 5.0
    assert while_on(chiller, "chilled_water_return_temperature", 30).mean() > 8.5
    assert 12.0 < handler["supply_air_temperature"].min() < 18.0
    assert pump["water_flow_rate"].max() > 1.0
    # what the handler takes from the air, the chiller takes from the water
    assert chiller["cooling_output"].sum() == pytest.approx(handler["cooling_output"].sum(), rel=0.15)


@pytest.mark.parametrize(
    ("kind", "capacity", "fuel"),
    [("electric", 4500.0, "electricity"), ("gas", 11000.0, "natural_gas"), ("heat_pump", 2300.0, "electricity")],
)
def test_water_heaters_keep_their_tanks(kind: str, capacity: float, fuel: str) -> None:
    spec = machine("wh1", f"water_heater_{kind}", capacity, fuel=fuel, litres=190.0)
    found = settled(home(spec), 6, 30.0)["wh1"]
    assert 38.0 < found["tank_top_temperature"].min() <= found["tank_top_temperature"].max() < 60.0
    assert found["tank_bottom_temperature"].min() > 6.0
    assert (found["tank_top_temperature"] >= found["tank_bottom_temperature"] - 0.7).all()
    heat = found["heat_energy"][-1] - found["heat_energy"][0]
    drawn = found["hot_water_volume"][-1] - found["hot_water_volume"][0]
    assert 20.0 < drawn < 400.0
    assert heat > 0.6 * drawn * 4.186 * 40.0 / 3600.0
    scaled = settled(home(spec, faults=fault("water_heater_scale", 0.8, "wh1")), 6, 30.0)["wh1"]
    if kind == "heat_pump":
        assert 2.0 < np.nanmean(found["cop"]) < 4.5
        assert np.nanmean(scaled["cop"]) < 0.95 * np.nanmean(found["cop"])
    else:
        source = "gas_energy" if kind == "gas" else "run_time"
        assert scaled[source][-1] - scaled[source][0] > 1.1 * (found[source][-1] - found[source][0])


def test_a_failed_upper_element_is_called_for_in_vain() -> None:
    spec = machine("wh1", "water_heater_electric", 4500.0, litres=150.0)
    failed = fault("element_failed", 1.0, "wh1", "upper_element_state")
    found = settled(home(spec, faults=failed, occupancy="family"), 6, 30.0)["wh1"]
    calls = found["upper_element_state"] > 0.0
    assert calls.any()
    assert found["electric_power"][calls].max() < 50.0
    assert found["tank_top_temperature"].min() < 45.0
