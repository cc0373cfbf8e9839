"""A home as a whole: seeds, set points, silence, states, and every reading inside the contract."""

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lineset_contract.points import POINTS
from lineset_contract.profiles import PROFILES, profile
from lineset_contract.values import check_frame
from lineset_contract.wire import Frame
from lineset_simulator import EquipmentSpec, Fault, Home, HomeSpec, HomeState, Silence, demo_fleet, history
from lineset_simulator.machines.base import SettingUnknown
from lineset_simulator.weather import CLIMATES

from .homes import HOUSE, home, machine, moment, watch

DAY = 86400.0
FLEET = demo_fleet(7)
HEAT_PUMP = machine("hp1", "heat_pump_air_air", 10500.0, stages=0, backup=9000.0)
HEATER = machine("wh1", "water_heater_electric", 4500.0)
THERMOSTAT = machine("tstat", "thermostat", 1.0)
SMALL = home(HEAT_PUMP, HEATER, THERMOSTAT)


def frame(frames: list[Frame], name: str) -> Frame:
    return next(f for f in frames if f.e == name)


def number(found: Frame, point: str) -> float:
    value = found.v[point]
    assert isinstance(value, (int, float))
    return float(value)


def test_the_same_seed_lives_the_same_life_and_another_does_not() -> None:
    def lived(spec: HomeSpec) -> bytes:
        made = Home(spec, moment(2))
        made.step(4 * 3600.0)
        return msgspec.json.encode((made.state(), made.frames(made.t)))

    assert lived(SMALL) == lived(SMALL)
    assert lived(SMALL) != lived(msgspec.structs.replace(SMALL, seed=12))


def test_a_written_set_point_changes_the_room_within_hours() -> None:
    for local in ("hp1", "tstat"):
        warm, cold = Home(SMALL, moment(1)), Home(SMALL, moment(1))
        for lived in (warm, cold):
            lived.step(6 * 3600.0)
        warm.write(local, "heating_setpoint", 22.5)
        cold.write(local, "heating_setpoint", 17.0)
        for lived in (warm, cold):
            lived.step(7200.0)
        assert number(frame(warm.frames(warm.t), local), "heating_setpoint") == 22.5
        for lived in (warm, cold):
            lived.step(3 * 3600.0)
        assert warm.zones[0].state.air > 21.3
        assert cold.zones[0].state.air < 19.5


def test_every_setting_of_a_machine_is_written_and_read_back() -> None:
    done: dict[str, set[str]] = {kind: set() for kind in PROFILES}
    for spec in FLEET:
        lived, stamp = Home(spec, moment(3)), moment(3)
        for e in spec.equipment:
            for name in set(profile(e.type).settings) - done[e.type]:
                setting = profile(e.type).settings[name]
                wanted = setting.choices[-1] if setting.choices else setting.low + setting.step * 2
                try:
                    lived.write(e.local, name, wanted)
                except SettingUnknown:
                    continue
                done[e.type].add(name)
                stamp += 60.0
                lived.step(1.0)
                found = frame(lived.frames(stamp), e.local).v.get(setting.point)
                if isinstance(wanted, str):
                    assert found == wanted, (e.type, name)
                else:
                    assert isinstance(found, float), (e.type, name)
                    assert abs(found - wanted) <= setting.tolerance, (e.type, name, found, wanted)
    # what no machine of the fleet can be set to: no cooling by water, ducts without a pressure control
    missing = {(kind, name) for kind, found in PROFILES.items() for name in found.settings if name not in done[kind]}
    assert missing == {("heat_pump_air_water", "cooling_setpoint"), ("air_handler", "static_pressure_setpoint")}


def test_writing_refuses_what_cannot_be() -> None:
    lived = Home(SMALL, moment(3))
    with pytest.raises(KeyError, match="there are: hp1, wh1, tstat"):
        lived.write("hp9", "heating_setpoint", 20.0)
    with pytest.raises(SettingUnknown, match="it has: hot_water_setpoint"):
        lived.write("wh1", "heating_setpoint", 20.0)
    with pytest.raises(ValueError, match="use one of: off, heating"):
        lived.write("hp1", "system_mode", "sauna")
    with pytest.raises(ValueError, match="needs a value"):
        lived.write("hp1", "heating_setpoint", None)


