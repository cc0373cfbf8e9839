"""The zone: energy is kept, the exact step agrees with many small ones, and long steps are stable."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset_simulator import air
from lineset_simulator.house import ARCHETYPES, Zone, ZoneState
from lineset_simulator.spec import ZoneSpec

zones = st.builds(ZoneSpec, name=st.just("Z"), archetype=st.sampled_from(sorted(ARCHETYPES)), area=st.floats(30.0, 600.0))
watts = st.floats(-12000.0, 15000.0)


@settings(max_examples=40, deadline=None)
@given(zones, watts, st.floats(0.0, 5000.0), st.floats(-25.0, 35.0), st.floats(10.0, 30.0), st.floats(10.0, 30.0))
def test_energy_of_a_zone_is_kept(spec: ZoneSpec, heat: float, sun: float, outdoor: float, t_air: float, t_mass: float) -> None:
    zone = Zone(spec)
    zone.state = ZoneState(air=t_air, mass=t_mass)
    small = msgspec.structs.replace(zone.state)
    gained = 0.0
    # many explicit small steps, counting what comes in from outside, against one exact step
    dt = 1.0
    for _ in range(600):
        lost_air, lost_mass = zone.u_air * (outdoor - small.air), zone.u_mass * (outdoor - small.mass)
        between = zone.u_between * (small.mass - small.air)
        gained += dt * (heat + sun + lost_air + lost_mass)
        small.air += dt / zone.c_air * (lost_air + between + heat)
        small.mass += dt / zone.c_mass * (lost_mass - between + sun)
    zone.heat, zone.radiant = heat, sun
    zone.finish(600.0, outdoor, 0.005, 3.0, 0.0, 0.0)
    assert zone.state.air == pytest.approx(small.air, abs=0.01)
    assert zone.state.mass == pytest.approx(small.mass, abs=0.01)
    stored = zone.c_air * (zone.state.air - t_air) + zone.c_mass * (zone.state.mass - t_mass)
    assert stored == pytest.approx(gained, abs=0.01 * (zone.c_air + zone.c_mass))


@settings(max_examples=30, deadline=None)
@given(zones, st.floats(-25.0, 24.0), st.floats(1.0, 864000.0))
def test_a_step_of_any_length_is_stable(spec: ZoneSpec, outdoor: float, dt: float) -> None:
    zone = Zone(spec)
    zone.state = ZoneState(air=21.0, mass=20.0)
    for _ in range(3):
        zone.finish(dt, outdoor, 0.005, 3.0, 0.0, 0.0)
        assert min(outdoor, 20.0) - 1e-6 <= zone.state.air <= max(outdoor, 21.0) + 1e-6


def test_humidity_and_stale_air_follow_people_and_outdoors() -> None:
    zone = Zone(ZoneSpec("Z", "house", 100.0))
    for _ in range(7 * 24):
        zone.finish(3600.0, 0.0, 0.003, 3.0, 3e-5, 3.0)
    assert 0.003 < zone.state.ratio < 0.012
    assert 600.0 < zone.state.co2 < 2500.0
    for _ in range(14 * 24):
        zone.finish(3600.0, 0.0, 0.003, 3.0, 0.0, 0.0)
    assert zone.state.ratio == pytest.approx(0.003, abs=3e-4)
    assert zone.state.co2 == pytest.approx(420.0, abs=15.0)


def test_moist_air_agrees_with_tables() -> None:
    # ASHRAE Fundamentals, psychrometric chart at sea level
    assert air.saturation_ratio(20.0) == pytest.approx(0.01470, abs=2e-4)
    assert air.relative_humidity(26.7, 0.0112) == pytest.approx(0.51, abs=0.01)
    t = np.array([26.7, 35.0, 8.3, -8.3])
    ratio = np.array([0.01115, 0.0141, 0.0049, 0.0013])
    assert air.wet_bulb(t, ratio) == pytest.approx([19.4, 24.0, 6.1, -9.4], abs=0.5)
    assert air.dew_point(np.array([0.0147]))[0] == pytest.approx(20.0, abs=0.2)
