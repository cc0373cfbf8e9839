"""A whole account, from a real gateway to the proof: a token in every column, readings on every tier, downloads, and a worker that dies."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import aiomqtt
import msgspec
import pytest
from lineset import gateways, platform, schema, sites
from lineset.kit.addresses import owner_url
from lineset.kit.jobs import defer
from lineset.privacy import Context, Door, Person, Purpose, Subject, Target, ask_erasure, exporting, list_erasures
from lineset.privacy.erasure import ERASURE, Erasure, holds
from lineset.privacy.erasure.scope import declared, reach
from lineset.privacy.paths import is_sealed
from lineset.telemetry import exports
from lineset_contract import topics
from lineset_contract.wire import Ack, Frame, FrameMessage
from sqlalchemy import Uuid, text

from tests.privacy.canaries import Canaries, plant
from tests.privacy.conftest import unforced
from tests.probing.test_erasure import _HISTORY, _PATIENCE_S, _until, verify
from tests.support.fleet import SETUP, Rig, rig

READING = "31.41593"
FEW = 8
"""Tokens that the command searches for, in every format; all of them are searched for as they are written."""
TOKEN = re.compile(rb"canarya[0-9a-f]{32}")
KEPT = {("disclosures", "fields")}
"""Names of what a recipient got: they are noted for that recipient, who has to erase it too."""


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_DEL_02_an_account_is_gone_from_every_tier_while_its_gateway_sends_and_a_worker_dies(tmp_path: Path) -> None:
    with rig(tmp_path / "data") as made:
        planted = asyncio.run(_plant(made))
        for role in ("ingest", "worker"):
            made.start(role)
            made.wait(role)
        gateway, token = asyncio.run(_live(made, planted))
        texts = {word for place, word in planted.tokens.items() if _goes(*place)}
        canaries = [word for canary in (READING, *sorted(texts)[:FEW]) for word in ("--canary", canary)]
        code, said = verify(made, "--record", str(tmp_path / "record"), *canaries)
        assert code == 0, said
        there = _in_files(made).keys() & texts
        assert len(there) > 60
        erasure = asyncio.run(_erase(made, planted.side.owner, gateway, token))
        assert erasure.certificate is not None
        assert holds(erasure.certificate)
        code, said = verify(made, "--against", str(tmp_path / "record"))
        assert code == 0, said
        left = _in_files(made)
        assert {place: left[word] for place, word in planted.tokens.items() if word in texts and word in left} == {}


def _in_files(made: Rig) -> dict[str, set[str]]:
    """The tokens that stand in any file of the platform, with the files: tables, indexes, the write-ahead log, streams, logs, downloads."""
    found: dict[str, set[str]] = {}
    for folder in (made.settings.data, *(made.settings.data / name for name in ("postgres", "nats"))):
        for path in folder.resolve().rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    for token in TOKEN.findall(path.read_bytes()):
                        found.setdefault(token.decode(), set()).add(str(path))
    return found


def _goes(table: str, column: str) -> bool:
    """Whether a token stands there in the clear, in a row that goes with an account."""
    found = schema.metadata.tables[table]
    ways = reach(found)
    somebodys = declared(found).subject in (Subject.PERSON, Subject.HOUSEHOLD) or table == "news_subscribers"
    leaves = somebodys and declared(found).erasure == "delete" and bool(ways.goes or ways.parents)
    whole = found.columns[column]
    plain = not is_sealed(whole) and not isinstance(whole.type, Uuid)
    return leaves and plain and table != "people" and (table, column) not in KEPT


async def _plant(made: Rig) -> Canaries:
    """A household with a token in every column, before anything runs."""
    async with platform.open_platform(made.settings, "test") as open_:
        with unforced(owner_url(made.settings)) as owner:
            planted = await plant(owner, open_.vault, "a")
            for statement in (
                *("DELETE FROM audit_checkpoints", "DELETE FROM audit_leaves", "UPDATE access_log SET seq = NULL"),
                "UPDATE holds SET ended_at = now()",
                "DELETE FROM erasures",  # no steps of ours are in them
                "UPDATE sites SET address_sealed = NULL",  # what is there is no address
                "UPDATE news_subscribers SET email_digest = (SELECT email_digest FROM people WHERE id = :owner)",
            ):
                owner.execute(text(statement), {"owner": planted.side.owner} if ":owner" in statement else {})
        return planted


async def _live(made: Rig, planted: Canaries) -> tuple[UUID, str]:
    """A gateway of that household that has sent for five days ago and for now, with a download of it."""
    async with platform.open_platform(made.settings, "test") as open_:
        site = planted.side.ids["sites"]
        async with open_.door.open(SETUP) as tx:
            gateway = (await gateways.create_gateway(tx, site, "Gateway")).gateway
            token = (await gateways.create_token(tx, gateway)).token
            new = sites.NewEquipment(name="hp0", type="heat_pump_air_air", local_name="hp0")
            since = datetime.now(UTC) - timedelta(days=9)
            machine = await sites.add_equipment(tx, site, new, gateway_id=gateway, owned_since=since)
        present = time.time()
        async with _connected(made, gateway, token) as client:
            await _send(client, gateway, 1, present - 5 * 86_400)
            await _send(client, gateway, 2, present)
            async for message in client.messages:
                if msgspec.json.decode(bytes(message.payload), type=Ack).through == 2:
                    break
        async with open_.door.open(_HISTORY) as tx:
            await defer(tx.session, "telemetry.close_days", timestamp=0)
        await _until(open_.door, "SELECT EXISTS (SELECT FROM history_files WHERE tier = 'day') AND NOT EXISTS (SELECT FROM late_frames)")
        acting = Context(Person(planted.side.owner), Purpose.OPERATE)
        since, until = datetime.now(UTC) - timedelta(days=8), datetime.now(UTC) + timedelta(minutes=1)
        async with open_.door.open(acting) as tx:
            await exports.ask(tx, exports.wanted_of(since, until, equipment=machine, format_="csv"))
        await _until(open_.door, "SELECT EXISTS (SELECT FROM exports WHERE state = 'ready')")
        return gateway, token


@contextlib.asynccontextmanager
async def _connected(made: Rig, gateway: UUID, token: str) -> AsyncIterator[aiomqtt.Client]:
    name = str(gateway)
    port = made.settings.mqtt_token_port
    async with aiomqtt.Client("127.0.0.1", port, identifier=name, username=name, password=token, tls_context=made.tls()) as client:
        await client.subscribe(topics.ack(name), qos=1)
        yield client


async def _send(client: aiomqtt.Client, gateway: UUID, seq: int, t: float) -> None:
    frames = [Frame(t, "hp0", {"room_temperature": float(READING)})]
    await client.publish(topics.frames(str(gateway)), msgspec.json.encode(FrameMessage("e1", seq, frames)), qos=0)


async def _keep_sending(made: Rig, gateway: UUID, token: str, refused: asyncio.Event) -> None:
    """As a device does that nobody told: it sends, is cut off, and tries again."""
    seq = 3
    while True:
        try:
            async with _connected(made, gateway, token) as client:
                while True:
                    await _send(client, gateway, seq, time.time())
                    seq += 1
                    await asyncio.sleep(0.05)
        except aiomqtt.MqttError as error:
            if "uthori" in str(error):
                refused.set()
            await asyncio.sleep(0.2)


async def _erase(made: Rig, owner: UUID, gateway: UUID, token: str) -> Erasure:
    """Ask for it while the gateway sends and while copies are being made; the first worker dies in the middle, another takes over."""
    async with platform.open_platform(made.settings, "test") as open_:
        refused = asyncio.Event()
        sending = asyncio.create_task(_keep_sending(made, gateway, token, refused))
        acting = Context(Person(owner), Purpose.RIGHTS)
        async with open_.door.open(acting) as tx:
            await exporting.ask_export(tx, owner)
        async with open_.door.open(acting) as tx:
            wanted = await ask_erasure(tx, Target("account", owner), grace_days=0)
        await _step(open_.door, wanted, "downloads")
        made.kill("worker")
        made.start("worker", "worker2")
        told = await _step(open_.door, wanted, "certify")
        async with asyncio.timeout(30):
            await refused.wait()
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        for table in ("frames", "late_frames", "latest", "refusals", "gateway_connections"):
            async with open_.door.open(ERASURE) as tx:
                assert await tx.session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table  # noqa: S608 - names from above
        return told


async def _step(door: Door, wanted: UUID, code: str) -> Erasure:
    end = time.monotonic() + 2 * _PATIENCE_S
    while True:
        async with door.open(ERASURE) as tx:
            told = next(e for e in await list_erasures(tx) if e.id == wanted)
        if code in [step.code for step in told.steps]:
            return told
        assert time.monotonic() < end, (told.state, told.steps)
        await asyncio.sleep(0.1)
