"""Copies are made by jobs that may die, be cancelled, or lose their right at any point; their files end on time."""

import asyncio
import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import polars as pl
import procrastinate
import pytest
from lineset import schema
from lineset.kit import objects as store
from lineset.kit.errors import Conflict, Denied, NotFound, TooMany
from lineset.kit.jobs import take_over
from lineset.kit.roles import APP, role_url
from lineset.kit.storage import Storage
from lineset.privacy import Context, Purpose, ask_export, contest_inference, exporting, record_inference
from lineset.privacy.exporting import ending, rows
from lineset.privacy.exporting.model import FILE_DAYS
from lineset.privacy.exporting.service import HOUSEKEEPING
from lineset.privacy.vocabulary import Subject
from sqlalchemy import text

from tests.functional.devices.world import home, member
from tests.privacy.copying import Told, asked, copy_of, objects, opened, rights, rows_in, shop_of, state
from tests.support.engines import Engines
from tests.telemetry.exported import close_days
from tests.telemetry.test_closing import fill
from tests.telemetry.world import Bench, bench

pytestmark = pytest.mark.anyio
_PATIENCE_S = 60.0


@dataclass
class House:
    """A home with measurements, and a workshop for copies."""

    world: Bench
    shop: exporting.Workshop
    told: Told

    @property
    def owner(self) -> UUID:
        return self.world.house.owner

    async def change(self, statement: str, **values: object) -> None:
        """Put something into another state, as only time would."""
        async with self.world.door.open(HOUSEKEEPING) as tx:
            await tx.session.execute(text(statement), values)


@pytest.fixture
async def house(database: str, engines: Engines, tmp_path: Path) -> AsyncIterator[House]:
    for name in ("history", "copies"):
        (tmp_path / name).mkdir()
    async with bench(database, engines.secret, Storage(f"file://{tmp_path / 'history'}")) as world:
        told = Told()
        yield House(world, shop_of(world.door, Storage(f"file://{tmp_path / 'copies'}"), told=told), told)


def readings(files: dict[str, bytes], kind: str = "20") -> pl.DataFrame:
    """All readings in a copy, or all sums whose files' names begin like that."""
    tables = [
        pl.read_parquet(io.BytesIO(data)) for name, data in files.items() if name.rpartition("/")[2].startswith(kind) and ".parquet" in name
    ]
    return pl.concat(tables, how="diagonal_relaxed") if tables else pl.DataFrame()


async def test_PRV_01_a_copy_holds_all_readings_and_says_of_each_file_what_it_is(house: House) -> None:
    sent = await fill(house.world, range(1, 400, 40), step_s=7_200)
    await close_days(house.world)
    files = await copy_of(house.shop, house.owner)
    assert {t.timestamp() for t in readings(files)["time"].to_list()} == set(sent)
    days = readings(files, "days")
    assert days["count"].sum() > len(sent) / 2, "daily sums of what was closed"
    manifest = msgspec.json.decode(files["manifest.json"])
    listed = {entry["path"]: entry for entry in manifest["files"]}
    assert listed.keys() | {"manifest.json"} == files.keys()
    for name, entry in listed.items():
        assert (entry["bytes"], entry["sha256"]) == (len(files[name]), hashlib.sha256(files[name]).hexdigest()), name
    out = {(o["table"], o["column"]) for o in manifest["left_out"]}
    assert {("people", "password_hash"), ("sessions", "digest"), ("holds", "")} <= out
    assert all(o["reason"] for o in manifest["left_out"])
    (person,) = rows_in(files, "person/people")
    assert (person["id"], person["name"], "password_hash" in person) == (str(house.owner), "Somebody", False)
    csv = files["data/household-1/equipment.csv"].decode("utf-8-sig").splitlines()
    assert len(csv) == 1 + len(rows_in(files, "household-1/equipment")) == 3
    assert house.told.people[0][0] == house.owner


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("A copy of your data", "people who sign in")), ("es", ("Una copia de sus datos", "correo"))]
)
async def test_PRV_01_the_page_of_a_copy_is_readable_by_itself_in_both_languages(house: House, language: str, words: Sequence[str]) -> None:
    shop = shop_of(house.world.door, house.shop.storage, language)
    page = (await copy_of(shop, house.owner))["index.html"].decode()
    for word in words:
        assert word in page
    assert f'<html lang="{language}">' in page
    assert "Somebody" in page
    assert not [word for word in ("http:", "https:", "src=", "<script", "url(", "@import") if word in page], (
        "asks no other place for anything"
    )
    assert "prefers-color-scheme: dark" in page


async def test_what_people_wrote_is_text_on_the_page_and_no_formula_in_a_table(house: House) -> None:
    async with house.world.door.open(house.world.house.acting) as tx:
        await tx.session.execute(text("UPDATE equipment SET name = '<b>=1+1</b>', place = '=cmd()' WHERE local_name = 'hp1'"))
    files = await copy_of(house.shop, house.owner)
    assert "&lt;b&gt;=1+1" in files["index.html"].decode()
    assert "'=cmd()" in files["data/household-1/equipment.csv"].decode()
    assert "=cmd()" in [row["place"] for row in rows_in(files, "household-1/equipment")]


