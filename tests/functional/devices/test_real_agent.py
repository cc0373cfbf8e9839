"""The whole way of a command with the real agent: page, database, broker over TLS, agent, machine, and back."""

import asyncio
import contextlib
import errno
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from lineset import control, gateways, sites, telemetry
from lineset.control.inbox import TRIES
from lineset.gateways.callout import Callout
from lineset.kit.bus import Bus, bus_key
from lineset.kit.ca import Authority
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings
from lineset.kit.violations import Violation, announce
from lineset.privacy import Context, Door, Purpose, System
from lineset_agent.config import AgentConfig, Identity
from lineset_agent.runtime import Agent
from lineset_contract.wire import Command, Result, decode, encode
from nats.aio.msg import Msg

from tests.agent.machines import HeatPump
from tests.functional.devices.cloud import Cloud, until
from tests.functional.devices.test_gateways import Device
from tests.functional.devices.world import Home, equipment, home, operator

pytestmark = pytest.mark.anyio
ENROLMENT = Context(System("enrolment"), Purpose.SECURITY)


@pytest.fixture
async def admitting(cloud: Cloud, broker: Settings) -> AsyncIterator[Cloud]:
    """The cloud with its answer to the broker's question who may connect."""
    system = await Bus.connect(broker, "test", account="system")

    async def live(wanted: list[UUID]) -> set[UUID]:
        async with cloud.door.open(ENROLMENT) as tx:
            return await gateways.live_gateways(tx, wanted)

    callout = Callout(cloud.bus, system, bus_key(broker, "issuer"), gateways.Identities(cloud.door), live)
    await cloud.bus.ensure_streams()
    await callout.start()
    yield cloud
    await callout.stop()
    await system.close()


@pytest.fixture
async def whole(admitting: Cloud) -> AsyncIterator[Cloud]:
    """The cloud with all that it takes."""
    async with admitting.running():
        yield admitting


def agent_of(broker: Settings, gateway: UUID, folder: Path, pump: HeatPump, *, token: str = "", device: Device | None = None) -> Agent:
    """An impatient agent with that identity."""
    folder.mkdir(parents=True, exist_ok=True)
    ca = broker.data / "ca.pem"
    if device is None:
        (folder / "token").write_text(token)
        identity = Identity(str(gateway), "localhost", broker.mqtt_token_port, ca=ca, token_file=folder / "token")
    else:
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / "identity.pem").write_bytes(device.key.private_bytes(*form) + device.certificate.encode())
        identity = Identity(str(gateway), "localhost", broker.mqtt_port, ca=ca, certificate=folder / "identity.pem")
    quick = {"poll_interval": 0.1, "reconnect_after": 0.05, "reconnect_at_most": 0.2, "read_back_every": 0.05}
    return Agent(AgentConfig(identity, folder, **quick), pump)  # type: ignore[arg-type] # all of these are numbers