def test_a_restart_shows_in_the_uptime() -> None:
    lived = Home(SMALL, moment(3))
    before = number(frame(lived.frames(lived.t), "hp1"), "controller_uptime")
    lived.write("hp1", "restart", 1.0)
    lived.step(60.0)
    assert number(frame(lived.frames(lived.t), "hp1"), "controller_uptime") < 61.0 < before


def test_switched_off_a_home_is_still_kept_from_freezing() -> None:
    lived = Home(SMALL, moment(1), moment(1))
    lived.write("hp1", "system_mode", "off")
    lived.zones[0].state.air = lived.zones[0].state.mass = 8.0
    coldest = min(float(watch(lived, 6.0, 600.0)["tstat"]["room_temperature"].min()) for _ in range(4))
    assert 5.0 < coldest < 9.0


@pytest.mark.parametrize("number_of_home", [0, 2, 6, 9, 18])
def test_history_joins_the_live_home_without_a_jump(number_of_home: int) -> None:
    spec = FLEET[number_of_home]
    end = moment(11, 22, 17)
    made = history(spec, end - DAY, end)
    last = {}
    for block in made:
        last[block.equipment] = block
    wire = msgspec.json.encode(made.state)
    live = Home.restore(spec, msgspec.json.decode(wire, type=HomeState))
    assert live.t == end
    assert msgspec.json.encode(live.state()) == wire
    joined = {f.e: f for f in live.frames(end)}
    for local, block in last.items():
        for point, values in block.points.items():
            if not np.isnan(values[-1]) and POINTS[point].kind != "code" and point != "controller_uptime":
                assert number(joined[local], point) == pytest.approx(values[-1], rel=1e-6, abs=1e-3), (local, point)
    live.step(10.0)
    for found in live.frames(end + 60.0):
        for point in ("room_temperature", "tank_top_temperature"):
            if found.e in joined and isinstance(found.v.get(point), float):
                assert number(found, point) == pytest.approx(number(joined[found.e], point), abs=0.6)
        for point, value in found.v.items():
            if POINTS[point].kind == "counter" and isinstance(value, float):
                assert value >= number(joined[found.e], point), (found.e, point)


def test_a_state_of_another_home_is_refused() -> None:
    state = Home(SMALL, moment(2)).state()
    with pytest.raises(ValueError, match="does not belong"):
        Home.restore(home(HEAT_PUMP), state)


def test_history_covers_its_span_in_order() -> None:
    end = moment(5, 20)
    times: dict[str, list[float]] = {}
    for block in history(SMALL, end - 5.0 * DAY, end, 600):
        times.setdefault(block.equipment, []).extend(block.times.tolist())
        assert all(values.shape == block.times.shape and values.dtype == np.float64 for values in block.points.values())
    assert list(times) == ["hp1", "wh1", "tstat"]
    for found in times.values():
        assert found == [end - 5.0 * DAY + 600.0 * i for i in range(5 * 144 + 1)]
    with pytest.raises(ValueError, match="ends before it starts"):
        history(SMALL, end, end)
    with pytest.raises(ValueError, match="is no step"):
        history(SMALL, end - DAY, end, 0)


def test_a_silent_gateway_says_nothing_and_its_machines_run_on() -> None:
    spec = msgspec.structs.replace(SMALL, silence=(Silence(22.0, 4.0, 2, 0),))
    end = moment(2, 10)
    seen = np.concatenate([b.times for b in history(spec, end - 4.0 * DAY, end) if b.equipment == "hp1"])
    gaps = np.diff(seen)
    assert np.sort(gaps)[-2:] == pytest.approx([4.0 * 3600.0 + 300.0] * 2)
    lived = Home(spec, float(seen[gaps.argmax()]) - 600.0)
    assert lived.frames(lived.t)
    before = lived.machines["hp1"].state.tally.electric
    lived.step(3600.0)
    assert lived.silent_at(lived.t)
    assert lived.frames(lived.t) == []
    assert lived.machines["hp1"].state.tally.electric > before


