"""The driver as the agent uses it."""

import msgspec
import pytest
from lineset_agent.drivers import Driver, DriverError
from lineset_simulator import Home, Silence, SimDriver

from .homes import home, machine, moment

SPEC = home(machine("hp1", "heat_pump_air_air", 10500.0, stages=0), machine("tstat", "thermostat", 1.0))


class Hands:
    """A clock that is moved by hand."""

    def __init__(self, t: float) -> None:
        self.t = t

    def __call__(self) -> float:
        return self.t


@pytest.mark.anyio
async def test_it_reads_now_and_writes_what_the_machine_then_does() -> None:
    clock = Hands(moment(1))
    driver: Driver = SimDriver(Home(SPEC, moment(1)), clock=clock)
    assert [(i.name, i.type) for i in await driver.inventory()] == [("hp1", "heat_pump_air_air"), ("tstat", "thermostat")]
    clock.t += 10.25
    frames = await driver.read()
    assert [(f.e, f.t) for f in frames] == [("hp1", clock.t), ("tstat", clock.t)]
    assert "heating_setpoint" in frames[0].v
    await driver.write("hp1", "heating_setpoint", 22.0)
    await driver.write("hp1", "system_mode", "heating")
    clock.t += 3600.0
    frames = await driver.read()
    assert frames[0].v["heating_setpoint"] == 22.0
    assert frames[0].v["system_mode"] == "heating"
    room = frames[0].v["room_temperature"]
    assert isinstance(room, float)
    with pytest.raises(DriverError, match="no equipment named 'x'"):
        await driver.write("x", "heating_setpoint", 22.0)
    with pytest.raises(DriverError, match="has no setting"):
        await driver.write("tstat", "warp_speed", 9.0)


@pytest.mark.anyio
async def test_each_machine_is_read_at_its_own_pace() -> None:
    slow = msgspec.structs.replace(SPEC.equipment[1], poll=30)
    clock = Hands(moment(1))
    driver = SimDriver(Home(msgspec.structs.replace(SPEC, equipment=(SPEC.equipment[0], slow)), clock.t), clock=clock)
    seen: dict[str, int] = {}
    for _ in range(30):
        clock.t += 10.0
        for found in await driver.read():
            seen[found.e] = seen.get(found.e, 0) + 1
    # all at the first reading, then by the clock
    assert seen == {"hp1": 30, "tstat": 11}


@pytest.mark.anyio
async def test_it_catches_up_after_a_night_and_gives_up_after_a_season() -> None:
    clock = Hands(moment(1))
    lived = Home(SPEC, clock.t)
    driver = SimDriver(lived, clock=clock)
    clock.t += 14 * 3600.0
    await driver.read()
    assert lived.t == clock.t
    clock.t += 200 * 86400.0
    await driver.read()
    assert lived.t == clock.t


@pytest.mark.anyio
async def test_faster_than_life_it_leaves_the_clock_behind() -> None:
    clock = Hands(moment(1))
    driver = SimDriver(Home(SPEC, clock.t - 86400.0), speed=60.0, clock=clock)
    await driver.read()
    clock.t += 60.0
    frames = await driver.read()
    assert frames[0].t == moment(1) - 86400.0 + 3600.0
    with pytest.raises(ValueError, match="over 0"):
        SimDriver(driver.home, speed=0.0)


@pytest.mark.anyio
async def test_without_power_there_is_nothing_to_read() -> None:
    spec = msgspec.structs.replace(SPEC, silence=(Silence(1.0, 4.0),))
    clock = Hands(moment(2))
    driver = SimDriver(Home(spec, clock.t), clock=clock)
    counts = []
    for _ in range(24):
        clock.t += 3600.0
        counts.append(len(await driver.read()))
    assert sorted(counts) == [0] * 4 + [2] * 20
