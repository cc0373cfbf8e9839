"""Downloads are made by jobs that may die, be cancelled, or lose their right at any point; their files end on time."""

import asyncio
import contextlib
import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import polars as pl
import procrastinate
import psycopg
import pytest
from lineset.embedded.ports import free_port
from lineset.kit import objects as store
from lineset.kit.errors import Conflict, Invalid, NotFound, TooMany
from lineset.kit.jobs import take_over
from lineset.kit.roles import APP, role_url
from lineset.kit.settings import S3, Settings
from lineset.kit.storage import Storage, storage
from lineset.privacy import Context, Person, Purpose
from lineset.telemetry import exports
from lineset.telemetry.exports import ending, work
from lineset.telemetry.exports.words import mail_kinds, mail_words
from lineset.telemetry.model_exports import FILE_DAYS
from sqlalchemy import text

from tests.functional.devices.world import technician
from tests.support.engines import Engines
from tests.telemetry.exported import HOUSEKEEPING, asked, close_days, made, objects, state, unzipped, wanted
from tests.telemetry.test_closing import DAY, TODAY, fill
from tests.telemetry.world import Bench, other

pytestmark = pytest.mark.anyio
_PATIENCE_S = 60.0


def year(world: Bench, **more: object) -> exports.Wanted:
    return wanted(TODAY - 400 * DAY, TODAY, equipment=world.machines["hp1"], **more)


async def change(world: Bench, statement: str, **values: object) -> None:
    """Put a download into another state, as only time would."""
    async with world.door.open(HOUSEKEEPING) as tx:
        await tx.session.execute(text(statement), values)


async def parts_of(world: Bench, export: UUID) -> list[tuple[object, ...]]:
    """Number, path, digest and time of each finished part."""
    async with world.door.open(HOUSEKEEPING) as tx:
        found = await tx.session.execute(
            text("SELECT number, path, sha256, done_at FROM export_parts WHERE export_id = :id AND done_at IS NOT NULL ORDER BY 1"),
            {"id": export},
        )
        return [tuple(row) for row in found]


async def test_TEL_03_a_download_is_made_in_turns_and_goes_on_after_each(world: Bench, files: Storage) -> None:
    sent = await fill(world, range(1, 400, 40), step_s=7_200)
    await close_days(world)
    export = await asked(world, year(world, format="parquet"))
    first = await state(world, export)
    assert (first.state, first.parts_done, first.parts >= 14) == ("waiting", 0, True)
    for turn in range(1, first.parts + 1):
        await work.work(world.door, files, export, turn_s=0.0)
        now = await state(world, export)
        assert (now.state, now.parts_done) == ("running", turn)
    await work.work(world.door, files, export, turn_s=0.0)
    ready = await state(world, export)
    assert (ready.state, ready.rows) == ("ready", len(sent))
    assert ready.expires_at is not None
    assert ready.ready_at is not None
    assert ready.expires_at - ready.ready_at >= timedelta(days=FILE_DAYS) - timedelta(seconds=1)
    assert len(objects(files)) > 1
    await ending.clean_up(world.door, files, export)
    (left,) = objects(files)
    table = pl.read_parquet(left)
    assert {t.timestamp() for t in table["time"].to_list()} == set(sent)


async def test_two_workers_at_the_same_download_make_each_part_once(world: Bench, files: Storage) -> None:
    sent = await fill(world, range(1, 400, 40), step_s=7_200)
    export = await asked(world, year(world))
    await asyncio.gather(*(work.work(world.door, files, export, turn_s=1e9) for _ in range(3)))
    ready = await state(world, export)
    assert (ready.state, ready.parts_done, ready.rows) == ("ready", ready.parts, len(sent))
    await ending.clean_up(world.door, files, export)
    assert len(objects(files)) == 1


async def test_a_worker_that_comes_late_changes_nothing(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 3), step_s=7_200)
    export = await asked(world, year(world))
    late = await work._begin(world.door, export)
    assert late is not None
    await work.work(world.door, files, export, turn_s=1e9)
    await ending.clean_up(world.door, files, export)
    before = await state(world, export)
    for deed in (work._next_part, work._finish):
        with contextlib.suppress(work.Over):
            await deed(world.door, files, late)
    await work.work(world.door, files, export, turn_s=1e9)
    assert await state(world, export) == before
    await ending.clean_up(world.door, files, export)
    assert len(objects(files)) == 1