def test_only_faults_of_sensors_change_a_reading() -> None:
    end = moment(2)
    biased = Fault("hp1", "sensor_biased", 3.0, 1.0, 0.0, "return_air_temperature")
    stuck = Fault("hp1", "sensor_stuck", 4.4, 0.5, 0.0, "outdoor_temperature")
    drifting = Fault("wh1", "sensor_drifting", 6.0, 2.0, 2.0, "tank_top_temperature")
    faulty = msgspec.structs.replace(SMALL, faults=(biased, stuck, drifting))

    def readings(spec: HomeSpec) -> dict[tuple[str, str], np.ndarray]:
        blocks = list(history(spec, end - 1.99 * DAY, end, 600))
        return {(b.equipment, name): values for b in blocks for name, values in b.points.items()}

    broken, sound = readings(faulty), readings(SMALL)
    shift = broken["hp1", "return_air_temperature"] - sound["hp1", "return_air_temperature"]
    assert np.abs(shift[:142]).max() < 1e-6
    assert shift[145:] == pytest.approx(3.0, abs=0.01)
    assert set(broken["hp1", "outdoor_temperature"][-71:]) == {4.4}
    drift = broken["wh1", "tank_top_temperature"] - sound["wh1", "tank_top_temperature"]
    assert drift[-1] == pytest.approx(6.0, abs=0.1)
    assert drift[len(drift) // 2] == pytest.approx(3.0, abs=0.1)
    assert broken["hp1", "electric_energy"] == pytest.approx(sound["hp1", "electric_energy"])


def test_a_misled_thermostat_heats_the_room_wrongly() -> None:
    wrong = (Fault("tstat", "sensor_biased", 2.0, 30.0, 0.0, "room_temperature"),)
    lived = Home(msgspec.structs.replace(SMALL, faults=wrong), moment(1))
    lived.step(DAY)
    found = watch(lived, 6.0)
    assert found["tstat"]["room_temperature"].mean() == pytest.approx(HOUSE.heating, abs=0.7)
    assert lived.zones[0].state.air < HOUSE.heating - 1.0


LONE: dict[str, EquipmentSpec] = {e.type: e for spec in FLEET for e in spec.equipment if not e.serves}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(LONE)),
    st.sampled_from(sorted(CLIMATES)),
    st.integers(0, 2**31),
    st.integers(1, 12),
    st.sampled_from(["full", "basic"]),
)
def test_every_reading_is_in_the_contract_the_profile_and_its_range(kind: str, climate: str, seed: int, month: int, sensors: str) -> None:
    local = msgspec.structs.replace(LONE[kind], sensors=sensors, zone=0)
    spec = home(local, climate=climate, seed=seed)
    end = moment(month)
    for block in history(spec, end - 0.3 * DAY, end):
        used = profile(kind).points
        assert set(block.points) <= set(used)
        assert {name for name, use in used.items() if use.required} <= set(block.points)
        for name, values in block.points.items():
            point, real = POINTS[name], values[~np.isnan(values)]
            assert np.isfinite(real).all()
            assert ((real >= point.low) & (real <= point.high)).all(), name
            if point.kind == "code":
                assert set(real) <= {float(code) for code in point.codes.values()}, name


@pytest.mark.parametrize("spec", FLEET, ids=lambda spec: spec.key)
def test_frames_of_the_fleet_pass_the_check_that_the_cloud_makes(spec: HomeSpec) -> None:
    lived = Home(spec, moment(11, 22, 20))
    lived.step(1800.0)
    frames = lived.frames(lived.t)
    assert [f.e for f in frames] == [e.local for e in spec.equipment]
    for found in frames:
        checked = check_frame(found, lived.t)
        assert checked.refused == []
        assert checked.unknown == {}
        kind = next(e.type for e in spec.equipment if e.local == found.e)
        assert set(found.v) <= set(profile(kind).points)
