"""The broker and the bus: devices of both kinds, what they may do, and what survives a kill."""

import asyncio
import os
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import aiomqtt
import pytest
from lineset.embedded.attempts import Attempts
from lineset.embedded.faults import EngineFault
from lineset.embedded.nats import EmbeddedNats
from lineset.embedded.ports import free_port, listening
from lineset.gateways.callout import Callout
from lineset.kit.bus import FRAMES, Bus, bus_key
from lineset.kit.ca import Authority
from lineset.kit.durable import receipted_frames
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings
from lineset.kit.subject_keys import SubjectKeys
from lineset.kit.violations import Violation, watch
from nats.aio.msg import Msg

from tests.support.devices import Known, connect, enrolled

pytestmark = pytest.mark.anyio


@dataclass
class Broker:
    """A running broker with its callout, and two devices that it knows: one with a certificate, one with a token."""

    settings: Settings
    servers: EmbeddedNats
    bus: Bus
    system: Bus
    callout: Callout
    known: Known
    authority: Authority
    folder: Path
    by_certificate: UUID
    certificate: Path
    by_token: UUID
    token: str = "a-token-of-a-simple-device"

    def device(self, *, token: bool = False, **changes: object) -> aiomqtt.Client:
        if token:
            return connect(self.settings, self.by_token, token=self.token, **changes)  # type: ignore[arg-type]
        return connect(self.settings, self.by_certificate, identity=self.certificate, **changes)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool], timeout_s: float = 8.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.01)


@pytest.fixture
async def broker(open_folder: Path, tmp_path: Path) -> AsyncIterator[Broker]:
    settings = Settings(data=open_folder / "data", mqtt_port=free_port(), mqtt_token_port=free_port())
    servers = EmbeddedNats(settings)
    servers.start()
    bus, system = await Bus.connect(settings, "test"), await Bus.connect(settings, "test", account="system")
    authority = Authority.open(settings)
    known, by_certificate, by_token = Known(), new_id(), new_id()
    path, certificate = enrolled(authority, by_certificate, tmp_path)
    made = Broker(
        settings,
        servers,
        bus,
        system,
        Callout(bus, system, bus_key(settings, "issuer"), known, known.live),
        known,
        authority,
        tmp_path,
        by_certificate,
        path,
        by_token,
    )
    known.certificates[certificate.fingerprint] = by_certificate
    known.tokens[str(by_token), made.token] = by_token
    await made.callout.start()
    try:
        yield made
    finally:
        await made.callout.stop()
        await bus.close()
        await system.close()
        servers.stop()


@asynccontextmanager
async def heard(bus: Bus, subject: str = FRAMES) -> AsyncIterator[list[Msg]]:
    """What arrives on a subject while the block runs."""
    arrived: list[Msg] = []

    async def note(message: Msg) -> None:
        arrived.append(message)

    subscription = await bus.subscribe(subject, note, queue="ingest")
    yield arrived
    await subscription.unsubscribe()


@pytest.mark.parametrize("token", [False, True])
async def test_device_of_each_kind_sends_by_qos_0_and_1_and_hears_its_own_answers(broker: Broker, token: bool) -> None:
    gateway = broker.by_token if token else broker.by_certificate
    frames = receipted_frames(broker.bus)
    async with heard(broker.bus) as arrived, broker.device(token=token) as device:
        await device.subscribe(f"lineset/v1/{gateway}/ack")
        for qos in (0, 1):
            await device.publish(f"lineset/v1/{gateway}/frames", f"qos {qos}", qos=qos)
        await until(lambda: len(arrived) == 2)
        assert [(m.data, (m.headers or {})["Nmqtt-Pub"]) for m in arrived] == [(b"qos 0", "0"), (b"qos 1", "1")]
        assert {m.subject for m in arrived} == {f"lineset.v1.{gateway}.frames"}
        kept = await frames.fetch(10, 5)
        assert [(m.subject, m.data) for m in kept] == [(f"$MQTT.msgs.lineset.v1.{gateway}.frames", b"qos 1")]
        await kept[0].ack()
        await broker.bus.publish(f"lineset.v1.{gateway}.ack", b"got it")
        async with asyncio.timeout(5):
            answer = await anext(aiter(device.messages))
        assert answer.payload == b"got it"


