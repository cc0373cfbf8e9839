"""`lineset up` from outside: start, second start, faults of every process, stop."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from lineset.embedded.ports import free_port, listening
from lineset.embedded.process import end_marked, started_at, wait_until
from lineset.embedded.run import MARK, RoleState, RunFolder, State
from lineset.kit.addresses import owner_url
from lineset.kit.bus import Bus, BusFault
from lineset.kit.settings import Settings
from lineset.kit.subject_keys import SubjectKeys

LINESET = [sys.executable, "-m", "lineset"]
START_S = 120.0  # on a busy machine; a start takes about 5 s of processor time


@dataclass
class Tree:
    """A `lineset up` of this test."""

    settings: Settings
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def state(self) -> State:
        state = RunFolder(self.settings.data).read()
        assert state is not None
        return state

    def role(self, name: str) -> RoleState:
        return next(role for role in self.state.roles if role.name == name)

    def wait_ready(self) -> None:
        """Until every role works, as seen from outside."""
        assert wait_until(lambda: self.process.poll() is not None or self.ready(), START_S, 0.1), self.output.read_text()
        assert self.process.poll() is None, self.output.read_text()

    def ready(self) -> bool:
        folder = RunFolder(self.settings.data)
        state = folder.read()
        return state is not None and state.pid == self.process.pid and state.state == "ready" and self.get("/health/ready")[0] == 200

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with socket.create_connection(("127.0.0.1", self.settings.web_port), timeout=8) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError:
            return 0, b""
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]) if head else 0, body

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(sign)
        return self.process.wait(60)


def environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "LINESET_DATA": str(settings.data),
        "LINESET_PORT": str(settings.web_port),
        "LINESET_MQTT_PORT": str(settings.mqtt_port),
        "LINESET_MQTT_TOKEN_PORT": str(settings.mqtt_token_port),
    }


def up(settings: Settings, output: Path) -> Tree:
    with output.open("wb") as file:
        process = subprocess.Popen([*LINESET, "up"], env=environment(settings), stdout=file, stderr=file, stdin=subprocess.DEVNULL)
    return Tree(settings, process, output)


def refused(settings: Settings) -> str:
    done = subprocess.run([*LINESET, "up"], env=environment(settings), capture_output=True, text=True, timeout=START_S, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def somewhere(folder: Path) -> Settings:
    return Settings(data=folder, web_port=free_port(), mqtt_port=free_port(), mqtt_token_port=free_port())


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Tree]]:
    """At most one tree, which the tests here share; the last one to have it is stopped at the end."""
    trees: list[Tree] = []
    yield trees
    for tree in trees:
        if tree.process.poll() is None:
            tree.stop()
        tree.process.wait()


@pytest.fixture
def tree(standing: list[Tree], tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A tree that works, in a folder that is closed to other users."""
    if not standing or standing[-1].process.poll() is not None:
        folder = standing[-1].settings.data.parent if standing else tmp_path_factory.mktemp("up")
        settings = standing[-1].settings if standing else somewhere(folder / "data")
        standing[:] = [up(settings, folder / f"output-{time.monotonic_ns()}")]
    standing[-1].wait_ready()
    return standing[-1]


def pids(state: State) -> dict[str, int]:
    return {role.name: role.pid for role in state.roles if role.pid}


def let_no_file_grow(pid: int) -> None:
    """As on a full disk, for one process. Only its own user may limit it."""
    owner = Path(f"/proc/{pid}").stat()
    prlimit = ["prlimit", "--pid", str(pid), f"--fsize={64 << 10}"]
    if os.geteuid() == 0:
        subprocess.run(prlimit, user=owner.st_uid, group=owner.st_gid, extra_groups=[], check=True)
    else:
        subprocess.run(prlimit, check=True)


async def fill(keys: SubjectKeys) -> None:
    """Store 200 keys, trying each until it is stored."""
    for number in range(200):
        while await keys.get(f"more-{number}") is None:
            with contextlib.suppress(BusFault):
                await keys.create(f"more-{number}", b"x" * 1000)


@pytest.mark.anyio
async def test_broker_that_could_not_write_is_healed_once_there_is_room(tree: Tree) -> None:
    bus = await Bus.connect(tree.settings, "test")
    keys, hub = SubjectKeys(bus), tree.role("nats-hub").pid
    assert hub is not None
    assert await keys.create("kept", b"wrapped")
    let_no_file_grow(hub)
    async with asyncio.timeout(60):
        await fill(keys)
    assert len(await keys.subjects()) == 201
    assert await keys.get("kept") == b"wrapped"
    assert tree.role("nats-hub").pid != hub
    assert "The disk is full" in tree.output.read_text()
    await bus.close()


