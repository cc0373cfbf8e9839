"""No plain way into a cluster, and none between its servers for whoever only has a certificate of the platform."""

import asyncio
import json
import re
import signal
import socket
import ssl
import time
from collections.abc import Mapping
from pathlib import Path

import aiomqtt
import msgspec
import nats
import nats.errors
import psycopg
import pytest
from lineset.embedded.process import wait_until
from lineset.kit.addresses import owner_url
from lineset.kit.bus import KEYS_STREAM, Bus, BusFault, bus_key
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings
from lineset.kit.subject_keys import SubjectKeys
from lineset_contract import topics
from lineset_contract.wire import Ack, Frame, FrameMessage
from sqlalchemy.engine import make_url

from deploy.debian_postgres import programs
from deploy.loopback import answers
from deploy.writing import write
from tests.cluster.world import Cluster
from tests.support.fleet import Gateway, free_port

pytestmark = [pytest.mark.timeout(400)]

CONNECT = b'CONNECT {"verbose":true,"tls_required":false}\r\nPING\r\n'
MQTT = bytes.fromhex("100f00044d5154540402003c0003616263")  # CONNECT of MQTT 3.1.1, clean session, client id abc


def said_in_the_clear(port: int, words: bytes) -> bytes:
    """What a server answers to plain words before it closes, or b"" when it stays silent for 2 s."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
        try:
            plain.sendall(words)
            while part := plain.recv(4096):
                heard += part
        except OSError:
            pass
    return heard


def test_SEC_02_no_port_of_a_cluster_speaks_in_the_clear(cluster: Cluster) -> None:
    for machine in cluster.loopback.plan.machine:
        for port in (machine.client_port, machine.leaf_port, machine.cluster_port):
            heard = said_in_the_clear(port, CONNECT)
            assert b"INFO" not in heard
            assert b"PONG" not in heard
        for port in (machine.mqtt_port, machine.mqtt_token_port):
            assert not said_in_the_clear(port, MQTT).startswith(b"\x20")  # CONNACK, with whatever code


def test_SEC_02_the_database_of_a_cluster_refuses_plain_connections(cluster: Cluster) -> None:
    address = owner_url(cluster.settings)
    plain = make_url(address).update_query_dict({"sslmode": "disable"}).render_as_string(hide_password=False)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(plain)
    with psycopg.connect(address) as connection:
        assert connection.pgconn.ssl_in_use
        row = connection.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert row is not None
        assert row[0] in {"TLSv1.2", "TLSv1.3"}


def test_SEC_02_the_bus_goes_no_further_with_a_server_that_offers_no_tls(cluster: Cluster) -> None:
    """Somebody in between who says that no TLS is needed gets not one word."""
    heard: list[bytes] = []

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.11.0","tls_required":false,"max_payload":1048576,"nonce":"abc"}\r\n')
        heard.append(await reader.read(4096))
        writer.close()

    async def meet() -> None:
        port = free_port()
        async with await asyncio.start_server(pretend, "127.0.0.1", port):
            for scheme in ("tls", "nats"):
                settings = Settings(data=cluster.settings.data, nats_url=f"{scheme}://127.0.0.1:{port}")
                with pytest.raises((BusFault, TimeoutError)):
                    async with asyncio.timeout(3):
                        await Bus.connect(settings, "test", patience_s=1)

    asyncio.run(meet())
    assert heard
    assert not [words for words in heard if b"CONNECT" in words or b"nkey" in words]


def said_as_a_route(cluster: Cluster, port: int, identity: ssl.SSLContext, connect: Mapping[str, object]) -> bytes:
    """What a server of the cluster answers to one that calls itself another, until it closes or is silent for 2 s."""
    identity.check_hostname = False
    heard = b""
    words = {"server_id": "x", "name": "x", "verbose": False, "tls_required": True, "cluster": "lineset", "headers": True, **connect}
    with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
        try:
            with identity.wrap_socket(plain) as route:
                route.sendall(b"CONNECT " + json.dumps(words).encode() + b"\r\nPING\r\n")
                while part := route.recv(4096):
                    heard += part
        except OSError:
            pass
    return heard


def test_SEC_02_a_gateways_certificate_opens_no_route_into_the_cluster(cluster: Cluster, fleet: list[Gateway]) -> None:
    """It comes from the same authority as the servers' own, so the certificate alone must not be enough."""
    machine = cluster.loopback.plan.machine[0]
    conf = (cluster.loopback.folder / machine.name / "nats" / "hub.conf").read_text()
    password = re.findall(r"tls://route:(\w+)@", conf)[0]
    for known in ({}, {"user": "route", "pass": "guessed"}):
        heard = said_as_a_route(cluster, machine.cluster_port, cluster.tls(fleet[0]), known)
        assert b"Authorization Violation" in heard
        assert b"PONG" not in heard
    # the same words with the cluster's own password do open it, so it is the password that keeps others out
    assert b"PONG" in said_as_a_route(cluster, machine.cluster_port, cluster.tls(fleet[0]), {"user": "route", "pass": password})


