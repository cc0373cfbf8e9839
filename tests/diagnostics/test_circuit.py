"""Faults of the circuit and of sensors, told from each other by what published rule charts say of them."""

from collections.abc import Mapping

import numpy as np
import pytest
from lineset.diagnostics.cases import WINDOW_DAYS, Cases, Status, Verdicts
from lineset.diagnostics.detectors import circuit, sensors
from lineset.diagnostics.detectors.likelihood import HYPOTHESES
from lineset.diagnostics.expectations import RELATIVE
from lineset.diagnostics.kinds import Norms
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.norms import norms_for
from lineset.diagnostics.samples import Floats
from lineset_contract.faults import FAULTS

STEADY = 4 * 3600.0
AIR_AIR = Machine("m", "heat_pump_air_air", capacity_w=8000.0)
COOLER = Machine("m", "air_conditioner")
RATED = Machine("m", "air_conditioner", capacity_w=10_000.0)
WATER = Machine("m", "heat_pump_air_water")

Signs = Mapping[str, float]

ROSSI_BRAUN: Mapping[str, Signs] = {
    "low_charge": {"evaporating": -1, "superheat": 1, "condensing": -1, "subcooling": -1, "discharge": 1},
    "compressor_valve_leak": {"evaporating": 1, "superheat": -1, "condensing": -1, "subcooling": -1, "discharge": 1},
    "liquid_line_restriction": {"evaporating": -1, "superheat": 1, "condensing": -1, "subcooling": 1, "discharge": 1},
    "outdoor_coil_fouling": {"evaporating": 0.5, "superheat": -0.6, "condensing": 1, "subcooling": -0.3, "discharge": 1},
    "low_air_flow": {"evaporating": -1, "superheat": -1, "condensing": -0.5, "subcooling": -0.2, "discharge": -0.5, "split": 1},
}
"""Signs of a cooling unit with a fixed orifice (Rossi & Braun 1997, table 1); those of a coil that the paper counts as weak, smaller."""

HEATING_CHART: Mapping[str, Signs] = {
    "overcharge": {"condensing": 1, "subcooling": 2, "superheat": 0, "evaporating": 0, "power": 0.02},
    "low_charge": {"condensing": -0.8, "evaporating": -1, "superheat": 1, "subcooling": -1.5, "power": -0.015},
    "liquid_line_restriction": {"condensing": -0.5, "evaporating": -1, "superheat": 1.2, "subcooling": 1, "power": -0.01},
    "outdoor_coil_fouling": {"condensing": -0.4, "evaporating": -1.3, "superheat": -0.3, "subcooling": -0.2, "outdoor_coil": -1.2},
    "low_air_flow": {"condensing": 1.2, "evaporating": 0.1, "superheat": -0.2, "subcooling": 0.1, "split": 1.4, "power": 0.02},
}
"""Heating, from makers' trouble-shooting charts (high, low, normal), as multiples of the size asked for."""


def days(value: float, count: int = WINDOW_DAYS, last: int = WINDOW_DAYS) -> Floats:
    out = np.full((1, count), np.nan)
    out[0, -last:] = value
    return out


def case(
    machine: Machine,
    mode: str,
    deviation: Mapping[str, float],
    *,
    last: int = 5,
    doubt: float = 0.5,
    points: tuple[str, ...] = (),
    also: Mapping[str, Floats] | None = None,
) -> Cases:
    """A machine that ran for two weeks and has deviated for the `last` days; channels named with 0 were as ever."""
    sums = {f"steady.{mode}.s": days(STEADY), "sense.flips": days(12.0)}
    for channel, value in deviation.items():
        stem = f"residual.{mode}.{channel}"
        scale = 0.06 if channel in RELATIVE else 1.0
        rng = np.random.default_rng(len(channel))
        daily = rng.normal(0, 0.3 * scale, (1, WINDOW_DAYS))
        daily[0, WINDOW_DAYS - last :] += value
        sums |= {f"{stem}.x": daily * STEADY, f"{stem}.s": days(STEADY), f"{stem}.v": days(STEADY * (doubt * scale) ** 2)}
    for point in points:
        sums |= {f"sense.{point}.rows": days(1440.0), f"sense.{point}.moved": days(300.0)}
    return Cases([machine], np.array([20_000]), sums | dict(also or {}))


