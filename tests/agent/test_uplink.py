"""Agent and cloud over a real broker with TLS: in order, nothing lost, nothing twice."""

import asyncio
import time
from pathlib import Path

import msgspec
import pytest
from lineset_agent.config import ConfigError, Identity
from lineset_agent.runtime import Agent
from lineset_contract.wire import FrameMessage, Refused

from tests.agent.machines import HeatPump, Metronome, Skewed
from tests.agent.world import Authority, Broker, cloud_of, config, running, until

DAY_OF_MINUTES = 1440


def test_TEL_02_offline_for_a_day_then_catches_up_in_order(tmp_path: Path, own_broker: Broker) -> None:
    async def scenario() -> None:
        clock = Metronome(60.0)
        pump = HeatPump(clock)
        pump.reads_until_pause = DAY_OF_MINUTES
        agent = Agent(config(own_broker, "day", tmp_path / "data", poll_interval=60.0), pump, clock)
        async with running(agent.run()):
            await agent.started.wait()
            await until(lambda: agent.depth().frames == DAY_OF_MINUTES, 30, "a day in the buffer")
            oldest, newest = agent.depth().oldest, agent.depth().newest
            assert oldest is not None
            assert newest is not None
            assert newest - oldest >= 23.9 * 3600
            await asyncio.to_thread(own_broker.start)
            async with cloud_of(own_broker, "day") as cloud:
                await until(lambda: len(cloud.frames()) >= 200, 20, "catching up began")
                # new frames keep flowing while the old ones catch up
                pump.reads_until_pause = DAY_OF_MINUTES + 200
                pump.resume.set()
                await until(lambda: len(cloud.frames()) == DAY_OF_MINUTES + 200, 20, "caught up")
                assert cloud.values("run_time") == list(range(1, DAY_OF_MINUTES + 201))
                assert [frame.t for frame in cloud.frames()] == sorted(frame.t for frame in cloud.frames())
                assert len(cloud.committed) == 1
                await until(lambda: agent.depth().frames == 0, what="everything acknowledged is deleted")

    asyncio.run(scenario())


