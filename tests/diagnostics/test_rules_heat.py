"""Detectors of burners, tanks, zones and silence, from readings written down by hand; and what holds for all detectors."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.diagnostics.cases import WINDOW_DAYS, Cases, Detector, Status
from lineset.diagnostics.detectors import DETECTORS, combustion, contact, cycling, demands, flows, tanks
from lineset.diagnostics.detectors.rules import Persistence, certainty, lasting
from lineset.diagnostics.features.combustion import dew_point
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import DAY_S, Floats
from lineset_contract.faults import FAULTS
from lineset_contract.points import POINTS
from lineset_contract.profiles import PROFILES

from tests import faults
from tests.diagnostics.courses import FIRST_DAY, Readings, in_turn, machine, one, recorded, said

HOUR = 3600.0
FURNACE = machine("furnace_gas", fuel="natural_gas")
BOILER = machine("boiler_gas", fuel="natural_gas")
ELECTRIC = machine("water_heater_electric", capacity_w=4500.0)
GAS_TANK = machine("water_heater_gas", capacity_w=11_000.0)
PUMP = machine("circulation_pump")
COOLER = machine("air_conditioner", id="ac", site="s", zone="living")
HEATER = machine("heat_pump_air_air", id="hp", site="s", zone="living", capacity_w=6000.0)
Course = Callable[[Floats], Readings]


def burning(t: Floats, **over: Floats | float) -> dict[str, Floats | float]:
    """A condensing furnace or boiler in order: twelve minutes in thirty."""
    on = in_turn(t, 1800.0, 0.4)
    usual: dict[str, Floats | float] = {
        "operating_mode": on,
        "flame": on,
        "ignition_retries": 40.0,
        "burner_starts": np.floor((t + 900.0) / 1800.0),
        "outdoor_temperature": 5.0,
        "room_temperature": 20.5,
        "heating_setpoint": 20.5,
        "system_mode": 1.0,
        "flue_gas_temperature": 30.0 + 16.0 * on,
        "inlet_water_temperature": 36.0,
        "outlet_water_temperature": 36.0 + 14.0 * on,
        "supply_air_temperature": 21.0 + 27.0 * on,
        "return_air_temperature": 21.0,
        "filter_pressure_drop": 60.0 * on,
        "electric_power": 12.0 + 90.0 * on,
    }
    return usual | over


def retrying(t: Floats) -> Readings:
    return burning(t, ignition_retries=40.0 + np.floor(t / 3600.0))


def hot_return(t: Floats) -> Readings:
    on = in_turn(t, 1800.0, 0.4)
    return burning(t, inlet_water_temperature=64.0, outlet_water_temperature=80.0, flue_gas_temperature=40.0 + 34.0 * on)


def atmospheric(t: Floats) -> Readings:
    """An appliance that is not made to condense."""
    return burning(t, inlet_water_temperature=64.0, flue_gas_temperature=40.0 + 110.0 * in_turn(t, 1800.0, 0.4))


def hot_flue(t: Floats) -> Readings:
    """In frost, from the third day on, its flue gas leaves as hot as without the second heat exchanger."""
    on = in_turn(t, 1800.0, 0.4)
    return burning(t, outdoor_temperature=-6.0, flue_gas_temperature=30.0 + np.where(t - t[0] > 2 * DAY_S, 150.0, 16.0) * on)


def frosty_return(t: Floats) -> Readings:
    """A boiler that has to be hot in frost, and condenses in milder weather."""
    return {**hot_return(t), "outdoor_temperature": -6.0}


def choked(t: Floats) -> Readings:
    return burning(t, supply_air_temperature=21.0 + 47.0 * in_turn(t, 1800.0, 0.4))


def starved(t: Floats) -> Readings:
    return burning(t, outlet_water_temperature=36.0 + 40.0 * in_turn(t, 1800.0, 0.4))


def stuttering(t: Floats) -> Readings:
    on = in_turn(t, 240.0, 0.5)
    return burning(t, operating_mode=on, flame=on, burner_starts=np.floor(t / 240.0))


def cold_room(t: Floats) -> Readings:
    return burning(t, operating_mode=1.0, flame=1.0, room_temperature=16.5)


def switched_off(t: Floats) -> Readings:
    """Nobody calls for heat, so a cold room is no fault."""
    return burning(t, operating_mode=0.0, flame=0.0, room_temperature=16.0, thermostat_call=0.0)


def cold_and_idle(t: Floats) -> Readings:
    return burning(t, operating_mode=0.0, flame=0.0, room_temperature=16.0, thermostat_call=1.0)


def tank(t: Floats, **over: Floats | float) -> dict[str, Floats | float]:
    """An electric water heater in order: the lower element for half an hour, four times a day, and a hot cycle every fourth day."""
    on = in_turn(t, 6 * HOUR, 1 / 12)
    since = t % (6 * HOUR)
    top = 54.0 + np.where(on > 0, since / 1800.0, 1.0 - (since - 1800.0) / (5.5 * HOUR)) * 2.0
    day = np.floor(t / DAY_S)
    hot = (day % 4 == 1) & ((t % DAY_S) < 2 * HOUR)
    return {
        "operating_mode": 4.0 * on,
        "lower_element_state": on,
        "upper_element_state": 0.0,
        "electric_power": 3.0 + 4500.0 * on,
        "tank_top_temperature": np.where(hot, 62.0, top),
        "tank_bottom_temperature": np.where(hot, 61.0, top - 6.0),
        "hot_water_setpoint": 55.0,
        "legionella_cycle_state": hot.astype(float),
        "anode_current": 4.0,
    } | over


def dead_element(t: Floats) -> Readings:
    return tank(t, electric_power=3.0)


def scaled_element(t: Floats, **over: Floats | float) -> dict[str, Floats | float]:
    """Its limiter takes the element out for 40 % of the time."""
    return tank(t, electric_power=3.0 + 2700.0 * in_turn(t, 6 * HOUR, 1 / 12), **over)


def low_voltage(t: Floats) -> Readings:
    """The same power where the grid gives 186 V: the element is in order."""
    return scaled_element(t, voltage=186.0)


def gas_tank(t: Floats, **over: Floats | float) -> dict[str, Floats | float]:
    """A gas water heater in order: it burns for a quarter of an hour, six times a day, and its flue gas leaves at 190 degC."""
    on = in_turn(t, 4 * HOUR, 1 / 16)
    usual: dict[str, Floats | float] = {
        "operating_mode": 4.0 * on,
        "flame": on,
        "gas_input": 11_000.0 * on,
        "flue_gas_temperature": 40.0 + 150.0 * on,
        "thermal_efficiency": np.where(on > 0, 79.0, np.nan),
        "tank_top_temperature": 56.0,
        "tank_bottom_temperature": 52.0,
    }
    return usual | over


def scaled_bottom(t: Floats) -> Readings:
    return gas_tank(t, flue_gas_temperature=40.0 + 230.0 * in_turn(t, 4 * HOUR, 1 / 16), thermal_efficiency=np.nan)


def says_it_wastes(t: Floats) -> Readings:
    return gas_tank(t, flue_gas_temperature=np.nan, thermal_efficiency=np.where(in_turn(t, 4 * HOUR, 1 / 16) > 0, 65.0, np.nan))


def hotter_flue(t: Floats) -> Readings:
    """Its flue gas is 50 K hotter than in the first week, and still no hotter than others'."""
    on = in_turn(t, 4 * HOUR, 1 / 16)
    return gas_tank(t, flue_gas_temperature=40.0 + (120.0 + 50.0 * (t > 7 * DAY_S)) * on, thermal_efficiency=np.nan)


