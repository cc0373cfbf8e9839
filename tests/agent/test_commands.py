"""Commands at the gateway: limits hold again, only the machine's own reading counts, nothing is done twice."""

import asyncio
import time
from pathlib import Path

import msgspec
from lineset_agent.runtime import Agent
from lineset_contract.wire import Command, Desired, DesiredEquipment, Range, encode

from tests.agent.machines import HeatPump, Skewed
from tests.agent.world import Broker, cloud_of, config, running, until


def soon() -> float:
    return time.time() + 60


def test_CTL_01_a_set_point_counts_only_when_the_machine_says_so(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        pump.offset = 0.2  # within the tolerance: many machines round
        agent = Agent(config(broker, "set", tmp_path), pump)
        async with cloud_of(broker, "set") as cloud, running(agent.run()):
            await until(lambda: agent.connected)
            await cloud.order_setting("c1", 21.3, soon())
            await until(lambda: cloud.states("c1") == ["acknowledged", "succeeded"])
            assert pump.writes == [("hp1", "heating_setpoint", 21.5)], "on the setting's step"
            assert cloud.results[-1].detail == "heating_setpoint reads 21.7 degC"
            assert not [event for event in cloud.events if event.kind == "hand_operation"]
            frames = [frame for frame in cloud.frames() if frame.v.get("heating_setpoint") == 21.7]
            assert frames, "the reading that proved it reaches the cloud as a frame"

    asyncio.run(scenario())


def test_CTL_03_limits_hold_at_the_gateway_too(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        agent = Agent(config(broker, "limits", tmp_path), pump)
        async with cloud_of(broker, "limits") as cloud, running(agent.run()):
            await until(lambda: agent.connected)
            await cloud.order_setting("freeze", 4.0, soon())
            await until(lambda: cloud.states("freeze") == ["refused"])
            assert "freeze protection" in cloud.results[-1].detail
            limits = DesiredEquipment(site_limits={"heating_setpoint": Range(low=16, high=22)})
            await cloud.desire(Desired(3, {"hp1": limits}))
            await until(lambda: [report.version for report in cloud.reported] == [3])
            assert cloud.reported[0].settings["hp1"]["heating_setpoint"] == 20.0
            await cloud.desire(Desired(2, {}))
            await until(lambda: [report.version for report in cloud.reported] == [3, 3])
            await cloud.order_setting("home", 23.0, soon())
            await until(lambda: cloud.states("home") == ["refused"])
            assert "this home" in cloud.results[-1].detail
            await cloud.order_setting("deadband", 21.9, soon(), "cooling_setpoint")
            await cloud.order_setting("unknown", 21.0, soon(), "hot_water_setpoint")
            await cloud.send("commands", encode(Command("nobody", "hp9", "restart", {}, soon())))
            await cloud.send("commands", encode(Command("what", "hp1", "explode", {}, soon())))
            await cloud.send("commands", b"rubbish")
            for id_ in ("unknown", "nobody", "what"):
                await until(lambda id_=id_: cloud.states(id_) == ["refused"])  # type: ignore[misc]
            await until(lambda: "bad_command" in cloud.errors())
            await until(lambda: cloud.states("deadband")[-1:] == ["succeeded"])
            await cloud.order_setting("close", 21.0, soon(), "cooling_setpoint")
            await until(lambda: cloud.states("close") == ["refused"])
            assert "1.5 K apart" in cloud.results[-1].detail
        # kept over a restart, before the cloud says anything; the installer's limits hold besides
        own = {"hp1": {"heating_setpoint": Range(high=19)}}
        again = Agent(msgspec.structs.replace(config(broker, "limits", tmp_path), limits=own), pump)
        async with cloud_of(broker, "limits") as cloud, running(again.run()):
            await until(lambda: again.connected)
            await cloud.order_setting("later", 23.0, soon())
            await until(lambda: cloud.states("later") == ["refused"])
            await cloud.order_setting("installer", 20.0, soon())
            await until(lambda: cloud.states("installer") == ["refused"])
            assert "above 19 degC, the limit of this machine" in cloud.results[-1].detail

    asyncio.run(scenario())


def test_CTL_01_a_machine_that_does_not_follow_is_a_failure(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        clock = Fast(60)
        pump = HeatPump(clock)
        pump.stuck = True
        agent = Agent(config(broker, "stuck", tmp_path, read_back_every=10.0, poll_interval=6.0), pump, clock)
        async with cloud_of(broker, "stuck") as cloud, running(agent.run()):
            await until(lambda: agent.connected)
            await cloud.order_setting("c1", 22.0, soon() + 3600)
            await until(lambda: cloud.states("c1") == ["acknowledged", "failed"])
            assert "heating_setpoint reads 20 degC 1" in cloud.results[-1].detail
            pump.broken = "no answer on the bus"
            await cloud.order_setting("c2", 22.0, soon() + 3600)
            await until(lambda: cloud.states("c2") == ["acknowledged", "failed"])
            assert "no answer on the bus" in cloud.results[-1].detail
            await until(lambda: "read_failed" in cloud.errors())

    asyncio.run(scenario())


class Fast(Skewed):
    """The system's clock, so many times faster from now on."""

    def __init__(self, speed: float) -> None:
        super().__init__(0.0)
        self.speed = speed
        self.began = time.time()

    def now(self) -> float:
        return self.began + (time.time() - self.began) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


def test_CTL_01_an_expired_command_is_not_carried_out(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        agent = Agent(config(broker, "expired", tmp_path), pump)
        async with cloud_of(broker, "expired") as cloud, running(agent.run()):
            await until(lambda: agent.connected)
            await cloud.order_setting("old", 21.0, time.time() - 1)
            await until(lambda: cloud.states("old") == ["expired"])
            assert pump.writes == []

    asyncio.run(scenario())


def test_CTL_01_a_repeated_command_gets_its_result_again_and_nothing_else(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        settings = config(broker, "twice", tmp_path)
        async with cloud_of(broker, "twice") as cloud:
            agent = Agent(settings, pump)
            async with running(agent.run()):
                await until(lambda: agent.connected)
                expires = soon()
                for _ in range(3):
                    await cloud.order_setting("c1", 21.0, expires)
                await until(lambda: "succeeded" in cloud.states("c1"))
                await cloud.order_setting("c1", 21.0, expires)
                await until(lambda: cloud.states("c1").count("succeeded") >= 2)
            pump.settings["heating_setpoint"] = 19.0
            again = Agent(settings, pump)
            async with running(again.run()):
                await until(lambda: again.connected)
                before = cloud.states("c1").count("succeeded")
                await cloud.order_setting("c1", 21.0, expires)
                await until(lambda: cloud.states("c1").count("succeeded") > before)
            assert len(pump.writes) == 1

    asyncio.run(scenario())


def test_CTL_01_a_restart_in_the_middle_of_a_command_does_not_repeat_it(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        pump.stuck = True
        settings = config(broker, "middle", tmp_path)
        async with cloud_of(broker, "middle") as cloud:
            first = Agent(settings, pump)
            async with running(first.run()):
                await until(lambda: first.connected)
                await cloud.order_setting("c1", 21.0, soon())
                await until(lambda: len(pump.writes) == 1)
            assert cloud.states("c1") in ([], ["acknowledged"])
            pump.settings["heating_setpoint"] = 21.0  # the machine was slow, but it did it
            async with running(Agent(settings, pump).run()):
                await until(lambda: cloud.states("c1")[-1:] == ["succeeded"])
            assert len(pump.writes) == 1

    asyncio.run(scenario())


def test_CTL_01_mode_and_restart_and_CTL_03_short_cycle_lockout(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        agent = Agent(config(broker, "mode", tmp_path), pump)
        async with cloud_of(broker, "mode") as cloud, running(agent.run()):
            await until(lambda: agent.connected and len(cloud.frames()) > 0)
            await cloud.send("commands", encode(Command("r", "hp1", "restart", {}, soon())))
            await until(lambda: cloud.states("r") == ["acknowledged", "succeeded"])
            await cloud.send("commands", encode(Command("m", "hp1", "set_mode", {"mode": "cooling"}, soon())))
            await until(lambda: cloud.states("m") == ["refused"])
            assert "must rest" in cloud.results[-1].detail
            await cloud.send("commands", encode(Command("f", "hp1", "set_fan", {"fan": "on"}, soon())))
            await until(lambda: cloud.states("f") == ["acknowledged", "succeeded"])
            assert [write[1:] for write in pump.writes] == [("restart", 1.0), ("fan_mode", "on")]

    asyncio.run(scenario())


def test_CTL_04_hand_operation_is_reported(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        settings = config(broker, "hand", tmp_path)
        async with cloud_of(broker, "hand") as cloud:
            agent = Agent(settings, pump)
            async with running(agent.run()):
                await until(lambda: agent.connected and len(cloud.frames()) > 0)
                pump.settings["heating_setpoint"] = 23.0
                await until(lambda: any(event.kind == "hand_operation" for event in cloud.events))
                await cloud.order_setting("c1", 21.0, soon())
                await until(lambda: "succeeded" in cloud.states("c1"))
            pump.settings["system_mode"] = 0  # "off", as a number, while no agent looked
            again = Agent(settings, pump)
            async with running(again.run()):
                await until(lambda: sum(event.kind == "hand_operation" for event in cloud.events) == 2)
        by_hand = [event for event in cloud.events if event.kind == "hand_operation"]
        assert [(event.e, event.detail) for event in by_hand] == [
            ("hp1", {"setting": "heating_setpoint", "from": 20.0, "to": 23.0}),
            ("hp1", {"setting": "system_mode", "from": "heating", "to": "off"}),
        ]

    asyncio.run(scenario())


def test_a_command_is_not_judged_by_a_clock_that_is_not_set(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        clock = Skewed(-time.time())
        agent = Agent(config(broker, "unset", tmp_path), HeatPump(clock), clock)
        async with cloud_of(broker, "unset") as cloud, running(agent.run()):
            await until(lambda: agent.connected)
            await cloud.order_setting("c1", 21.0, soon())
            await until(lambda: cloud.states("c1") == ["refused"])
            assert "clock" in cloud.results[-1].detail

    asyncio.run(scenario())


def test_results_wait_on_disk_while_there_is_no_contact(tmp_path: Path, own_broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        agent = Agent(config(own_broker, "later", tmp_path / "data"), pump)
        await asyncio.to_thread(own_broker.start)
        async with running(agent.run()):
            async with cloud_of(own_broker, "later") as cloud:
                await until(lambda: agent.connected)
                pump.stuck = True
                await cloud.order_setting("c1", 21.0, soon())
                await until(lambda: len(pump.writes) == 1)
                own_broker.kill()
                pump.settings["heating_setpoint"] = 21.0
            await until(lambda: agent._parts is not None and not agent._parts.journal.unfinished())
            await asyncio.to_thread(own_broker.start)
            async with cloud_of(own_broker, "later") as cloud:
                await until(lambda: "succeeded" in cloud.states("c1"))

    asyncio.run(scenario())


def test_a_driver_that_misbehaves_is_reported_and_the_rest_runs_on(tmp_path: Path, broker: Broker) -> None:
    class Wild(HeatPump):
        async def read(self):  # type: ignore[no-untyped-def]
            frames = await super().read()
            if self.count % 3 == 0:
                raise ZeroDivisionError("a mistake in the driver")
            frames[0].v["room_temperature"] = float("nan")
            return frames

    async def scenario() -> None:
        agent = Agent(config(broker, "wild", tmp_path), Wild())
        async with cloud_of(broker, "wild") as cloud, running(agent.run()):
            await until(lambda: len(cloud.frames()) > 5 and {"driver_error", "not_finite"} <= set(cloud.errors()))
            assert all("room_temperature" not in frame.v for frame in cloud.frames())

    asyncio.run(scenario())