def likely(verdicts: Verdicts) -> list[str]:
    """Faults that together hold nine tenths of what the verdict gives to faults, the likeliest first."""
    shares = {fault: float(p[0]) for fault, p in verdicts.probability.items()}
    ranked, total, found = sorted(shares.items(), key=lambda item: -item[1]), sum(shares.values()), list[str]()
    for fault, share in ranked:
        if found and sum(shares[f] for f in found) >= 0.9 * total:
            break
        found.append(fault)
        assert share >= 0
    return found


@pytest.mark.parametrize("fault", ROSSI_BRAUN)
@pytest.mark.parametrize("size", [4.0, 7.0])
def test_DIA_02_faults_of_a_cooling_unit_are_named_by_the_published_chart(fault: str, size: float) -> None:
    said = circuit.judge(case(COOLER, "cooling", {channel: sign * size for channel, sign in ROSSI_BRAUN[fault].items()}))
    assert said.status[0] == Status.FAULT
    assert fault in likely(said)
    assert len(likely(said)) <= 2


@pytest.mark.parametrize("fault", HEATING_CHART)
def test_DIA_02_faults_of_a_heat_pump_in_heating_are_named(fault: str) -> None:
    said = circuit.judge(case(AIR_AIR, "heating", {channel: sign * 5.0 for channel, sign in HEATING_CHART[fault].items()}))
    assert said.status[0] == Status.FAULT
    assert likely(said)[0] == fault
    assert 0.05 <= said.severity[fault][0] <= 0.5


def test_DIA_02_without_pressures_low_charge_and_a_restriction_look_alike_and_both_are_said() -> None:
    seen = {"split": -2.6, "power": -0.06, "capacity": -0.2, "discharge": 9.0, "indoor_coil": -4.0}
    said = circuit.judge(case(COOLER, "cooling", seen))
    assert said.status[0] == Status.FAULT
    assert {"low_charge", "liquid_line_restriction"} <= set(likely(said))
    told = circuit.judge(case(COOLER, "cooling", seen | {"subcooling": -6.0, "superheat": 9.0, "evaporating": -5.0, "condensing": -3.0}))
    assert likely(told) == ["low_charge"]


def test_DIA_02_a_sensor_that_is_off_is_no_fault_of_the_circuit() -> None:
    quiet = {"subcooling": 0.0, "evaporating": 0.0, "condensing": 0.0, "discharge": 0.0, "split": 0.0, "power": 0.0, "capacity": 0.0}
    points = ("suction_line_temperature", "liquid_line_temperature", "electric_power", "outdoor_temperature")
    said = circuit.judge(case(AIR_AIR, "heating", {**quiet, "superheat": 7.0}, points=points))
    assert said.status[0] == Status.FAULT
    assert likely(said)[0] == "sensor_biased"
    assert said.evidence["suction_line_temperature_error_K"][0] == pytest.approx(7.0, abs=1.2)


def test_a_sensor_whose_error_grows_day_by_day_drifts() -> None:
    slope = np.linspace(0, 9, WINDOW_DAYS)[None, :]
    quiet = {"subcooling": 0.0, "evaporating": 0.0, "condensing": 0.0, "discharge": 0.0, "power": 0.0, "capacity": 0.0, "superheat": 0.0}
    grown = case(AIR_AIR, "heating", quiet, points=("suction_line_temperature", "electric_power"))
    sums = dict(grown.sums) | {"residual.heating.superheat.x": slope * STEADY}
    said = circuit.judge(Cases(grown.machines, grown.day, sums))
    assert likely(said)[0] == "sensor_drifting"


def test_DIA_02_a_healthy_machine_is_left_alone() -> None:
    rng = np.random.default_rng(3)
    channels = ("superheat", "subcooling", "evaporating", "condensing", "discharge", "split", "power", "capacity")
    for _ in range(40):
        off = {c: float(rng.normal(0, 0.04 if c in RELATIVE else 2.0 if c == "discharge" else 0.9)) for c in channels}
        assert circuit.judge(case(AIR_AIR, "heating", off, last=WINDOW_DAYS)).status[0] == Status.OK, off