def cycle_that_stays_cold(t: Floats) -> Readings:
    """A hot cycle that runs each week and never gets over 50 degC."""
    usual = tank(t)
    return usual | {name: np.minimum(usual[name], 50.0) for name in ("tank_top_temperature", "tank_bottom_temperature")}


def blind_dead_element(t: Floats) -> Readings:
    usual = tank(t, upper_element_state=in_turn(t, 6 * HOUR, 0.4), lower_element_state=0.0, tank_top_temperature=38.0)
    return {name: values for name, values in usual.items() if name not in ("electric_power", "operating_mode")}


def used_up(t: Floats) -> Readings:
    return tank(t, anode_current=0.15)


def fallen(t: Floats) -> Readings:
    return tank(t, anode_current=np.where(t > 8 * DAY_S, 0.6, 4.0))


def never_hot(t: Floats) -> Readings:
    return tank(t, tank_top_temperature=53.0, tank_bottom_temperature=47.0, legionella_cycle_state=0.0)


def missed_by_itself(t: Floats) -> Readings:
    return tank(t, tank_top_temperature=53.0, tank_bottom_temperature=47.0, legionella_cycle_state=3.0)


def without_cycle(t: Floats) -> Readings:
    return {name: values for name, values in never_hot(t).items() if name != "legionella_cycle_state"}


def pumping(t: Floats) -> Readings:
    return {"pump_state": 1.0, "pump_speed": 70.0, "water_flow_rate": 0.5, "operating_mode": 12.0}