def _worker(engines: Engines, database: str, log: Path) -> subprocess.Popen[bytes]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("LINESET_")} | {
        "LINESET_DATA": str(engines.data),
        "LINESET_DATABASE_URL": database,
        "LINESET_NATS_URL": engines.settings.nats_url,
    }
    with log.open("ab") as sink:
        return subprocess.Popen([sys.executable, "-m", "lineset", "worker"], stdout=sink, stderr=sink, env=surroundings)


def _tail(log: Path) -> str:
    return log.read_text()[-4000:]


async def _until(world: Bench, export: UUID, enough: int, log: Path) -> exports.Export:
    """Wait for so many parts, or for the end."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        now = await state(world, export)
        if now.parts_done >= enough and (enough < now.parts or now.state == "ready"):
            return now
        assert time.monotonic() < end, _tail(log)
        await asyncio.sleep(0.005)


async def test_TEL_03_kill_9_of_the_worker_costs_no_finished_part(world: Bench, database: str, engines: Engines, tmp_path: Path) -> None:
    sent = await fill(world, range(1, 780, 60), step_s=3_600)
    log = tmp_path / "worker.log"
    export = await asked(world, wanted(TODAY - 790 * DAY, TODAY, format="parquet", equipment=world.machines["hp1"]))
    first = _worker(engines, database, log)
    try:
        begun = await _until(world, export, 3, log)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert begun.state == "running", "killed too late to tell anything"
    before = await parts_of(world, export)
    assert 3 <= len(before) < begun.parts
    folder = engines.data / "exports"
    address = role_url(database, engines.secret, APP).set(drivername="postgresql").render_as_string(hide_password=False)
    queue = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=address))
    async with queue.open_async():
        assert await take_over(queue, silent_s=0.0) >= 1
    second = _worker(engines, database, log)
    try:
        done = await _until(world, export, begun.parts, log)
        end = time.monotonic() + _PATIENCE_S
        while len(list((folder / str(export)).rglob("*.parquet"))) > 1:
            assert time.monotonic() < end, "parts are deleted once the file is there"
            await asyncio.sleep(0.05)
    finally:
        second.terminate()
        second.wait()
    assert (done.state, done.rows) == ("ready", len(sent))
    assert (await parts_of(world, export))[: len(before)] == before, "what was made stays made"
    (left,) = (folder / str(export)).rglob("*.parquet")
    assert {t.timestamp() for t in pl.read_parquet(left)["time"].to_list()} == set(sent)
    store.remove(Storage(f"file://{folder}"), export)


async def test_a_part_whose_bytes_were_lost_is_made_anew(world: Bench, files: Storage) -> None:
    sent = await fill(world, range(1, 100, 30), step_s=7_200)
    for format_, spoil in (("csv", b"PAR1"), ("parquet", None)):
        export = await asked(world, year(world, format=format_))
        now = await state(world, export)
        while now.parts_done < now.parts:
            await work.work(world.door, files, export, turn_s=0.0)
            now = await state(world, export)
        part = next(path for path in objects(files) if path.parent.parent.name == str(export))
        part.unlink() if spoil is None else part.write_bytes(spoil)
        await work.work(world.door, files, export, turn_s=0.0)
        assert (await state(world, export)).parts_done == now.parts - 1
        await work.work(world.door, files, export, turn_s=1e9)
        ready = await state(world, export)
        assert (ready.state, ready.rows) == ("ready", len(sent))


async def test_SEC_04_a_grant_that_ends_ends_the_download(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 100, 30), step_s=7_200)
    service, company = await technician(world.door, world.house.household, "view")
    finished, data = await made(world, files, year(world), service)
    assert len(unzipped(data)) == 4
    export = await asked(world, year(world), service)
    await work.work(world.door, files, export, turn_s=0.0)
    async with world.door.open(service) as tx:
        file = await exports.file_of(tx, finished.id)
    await change_grant(world, company)
    await work.work(world.door, files, export, turn_s=0.0)
    ended = await state(world, export, service)
    assert (ended.state, ended.code) == ("ended", "not_shared")
    await ending.clean_up(world.door, files, export)
    assert not [path for path in objects(files) if str(export) in str(path)]
    async with world.door.open(service) as tx:
        with pytest.raises(NotFound):
            await exports.file_of(tx, finished.id)
        with pytest.raises(NotFound):
            await exports.ask(tx, year(world))
    assert file.export == finished.id


async def change_grant(world: Bench, company: UUID) -> None:
    """The owner takes back what the company may do."""
    async with world.door.open(Context(Person(world.house.owner), Purpose.ACCOUNT)) as tx:
        await tx.session.execute(text("UPDATE access_grants SET revoked_at = now() WHERE organisation_id = :id"), {"id": company})


async def test_SEC_04_downloads_of_others_are_not_there(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 3), step_s=7_200)
    mine, _ = await made(world, files, year(world))
    service, _ = await technician(world.door, world.house.household, "view")
    for who in (other(uuid4()), service):
        async with world.door.open(who) as tx:
            assert await exports.list_exports(tx) == []
            for deed in (exports.get, exports.file_of, exports.cancel, exports.drop):
                with pytest.raises(NotFound):
                    await deed(tx, mine.id)
    assert (await state(world, mine.id)).state == "ready"


async def test_RET_01_files_are_deleted_when_their_time_is_over(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 3), step_s=7_200)
    mine, _ = await made(world, files, year(world))
    kept, _ = await made(world, files, year(world))
    stuck = await asked(world, year(world))
    await work.work(world.door, files, stuck, turn_s=0.0)
    await change(world, "UPDATE exports SET expires_at = now() - interval '1 minute' WHERE id = :id", id=mine.id)
    await change(world, "UPDATE exports SET asked_at = now() - interval '3 days' WHERE id = :id", id=stuck)
    async with world.door.open(world.house.acting) as tx:
        with pytest.raises(Conflict, match="no file any more"):
            await exports.file_of(tx, mine.id)
    orphan = uuid4()
    store.put(files, store.part_path(orphan, 0), b"left behind")
    (left,) = [path for path in objects(files) if str(orphan) in str(path)]
    assert (await ending.end_due(world.door, files)) == {"expired": 1, "stuck": 1, "orphans": 0}
    for path in (left, left.parent, left.parent.parent):
        os.utime(path, (time.time() - 7_200, time.time() - 7_200))
    assert (await ending.end_due(world.door, files)) == {"expired": 0, "stuck": 0, "orphans": 1}
    await ending.clean_up(world.door, files, stuck)
    assert [path.parts[-2] for path in objects(files)] == [str(kept.id)]
    assert [(await state(world, e)).state for e in (mine.id, kept.id, stuck)] == ["expired", "ready", "failed"]


async def test_a_cancelled_or_deleted_download_leaves_nothing(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 100, 30), step_s=7_200)
    stopped, gone = await asked(world, year(world)), await asked(world, year(world))
    for export, deed in ((stopped, exports.cancel), (gone, exports.drop)):
        await work.work(world.door, files, export, turn_s=0.0)
        async with world.door.open(world.house.acting) as tx:
            await deed(tx, export)
        await work.work(world.door, files, export, turn_s=1e9)
        await ending.clean_up(world.door, files, export)
    assert objects(files) == []
    async with world.door.open(world.house.acting) as tx:
        assert [(e.id, e.state) for e in await exports.list_exports(tx)] == [(stopped, "cancelled")]


async def test_DEL_02_downloads_with_erased_series_are_found_and_deleted(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 3), step_s=7_200)
    await fill(world, range(1, 3), step_s=7_200, local="wh1")
    span = TODAY - 9 * DAY, TODAY
    both, _ = await made(world, files, wanted(*span, site=world.house.site))
    water, _ = await made(world, files, wanted(*span, equipment=world.machines["wh1"]))
    begun = await asked(world, wanted(*span, equipment=world.machines["hp1"]))
    async with world.door.open(world.house.acting) as tx:
        series = await tx.session.scalar(text("SELECT series_id FROM tenures WHERE equipment_id = :id"), {"id": world.machines["hp1"]})
    async with world.door.open(HOUSEKEEPING) as tx:
        found = {h.export: h for h in await ending.holding(tx, [series])}
    assert found.keys() == {both.id, begun}
    assert found[both.id].series == [series]
    assert found[both.id].paths[0].startswith(str(both.id))
    assert await ending.delete_exports(world.door, files, [series]) == 2
    assert {path.parts[-2] for path in objects(files)} == {str(water.id)}
    await work.work(world.door, files, begun, turn_s=1e9)
    assert {path.parts[-2] for path in objects(files)} == {str(water.id)}
    async with world.door.open(world.house.acting) as tx:
        assert [e.id for e in await exports.list_exports(tx)] == [water.id]


async def test_limits_are_told_with_what_to_do(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 3), step_s=7_200)
    for _ in range(exports.MOST_RUNNING):
        last = await asked(world, year(world))
    with pytest.raises(TooMany, match="Wait for one, or cancel one"):
        await asked(world, year(world))
    async with world.door.open(world.house.acting) as tx:
        await exports.cancel(tx, last)
    await asked(world, year(world))
    await change(world, "UPDATE exports SET state = 'cancelled'")
    names = "person_id, purpose, since, until, detail, format, state, machines, parts, rows_expected, bytes_expected, asked_at"
    await change(world, f"INSERT INTO exports (id, {names}) SELECT gen_random_uuid(), {names} FROM exports, generate_series(1, 10)")  # noqa: S608
    with pytest.raises(TooMany, match="30 downloads a day"):
        await asked(world, year(world))
    for bad, say in (
        ({"detail": "minute"}, "raw, hour or day"),
        ({"format": "xlsx"}, "csv or parquet"),
        ({"site": uuid4()}, "not both"),
    ):
        with pytest.raises(Invalid, match=say):
            year(world, **bad)
    with pytest.raises(Invalid, match="start before the end"):
        wanted(TODAY, TODAY - DAY)
    with pytest.raises(Invalid, match="Nothing of that time"):
        wanted(TODAY - 1000 * DAY, TODAY - 900 * DAY)
    with pytest.raises(NotFound):
        await asked(world, wanted(TODAY - DAY, TODAY, equipment=uuid4()))


async def test_who_waited_long_gets_a_mail(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 3), step_s=7_200)
    mails = "SELECT count(*) FROM mails WHERE kind = 'export_ready'"
    for waited, count in (("1 second", 0), ("90 seconds", 1)):
        export = await asked(world, year(world))
        await change(world, f"UPDATE exports SET asked_at = now() - interval '{waited}' WHERE id = :id", id=export)  # noqa: S608
        await work.work(world.door, files, export, turn_s=1e9)
        with psycopg.connect(world.owner_address) as connection:
            connection.execute("ALTER TABLE mails NO FORCE ROW LEVEL SECURITY")
            assert connection.execute(mails).fetchone() == (count,)
            connection.rollback()
    assert mail_kinds() == ("ready",)
    for language, word in (("en", "ready"), ("es", "lista"), ("xx", "ready")):
        subject, body = mail_words("ready", language, name="Ana", until="tomorrow", page="/home/data")
        assert word in subject
        assert "{url}/home/data" in body


async def test_an_empty_span_gives_an_empty_table(world: Bench, files: Storage) -> None:
    await fill(world, range(1, 3), step_s=7_200)
    span, machine = (TODAY - 20 * DAY, TODAY - 10 * DAY), world.machines["hp1"]
    _, data = await made(world, files, wanted(*span, equipment=machine, format="parquet"))
    table = pl.read_parquet(io.BytesIO(data))
    assert (table.height, "room_temperature" in table.columns) == (0, True)
    _, data = await made(world, files, wanted(*span, equipment=machine))
    assert unzipped(data)["0001_heat_pump_air_air.csv"].decode().splitlines() == ["time_utc,time_local,room_temperature [degC]"]


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Storage]:
    """Where downloads lie in S3-compatible storage, served on loopback."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to load

    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    s3 = S3(endpoint=f"http://127.0.0.1:{port}", region="us-east-1", key_id="key", secret="secret")
    try:
        assert httpx.put(f"{s3.endpoint}/bucket").status_code == 200
        yield storage(Settings(data=tmp_path, history_url="s3://bucket/lineset", s3=s3), "exports")
    finally:
        server.stop()


async def test_TEL_03_downloads_lie_in_object_storage_as_well(world: Bench, bucket: Storage) -> None:
    sent = await fill(world, range(1, 100, 30), step_s=7_200)
    csv, data = await made(world, bucket, year(world))
    assert len(unzipped(data)["0001_heat_pump_air_air.csv"].splitlines()) == len(sent) + 1
    assert hashlib.sha256(data).hexdigest() == csv.sha256
    parquet, data = await made(world, bucket, year(world, format="parquet"))
    assert {t.timestamp() for t in pl.read_parquet(io.BytesIO(data))["time"].to_list()} == set(sent)
    assert store.folders(bucket).keys() == {csv.id, parquet.id}
    assert store.remove(bucket, csv.id) == 1, "its parts were gone already"
    await change(world, "UPDATE exports SET expires_at = now() WHERE id = :id", id=parquet.id)
    assert (await ending.end_due(world.door, bucket))["expired"] == 1
    assert store.folders(bucket) == {}