@pytest.mark.parametrize("token", [False, True])
async def test_SEC_04_forbidden_topics_have_no_effect_and_are_seen(broker: Broker, token: bool) -> None:
    mine, other = (broker.by_token, broker.by_certificate) if token else (broker.by_certificate, broker.by_token)
    seen: list[Violation] = []

    async def note(violation: Violation) -> None:
        seen.append(violation)

    await watch(broker.bus, note)
    async with heard(broker.bus, "lineset.>") as arrived, broker.device(token=token) as device:
        await device.publish(f"lineset/v1/{other}/frames", "not mine", qos=1)
        await device.publish(f"lineset/v1/{mine}/ack", "I am not the platform", qos=0)
        for topic in (f"lineset/v1/{other}/commands", "lineset/#", "$SYS/#", "#"):
            with pytest.raises(aiomqtt.MqttError):
                raise_refused(await device.subscribe(topic))
        await device.publish(f"lineset/v1/{mine}/frames", "mine", qos=1)
        await until(lambda: len(arrived) == 1)
        assert [m.data for m in arrived] == [b"mine"]
    attempts = await supervised(broker)
    await until(lambda: len(seen) >= 6)
    await attempts.close()
    assert {v.gateway for v in seen} == {str(mine)}
    assert {(v.action, v.subject) for v in seen} >= {
        ("publish", f"lineset.v1.{other}.frames"),
        ("publish", f"lineset.v1.{mine}.ack"),
        ("subscribe", f"lineset.v1.{other}.commands"),
    }
    assert all(abs(v.at - time.time()) < 60 for v in seen)
    assert [v.count for v in seen] == [1] * len(seen)


async def supervised(broker: Broker, repeat: int = 1) -> Attempts:
    """The broker's log through what the supervisor makes of it, `repeat` times over."""

    async def bus() -> Bus:
        return broker.bus

    def failed(text: str) -> None:
        raise AssertionError(text)

    attempts = Attempts(bus, failed, alike_s=0.2)
    for line in (broker.settings.data / "logs" / "nats.log").read_text().splitlines() * repeat:
        attempts.hear(line)
    return attempts


async def test_many_attempts_alike_are_one_announcement_and_then_their_number(broker: Broker) -> None:
    seen: list[Violation] = []

    async def note(violation: Violation) -> None:
        seen.append(violation)

    await watch(broker.bus, note)
    async with broker.device() as device:
        await device.publish(f"lineset/v1/{broker.by_token}/frames", "not mine", qos=1)
    attempts = await supervised(broker, repeat=50)
    await until(lambda: sum(v.count for v in seen) == 50)
    await attempts.close()
    assert len(seen) <= 2


def raise_refused(codes: object) -> None:
    """aiomqtt hands the SUBACK's codes over; 0x80 is a refusal."""
    for code in codes:  # type: ignore[attr-defined]
        if getattr(code, "is_failure", False) or code == 0x80:
            raise aiomqtt.MqttError("refused")