def blocked(t: Floats) -> Readings:
    late = t > 11 * DAY_S
    return {
        "pump_state": np.where(late, 2.0, 1.0),
        "pump_speed": 70.0,
        "water_flow_rate": np.where(late, 0.02, 0.5),
        "operating_mode": 12.0,
    }


CASES: list[tuple[Detector, Machine, Course, int, str]] = [
    (combustion.IGNITION, FURNACE, burning, 4, "ok"),
    (combustion.IGNITION, FURNACE, retrying, 4, "ignition_retries"),
    (combustion.CONDENSING, BOILER, burning, 5, "ok"),
    (combustion.CONDENSING, BOILER, hot_return, 5, "no_condensing"),
    (combustion.CONDENSING, BOILER, atmospheric, 5, "not_applicable"),
    (combustion.CONDENSING, FURNACE, burning, 5, "ok"),
    (combustion.CONDENSING, FURNACE, hot_flue, 6, "no_condensing"),
    (combustion.CONDENSING, BOILER, frosty_return, 5, "off"),
    (flows.AIR, FURNACE, burning, 4, "ok"),
    (flows.AIR, FURNACE, choked, 4, "low_air_flow"),
    (flows.WATER, BOILER, burning, 4, "ok"),
    (flows.WATER, BOILER, starved, 4, "low_water_flow"),
    (flows.WATER, PUMP, pumping, 14, "ok"),
    (flows.WATER, PUMP, blocked, 14, "low_water_flow"),
    (cycling.SHORT, FURNACE, burning, 4, "ok"),
    (cycling.SHORT, FURNACE, stuttering, 4, "short_cycling"),
    (demands.UNMET, FURNACE, burning, 4, "ok"),
    (demands.UNMET, FURNACE, cold_room, 4, "setpoint_not_reached"),
    (demands.UNMET, FURNACE, cold_and_idle, 4, "setpoint_not_reached"),
    (demands.UNMET, FURNACE, switched_off, 4, "ok"),
    (demands.UNMET, ELECTRIC, tank, 4, "ok"),
    (tanks.ELEMENT, ELECTRIC, tank, 4, "ok"),
    (tanks.ELEMENT, ELECTRIC, dead_element, 4, "element_failed"),
    (tanks.SCALE, ELECTRIC, tank, 7, "ok"),
    (tanks.SCALE, ELECTRIC, scaled_element, 7, "water_heater_scale"),
    (tanks.SCALE, ELECTRIC, low_voltage, 7, "ok"),
    (tanks.SCALE, GAS_TANK, gas_tank, 7, "ok"),
    (tanks.SCALE, GAS_TANK, scaled_bottom, 7, "water_heater_scale"),
    (tanks.SCALE, GAS_TANK, says_it_wastes, 7, "water_heater_scale"),
    (tanks.SCALE, GAS_TANK, hotter_flue, 14, "water_heater_scale"),
    (tanks.HYGIENE, ELECTRIC, cycle_that_stays_cold, 14, "hygiene_cycle_missed"),
    (tanks.ELEMENT, ELECTRIC, blind_dead_element, 4, "element_failed"),
    (tanks.ANODE, ELECTRIC, tank, 5, "ok"),
    (tanks.ANODE, ELECTRIC, used_up, 5, "anode_due"),
    (tanks.ANODE, ELECTRIC, fallen, 14, "anode_due"),
    (tanks.HYGIENE, ELECTRIC, tank, 14, "ok"),
    (tanks.HYGIENE, ELECTRIC, never_hot, 14, "hygiene_cycle_missed"),
    (tanks.HYGIENE, ELECTRIC, missed_by_itself, 4, "hygiene_cycle_missed"),
    (tanks.HYGIENE, ELECTRIC, without_cycle, 14, "not_applicable"),
]


@pytest.mark.parametrize(
    ("detector", "which", "course", "days", "expected"), CASES, ids=lambda v: getattr(v, "name", getattr(v, "__name__", ""))
)
def test_DIA_02_burners_tanks_and_pumps_in_order_and_with_each_fault(
    detector: Detector, which: Machine, course: Course, days: int, expected: str
) -> None:
    assert one(detector, which, course, days, step=60.0 if days < 10 else 300.0) == expected


def running(mode: float, share: float, **points: float) -> Course:
    """A machine that runs part of each hour in a mode."""

    def course(t: Floats) -> Readings:
        on = in_turn(t, HOUR, share)
        return {"operating_mode": mode * on, "compressor_state": on, "outdoor_temperature": 8.0, "room_temperature": 21.0, **points}

    return course