@pytest.mark.anyio
async def test_SEC_02_a_gateways_certificate_is_no_identity_on_the_bus(cluster: Cluster, fleet: list[Gateway]) -> None:
    machine = cluster.loopback.plan.machine[0]
    refused: list[Exception] = []

    async def on_error(error: Exception) -> None:
        refused.append(error)

    with pytest.raises((nats.errors.Error, OSError)):
        await nats.connect(
            f"tls://127.0.0.1:{machine.client_port}",
            tls=cluster.tls(fleet[0]),
            tls_handshake_first=True,
            allow_reconnect=False,
            connect_timeout=5,
            error_cb=on_error,
        )


def test_every_machine_has_the_same_secrets_and_made_none_of_its_own(cluster: Cluster) -> None:
    def kept(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}

    first, *others = [kept(cluster.loopback.folder / machine.name / "data" / "secrets") for machine in cluster.loopback.plan.machine]
    assert all(secrets == first for secrets in others)
    assert bus_key(cluster.settings, "issuer").public_key == bus_key(cluster.loopback.settings("b"), "issuer").public_key


def test_PLT_01_a_cluster_works_on_the_database_that_the_system_brings(cluster: Cluster) -> None:
    with psycopg.connect(owner_url(cluster.settings)) as connection:
        assert str(connection.info.server_version // 10000) == programs().parent.name


@pytest.mark.anyio
async def test_PLT_01_every_stream_of_a_cluster_is_kept_three_times(cluster: Cluster, fleet: list[Gateway]) -> None:
    """Those of the broker for MQTT too, which come into being with a device's first connection."""
    bus = await Bus.connect(cluster.settings, "test")
    found = {info.config.name: info.config.num_replicas for info in await bus.stream.streams_info()}
    await bus.close()
    assert {"KV_subject_keys", "$MQTT_msgs"} <= set(found)
    assert set(found.values()) == {3}, found


def shown(port: int, data: Path) -> bytes:
    """The certificate that a server shows there, verified."""
    context = ssl.create_default_context(cafile=str(data / "ca.pem"))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
        found = tls.getpeercert(binary_form=True)
    assert found is not None
    return found


def test_SEC_02_certificates_are_renewed_while_a_cluster_runs(cluster: Cluster) -> None:
    """Files written anew and a signal to the servers, as the guide says."""
    loopback, data = cluster.loopback, cluster.settings.data
    ports = [port for m in loopback.plan.machine for port in (m.client_port, m.leaf_port, m.mqtt_token_port)]
    before = {port: shown(port, data) for port in ports}
    write(loopback.plan, loopback.data, loopback.folder, loopback.keys)
    for name in loopback.processes:
        if "/nats" in name:
            loopback.processes[name].send_signal(signal.SIGHUP)
    assert wait_until(lambda: all(shown(port, data) != before[port] for port in ports), 20)
    assert all(answers(f"{url}/health/ready") for url in loopback.web.values())


@pytest.mark.anyio
async def test_PLT_01_a_token_device_goes_on_beside_a_server_that_died(cluster: Cluster, fleet: list[Gateway]) -> None:
    """The token server of a machine finds another hub when its own one is gone."""
    gateway = fleet[0]
    cluster.loopback.kill("c/nats")
    try:
        port = cluster.loopback.plan.machine[2].mqtt_token_port
        async with asyncio.timeout(40):
            while True:
                try:
                    async with aiomqtt.Client(
                        "127.0.0.1", port, identifier=str(gateway.id), username=str(gateway.id), password=gateway.token,
                        tls_context=cluster.tls(), timeout=5,
                    ) as device:  # fmt: skip
                        await device.subscribe(topics.ack(str(gateway.id)))
                        frame = Frame(time.time() - 7_000_000, "hp0", {"room_temperature": 20.5})
                        await device.publish(topics.frames(str(gateway.id)), msgspec.json.encode(FrameMessage("token", 1, [frame])))
                        async for message in device.messages:
                            assert msgspec.json.decode(bytes(message.payload), type=Ack).through == 1
                            return
                except aiomqtt.MqttError:
                    await asyncio.sleep(0.3)
    finally:
        cluster.loopback.start("c/nats")


@pytest.mark.anyio
async def test_PLT_01_names_can_be_read_while_the_key_store_has_no_leader(cluster: Cluster) -> None:
    """The servers take 4 to 9 s to choose another one; reading what seals people's names does not wait for it."""
    bus = await Bus.connect(cluster.settings, "test")
    keys = SubjectKeys(bus)
    subject = str(new_id())
    assert await keys.create(subject, b"wrapped")
    state = (await bus.stream.stream_info(KEYS_STREAM)).cluster
    assert state is not None
    leader = f"{state.leader}/nats"
    cluster.loopback.kill(leader)
    try:
        began = time.monotonic()
        assert await keys.get(subject) == b"wrapped"
        took = time.monotonic() - began
        assert await keys.get(str(new_id())) is None
        assert await keys.create(str(new_id()), b"another")  # waits for the leader
        print(f"read after {took:.1f} s, written after {time.monotonic() - began:.1f} s")
        assert took < 4
    finally:
        cluster.loopback.start(leader)
        await bus.close()