def test_one_odd_day_is_no_finding() -> None:
    seen = {channel: sign * 8.0 for channel, sign in ROSSI_BRAUN["low_charge"].items()}
    assert circuit.judge(case(COOLER, "cooling", seen, last=1)).status[0] == Status.OK


def test_a_machine_that_knows_little_of_itself_says_less() -> None:
    seen = {channel: sign * 4.0 for channel, sign in ROSSI_BRAUN["low_charge"].items()}
    sure, unsure = (circuit.judge(case(COOLER, "cooling", seen, doubt=doubt)).probability["low_charge"][0] for doubt in (0.5, 8.0))
    assert sure > 0.9
    assert unsure < 0.5


@pytest.mark.parametrize(
    ("fault", "superheat", "subcooling"), [("low_charge", 24.0, 0.0), ("liquid_line_restriction", 24.0, 17.0), ("overcharge", 4.0, 24.0)]
)
def test_DIA_02_a_machine_that_was_never_healthy_is_found_by_what_its_kind_should_read(
    fault: str, superheat: float, subcooling: float
) -> None:
    sums = {"steady.cooling.s": days(2400.0, last=2)}
    low = {"low_charge": -6.0, "liquid_line_restriction": -7.0, "overcharge": 0.0}[fault]
    high = {"low_charge": -5.0, "liquid_line_restriction": -2.0, "overcharge": 9.0}[fault]
    readings = {
        "superheat": superheat,
        "subcooling": subcooling,
        "condensing_over_sink": 13.0 + high,
        "source_over_evaporating": 15.0 - low,
    }
    for channel, value in readings.items():
        sums |= {f"steady.cooling.{channel}.x": days(value * 2400.0, last=2), f"steady.cooling.{channel}.s": days(2400.0, last=2)}
    said = circuit.judge(Cases([COOLER], np.array([20_000]), sums))
    assert said.status[0] == Status.FAULT
    assert fault in likely(said)
    assert sum(p[0] for p in said.probability.values()) <= 0.86


SOUND: Signs = {
    "coil_over_sink": 10.0,
    "source_over_coil": 15.0,
    "suction_over_coil": 6.0,
    "coil_over_liquid": 5.0,
    "split": 11.0,
    "humidity": 50.0,
    "source": 24.5,
    "sink": 34.0,
    "carnot": 0.55,
}
"""What an air conditioner in good order reads on a hot day, with sensors in its coils and no gauges."""


def test_DIA_02_a_burner_s_heat_says_nothing_of_the_circuit_that_rests() -> None:
    rooftop = Machine("m", "rooftop_unit", fuel="natural_gas")
    heats = Machine("m", "heat_pump_air_air")
    read = {"suction_over_coil": 19.0, "coil_over_liquid": 0.2, "coil_over_sink": 11.0, "source_over_coil": 17.0}
    sums = {"steady.heating.s": days(STEADY, last=4), "sense.flips": days(12.0)}
    for channel, value in read.items():
        sums |= {f"steady.heating.{channel}.x": days(value * STEADY, last=4), f"steady.heating.{channel}.s": days(STEADY, last=4)}
    assert circuit.judge(Cases([heats], np.array([20_000]), sums)).status[0] == Status.FAULT, "a heat pump that read so would be ill"
    assert circuit.judge(Cases([rooftop], np.array([20_000]), sums)).status[0] != Status.FAULT


def test_DIA_02_a_condenser_that_is_held_warm_in_the_cold_is_no_overcharge() -> None:
    held = {"coil_over_sink": 24.0, "coil_over_liquid": 12.0, "carnot": 0.45}
    assert "overcharge" in likely(unseen(**held))
    assert unseen(**held, sink=6.0).status[0] != Status.FAULT


def unseen(**off: float) -> Verdicts:
    """The verdict on an air conditioner that has read like `SOUND`, but for `off`, since its first reading."""
    return of_a_make(None, off)


