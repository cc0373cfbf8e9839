"""Detectors of everything but the refrigerant circuit, from readings written down by hand to what they say."""

from collections.abc import Callable

import numpy as np
import pytest
from lineset.diagnostics.cases import Detector
from lineset.diagnostics.detectors import backup, contact, cycling, defrost, demands, hunting, standby
from lineset.diagnostics.samples import DAY_S, Floats

from tests.diagnostics.courses import Readings, in_turn, machine, one

HOUR = 3600.0
AIR_WATER = machine("heat_pump_air_water", capacity_w=9000.0)
Course = Callable[[Floats], Readings]


def heating(t: Floats, **over: Floats | float) -> dict[str, Floats | float]:
    """A heat pump in winter: runs of 40 minutes an hour, a defrost of 4 minutes every hour and a half, all in order."""
    on = in_turn(t, HOUR, 0.66)
    thaw = in_turn(t, 5400.0, 240 / 5400.0, 900.0) * on
    outdoor = 1.0 + 2.0 * np.sin(2 * np.pi * (t / DAY_S - 0.4))
    usual: dict[str, Floats | float] = {
        "operating_mode": np.where(thaw > 0, 3.0, on),
        "compressor_state": on,
        "compressor_speed": 70.0 * on,
        "defrost_state": thaw,
        "auxiliary_heat_state": 0.0,
        "outdoor_temperature": outdoor,
        "outdoor_humidity": 85.0,
        "outdoor_coil_temperature": np.where(thaw > 0, 14.0, np.where(on > 0, outdoor - 7.0, outdoor)),
        "superheat": np.where(on > 0, 6.0, 0.0),
        "expansion_valve_position": 40.0 * on,
        "electric_power": np.where(on > 0, 2300.0, 22.0),
        "room_temperature": 20.8,
        "heating_setpoint": 21.0,
        "system_mode": 1.0,
        "water_flow_rate": np.where(on > 0, 0.32, 0.0),
        "pump_speed": 60.0 * on,
        "outlet_water_temperature": 34.0 + 5.0 * on,
        "inlet_water_temperature": 34.0,
    }
    return usual | over


def summer(t: Floats) -> dict[str, Floats | float]:
    """The same machine in summer, resting."""
    return heating(t, outdoor_temperature=26.0, operating_mode=0.0, compressor_state=0.0, compressor_speed=0.0, defrost_state=0.0) | {
        "outdoor_coil_temperature": 26.0,
        "electric_power": 22.0,
        "water_flow_rate": 0.0,
        "pump_speed": 0.0,
        "system_mode": 0.0,
    }


def long_defrosts(t: Floats) -> Readings:
    thaw = in_turn(t, 3 * HOUR, 1500 / (3 * HOUR), 900.0)
    return heating(t, operating_mode=np.where(thaw > 0, 3.0, 1.0), compressor_state=1.0, defrost_state=thaw, outdoor_coil_temperature=1.0)


def cut_defrosts(t: Floats) -> Readings:
    thaw = in_turn(t, 1200.0, 180 / 1200.0)
    usual = heating(t)
    return usual | {
        "operating_mode": np.where(thaw > 0, 3.0, 1.0),
        "compressor_state": 1.0,
        "defrost_state": thaw,
        "outdoor_coil_temperature": -4.0,
    }


def frosts(t: Floats, in_frost: float, dry: float) -> Readings:
    """Three dry days, then frost with a defrost every hour and a half; how deep the coil lies under its air in each (K)."""
    icy = t - t[0] > 3 * DAY_S
    outdoor = np.where(icy, 0.0, 10.0)
    usual = heating(t, outdoor_temperature=outdoor, operating_mode=1.0, compressor_state=1.0, defrost_state=0.0)
    thaw = in_turn(t, 5400.0, 240 / 5400.0, 900.0) * icy
    coil = np.where(thaw > 0, 14.0, outdoor - np.where(icy, in_frost, dry))
    return usual | {"operating_mode": np.where(thaw > 0, 3.0, 1.0), "defrost_state": thaw, "outdoor_coil_temperature": coil}


def stays_iced(t: Floats) -> Readings:
    return frosts(t, in_frost=13.0, dry=5.0)


def always_deep(t: Floats) -> Readings:
    """A dirty coil, not an iced one."""
    return frosts(t, in_frost=14.0, dry=12.0)


def no_defrosts(t: Floats) -> Readings:
    usual = heating(t)
    on, outdoor = np.asarray(usual["compressor_state"]), np.asarray(usual["outdoor_temperature"])
    return usual | {"operating_mode": on, "defrost_state": 0.0, "outdoor_coil_temperature": np.where(on > 0, outdoor - 17.0, outdoor)}


def dry_cold(t: Floats) -> Readings:
    """No defrost, and none needed: the coil stays near its air."""
    usual = heating(t)
    on, outdoor = np.asarray(usual["compressor_state"]), np.asarray(usual["outdoor_temperature"])
    return usual | {"operating_mode": on, "defrost_state": 0.0, "outdoor_coil_temperature": np.where(on > 0, outdoor - 6.0, outdoor)}


