"""The same code against servers that somebody else runs: `LINESET_DATABASE_URL`, `LINESET_NATS_URL`, and a cluster."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from lineset.embedded.nats import wheel_program
from lineset.embedded.ports import free_port, listening
from lineset.embedded.postgres import EmbeddedPostgres
from lineset.embedded.process import wait_until
from lineset.embedded.run import RunFolder
from lineset.gateways.callout import Callout
from lineset.kit.bus import Bus, BusFault, bus_key
from lineset.kit.ca import Authority
from lineset.kit.durable import receipted_frames
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings
from lineset.kit.subject_keys import SubjectKeys

from tests.support.devices import Known, connect, enrolled

LINESET = [sys.executable, "-m", "lineset"]


@dataclass
class Node:
    """A NATS server of an operator's own, from what `lineset nats-config` wrote."""

    settings: Settings
    client: int
    cluster: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"tls://127.0.0.1:{self.client}"

    def write(self, others: "list[Node]") -> None:
        routes = [word for other in others for word in ("--route", f"127.0.0.1:{other.cluster}")]
        ports = ["--client-port", str(self.client), "--leaf-port", str(free_port()), "--cluster-port", str(self.cluster)]
        names = ["--host", "127.0.0.1", "--name", self.folder.name, "--listen", "127.0.0.1"]
        environment = {**os.environ, "LINESET_MQTT_PORT": str(self.settings.mqtt_port)}
        environment["LINESET_MQTT_TOKEN_PORT"] = str(self.settings.mqtt_token_port)
        command = [*LINESET, "nats-config", str(self.folder), *names, *ports, *routes, "--data", str(self.settings.data)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        assert (self.folder / "hub.conf").stat().st_mode & 0o077 == 0
        assert (self.folder / "server.key").stat().st_mode & 0o077 == 0


@contextmanager
def running(node: Node) -> Iterator[None]:
    program, _ = wheel_program()
    with (node.folder / "log").open("wb") as log:
        node.process = subprocess.Popen([str(program), "-c", str(node.folder / "hub.conf")], stdout=log, stderr=log)
    try:
        assert wait_until(lambda: listening(node.settings.mqtt_port), 20), (node.folder / "log").read_text()
        yield
    finally:
        node.process.kill()
        node.process.wait()


def nodes(folder: Path, count: int) -> list[Node]:
    made = [
        Node(
            Settings(data=folder / "data", mqtt_port=free_port(), mqtt_token_port=free_port()),
            free_port(),
            free_port(),
            folder / f"n{number}",
        )
        for number in range(count)
    ]
    for node in made:
        node.write([other for other in made if other is not node] if count > 1 else [])
    return made


def test_PLT_01_same_processes_run_on_servers_of_ones_own(open_folder: Path) -> None:
    (node,) = nodes(open_folder, 1)
    database = EmbeddedPostgres(Settings(data=open_folder / "elsewhere"))
    with running(node):
        try:
            environment = {
                **os.environ,
                "LINESET_DATA": str(node.settings.data),
                "LINESET_PORT": str(free_port()),
                "LINESET_DATABASE_URL": database.start(),
                "LINESET_NATS_URL": node.url,
            }
            output = (open_folder / "output").open("wb")
            tree = subprocess.Popen([*LINESET, "up", "--ingest", "2"], env=environment, stdout=output, stderr=output)
            output.close()
            folder = RunFolder(node.settings.data)

            def ready() -> bool:
                state = folder.read()
                return tree.poll() is not None or (state is not None and state.state == "ready")

            try:
                assert wait_until(ready, 120, 0.1)
                state = folder.read()
                assert tree.poll() is None, (open_folder / "output").read_text()
                assert state is not None
                assert {role.name for role in state.roles} == {"web", "ingest-1", "ingest-2", "worker"}
                assert not (node.settings.data / "postgres").exists()
                assert not (node.settings.data / "nats").exists()
            finally:
                tree.send_signal(signal.SIGTERM)
                assert tree.wait(60) == 0
        finally:
            database.stop()


@pytest.mark.soak
@pytest.mark.anyio
async def test_cluster_of_three_keeps_receipted_messages_and_keys_when_a_server_dies(open_folder: Path, tmp_path: Path) -> None:
    three = nodes(open_folder, 3)
    with ExitStack() as stack:
        for node in three:
            stack.enter_context(running(node))
        settings = Settings(data=open_folder / "data", nats_url=",".join(node.url for node in three))
        bus = await Bus.connect(settings, "test")
        system = await Bus.connect(settings, "test", account="system")
        known, gateway = Known(), new_id()
        path, certificate = enrolled(Authority.open(settings), gateway, tmp_path)
        known.certificates[certificate.fingerprint] = gateway
        callout = Callout(bus, system, bus_key(settings, "issuer"), known, known.live)
        async with asyncio.timeout(60):
            while True:
                try:
                    await callout.start()
                    break
                except BusFault:
                    await asyncio.sleep(0.5)
        keys = SubjectKeys(bus)
        assert await keys.create("a-subject", b"wrapped")
        receipted = []
        async with connect(three[1].settings, gateway, identity=path) as device:
            for number in range(100):
                await device.publish(f"lineset/v1/{gateway}/frames", str(number), qos=1)
                receipted.append(str(number).encode())
        assert three[0].process is not None
        three[0].process.kill()
        frames, found = receipted_frames(bus), set[bytes]()
        async with asyncio.timeout(60):
            while len(found) < 100:
                for message in await frames.fetch(100, 2):
                    found.add(message.data)
                    await message.ack()
        assert found == set(receipted)
        assert await keys.get("a-subject") == b"wrapped"
        await callout.stop()
        await bus.close()
        await system.close()