def of_a_make(norms: Norms | None, off: Mapping[str, float]) -> Verdicts:
    """The same where that is known of its make."""
    sums = {"steady.cooling.s": days(STEADY, last=4), "sense.flips": days(12.0)}
    for channel, value in {**SOUND, **off}.items():
        sums |= {f"steady.cooling.{channel}.x": days(value * STEADY, last=4), f"steady.cooling.{channel}.s": days(STEADY, last=4)}
    for point in ("supply_air_temperature", "suction_line_temperature"):
        sums |= {f"sense.{point}.rows": days(288.0), f"sense.{point}.moved": days(300.0)}
    return circuit.judge(Cases([RATED], np.array([20_000]), sums, norms))


@pytest.mark.parametrize(
    ("fault", "off"),
    [
        ("low_charge", {"suction_over_coil": 18.0, "coil_over_liquid": 0.3, "source_over_coil": 21.0, "coil_over_sink": 7.0}),
        ("liquid_line_restriction", {"suction_over_coil": 19.0, "coil_over_liquid": 11.0, "source_over_coil": 24.0, "coil_over_sink": 7.0}),
        ("low_air_flow", {"split": 18.0, "source_over_coil": 21.0}),
        ("compressor_valve_leak", {"carnot": 0.34, "source_over_coil": 9.0, "coil_over_sink": 6.0, "split": 8.0}),
        ("outdoor_coil_fouling", {"coil_over_sink": 25.0}),
    ],
)
def test_DIA_02_coils_and_the_efficiency_of_the_circuit_tell_of_a_fault_older_than_the_first_reading(
    fault: str, off: dict[str, float]
) -> None:
    said = unseen(**off)
    assert said.status[0] == Status.FAULT
    assert fault in likely(said)


@pytest.mark.parametrize("off", [{}, {"split": 13.5}, {"coil_over_sink": 15.0}, {"suction_over_coil": 11.0}, {"carnot": 0.45}])
def test_makes_differ_and_are_sound(off: dict[str, float]) -> None:
    assert unseen(**off).status[0] == Status.OK


@pytest.mark.parametrize(
    ("off", "norm", "alone", "beside"),
    [
        # a third less efficient than others of its make, though within what makes reach
        ({"carnot": 0.42}, {"cooling.carnot": (0.1, 0.04)}, Status.OK, Status.FAULT),
        # less cold than it was sold for, as installations may make it, but not those of this make
        (
            {"own_capacity": 7200.0, "carnot": 0.46, "split": 9.5},
            {"cooling.capacity": (0.0, 0.03), "cooling.carnot": (0.0, 0.05)},
            Status.OK,
            Status.FAULT,
        ),
        # small coils, as all of this make have them
        ({"coil_over_sink": 25.0}, {"cooling.condensing": (14.0, 2.0)}, Status.FAULT, Status.OK),
    ],
)
def test_DIA_07_what_the_fleet_taught_of_a_make_says_whether_its_machine_is_ill(
    off: dict[str, float], norm: dict[str, tuple[float, float]], alone: Status, beside: Status
) -> None:
    known = norms_for([COOLER], {(COOLER.type, "", ""): norm})
    assert (unseen(**off).status[0], of_a_make(known, off).status[0]) == (alone, beside)


def test_a_slow_compressor_and_dry_air_are_no_faults() -> None:
    assert unseen(speed=40.0, coil_over_sink=6.0, source_over_coil=10.5, carnot=0.47).status[0] == Status.OK
    assert unseen(humidity=20.0, split=13.5).status[0] == Status.OK
    assert unseen(speed=0.0).status[0] == Status.OK  # a machine that doesn't tell its speed


def test_a_meter_seldom_reads_a_quarter_too_much() -> None:
    """Power that rises by a quarter, alone, is lost in the compressor sooner than in the meter."""
    seen = {"power": 0.23, "capacity": 0.0, "split": 0.0, "outdoor_coil": 0.0, "indoor_coil": 0.0, "liquid_line": 0.0}
    said = circuit.judge(case(COOLER, "cooling", seen, points=("electric_power",)))
    assert said.status[0] == Status.FAULT
    assert "cop_degradation" in likely(said)


def test_scale_shows_in_the_circuit_of_a_heat_pump_s_tank() -> None:
    seen = {"condensing": 7.0, "liquid_line": 6.0, "discharge": 9.0, "power": 0.1, "subcooling": 0.2, "superheat": 0.0, "evaporating": 0.3}
    said = circuit.judge(case(Machine("m", "water_heater_heat_pump"), "hot_water", seen))
    assert said.status[0] == Status.FAULT
    assert likely(said)[0] == "water_heater_scale"