async def test_certificate_of_a_foreign_authority_is_refused(broker: Broker, tmp_path: Path) -> None:
    foreign = Authority.open(Settings(data=tmp_path / "foreign"))
    path, _ = enrolled(foreign, broker.by_certificate, tmp_path)
    trust = ssl.create_default_context(cafile=str(broker.settings.data / "ca.pem"))
    trust.load_cert_chain(path)

    def knock() -> bytes:
        with (
            socket.create_connection(("localhost", broker.settings.mqtt_port), timeout=5) as plain,
            trust.wrap_socket(plain, server_hostname="localhost") as sealed,
        ):
            sealed.sendall(b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02me")
            return sealed.recv(4)  # with TLS 1.3 a client hears of the refusal when it reads

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.to_thread(knock)
    assert broker.known.asked == 0


async def test_no_certificate_wrong_token_and_unknown_gateway_are_refused(broker: Broker) -> None:
    settings = broker.settings
    swapped = replace_ports(settings)
    for client in (
        connect(settings, broker.by_token, token="wrong"),
        connect(settings, broker.by_certificate, token=broker.token),
        connect(settings, broker.by_token),
        connect(swapped, broker.by_token, token=broker.token, patience_s=2),
    ):
        with pytest.raises((aiomqtt.MqttError, ssl.SSLError)):
            async with client:
                raise AssertionError("let in")


def replace_ports(settings: Settings) -> Settings:
    """Settings by which a device with a token goes to the port for certificates."""
    return Settings(data=settings.data, mqtt_port=settings.mqtt_token_port, mqtt_token_port=settings.mqtt_port)


async def test_client_id_of_another_gateway_is_refused_and_does_not_disturb_it(broker: Broker) -> None:
    async with heard(broker.bus) as arrived, broker.device(token=True) as victim:
        with pytest.raises(aiomqtt.MqttError):
            async with broker.device(client_id=str(broker.by_token)):
                raise AssertionError("let in")
        await victim.publish(f"lineset/v1/{broker.by_token}/frames", "still here", qos=1)
        await until(lambda: bool(arrived))


async def cut(device: aiomqtt.Client) -> None:
    """Wait for the end of the connection, which raises."""
    async with asyncio.timeout(8):
        async for _ in device.messages:
            raise AssertionError("nothing was sent")


@pytest.mark.parametrize("token", [False, True])
async def test_EQP_02_revocation_cuts_a_live_connection_at_once_and_keeps_it_out(broker: Broker, token: bool) -> None:
    gateway = broker.by_token if token else broker.by_certificate
    other_asked = Callout(broker.bus, broker.system, bus_key(broker.settings, "issuer"), broker.known, broker.known.live)
    await other_asked.start()  # several processes answer; who let the device in does not matter
    async with broker.device(token=token) as device, broker.device(token=not token) as bystander:
        broker.known.revoke(gateway)
        begun = time.monotonic()
        await broker.bus.publish(f"wake.revoke.{gateway}")
        with pytest.raises(aiomqtt.MqttError):
            await cut(device)
        assert time.monotonic() - begun < 1
        with pytest.raises(aiomqtt.MqttError):
            async with broker.device(token=token):
                raise AssertionError("let in again")
        other = broker.by_certificate if token else broker.by_token
        await bystander.publish(f"lineset/v1/{other}/frames", "still here", qos=1)
    await other_asked.stop()


async def test_revocation_that_nobody_heard_is_found_by_the_sweep(broker: Broker) -> None:
    async with broker.device() as device, broker.device(token=True):
        broker.known.revoke(broker.by_certificate)
        assert await broker.callout.sweep() == 1
        with pytest.raises(aiomqtt.MqttError):
            await cut(device)
        assert await broker.callout.sweep() == 0


async def test_connection_ends_with_its_certificate(broker: Broker) -> None:
    path, certificate = enrolled(broker.authority, broker.by_certificate, broker.folder, days=3 / 86400)
    broker.known.certificates[certificate.fingerprint] = broker.by_certificate
    async with connect(broker.settings, broker.by_certificate, identity=path) as device:
        with pytest.raises(aiomqtt.MqttError):
            await cut(device)
    assert time.time() >= certificate.ends - 1


async def test_guessing_a_token_is_slowed_down(broker: Broker) -> None:
    for number in range(Callout.FAILURES_PER_GATEWAY + 3):
        with pytest.raises(aiomqtt.MqttError):
            async with connect(broker.settings, broker.by_token, token=f"guess {number}"):
                raise AssertionError("let in")
    assert broker.known.asked == Callout.FAILURES_PER_GATEWAY
    async with broker.device():  # others are not disturbed
        assert broker.known.asked == Callout.FAILURES_PER_GATEWAY + 1


async def test_broker_without_anybody_to_ask_lets_nobody_in(broker: Broker) -> None:
    await broker.callout.stop()
    await broker.bus.close()
    with pytest.raises(aiomqtt.MqttError):
        async with broker.device():
            raise AssertionError("let in")


async def test_receipted_message_is_handed_out_as_it_comes_and_returned_if_nobody_takes_it(broker: Broker) -> None:
    frames = receipted_frames(broker.bus)
    assert await frames.fetch(10, 0.05) == []
    async with broker.device(token=True) as device:
        waits = []
        for number in range(20):
            begun = time.monotonic()
            await device.publish(f"lineset/v1/{broker.by_token}/frames", str(number), qos=1)
            (message,) = await frames.fetch(10, 5)
            waits.append(time.monotonic() - begun)
            assert message.data == str(number).encode()
            if number < 19:
                await message.ack()
        assert sorted(waits)[10] < 0.2
        await message.nak()
        await device.publish(f"lineset/v1/{broker.by_token}/frames", "for another process", qos=1)
        await asyncio.sleep(0)
    await frames.close()
    other = receipted_frames(broker.bus)
    found: list[bytes] = []
    while len(found) < 2:
        messages = await other.fetch(10, 5)
        assert messages
        for again in messages:
            found.append(again.data)
            await again.ack()
    assert sorted(found) == [b"19", b"for another process"]
    await other.close()


async def killed(broker: Broker, server: str) -> None:
    """Kill a server and start again."""
    os.kill(broker.servers.pids[server], signal.SIGKILL)
    if server == "nats-hub":
        await until(lambda: not broker.bus.connected)
    begun = time.monotonic()
    broker.servers.start()
    assert time.monotonic() - begun < 8
    await until(lambda: broker.bus.connected and broker.system.connected)


async def test_TEL_02_receipted_messages_survive_a_killed_broker_though_nobody_was_there_to_take_them(broker: Broker) -> None:
    receipted = []
    async with broker.device() as device, broker.device(token=True) as simple:
        for number in range(150):
            for gateway, sender in ((broker.by_certificate, device), (broker.by_token, simple)):
                payload = f"{gateway} {number}".encode()
                await sender.publish(f"lineset/v1/{gateway}/frames", payload, qos=1)
                receipted.append(payload)
        await killed(broker, "nats-hub")
    frames = receipted_frames(broker.bus)
    found: set[bytes] = set()
    while len(found) < len(receipted):
        messages = await frames.fetch(200, 2)
        assert messages, f"{len(receipted) - len(found)} receipted messages are lost"
        for message in messages:
            found.add(message.data)
            await message.ack()
    assert found == set(receipted)


@pytest.mark.parametrize("server", ["nats-hub", "nats-token"])
async def test_killed_server_comes_back_and_devices_work_again(broker: Broker, server: str) -> None:
    await killed(broker, server)
    async with heard(broker.bus) as arrived:
        await eventually(broker, token=True)
        await eventually(broker, token=False)
        await until(lambda: {m.subject.split(".")[2] for m in arrived} == {str(broker.by_token), str(broker.by_certificate)})


async def eventually(broker: Broker, *, token: bool) -> None:
    """Connect and send as a device does: again and again until it works."""
    gateway = broker.by_token if token else broker.by_certificate
    async with asyncio.timeout(20):
        while True:
            try:
                async with broker.device(token=token) as device:
                    await device.publish(f"lineset/v1/{gateway}/frames", "back", qos=1)
                    return
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)