def test_DIA_02_machines_of_one_zone_that_heat_and_cool_in_the_same_hours() -> None:
    heats, cools = running(1.0, 0.5, heating_setpoint=21.0), running(2.0, 0.4, cooling_setpoint=24.0)
    assert "simultaneous_heating_cooling" in said(demands.OPPOSED, recorded({HEATER: heats, COOLER: cools}, 4))
    elsewhere = machine("air_conditioner", id="ac", site="s", zone="server room")
    assert said(demands.OPPOSED, recorded({HEATER: heats, elsewhere: cools}, 4)) == ["ok", "ok"]


def test_DIA_02_set_points_that_cross_make_thermostats_fight() -> None:
    heats, cools = running(1.0, 0.5, heating_setpoint=24.0), running(2.0, 0.4, cooling_setpoint=21.0)
    assert said(demands.OPPOSED, recorded({HEATER: heats, COOLER: cools}, 4)) == ["thermostat_fighting"] * 2

    def flips(t: Floats) -> Readings:
        first = in_turn(t, 2 * HOUR, 0.5) > 0
        return {"operating_mode": np.where(first, 1.0, 2.0), "compressor_state": 1.0, "outdoor_temperature": 14.0}

    assert one(demands.OPPOSED, HEATER, flips, 4) == "thermostat_fighting"
    assert one(demands.OPPOSED, machine("air_handler"), flips, 4) == "ok", "an air handler holds its supply air"


def test_DIA_02_a_silent_machine_is_offline_and_one_that_often_rests_is_not() -> None:
    def cases(*silent: int, begins: int = 0) -> Cases:
        covered = np.full((1, WINDOW_DAYS), 86_000.0)
        covered[0, list(silent)] = np.nan
        covered[0, :begins] = np.nan
        return Cases([ELECTRIC], np.array([FIRST_DAY]), {"s.covered": covered})

    assert said(contact.CONTACT, cases(12, 13)) == ["offline"]
    assert said(contact.CONTACT, cases(13)) == ["ok"], "a day that has only begun is no silence"
    assert said(contact.CONTACT, cases(4, 5, 6, 12, 13)) == ["ok"], "it was silent for longer before"
    assert said(contact.CONTACT, cases(begins=12)) == ["not_enough_data"], "it was only just installed"
    assert said(contact.CONTACT, cases(1, 2, 3, begins=14)) == ["not_enough_data"]


def test_a_gateway_that_fell_silent_is_told_from_a_machine() -> None:
    covered = np.full((2, WINDOW_DAYS), 86_000.0)
    covered[0, -3:] = np.nan
    pair = [machine("boiler_gas", id="a", site="s"), machine("thermostat", id="b", site="s")]
    alone = contact.CONTACT.judge(Cases(pair, np.full(2, FIRST_DAY), {"s.covered": covered.copy()}))
    covered[1, -3:] = np.nan
    both = contact.CONTACT.judge(Cases(pair, np.full(2, FIRST_DAY), {"s.covered": covered}))
    assert alone.probability["offline"][0] > both.probability["offline"][0] >= 0.7
    assert alone.evidence["others_of_site_heard_1"][0] == 1.0


def test_oversizing_is_judged_by_the_load_near_design_weather_only() -> None:
    def course(outdoor: float, share: float, period: float) -> Course:
        def told(t: Floats) -> Readings:
            on = in_turn(t, period, share)
            return {"operating_mode": on, "flame": on, "outdoor_temperature": outdoor, "room_temperature": 20.0}

        return told

    assert one(cycling.OVERSIZING, FURNACE, course(-8.0, 0.2, 1200.0), 3) == "oversizing"
    assert one(cycling.OVERSIZING, FURNACE, course(-8.0, 0.6, 1800.0), 3) == "ok"
    assert one(cycling.OVERSIZING, FURNACE, course(12.0, 0.1, 1200.0), 3) == "off"
    assert one(cycling.OVERSIZING, machine("air_handler"), course(-8.0, 0.2, 1200.0), 3) == "not_applicable"


def memory(share: float, days: int = 8) -> Cases:
    """A water heater whose recoveries warm the tank by `share` less than its memory expects."""
    nothing = np.full((1, WINDOW_DAYS), np.nan)
    sums = {f"residual.hot_water.recovery.{end}": nothing.copy() for end in "xsvn"}
    for end, value in (("s", 3600.0), ("x", -share * 3600.0), ("v", 0.03**2 * 3600.0), ("n", 40.0 * 3600.0)):
        sums[f"residual.hot_water.recovery.{end}"][0, -days:] = value
    return Cases([ELECTRIC], np.array([FIRST_DAY]), sums)