def test_machines_that_have_no_circuit_or_did_not_run_are_said_so() -> None:
    idle = Cases([AIR_AIR, Machine("f", "water_heater_gas")], np.array([1, 1]), {})
    assert circuit.judge(idle).status.tolist() == [Status.NOT_ENOUGH_DATA, Status.NOT_APPLICABLE]


def test_every_signature_is_of_a_known_fault_and_every_prior_counts() -> None:
    assert {each.name for each in HYPOTHESES} - {"none", "unknown", "sensor"} <= set(FAULTS)
    assert set(circuit.FAULTS) | set(sensors.FAULTS) <= set(FAULTS)
    for heater in (True, False):
        mine = sum(each.prior for each in HYPOTHESES if each.heater in (None, heater))
        assert mine == pytest.approx(1.0, abs=0.01)


def stuck_sums(still: str) -> dict[str, Floats]:
    sums = {"sense.flips": days(12.0)}
    for point in ("suction_line_temperature", "supply_air_temperature", "outdoor_temperature", "room_temperature"):
        moved = days(200.0)
        if point == still:
            moved[0, -4:] = 0.0
        sums |= {f"sense.{point}.rows": days(288.0), f"sense.{point}.moved": moved}
    return sums


@pytest.mark.parametrize("point", ["suction_line_temperature", "supply_air_temperature", "outdoor_temperature"])
def test_DIA_02_a_sensor_that_stands_still_while_the_machine_works_is_stuck(point: str) -> None:
    said = sensors.judge(Cases([AIR_AIR], np.array([20_000]), stuck_sums(point)))
    assert said.status[0] == Status.FAULT
    assert likely(said) == ["sensor_stuck"]
    assert said.evidence[f"{point}_stuck_d"][0] == 4.0


def test_sensors_that_move_are_not_stuck_and_a_machine_at_rest_is_not_either() -> None:
    assert sensors.judge(Cases([AIR_AIR], np.array([20_000]), stuck_sums("nothing"))).status[0] == Status.OK
    resting = stuck_sums("suction_line_temperature") | {"sense.flips": days(0.0)}
    assert sensors.judge(Cases([AIR_AIR], np.array([20_000]), resting)).status[0] == Status.OK


def test_a_stuck_sensor_makes_no_fault_of_the_circuit() -> None:
    seen = {"superheat": 9.0, "subcooling": 0.0, "evaporating": 0.0, "condensing": 0.0, "discharge": 0.0, "power": 0.0}
    with_stuck = case(AIR_AIR, "heating", seen, also=stuck_sums("suction_line_temperature"))
    assert circuit.judge(with_stuck).status[0] == Status.OK
    assert sensors.judge(with_stuck).status[0] == Status.FAULT


def turned(pair: str, nearer: float, machine: Machine = AIR_AIR, also: Mapping[str, Floats] | None = None) -> Verdicts:
    mode = pair.partition(".")[2]
    sums = {f"way.{pair}.s": days(STEADY), f"way.{pair}.wrong": days(STEADY), "sense.supply_air_temperature.rows": days(1440.0)}
    sums |= {f"way.{mode}.room.x": days(nearer * STEADY), f"way.{mode}.room.s": days(STEADY)} if mode else {}
    return sensors.judge(Cases([machine], np.array([20_000]), sums | dict(also or {})))


def test_DIA_02_swapped_sensors_and_a_stuck_reversing_valve_are_told_apart() -> None:
    assert likely(turned("air.heating", 8.0)) == ["sensor_swapped"]
    assert likely(turned("air.heating", -8.0)) == ["reversing_valve"]
    assert set(likely(turned("air.heating", 0.0))) == {"sensor_swapped", "reversing_valve"}
    assert likely(turned("air.cooling", 0.0, COOLER)) == ["sensor_swapped"]
    assert set(likely(turned("lines", 0.0))) == {"sensor_swapped", "liquid_line_restriction"}
    assert likely(turned("discharge", 0.0)) == ["sensor_swapped"]