async def test_long_tables_are_read_page_by_page_and_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "AT_ONCE", 2)
    async with house.world.door.open(house.world.house.acting) as tx:
        await tx.session.execute(
            text(
                "INSERT INTO zones (id, site_id, household_id, name)"
                " SELECT uuidv7(), :site, :household, 'Zone ' || n FROM generate_series(1, 5) n"
            ),
            {"site": house.world.house.site, "household": house.world.house.household},
        )
    files = await copy_of(house.shop, house.owner)
    assert sorted(row["name"] for row in rows_in(files, "household-1/zones")) == [f"Zone {n}" for n in range(1, 6)]


async def test_a_member_gets_what_is_about_the_person_and_nothing_of_the_household(house: House) -> None:
    who = (await member(house.world.door, house.world.house.household, "member")).person
    async with house.world.door.open(rights(who)) as tx:
        with pytest.raises(Denied):
            await ask_export(tx, house.world.house.household)
        with pytest.raises(Denied):
            await ask_export(tx, house.owner)
    files = await copy_of(house.shop, who)
    assert not [name for name in files if "household-" in name]
    assert [row["role"] for row in rows_in(files, "person/household_members")] == ["member"]
    assert str(house.owner).encode() not in b"".join(files.values())
    async with house.world.door.open(Context(rights(who).actor, Purpose.OPERATE)) as tx:
        with pytest.raises(Denied):
            await ask_export(tx, who)


async def test_PRV_06_a_conclusion_is_in_the_copy_with_its_source_and_what_was_said_against_it(house: House) -> None:
    made, household = {"source": "set points of 30 days", "model": "habits 1"}, house.world.house.household
    async with house.world.door.open(house.world.house.acting) as tx:
        one = await record_inference(tx, household, kind="habit", statement="Nobody is at home at noon", confidence=0.8, **made)
    async with house.world.door.open(rights(house.owner)) as tx:
        await contest_inference(tx, one, "We work from home")
    (row,) = rows_in(await copy_of(house.shop, house.owner), "household-1/inferences")
    assert (row["statement"], row["confidence"], row["objection"]) == ("Nobody is at home at noon", 0.8, "We work from home")
    assert {name: row[name] for name in made} == made


async def test_one_copy_at_a_time_and_three_a_day(house: House) -> None:
    for _ in range(3):
        export = await asked(house.world.door, house.owner)
        with pytest.raises(TooMany):
            await asked(house.world.door, house.owner)
        async with house.world.door.open(rights(house.owner)) as tx:
            await exporting.drop_export(tx, export)
    with pytest.raises(TooMany, match="tomorrow"):
        await asked(house.world.door, house.owner)
    assert (await state(house.world.door, house.owner, export)).state == "cancelled"
    await house.shop.work(export, turn_s=1e9)
    assert objects(house.shop.storage) == []


async def test_PRV_01_a_copy_is_made_in_turns_by_any_worker(house: House) -> None:
    sent = await fill(house.world, range(1, 100, 30), step_s=7_200)
    export = await asked(house.world.door, house.owner)
    for turn in range(1, 4):
        await house.shop.work(export, turn_s=0.0)
        now = await state(house.world.door, house.owner, export)
        assert (now.state, now.parts_done, now.parts > 30) == ("running", turn, True)
    await asyncio.gather(*(house.shop.work(export, turn_s=1e9) for _ in range(2)))
    ready = await state(house.world.door, house.owner, export)
    assert (ready.state, ready.parts_done) == ("ready", ready.parts)
    await ending.clean_up(house.world.door, house.shop.storage, export)
    assert len(objects(house.shop.storage)) == 1
    assert set(sent) == {t.timestamp() for t in readings(await opened(house.shop, house.owner, export))["time"].to_list()}
    assert len(house.told.people) == 1


async def test_a_part_whose_bytes_were_lost_is_made_anew(house: House) -> None:
    export = await asked(house.world.door, house.owner)
    await house.shop.work(export, turn_s=0.0)
    now = await state(house.world.door, house.owner, export)
    while now.parts_done < now.parts:
        await house.shop.work(export, turn_s=0.0)
        now = await state(house.world.door, house.owner, export)
    objects(house.shop.storage)[0].write_bytes(b"spoilt")
    await house.shop.work(export, turn_s=1e9)
    assert (await state(house.world.door, house.owner, export)).parts_done == now.parts - 1
    await house.shop.work(export, turn_s=1e9)
    assert (await state(house.world.door, house.owner, export)).state == "ready"


async def test_who_owns_the_household_no_more_gets_no_copy_of_it(house: House) -> None:
    finished, begun = await asked(house.world.door, house.owner), None
    await house.shop.work(finished, turn_s=1e9)
    begun = await asked(house.world.door, house.owner)
    await house.shop.work(begun, turn_s=0.0)
    await house.change("UPDATE household_members SET role = 'guest' WHERE person_id = :who", who=house.owner)
    await house.shop.work(begun, turn_s=0.0)
    ended = await state(house.world.door, house.owner, begun)
    assert (ended.state, ended.code) == ("ended", "not_yours")
    with pytest.raises(NotFound):
        await opened(house.shop, house.owner, finished)
    await ending.clean_up(house.world.door, house.shop.storage, begun)
    assert not [path for path in objects(house.shop.storage) if str(begun) in str(path)]