@pytest.mark.parametrize(("share", "days", "expected"), [(0.2, 8, "water_heater_scale"), (0.02, 8, "ok"), (0.2, 2, "not_enough_data")])
def test_DIA_02_scale_shows_in_recoveries_against_the_heaters_own_memory(share: float, days: int, expected: str) -> None:
    assert said(tanks.SCALE, memory(share, days)) == [expected]


def test_recoveries_give_kelvins_for_each_kilowatt_hour() -> None:
    def warmed(t: Floats) -> Readings:
        since = t % (6 * HOUR)
        top = 46.0 + 8.0 * np.where(since < 1800.0, since / 1800.0, 1.0 - (since - 1800.0) / (5.5 * HOUR))
        return tank(t, tank_top_temperature=top, tank_bottom_temperature=top - 6.0)

    cases = recorded({ELECTRIC: warmed}, 3, gaps=False)
    per_kwh = cases.total("recovery.rise") / cases.total("recovery.kwh")
    assert per_kwh[0] == pytest.approx(8.0 / 2.25, rel=0.05)


@pytest.mark.parametrize(("propane", "oxygen", "dew"), [(False, 0.0, 59.3), (False, 4.5, 55.0), (False, 9.0, 49.3), (True, 0.0, 55.0)])
def test_dew_point_of_flue_gas_is_that_of_the_handbooks(propane: bool, oxygen: float, dew: float) -> None:
    assert float(dew_point(np.array(propane), np.array(oxygen))) == pytest.approx(dew, abs=1.2)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=WINDOW_DAYS, max_size=WINDOW_DAYS), st.integers(1, 5), st.integers(0, 4))
def test_only_days_that_tell_something_count(days: list[tuple[bool, bool]], least: int, more: int) -> None:
    bad, known = np.array([[b for b, _ in days]]), np.array([[k for _, k in days]])
    enough, found, count = lasting(bad, known, Persistence(least, least + more))
    told = [b for b, k in days if k][-(least + more) :]
    assert bool(enough[0]) == (len(told) >= least)
    assert count[0] == sum(told)
    assert bool(found[0]) == (sum(told) >= least)


@settings(deadline=None)
@given(st.floats(1, 14), st.floats(1, 14), st.floats(0, 10))
def test_more_bad_days_never_make_it_less_sure(days: float, more: float, margin: float) -> None:
    one_, two = certainty(np.array([days]), margin), certainty(np.array([days + more]), margin)
    assert 0.0 <= one_[0] <= two[0] <= 0.98


def test_all_detectors_declare_faults_families_points_and_sources_that_exist() -> None:
    names = [detector.name for detector in DETECTORS]
    assert len(set(names)) == len(names)
    families = {profile.family for profile in PROFILES.values()}
    for detector in DETECTORS:
        assert set() < set(detector.faults) <= set(FAULTS), detector.name
        assert set() < detector.families <= families, detector.name
        assert {point for points in detector.needs for point in points} | set(detector.plot) <= set(POINTS), detector.name
        assert detector.source.strip(), detector.name
        assert detector.judge.__doc__, detector.name


def test_two_rules_of_one_fault_are_never_asked_about_the_same_machine() -> None:
    seen: dict[tuple[str, str], str] = {}
    for detector in DETECTORS:
        if detector.name == "sensors":
            continue  # what a sensor says of itself competes with what the circuit says of it
        for fault in detector.faults:
            if (detector.name, fault) == ("circuit", "water_heater_scale"):
                continue  # in a heat pump's tank it shows in the circuit too, where it competes with what looks like it
            for family in detector.families:
                assert seen.setdefault((fault, family), detector.name) == detector.name


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_a_machine_without_readings_has_no_fault(detector: Detector) -> None:
    kinds = [Machine(id=kind, type=kind) for kind in PROFILES if PROFILES[kind].family in detector.families]
    nothing = Cases(kinds, np.full(len(kinds), FIRST_DAY), {"s.covered": np.full((len(kinds), WINDOW_DAYS), np.nan)})
    with np.errstate(all="ignore"):
        verdicts = detector.judge(nothing)
    assert not (verdicts.status == Status.FAULT).any()
    assert not (verdicts.status == Status.OK).any()
    for figures in (verdicts.probability, verdicts.severity, verdicts.loss):
        assert set(figures) == set(detector.faults)
        assert all(values.shape == (len(kinds),) for values in figures.values())


def test_the_guide_lists_every_detector_as_it_is() -> None:
    assert faults.written() == faults.table(), "run .venv/bin/python -m tests.faults"
    assert len(re.findall(r"^### ", faults.written(), re.M)) == len(DETECTORS)
