"""The agent as a process: killed at random, run and asked by its command line."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from lineset_agent.buffer import Buffer
from lineset_agent.cli import app
from lineset_agent.store import Store
from lineset_contract.wire import Frame
from typer.testing import CliRunner, Result

from tests.agent.test_drivers import GOOD, program
from tests.agent.world import Broker, cloud_of, config, until

AGENT = Path(sys.executable).with_name("lineset-agent")
KILLS = 3


def command(*arguments: str, text: str = "") -> Result:
    """The command line within this process: starting Python for each would take most of the tests' time."""
    result = CliRunner(env={"NO_COLOR": "1", "COLUMNS": "100"}).invoke(app, arguments, input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_TEL_02_kill_9_of_the_agent_loses_nothing_that_was_written(tmp_path: Path, broker: Broker) -> None:
    config(broker, "crash", tmp_path)
    ledger = tmp_path / "ledger"

    def written() -> list[int]:
        return [int(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []

    def start(first: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.agent.child", str(tmp_path), str(broker.mqtt_port),
             str(broker.authority.path), str(first)],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    async def scenario() -> None:
        chance = random.Random(4)
        async with cloud_of(broker, "crash") as cloud:
            child = start(1)
            try:
                for kill in range(1, KILLS + 1):
                    more = len(written()) + chance.randrange(50, 400)
                    await until(lambda more=more: len(written()) > more)  # type: ignore[misc]
                    child.send_signal(signal.SIGKILL)
                    child.wait()
                    child = start(kill * 1_000_000)
                await until(lambda: len(written()) > more + 100)
            finally:
                child.kill()
                child.wait()
            last = start(KILLS * 2_000_000)
            try:
                promised = set(written())
                await until(lambda: promised <= set(cloud.values("run_time")), what="all that was written arrived")
            finally:
                last.kill()
                last.wait()
            assert len(promised) > 500
            assert max(Counter(cloud.values("run_time")).values()) == 1, "nothing is stored twice"
            assert len(cloud.committed) == 1, "one buffer, one epoch"
            for kept in cloud.committed.values():
                assert sorted(kept) == list(range(1, len(kept) + 1)), "no gap"
            assert any(event.kind == "crash" for event in cloud.events)
            await until(lambda: [status.state for status in cloud.statuses].count("offline") > KILLS, what="last wills")

    asyncio.run(scenario())


def test_PLT_04_the_agent_runs_by_its_command_line(tmp_path: Path, broker: Broker) -> None:
    data = tmp_path / "data"
    added = command(
        "use-token", "--gateway", "cli", "--host", "localhost", "--port", str(broker.mqtt_port),
        "--data", str(data), "--ca", str(broker.authority.path), text=(config(broker, "cli", tmp_path / "x").identity.token() or "") + "\n",
    )  # fmt: skip
    assert added.exit_code == 0, added.stderr
    driver = program(tmp_path, GOOD)
    (data / "agent.toml").write_text(f'poll_interval = 1\n[driver]\ncommand = ["{driver[0]}"]\n')

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([str(AGENT), "run", "--data", str(data)], stderr=subprocess.PIPE)

    async def scenario() -> None:
        async with cloud_of(broker, "cli") as cloud:
            running = start()
            try:
                await until(lambda: len(cloud.frames()) >= 2)
                while_running = command("status", "--data", str(data), "--json")
                assert json.loads(while_running.stdout)["epoch"]
            finally:
                running.send_signal(signal.SIGTERM)
                _, said = await asyncio.to_thread(running.communicate)
            assert running.returncode == 0, said.decode()
            assert "stopped in order" in said.decode()
            await until(lambda: [status.state for status in cloud.statuses] == ["online", "offline"])

    asyncio.run(scenario())


def test_status_tells_what_the_buffer_holds(tmp_path: Path) -> None:
    buffer = Buffer(Store(tmp_path / "agent.db"), 1 << 20)
    buffer.append([Frame(1_763_800_000.0, "hp1", {"run_time": 1}), Frame(1_763_800_060.0, "hp1", {"run_time": 2})])
    found = json.loads(command("status", "--data", str(tmp_path), "--json").stdout)
    assert (found["messages"], found["frames"], found["oldest"]) == (1, 2, 1_763_800_000.0)
    assert found["epoch"] == buffer.epoch
    said = command("status", "--data", str(tmp_path)).stdout
    assert "2025-11-22 08:26:40+00:00" in said
    assert buffer.epoch in said


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (("run",), "not enrolled"),
        (("status",), "has not run with this folder"),
        (("enrol", "--server", "http://example.org", "--code", "A"), "https://"),
        (("enrol", "--server", "https://localhost:1", "--code", "A"), "cannot be reached"),
        (("use-token", "--gateway", "g", "--host", "h"), "No token"),
    ],
)
def test_errors_say_what_to_do_and_never_show_a_stack(tmp_path: Path, arguments: tuple[str, ...], say: str) -> None:
    failed = command(*arguments, "--data", str(tmp_path / "data"))
    assert failed.exit_code == 1
    assert say in failed.stderr


@pytest.mark.parametrize(
    ("toml", "say"),
    [("", "names no driver"), ("poll_interval = 0\n[driver]\ncommand = ['x']", "1 s or more"), ("rubbish", "not usable"),
     ("colour = 3", "not usable")],
)  # fmt: skip
def test_a_wrong_settings_file_is_explained(tmp_path: Path, toml: str, say: str) -> None:
    assert command("use-token", "--gateway", "g", "--host", "h", "--data", str(tmp_path), text="t\n").exit_code == 0
    (tmp_path / "agent.toml").write_text(toml)
    failed = command("run", "--data", str(tmp_path))
    assert failed.exit_code == 1
    assert say in failed.stderr