async def test_DEL_03_destroyed_key_leaves_no_bytes_and_the_others_stay(broker: Broker) -> None:
    keys = SubjectKeys(broker.bus)
    wrapped = {str(new_id()): os.urandom(24).hex().encode() for _ in range(40)}
    for subject, value in wrapped.items():
        assert await keys.create(subject, value)
    first, *_, last = wrapped
    assert not await keys.create(first, b"another")
    assert await keys.get(first) == wrapped[first]
    assert where(broker, wrapped[first])
    for gone in (first, last):
        await keys.destroy(gone)
        await keys.destroy(gone)
        assert await keys.get(gone) is None
        assert not where(broker, wrapped[gone])
    await killed(broker, "nats-hub")
    left = {subject: value for subject, value in wrapped.items() if subject not in (first, last)}
    assert sorted(await keys.subjects()) == sorted(left)
    for subject, value in wrapped.items():
        assert await keys.get(subject) == left.get(subject)
        assert bool(where(broker, value)) is (subject in left)


def where(broker: Broker, value: bytes) -> list[Path]:
    return [path for path in broker.servers.place.folder.rglob("*") if path.is_file() and value in path.read_bytes()]


async def test_taken_port_is_named_with_its_holder_and_its_setting(broker: Broker) -> None:
    mine = Settings(data=broker.folder / "second", mqtt_port=broker.settings.mqtt_port, mqtt_token_port=free_port())
    with pytest.raises(EngineFault, match=rf"Port {mine.mqtt_port}, .*nats-server \(process \d+\).*LINESET_MQTT_PORT") as refused:
        EmbeddedNats(mine).start()
    assert refused.value.code == "port_taken"


async def test_stopped_servers_are_gone_and_left_ones_are_replaced(open_folder: Path) -> None:
    settings = Settings(data=open_folder / "data", mqtt_port=free_port(), mqtt_token_port=free_port())
    first, second = EmbeddedNats(settings), EmbeddedNats(settings)
    first.start()
    before = dict(first.pids)
    second.start()  # a leftover of the same data folder, whose ports are taken by itself, is no obstacle
    assert set(before.values()).isdisjoint(second.pids.values())
    second.stop()
    first.stop()
    assert not listening(settings.mqtt_port)
    assert not listening(settings.mqtt_token_port)


async def test_server_certificate_covers_named_hosts_and_is_made_anew_when_they_change(open_folder: Path) -> None:
    settings = Settings(data=open_folder / "data", mqtt_port=free_port(), mqtt_token_port=free_port())
    servers = EmbeddedNats(settings)
    assert servers.renew_certificate()
    assert not servers.renew_certificate()
    named = EmbeddedNats(Settings(data=settings.data, hosts=("lineset.example", "192.0.2.7")))
    assert named.renew_certificate()
    assert named.bind == "0.0.0.0"
    assert servers.bind == "127.0.0.1"