def test_TEL_02_lost_messages_and_lost_acknowledgements_are_made_good(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        agent = Agent(config(broker, "lossy", tmp_path, poll_interval=0.01), pump)
        async with cloud_of(broker, "lossy") as cloud:
            cloud.lose = lambda _: cloud.arrivals % 10 == 0
            async with running(agent.run()):
                await until(lambda: len(cloud.frames()) >= 60)
                cloud.silent = True
                arrivals = cloud.arrivals
                await until(lambda: cloud.arrivals > arrivals + 3, what="sent again without acknowledgement")
                cloud.silent = False
                cloud.lose = lambda _: False
                pump.reads_until_pause = pump.count
                await until(lambda: agent.depth().frames == 0)
            values = [value for kept in cloud.committed.values() for seq in sorted(kept) for value in kept[seq]]
            assert [frame.v["run_time"] for frame in values] == list(range(1, pump.count + 1))

    asyncio.run(scenario())


def test_at_most_a_window_of_messages_is_on_its_way(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        pump.reads_until_pause = 200
        agent = Agent(config(broker, "window", tmp_path, poll_interval=0.001, resend_after=1.0), pump)
        async with cloud_of(broker, "window") as cloud:
            cloud.silent = True
            async with running(agent.run()):
                await until(lambda: pump.count == 200 and cloud.arrivals >= 64)
                assert sorted(next(iter(cloud.committed.values()))) == list(range(1, 65))
                arrivals = cloud.arrivals
                await until(lambda: cloud.arrivals > arrivals)
                assert cloud.arrivals <= arrivals + 2, "after a silence it probes, it does not flood"
                cloud.silent = False
                await until(lambda: agent.depth().frames == 0)
            assert cloud.values("run_time") == list(range(1, 201))

    asyncio.run(scenario())


def test_TEL_02_a_refused_frame_is_kept_as_a_refusal_and_the_rest_flows_on(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        def refuse(message: FrameMessage) -> list[Refused]:
            return [Refused(message.seq, 0, "out_of_range", "too hot to be true")] if message.seq % 5 == 0 else []

        pump = HeatPump()
        pump.reads_until_pause = 20
        agent = Agent(config(broker, "refused", tmp_path), pump)
        async with cloud_of(broker, "refused") as cloud:
            cloud.refuse = refuse
            async with running(agent.run()):
                await until(lambda: agent.started.is_set() and len(agent.buffer.refusals()) == 4)
                assert [one.seq for one in agent.buffer.refusals()] == [5, 10, 15, 20]
                assert agent.buffer.refusals()[0].say == "too hot to be true"
            assert cloud.values("run_time") == [n for n in range(1, 21) if n % 5]

    asyncio.run(scenario())


def test_TEL_02_what_the_cloud_does_not_take_now_is_kept_and_sent_later(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        pump.reads_until_pause = 100
        agent = Agent(config(broker, "held", tmp_path, poll_interval=0.005, resend_at_most=0.3), pump)
        async with cloud_of(broker, "held") as cloud:
            cloud.hold_back = "not_claimed"
            async with running(agent.run()):
                await until(lambda: pump.count == 100 and cloud.arrivals > 3)
                assert agent.depth().frames >= 99
                cloud.hold_back = "rate"
                arrivals = cloud.arrivals
                await until(lambda: cloud.arrivals > arrivals)
                cloud.hold_back = ""
                await until(lambda: agent.started.is_set() and agent.depth().frames == 0)
                assert agent.buffer.refusals() == [], "held back is not refused"
            assert cloud.values("run_time") == list(range(1, 101))

    asyncio.run(scenario())


def test_TEL_02_a_cloud_that_was_restored_gets_what_is_held_under_a_new_epoch(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        agent = Agent(config(broker, "restored", tmp_path), pump)
        async with cloud_of(broker, "restored") as cloud:
            async with running(agent.run()):
                await until(lambda: len(cloud.frames()) >= 20)
                first = agent.buffer.epoch
                cloud.forget()
                await until(lambda: agent.buffer.epoch != first, what="a new epoch")
                pump.reads_until_pause = pump.count
                await until(lambda: agent.depth().frames == 0)
            renewed = cloud.committed[agent_epoch(cloud.committed, first)]
            assert sorted(renewed) == list(range(1, len(renewed) + 1))
            assert set(cloud.values("run_time")) == set(range(1, pump.count + 1)), "nothing is lost"

    asyncio.run(scenario())


def agent_epoch(committed: dict[str, dict[int, list[object]]] | object, first: str) -> str:
    assert isinstance(committed, dict)
    (epoch,) = [epoch for epoch in committed if epoch != first]
    return str(epoch)


def test_a_late_acknowledgement_does_not_begin_a_new_epoch(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        agent = Agent(config(broker, "late", tmp_path, poll_interval=0.02), pump)
        async with cloud_of(broker, "late") as cloud, running(agent.run()):
            await until(lambda: len(cloud.frames()) >= 20)
            epoch = agent.buffer.epoch
            for _ in range(20):
                await cloud.acknowledge(epoch, through=3)
            await until(lambda: len(cloud.frames()) >= 60)
            assert agent.buffer.epoch == epoch

    asyncio.run(scenario())


def test_TEL_02_a_buffer_that_ran_over_starts_a_new_epoch_without_a_gap(tmp_path: Path, own_broker: Broker) -> None:
    async def scenario() -> None:
        clock = Metronome(60.0)
        pump = HeatPump(clock)
        pump.reads_until_pause = 600
        settings = config(own_broker, "over", tmp_path / "data", poll_interval=60.0, buffer_bytes=60_000)
        agent = Agent(settings, pump, clock)
        async with running(agent.run()):
            await until(lambda: pump.count == 600 and not agent._keeping.locked(), 30)
            held = agent.depth().frames
            assert held < 600
            await asyncio.to_thread(own_broker.start)
            async with cloud_of(own_broker, "over") as cloud:
                await until(lambda: agent.depth().frames == 0, 20)

                def told() -> int:
                    full = [event.detail for event in cloud.events if event.detail.get("code") == "buffer_full"]
                    return sum(int(str(detail["frames"])) for detail in full)

                await until(lambda: told() == 600 - held, what="every dropped frame is told")
                assert cloud.values("run_time") == list(range(600 - held + 1, 601))
                boot = next(event for event in cloud.events if event.kind == "boot")
                assert boot.detail["dropped_frames"] == 600 - held

    asyncio.run(scenario())


def test_TEL_02_the_broker_is_killed_again_and_again(tmp_path: Path, own_broker: Broker) -> None:
    async def scenario() -> None:
        pump = HeatPump()
        agent = Agent(config(own_broker, "killed", tmp_path / "data", poll_interval=0.01), pump)
        await asyncio.to_thread(own_broker.start)
        async with cloud_of(own_broker, "killed") as cloud, running(agent.run()):
            for _ in range(3):
                seen = len(cloud.frames())
                await until(lambda seen=seen: len(cloud.frames()) > seen + 20)  # type: ignore[misc]
                own_broker.kill()
                count = pump.count
                await until(lambda count=count: pump.count > count + 20)  # type: ignore[misc]
                await asyncio.to_thread(own_broker.start)
            pump.reads_until_pause = pump.count
            await until(lambda: agent.depth().frames == 0, 30)
            await until(lambda: agent.connected)
            assert cloud.values("run_time") == list(range(1, pump.count + 1))
            assert [event.detail["reason"] for event in cloud.events if event.kind == "boot"].count("start") == 1
            assert sum(event.kind == "boot" for event in cloud.events) == 4

    asyncio.run(scenario())


def test_hello_status_and_inventory(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        agent = Agent(config(broker, "hello", tmp_path), HeatPump())
        async with cloud_of(broker, "hello") as cloud:
            async with running(agent.run()):
                await until(lambda: len(cloud.events) >= 2 and len(cloud.frames()) > 0)
                boot = next(event for event in cloud.events if event.kind == "boot")
                assert boot.detail["reason"] == "start"
                assert boot.detail["epoch"] == agent.buffer.epoch
                inventory = next(event for event in cloud.events if event.kind == "inventory")
                assert inventory.detail["equipment"] == [
                    {"name": "hp1", "type": "heat_pump_air_air", "make": "Test", "model": "T1", "serial": "0001"}
                ]
                assert [status.state for status in cloud.statuses] == ["online"]
            await until(lambda: [status.state for status in cloud.statuses] == ["online", "offline"])

    asyncio.run(scenario())


def test_SEC_02_a_gateway_with_a_certificate_and_a_cloud_of_another_authority(tmp_path: Path, authority: Authority) -> None:
    async def scenario() -> None:
        folder = tmp_path / "nats"
        folder.mkdir()
        mutual = Broker(folder, authority, certificates=True)
        mutual.start()
        try:
            base = config(mutual, "cert", tmp_path / "data")
            good = Identity("cert", "localhost", mutual.mqtt_port, ca=authority.path, certificate=authority.pair("cert"))
            agent = Agent(msgspec.structs.replace(base, identity=good), HeatPump())
            async with running(agent.run()):
                await until(lambda: agent.connected)
            other = Authority(tmp_path, "other")
            for identity in (
                msgspec.structs.replace(good, ca=other.path),
                msgspec.structs.replace(good, certificate=other.pair("cert")),
                msgspec.structs.replace(good, certificate=None),
            ):
                stranger = Agent(msgspec.structs.replace(base, identity=identity), HeatPump())
                async with running(stranger.run()):
                    await stranger.started.wait()
                    uplink = stranger._parts.uplink if stranger._parts else None
                    assert uplink is not None
                    await until(lambda uplink=uplink: uplink.last_error != "")  # type: ignore[misc]
                    assert not stranger.connected
        finally:
            mutual.kill()

    asyncio.run(scenario())


def test_a_gateway_that_is_not_let_in_keeps_trying(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        settings = config(broker, "early", tmp_path)
        token = settings.identity.token_file
        assert token is not None
        right = token.read_text()
        token.write_text("not yet known")
        agent = Agent(settings, HeatPump())
        async with cloud_of(broker, "early") as cloud, running(agent.run()):
            await until(lambda: bool(agent._parts and "ot authori" in agent._parts.uplink.last_error))
            token.write_text(right)
            await until(lambda: len(cloud.frames()) > 0)

    asyncio.run(scenario())


def test_ACC_07_a_gateway_that_is_refused_for_good_reads_on_and_leaves_its_machine_alone(tmp_path: Path, broker: Broker) -> None:
    """Its home was suspended or erased in the cloud: the machine keeps heating as it is set."""

    async def scenario() -> None:
        settings = config(broker, "refused", tmp_path)
        token = settings.identity.token_file
        assert token is not None
        token.write_text("revoked")
        pump = HeatPump()
        before = dict(pump.settings)
        agent = Agent(settings, pump)
        async with running(agent.run()):
            await until(lambda: bool(agent._parts and "ot authori" in agent._parts.uplink.last_error))
            seen = pump.count
            await until(lambda: pump.count >= seen + 5)
        assert pump.writes == []
        assert pump.settings == before

    asyncio.run(scenario())


def test_frames_read_before_the_clock_was_set_get_their_true_time(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        clock = Skewed(-time.time() + 3600)  # 1970-01-01 01:00
        pump = HeatPump(clock)
        agent = Agent(config(broker, "clock", tmp_path), pump, clock)
        async with cloud_of(broker, "clock") as cloud, running(agent.run()):
            began = time.time()
            await until(lambda: pump.count >= 5)
            assert agent.depth().frames == 0
            clock.error = 0.0
            await until(lambda: len(cloud.frames()) >= 8)
            times = [frame.t for frame in cloud.frames()]
            assert times == sorted(times)
            assert began - 1 < times[0] < time.time()
            assert cloud.values("run_time")[:8] == list(range(1, 9))

    asyncio.run(scenario())


def test_two_agents_cannot_share_a_buffer(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        settings = config(broker, "twice", tmp_path)
        first = Agent(settings, HeatPump())
        async with running(first.run()):
            await first.started.wait()
            with pytest.raises(ConfigError, match="already runs"):
                await Agent(settings, HeatPump()).run()

    asyncio.run(scenario())


def test_fifty_agents_fit_into_one_process(tmp_path: Path, broker: Broker) -> None:
    async def scenario() -> None:
        agents = [Agent(config(broker, f"fleet{n}", tmp_path / str(n), poll_interval=1.0), HeatPump()) for n in range(50)]
        tasks = [asyncio.create_task(agent.run()) for agent in agents]
        try:
            async with cloud_of(broker, "fleet49") as cloud:
                await until(lambda: all(agent.connected for agent in agents), 20)
                await until(lambda: len(cloud.frames()) >= 2)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(scenario())


def test_TEL_02_when_its_server_dies_an_agent_goes_to_another(tmp_path: Path, own_broker: Broker, authority: Authority) -> None:
    """Both servers lead to the same cloud, as in a cluster. Nothing is lost on the way from one to the other, and nothing comes twice."""

    async def scenario() -> None:
        folder = tmp_path / "second"
        folder.mkdir()
        second = Broker(folder, authority)
        for broker in (own_broker, second):
            await asyncio.to_thread(broker.start)
        try:
            both = (f"localhost:{own_broker.mqtt_port}", f"localhost:{second.mqtt_port}")
            settings = msgspec.structs.replace(config(own_broker, "roams", tmp_path / "data"), servers=both)
            pump = HeatPump()
            agent = Agent(settings, pump)
            async with cloud_of(own_broker, "roams") as one, cloud_of(second, "roams") as other:
                other.committed, other.order = one.committed, one.order
                async with running(agent.run()):
                    await until(lambda: len(one.frames()) >= 20, what="frames by one of the servers")
                    (own_broker if one.arrivals else second).kill()
                    left, found = (one, other) if one.arrivals else (other, one)
                    assert found.arrivals == 0
                    await until(lambda: found.arrivals >= 20, what="frames by the other server")
                    assert left.arrivals
                    pump.reads_until_pause = pump.count
                    await until(lambda: agent.depth().frames == 0, what="everything acknowledged")
                assert one.values("run_time") == list(range(1, pump.count + 1))
        finally:
            second.kill()

    asyncio.run(scenario())