def hunts(t: Floats) -> Readings:
    wave = np.sin(2 * np.pi * t / 390.0)
    usual = heating(t, superheat=7.0 + 6.0 * wave, expansion_valve_position=40.0 + 8.0 * wave)
    return usual | {"operating_mode": 1.0, "compressor_state": 1.0, "compressor_speed": 70.0, "defrost_state": 0.0}


def gurgles(t: Floats) -> Readings:
    jumps = np.random.default_rng(3).normal(0.0, 0.05, len(t))
    on = np.asarray(heating(t)["compressor_state"])
    return heating(t, water_flow_rate=np.where(on > 0, np.maximum(0.02, 0.26 + jumps), 0.0))


def short_runs(t: Floats) -> Readings:
    on = in_turn(t, 420.0, 180 / 420.0)
    return heating(t, operating_mode=on, compressor_state=on, defrost_state=0.0)


def backup_on(t: Floats) -> Readings:
    return heating(t, auxiliary_heat_state=in_turn(t, HOUR, 0.5), outdoor_temperature=8.0)


def recovery_only(t: Floats) -> Readings:
    """Backup heat for twenty minutes in the morning, and while it is bitterly cold."""
    morning = ((t % DAY_S) > 6 * HOUR) & ((t % DAY_S) < 6 * HOUR + 1200)
    return heating(t, auxiliary_heat_state=morning.astype(float), outdoor_temperature=6.0)


def thirsty(t: Floats) -> Readings:
    return heating(t, electric_power=np.where(in_turn(t, HOUR, 0.66) > 0, 2300.0, 210.0))


HEAT_PUMP_CASES: list[tuple[Detector, Course, str]] = [
    (defrost.STUCK, heating, "ok"),
    (defrost.STUCK, summer, "off"),
    (defrost.STUCK, long_defrosts, "defrost_stuck"),
    (defrost.STUCK, cut_defrosts, "defrost_stuck"),
    (defrost.STUCK, stays_iced, "defrost_stuck"),
    (defrost.STUCK, always_deep, "ok"),
    (defrost.MISSED, heating, "ok"),
    (defrost.MISSED, summer, "off"),
    (defrost.MISSED, no_defrosts, "defrost_missed"),
    (defrost.MISSED, dry_cold, "ok"),
    (hunting.HUNTING, heating, "ok"),
    (hunting.HUNTING, hunts, "expansion_valve_hunting"),
    (hunting.HUNTING, summer, "off"),
    (hunting.AIR, heating, "ok"),
    (hunting.AIR, gurgles, "air_in_water"),
    (cycling.SHORT, heating, "ok"),
    (cycling.SHORT, short_runs, "short_cycling"),
    (cycling.SHORT, summer, "off"),
    (backup.BACKUP, heating, "ok"),
    (backup.BACKUP, recovery_only, "ok"),
    (backup.BACKUP, backup_on, "auxiliary_heat_locked_in"),
    (backup.BACKUP, summer, "off"),
    (standby.STANDBY, heating, "ok"),
    (standby.STANDBY, thirsty, "standby_excess"),
    (demands.UNMET, heating, "ok"),
    (demands.OPPOSED, heating, "ok"),
    (contact.CONTACT, heating, "ok"),
]


@pytest.mark.parametrize(("detector", "course", "expected"), HEAT_PUMP_CASES, ids=lambda v: getattr(v, "name", getattr(v, "__name__", v)))
def test_DIA_02_a_heat_pump_in_order_and_with_each_fault(detector: Detector, course: Course, expected: str) -> None:
    assert one(detector, AIR_WATER, course) == expected


@pytest.mark.parametrize("step", [20.0, 300.0, 900.0])
@pytest.mark.parametrize(
    ("detector", "course", "expected"),
    [
        (defrost.STUCK, heating, {"ok"}),
        (defrost.STUCK, long_defrosts, {"defrost_stuck"}),
        (defrost.MISSED, no_defrosts, {"defrost_missed"}),
        (hunting.HUNTING, heating, {"ok"}),
        (hunting.HUNTING, hunts, {"expansion_valve_hunting"}),
        (hunting.AIR, heating, {"ok", "off", "not_enough_data"}),
        (cycling.SHORT, heating, {"ok", "not_enough_data"}),
        (backup.BACKUP, backup_on, {"auxiliary_heat_locked_in"}),
        (backup.BACKUP, heating, {"ok"}),
        (standby.STANDBY, heating, {"ok"}),
        (standby.STANDBY, thirsty, {"standby_excess"}),
    ],
    ids=lambda v: getattr(v, "name", getattr(v, "__name__", "")),
)
def test_rules_hold_at_steps_from_twenty_seconds_to_a_quarter_of_an_hour(
    detector: Detector, course: Course, expected: set[str], step: float
) -> None:
    assert one(detector, AIR_WATER, course, days=4, step=step) in expected