async def test_DEL_02_what_is_erased_is_in_no_copy_any_more(house: House) -> None:
    neighbour = await home(house.world.door)
    kept = await asked(house.world.door, neighbour.owner)
    await house.shop.work(kept, turn_s=1e9)
    finished = await asked(house.world.door, house.owner)
    await house.shop.work(finished, turn_s=1e9)
    begun = await asked(house.world.door, house.owner, house.world.house.household)
    await house.shop.work(begun, turn_s=0.0)
    assert await exporting.forget_exports(house.world.door, house.shop.storage, house.world.house.household) == 2
    await house.shop.work(begun, turn_s=1e9)
    assert {path.parts[-2] for path in objects(house.shop.storage) if path.parts[-2] != "parts"} == {str(kept)}
    with pytest.raises(NotFound):
        await opened(house.shop, house.owner, finished)
    assert await opened(house.shop, neighbour.owner, kept)


async def test_files_of_copies_end_on_time_and_strays_with_them(house: House) -> None:
    export = await asked(house.world.door, house.owner)
    await house.shop.work(export, turn_s=1e9)
    ready = await state(house.world.door, house.owner, export)
    assert ready.ready_at is not None
    assert ready.expires_at is not None
    assert timedelta(0) <= ready.expires_at - ready.ready_at - timedelta(days=FILE_DAYS) < timedelta(seconds=1)
    stray = uuid4()
    store.put(house.shop.storage, store.part_path(stray, 0), b"left behind")
    assert house.shop.storage.folder is not None
    for path in house.shop.storage.folder.rglob("*"):
        os.utime(path, (1e9, 1e9))
    assert (await ending.end_due(house.world.door, house.shop.storage))["orphans"] == 1
    await house.change("UPDATE account_exports SET expires_at = now() - interval '1 second'")
    assert (await ending.end_due(house.world.door, house.shop.storage))["expired"] == 1
    assert objects(house.shop.storage) == []
    with pytest.raises(Conflict):
        await opened(house.shop, house.owner, export)
    late = await asked(house.world.door, house.owner)
    await house.change("UPDATE account_exports SET asked_at = now() - interval '3 days' WHERE id = :id", id=late)
    await ending.end_due(house.world.door, house.shop.storage)
    assert (await state(house.world.door, house.owner, late)).code == "stuck"


def test_PRV_01_every_table_about_somebody_is_handed_over_or_says_why_not() -> None:
    register = schema.register()
    whole = {*rows.tables_of(register, Subject.PERSON), *rows.tables_of(register, Subject.HOUSEHOLD)}
    silent = {out.table for out in rows.left_out(register) if not out.column}
    for name, declared in register.tables.items():
        if declared.subject not in (Subject.NOBODY, Subject.TAG):
            assert (name in whole) + (name in silent) + bool(declared.exporter) == 1, name


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


async def _until(house: House, export: UUID, log: Path, parts: int = 0) -> exporting.AccountExport:
    """Wait for so many parts, or for the end."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        now = await state(house.world.door, house.owner, export)
        if now.state == "ready" or (parts and now.parts_done >= parts):
            return now
        assert time.monotonic() < end, _tail(log)
        await asyncio.sleep(0.005)


async def test_PRV_01_kill_9_of_the_worker_costs_no_finished_part(house: House, database: str, engines: Engines, tmp_path: Path) -> None:
    sent = await fill(house.world, range(1, 780, 200), step_s=3_600)
    log = tmp_path / "worker.log"
    export = await asked(house.world.door, house.owner, house.world.house.household)
    first = _worker(engines, database, log)
    try:
        begun = await _until(house, export, log, parts=5)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert begun.state == "running", "killed too late to tell anything"
    made = text("SELECT number, path, sha256, done_at FROM account_export_parts WHERE done_at IS NOT NULL ORDER BY 1")
    async with house.world.door.open(HOUSEKEEPING) as tx:
        before = (await tx.session.execute(made)).all()
    address = role_url(database, engines.secret, APP).set(drivername="postgresql").render_as_string(hide_password=False)
    queue = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=address))
    async with queue.open_async():
        assert await take_over(queue, silent_s=0.0) >= 1
    second = _worker(engines, database, log)
    try:
        await _until(house, export, log)
    finally:
        second.terminate()
        second.wait()
    async with house.world.door.open(HOUSEKEEPING) as tx:
        assert (await tx.session.execute(made)).all()[: len(before)] == before, "what was made stays made"
    place = Storage(f"file://{engines.data / exporting.STORAGE}")
    shop = shop_of(house.world.door, place)
    files = await opened(shop, house.owner, export)
    store.remove(place, export)
    assert {t.timestamp() for t in readings(files)["time"].to_list()} == set(sent)
