"""From a real gateway to the proof: readings of two machines on every tier, one machine erased by the job, and both searched for."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import aiomqtt
import msgspec
import pytest
from lineset import gateways, platform, sites, telemetry
from lineset.kit.jobs import defer
from lineset.privacy import Context, Door, Purpose, System
from lineset.telemetry import exports
from lineset_contract import topics
from lineset_contract.wire import Ack, Frame, FrameMessage
from sqlalchemy import text

from tests.functional.devices.world import home
from tests.support.fleet import SETUP, Rig, rig

ERASED, KEPT = "31.41593", "27.18284"
TIERS = ("--expect", "hot", "--expect", "history", "--expect", "exports")
_HISTORY = Context(System("history"), Purpose.KEEP)
_PATIENCE_S = 150.0


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path / "data") as made:
        for role in ("ingest", "worker"):
            made.start(role)
        for role in ("ingest", "worker"):
            made.wait(role)
        yield made


@pytest.mark.timeout(420)
def test_DEL_02_one_machine_is_gone_from_every_tier_and_the_other_still_there(running: Rig, tmp_path: Path) -> None:
    owner, machine = asyncio.run(_plant(running))
    for name, text_ in (("erased", ERASED), ("kept", KEPT)):
        code, said = verify(running, "--record", str(tmp_path / name), "--canary", text_, *TIERS)
        assert code == 0, said
    asyncio.run(_erase(running, owner, machine))
    code, said = verify(running, "--against", str(tmp_path / "erased"))
    assert code == 0, said
    code, said = verify(running, "--against", str(tmp_path / "kept"))
    assert code == 1, said
    assert "  hot: table public.frames" in said
    assert "  history: history/raw/" in said
    assert "  exports: exports/" in said


def verify(made: Rig, *words: str) -> tuple[int, str]:
    env = made.env | {"COLUMNS": "300"}
    command = [sys.executable, "-m", "lineset", "verify-erasure", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


async def _plant(made: Rig) -> tuple[Context, UUID]:
    """Two machines of a household; each sends its canary for five days ago and for now, the old day is closed, and a download is made of
    each. Gives the owner and the first machine."""
    async with platform.open_platform(made.settings, "test") as open_:
        house = await home(open_.door)
        async with open_.door.open(SETUP) as tx:
            gateway = (await gateways.create_gateway(tx, house.site, "Gateway")).gateway
            token = (await gateways.create_token(tx, gateway)).token
            machines = []
            for local in ("hp0", "hp1"):
                new = sites.NewEquipment(name=local, type="heat_pump_air_air", local_name=local)
                since = datetime.now(UTC) - timedelta(days=9)
                machines.append(await sites.add_equipment(tx, house.site, new, gateway_id=gateway, owned_since=since))
        await _send(made, str(gateway), token)
        async with open_.door.open(_HISTORY) as tx:
            await defer(tx.session, "telemetry.close_days", timestamp=0)
        await _until(open_.door, "SELECT EXISTS (SELECT FROM history_files WHERE tier = 'day') AND NOT EXISTS (SELECT FROM late_frames)")
        await _download(open_.door, house.acting, machines)
        return house.acting, machines[0]


async def _download(door: Door, owner: Context, machines: list[UUID]) -> None:
    """A file of each machine's readings, made by the worker and kept for its owner."""
    since, until = datetime.now(UTC) - timedelta(days=8), datetime.now(UTC) + timedelta(minutes=1)
    async with door.open(owner) as tx:
        for machine in machines:
            await exports.ask(tx, exports.wanted_of(since, until, equipment=machine, format_="csv"))
    end = time.monotonic() + _PATIENCE_S
    while True:
        async with door.open(owner) as tx:
            if [export.state for export in await exports.list_exports(tx)] == ["ready"] * len(machines):
                return
        assert time.monotonic() < end
        await asyncio.sleep(0.2)


async def _send(made: Rig, gateway: str, token: str) -> None:
    present = time.time()
    async with aiomqtt.Client(
        "127.0.0.1", made.settings.mqtt_token_port, identifier=gateway, username=gateway, password=token, tls_context=made.tls()
    ) as client:
        await client.subscribe(topics.ack(gateway), qos=1)
        for seq, t in enumerate((present - 5 * 86_400, present), 1):
            frames = [Frame(t, local, {"room_temperature": float(value)}) for local, value in (("hp0", ERASED), ("hp1", KEPT))]
            await client.publish(topics.frames(gateway), msgspec.json.encode(FrameMessage("e1", seq, frames)), qos=0)
        async for message in client.messages:
            ack = msgspec.json.decode(bytes(message.payload), type=Ack)
            assert not ack.refused, ack
            if ack.through == 2:
                return


async def _erase(made: Rig, owner: Context, machine: UUID) -> None:
    """As its owner's wish does: the machine goes, and the worker's job erases what it measured."""
    async with platform.open_platform(made.settings, "test") as open_:
        async with open_.door.open(owner) as tx:
            assert await telemetry.erase_machine(tx, machine) == 1
        await _until(open_.door, "SELECT EXISTS (SELECT FROM series_erasures WHERE finished_at IS NOT NULL)")


async def _until(door: Door, question: str) -> None:
    """Wait until the database says yes."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        async with door.open(_HISTORY) as tx:
            if await tx.session.scalar(text(question)):
                return
        assert time.monotonic() < end, question
        await asyncio.sleep(0.2)
