"""An agent that fails leaves a report behind, without anything about people, and sends it when it starts again."""

import asyncio
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from lineset_agent import __version__, crash

from tests.agent.test_drivers import GOOD, program
from tests.agent.test_process import command
from tests.agent.world import Broker, cloud_of, config, until


def failed(depth: int = 0) -> Exception:
    """An error with a stack of that depth."""

    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise ValueError("no answer from anna@example.org at 203.0.113.9:502, token lsd_Zk3v9, /home/anna/heat/pump.py, 7 tries")

    try:
        deep(depth)
    except ValueError as error:
        return error
    raise AssertionError


def test_TEL_04_a_crashed_agent_sends_its_report_at_the_next_start(tmp_path: Path, broker: Broker) -> None:
    data = tmp_path / "data"
    token = config(broker, "crashed", tmp_path / "x").identity.token() or ""
    added = command(
        "use-token", "--gateway", "crashed", "--host", "localhost", "--port", str(broker.mqtt_port),
        "--data", str(data), "--ca", str(broker.authority.path), text=token + "\n",
    )  # fmt: skip
    assert added.exit_code == 0, added.stderr
    driver = program(tmp_path, GOOD)
    (data / "agent.toml").write_text(f'poll_interval = 1\n[driver]\ncommand = ["{driver[0]}"]\n')
    (data / "broken").touch()

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tests.agent.failing", str(data)], stderr=subprocess.PIPE)

    async def scenario() -> None:
        async with cloud_of(broker, "crashed") as cloud:
            first = start()
            _, said = await asyncio.to_thread(first.communicate)
            assert first.returncode == 70, said.decode()
            assert "stopped by a fault of its own (AttributeError)" in said.decode()
            assert (data / crash.FILE).stat().st_mode & 0o777 == 0o600
            (data / "broken").unlink()
            second = start()
            try:
                await until(lambda: any(e.kind == "crash" for e in cloud.events), what="the report")
                await until(lambda: not (data / crash.FILE).exists(), what="it is deleted")
            finally:
                second.terminate()
                await asyncio.to_thread(second.communicate)
            third = start()
            try:
                await until(lambda: [e.kind for e in cloud.events].count("boot") >= 2, what="another start")
            finally:
                third.terminate()
                await asyncio.to_thread(third.communicate)
            (report,) = [e for e in cloud.events if e.kind == "crash"]
            detail = report.detail
            assert (detail["code"], detail["type"], detail["agent"]) == ("crash", "AttributeError", __version__)
            frames = detail["frames"]
            assert isinstance(frames, list)
            assert any(f.startswith("lineset_agent/runtime.py:") for f in frames)
            assert frames[-1].startswith("lineset_agent/")
            assert isinstance(detail["uptime_s"], int)
            whole = json.dumps(detail)
            for hidden in ("anna@", "203.0.113.9", token, str(tmp_path), "/home"):
                assert hidden not in whole, hidden

    asyncio.run(scenario())


def test_TEL_04_a_report_is_small_and_names_nobody(tmp_path: Path) -> None:
    recent = crash.Recent()
    logger = logging.getLogger("lineset_agent.test_crash")
    logger.addHandler(recent)
    for n in range(100):
        logger.warning("line %s of %s: asked https://anna:secret@example.org/x and 2001:db8::17, %s", n, "x" * 500, "k" * 64)
    logger.removeHandler(recent)
    detail = crash.describe(failed(60), 12.4, recent.lines())
    whole = json.dumps(detail)
    assert len(whole) <= crash.MAX_BYTES
    assert detail["uptime_s"] == 12
    assert len(detail["frames"]) <= crash.MAX_FRAMES
    assert detail["frames"][-1].startswith("test_crash.py:")
    assert all(len(line) <= crash.MAX_LINE for line in detail["log"])
    for hidden in ("anna", "secret", "203.0.113", "lsd_", "/home", "2001:db8", "kkkkkkkk"):
        assert hidden not in whole, hidden
    assert "7 tries" in detail["say"]


def test_what_is_no_report_is_deleted_and_hinders_no_start(tmp_path: Path) -> None:
    told: list[object] = []
    for rubbish in (b"\xff\x00", b"[]", b'{"at": "noon"}', b'{"at": 1.0, "pad": "' + b"x" * 20_000 + b'"}'):
        (tmp_path / crash.FILE).write_bytes(rubbish)
        assert not crash.take(tmp_path, lambda at, detail: told.append((at, detail)))
        assert not (tmp_path / crash.FILE).exists()
    assert not crash.take(tmp_path, lambda at, detail: told.append((at, detail)))
    crash.write(tmp_path, failed(), at=1_763_800_000.0, uptime_s=1)
    assert crash.take(tmp_path, lambda at, detail: told.append((at, detail["type"])))
    assert told == [(1_763_800_000.0, "ValueError")]


def test_a_report_that_could_not_be_handed_on_stays(tmp_path: Path) -> None:
    def full(at: float, detail: dict[str, object]) -> None:
        raise OSError(f"no room for {at} {len(detail)}")

    crash.write(tmp_path, failed(), at=1.0, uptime_s=1)
    with pytest.raises(OSError, match="no room"):
        crash.take(tmp_path, full)
    assert (tmp_path / crash.FILE).exists()