def test_every_process_killed_comes_back_and_the_parent_killed_takes_all_with_it(tree: Tree, standing: list[Tree]) -> None:
    url = owner_url(tree.settings)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE migrations.kept (number int)")
        connection.execute("INSERT INTO migrations.kept VALUES (1)")
    for name, pid in pids(tree.state).items():
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda name=name, pid=pid: tree.role(name).pid not in (None, pid), 30), name  # type: ignore[misc]
        assert tree.role(name).restarts >= 1
    tree.wait_ready()

    before = pids(tree.state)
    tree.process.kill()
    tree.process.wait()
    begun = time.monotonic()
    second = up(tree.settings, tree.output.with_name("output-second"))
    try:
        second.wait_ready()
        print(f"second start after a killed parent: {time.monotonic() - begun:.1f} s")
        assert all(started_at(pid) is None for pid in before.values())
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT number FROM migrations.kept").fetchall() == [(1,)]
            connection.execute("DROP TABLE migrations.kept")
        standing[:] = [second]
    except BaseException:
        second.process.kill()
        second.process.wait()
        raise


def test_told_twice_while_starting_it_kills_what_is_left(tmp_path: Path) -> None:
    settings = somewhere(tmp_path / "data")
    tree = up(settings, tmp_path / "output")
    folder = RunFolder(settings.data)
    try:
        assert wait_until(lambda: (state := folder.read()) is not None and "postgres" in pids(state), 60)
        begun = time.monotonic()
        tree.process.send_signal(signal.SIGTERM)
        tree.process.send_signal(signal.SIGINT)
        assert tree.process.wait(20) == 0
        assert time.monotonic() - begun < 15
        assert not wait_until(lambda: any(end_marked(MARK, str(settings.data))), 0.1)
        assert not any(listening(port) for port in (settings.web_port, settings.mqtt_port, settings.mqtt_token_port))
    finally:
        if tree.process.poll() is None:
            tree.process.kill()
            tree.process.wait()


def test_PLT_01_one_command_starts_everything_and_stops_cleanly(tree: Tree) -> None:
    state = tree.state
    assert set(pids(state)) == {"nats-hub", "nats-token", "postgres", "web", "ingest", "worker"}
    # whoever asks knows the data folder, and not which ports it was started with
    only = {name: value for name, value in environment(tree.settings).items() if "PORT" not in name}
    said = subprocess.run([*LINESET, "status", "--json"], env=only, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(said.stdout)
    assert told["ready"] is True
    assert {role["name"]: role["pid"] for role in told["roles"]} == pids(state)
    assert 50 < told["memory_mb"] < 600
    if os.geteuid() == 0:
        engines = {name for name, pid in pids(state).items() if Path(f"/proc/{pid}").stat().st_uid != 0}
        assert engines == {"nats-hub", "nats-token", "postgres"}

    again = refused(tree.settings)
    assert f"already runs on {tree.settings.data} (process {tree.process.pid}" in again
    other = somewhere(tree.settings.data.parent / "other")
    taken = Settings(data=other.data, web_port=tree.settings.web_port, mqtt_port=other.mqtt_port, mqtt_token_port=other.mqtt_token_port)
    message = refused(taken)
    assert f"Port {tree.settings.web_port}, meant for the web pages, is taken by" in message
    assert "LINESET_PORT" in message

    assert any("operator?token=" in output.read_text() for output in tree.output.parent.glob("output-*"))
    assert not any("operator?token=" in log.read_text() for log in (tree.settings.data / "logs").iterdir())
    assert tree.stop() == 0
    assert all(started_at(pid) is None for pid in pids(state).values())
    assert not any(listening(port) for port in (tree.settings.web_port, tree.settings.mqtt_port, tree.settings.mqtt_token_port))
    assert "database system is shut down" in (tree.settings.data / "logs" / "postgres.log").read_text()
    stopped = subprocess.run([*LINESET, "status"], env=environment(tree.settings), capture_output=True, text=True, check=False)
    assert stopped.returncode == 1
    assert "does not run" in stopped.stdout