@contextlib.asynccontextmanager
async def running(agent: Agent) -> AsyncIterator[None]:
    task = asyncio.create_task(agent.run())
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # The MQTT client may ask to watch a socket that the broker has closed in that very moment; it reconnects all the same.
        error = context.get("exception")
        if before is not None and not (isinstance(error, OSError) and error.errno == errno.EBADF):
            before(loop, context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        loop.set_exception_handler(before)


async def gateway_at(cloud: Cloud, ours: Home) -> gateways.ClaimCode:
    async with cloud.door.open(ours.acting) as tx:
        return await gateways.create_gateway(tx, ours.site, "Attic")


async def token_of(cloud: Cloud, ours: Home, gateway: UUID) -> str:
    async with cloud.door.open(ours.acting) as tx:
        return (await gateways.create_token(tx, gateway)).token


async def listen(cloud: Cloud, gateway: UUID) -> list[Result]:
    """What the gateway answers, as it comes over the bus."""
    answers: list[Result] = []

    async def hear(message: Msg) -> None:
        answers.append(decode(Result, message.data))

    await cloud.bus.subscribe(f"lineset.v1.{gateway}.results", hear)
    return answers


async def ask(cloud: Cloud, ours: Home, machine: UUID, value: float) -> control.CommandView:
    async with cloud.door.open(ours.acting) as tx:
        return await control.request(tx, machine, "set_setpoint", {"setting": "heating_setpoint", "value": value})


def settled(cloud: Cloud, ours: Home, command: UUID) -> Callable[[], object]:
    async def look() -> bool:
        async with cloud.door.open(ours.acting) as tx:
            return (await control.get(tx, command)).final

    return look


async def outcome(cloud: Cloud, ours: Home, command: UUID) -> control.CommandView:
    await until(settled(cloud, ours, command))  # type: ignore[arg-type]
    async with cloud.door.open(ours.acting) as tx:
        return await control.get(tx, command)


async def test_CTL_01_a_set_point_reaches_the_machine_and_its_reading_comes_back(
    whole: Cloud, broker: Settings, authority_of_broker: Authority, tmp_path: Path
) -> None:
    ours, device, pump = await home(whole.door), Device(), HeatPump()
    code = await gateway_at(whole, ours)
    await device.enrol(whole.door, authority_of_broker, code.code)
    machine = await equipment(whole.door, ours, code.gateway, "heat_pump_air_air")
    agent = agent_of(broker, code.gateway, tmp_path / "agent", pump, device=device)
    early = await ask(whole, ours, machine, 20.5)  # before the gateway has ever been there
    async with running(agent):
        done = await outcome(whole, ours, early.id)
        assert (done.state, pump.settings["heating_setpoint"]) == ("succeeded", 20.5)
        began = time.monotonic()
        done = await outcome(whole, ours, (await ask(whole, ours, machine, 21.5)).id)
        took = time.monotonic() - began
        assert (done.state, done.detail) == ("succeeded", "heating_setpoint reads 21.5 degC")
        assert [s.state for s in done.steps] == ["queued", "sent", "acknowledged", "succeeded"]
        assert took < 5.0
        async with whole.door.open(ours.acting) as tx:
            assert (await gateways.get_gateway(tx, code.gateway)).state == "online"
            (found,) = await gateways.found_machines(tx, code.gateway)
        assert (found.name, found.equipment) == ("hp1", machine)
    assert pump.writes == [("hp1", "heating_setpoint", 20.5), ("hp1", "heating_setpoint", 21.5)]


async def test_CTL_03_limits_hold_again_at_the_agent(whole: Cloud, broker: Settings, tmp_path: Path) -> None:
    ours, pump = await home(whole.door), HeatPump()
    gateway = (await gateway_at(whole, ours)).gateway
    token = await token_of(whole, ours, gateway)
    await equipment(whole.door, ours, gateway, "heat_pump_air_air")

    answers = await listen(whole, gateway)
    async with running(agent := agent_of(broker, gateway, tmp_path / "agent", pump, token=token)):
        await until(lambda: agent.connected)
        async with whole.door.open(ours.acting) as tx:
            await sites.change_site(tx, ours.site, limits={"heating_setpoint": [16.0, 22.0]})
        for n in range(100):  # something that reached the agent past the cloud's own check, until the limits have arrived
            past = Command(str(new_id()), "hp1", "set_setpoint", {"setting": "heating_setpoint", "value": 23.0}, time.time() + 60)
            await whole.bus.publish(f"lineset.v1.{gateway}.commands", encode(past))
            await until(lambda n=n: len([a for a in answers if a.state != "acknowledged"]) > n)
            if answers[-1].state == "refused":
                break
    assert answers[-1].state == "refused"
    assert "this home" in answers[-1].detail


async def test_CTL_01_a_machine_that_does_not_obey_makes_the_command_fail(whole: Cloud, broker: Settings, tmp_path: Path) -> None:
    ours, pump = await home(whole.door), HeatPump()
    gateway = (await gateway_at(whole, ours)).gateway
    token = await token_of(whole, ours, gateway)
    machine = await equipment(whole.door, ours, gateway, "heat_pump_air_air")
    pump.broken = "no answer on the bus"
    async with running(agent_of(broker, gateway, tmp_path / "agent", pump, token=token)):
        done = await outcome(whole, ours, (await ask(whole, ours, machine, 21.5)).id)
    assert (done.state, done.detail) == ("failed", "The machine could not be written: no answer on the bus")


async def test_EQP_02_revoking_cuts_a_live_agent_off(whole: Cloud, broker: Settings, tmp_path: Path) -> None:
    ours, pump = await home(whole.door), HeatPump()
    gateway = (await gateway_at(whole, ours)).gateway
    token = await token_of(whole, ours, gateway)
    async with running(agent := agent_of(broker, gateway, tmp_path / "agent", pump, token=token)):
        await until(lambda: agent.connected)
        async with whole.door.open(ours.acting) as tx:
            await gateways.revoke(tx, gateway)
        began = time.monotonic()
        await until(lambda: not agent.connected)
        assert time.monotonic() - began < 5.0
        fresh = await token_of(whole, ours, gateway)
        assert not agent.connected  # the old token does not let it in again
        (tmp_path / "agent" / "token").write_text(fresh)
        await until(lambda: agent.connected)


async def test_what_an_agent_says_while_nobody_listens_is_heard_later(
    admitting: Cloud, broker: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, pump = await home(admitting.door), HeatPump()
    gateway = (await gateway_at(admitting, ours)).gateway
    token = await token_of(admitting, ours, gateway)
    machine = await equipment(admitting.door, ours, gateway, "heat_pump_air_air")
    answers = await listen(admitting, gateway)
    async with running(agent := agent_of(broker, gateway, tmp_path / "agent", pump, token=token)):
        await until(lambda: agent.connected)
        asked = await ask(admitting, ours, machine, 21.5)
        row = Command(str(asked.id), "hp1", "set_setpoint", {"setting": "heating_setpoint", "value": 21.5}, time.time() + 60)
        await admitting.bus.publish(f"lineset.v1.{gateway}.commands", encode(row))
        await until(lambda: "succeeded" in {a.state for a in answers})
    async with admitting.running():
        assert (await outcome(admitting, ours, asked.id)).state == "succeeded"

        async def heard() -> bool:
            async with admitting.door.open(ours.acting) as tx:
                return {"boot", "inventory"} <= {e.kind for e in await gateways.events(tx, gateway_id=gateway)}

        await until(heard)


async def test_a_message_that_breaks_the_way_in_is_set_aside_and_the_rest_flows_on(
    admitting: Cloud, broker: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineset.control.inbox._AGAIN_S", 0.05)
    whole_take, tries = control.take, list[str]()

    async def breaks(door: Door, gateway: UUID, channel: str, payload: bytes) -> None:
        if channel == "events" and b"inventory" in payload:
            tries.append(channel)
            raise ZeroDivisionError("nobody foresaw this")
        await whole_take(door, gateway, channel, payload)

    monkeypatch.setattr("lineset.control.inbox.take", breaks)
    ours, pump = await home(admitting.door), HeatPump()
    gateway = (await gateway_at(admitting, ours)).gateway
    token = await token_of(admitting, ours, gateway)
    machine = await equipment(admitting.door, ours, gateway, "heat_pump_air_air")
    async with admitting.running(), running(agent_of(broker, gateway, tmp_path / "agent", pump, token=token)):
        assert (await outcome(admitting, ours, (await ask(admitting, ours, machine, 21.5)).id)).state == "succeeded"
        staff = Context((await operator(admitting.door)).actor, Purpose.OPERATE)

        async def aside() -> bool:
            async with admitting.door.open(staff) as tx:
                return any(str(gateway) in p.subject for p in await telemetry.poison(tx))

        await until(aside)
    assert 1 < len(tries) <= TRIES


async def test_EQP_02_an_attempt_at_anothers_topic_is_shown_where_the_device_stands(whole: Cloud) -> None:
    ours = await home(whole.door)
    gateway = (await gateway_at(whole, ours)).gateway
    await announce(whole.bus, Violation(str(gateway), "publish", "lineset.v1.another.frames", time.time()))

    async def shown() -> bool:
        async with whole.door.open(ours.acting) as tx:
            return [(e.kind, e.detail["topic"]) for e in await gateways.events(tx, gateway_id=gateway)] == [
                ("violation", "lineset/v1/another/frames")
            ]

    await until(shown)
