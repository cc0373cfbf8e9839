"""What is erased is gone from rows, files and the write-ahead log; what is held stays aside; what its time has ended for goes."""

import contextlib
import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import polars as pl
import psycopg
import pytest
from lineset import sites, telemetry
from lineset.kit.clock import now
from lineset.kit.errors import Denied, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Context, Purpose, System, rewrite_tables
from lineset.privacy.erasure import StillRead
from lineset.telemetry.history import erasing, jobs, retaining
from lineset.telemetry.history.closing import close_due
from lineset.telemetry.history.manifest import HISTORY, TIERS
from sqlalchemy import text

from tests.functional.devices.world import technician
from tests.support.engines import Engines
from tests.telemetry.test_closing import DAY, IMPORT, TODAY, desk_of, fill, seen, series_of, storage_of
from tests.telemetry.world import Bench

CANARY = 4567.875  # as float4 too
OTHER = 6543.125
pytestmark = pytest.mark.anyio


async def plant(world: Bench, local: str, value: float, days_ago: tuple[int, ...]) -> None:
    """One unmistakable reading of power on each of these days."""
    for ago in days_ago:
        t = np.array([(TODAY - ago * DAY).timestamp() + 43_200.0])
        async with world.door.open(IMPORT) as tx:
            await telemetry.load(
                tx, world.machines[local], t, {"electric_power": np.array([value])}, now=datetime.now(UTC).timestamp() + 86_400
            )


def in_files(world: Bench, value: float) -> set[str]:
    """The tiers whose files have that value in any column."""
    folder = storage_of(world).folder
    assert folder is not None
    found = set()
    for path in folder.rglob("*.parquet"):
        if "_delta_log" in path.parts:
            continue
        frame = pl.read_parquet(path)
        numbers = frame.select(pl.selectors.float())
        if any((column == value).any() for column in numbers):
            found.add(path.relative_to(folder).parts[0])
    return found


def spelt(value: float) -> list[bytes]:
    """The value as PostgreSQL writes it in rows and their log."""
    return [struct.pack("<f", value), struct.pack(">f", value), struct.pack("<d", value), struct.pack(">d", value)]


def holding(folder: Path, value: float) -> list[str]:
    """Files below that have the value's bytes; other tests' databases come and go meanwhile."""
    marks, found = spelt(value), []
    for at, _, names in os.walk(folder):
        for path in (Path(at) / name for name in names):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and any(m in path.read_bytes() for m in marks):
                    found.append(str(path.relative_to(folder)))
    return found


def in_cluster(engines: Engines, value: float) -> list[str]:
    """Files of PostgreSQL, its log among them, that have that value's bytes."""
    with psycopg.connect(engines.database_url, autocommit=True) as owner:
        owner.execute("CHECKPOINT")  # what is only in memory is to be in files
    return holding((engines.data / "postgres").resolve(), value)


def logged(world: Bench, engines: Engines, value: float) -> bool:
    """Whether the write-ahead log gets to have the value. Tests of other databases may end the server's log at any moment, so the rows are
    written again until it is seen; as new ones, since an update that changes nothing logs nothing."""
    log = next((engines.data / "postgres").resolve().rglob("pg_wal"))
    for _ in range(60):
        with psycopg.connect(engines.database_url, autocommit=True) as owner:
            owner.execute("CHECKPOINT")  # what of the log is only in memory is to be in files
        if holding(log, value):
            return True
        world.rows("WITH old AS (DELETE FROM frames RETURNING *) INSERT INTO frames SELECT * FROM old RETURNING 1")
    return False


async def test_DEL_02_an_erased_machine_leaves_no_byte_in_rows_files_or_log(world: Bench, engines: Engines) -> None:
    days = (5, 4, 1, 0)  # two closed, two hot
    await plant(world, "hp1", CANARY, days)
    await plant(world, "wh1", OTHER, days)
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    for value in (CANARY, OTHER):
        assert in_files(world, value) == {"raw", "hour", "day"}
        assert logged(world, engines, value)
        assert any("base" in f for f in in_cluster(engines, value))
    gone = await series_of(world, "hp1")
    async with world.door.open(world.house.acting) as tx:
        assert await telemetry.erase_machine(tx, world.machines["hp1"]) == 1
    with pytest.raises(NotFound):
        await seen(world, TODAY - DAY, TODAY, "electric_power")
    async with desk_of(world) as desk:
        await erasing.erase(desk, [gone], set())
    assert in_files(world, CANARY) == set()
    assert in_cluster(engines, CANARY) == []
    left = {machine for (machine,) in world.rows("SELECT DISTINCT equipment_id FROM slots")}
    assert left == {world.machines["wh1"]}
    assert in_files(world, OTHER) == {"raw", "hour", "day"}
    assert list((await seen(world, TODAY - 6 * DAY, TODAY + DAY, "electric_power", "wh1")).values()) == [OTHER] * 4
    folder = storage_of(world).folder
    assert folder is not None
    for log in folder.rglob("_delta_log/*.json"):
        assert str(CANARY) not in log.read_text()
        assert '"minValues"' not in log.read_text()


@pytest.mark.parametrize("where", ["a reader of this database", "a writer of another database"])
async def test_DEL_02_rows_that_an_older_transaction_could_see_are_outlasted(world: Bench, engines: Engines, where: str) -> None:
    await plant(world, "hp1", CANARY, (0,))
    gone = await series_of(world, "hp1")
    address = world.owner_address if where.startswith("a reader") else engines.database_url
    with psycopg.connect(address) as older:
        if where.startswith("a reader"):
            older.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            older.execute("SELECT count(*) FROM pg_class")
        else:
            older.execute("SELECT pg_current_xact_id()")
        async with world.door.open(world.house.acting) as tx:
            await telemetry.erase_machine(tx, world.machines["hp1"])
        async with world.door.open(HISTORY) as tx:
            for table in ("frames", "latest"):
                await tx.session.execute(text(f"DELETE FROM {table} WHERE series_id = :gone"), {"gone": gone})  # noqa: S608 - names above
        tables = [f"frames_{TODAY:%Y%m%d}", "latest"]
        with pytest.raises(StillRead, match="Older transactions still run"):
            await rewrite_tables(world.door, HISTORY, tables, wait_s=0.0)
        older.rollback()
    await rewrite_tables(world.door, HISTORY, tables)
    assert in_cluster(engines, CANARY) == []


async def test_DEL_02_the_job_carries_an_erasure_to_its_end(world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ROUTES_LIVE_S", 0.0)
    await plant(world, "hp1", CANARY, (4, 0))
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    async with world.door.open(world.house.acting) as tx:
        await telemetry.erase_household(tx, world.house.household)
    queued = world.rows("SELECT args->>'series', args->>'household' FROM jobs.procrastinate_jobs WHERE task_name = 'telemetry.erase'")
    assert [household for _, household in queued] == [str(world.house.household)]
    series = [int(s) for s in str(queued[0][0]).split(",")]
    told: list[tuple[list[int], UUID]] = []

    async def eraser(ids: list[int], household: UUID) -> None:
        told.append((ids, household))

    await ask(world, series)
    assert await jobs.finish_erasures(world.door, world.engine, storage_of(world), (eraser,)) == 1
    assert await jobs.finish_erasures(world.door, world.engine, storage_of(world), (eraser,)) == 0
    assert told == [(series, world.house.household)] * 2  # at once, and when no process takes frames for them any more
    assert in_files(world, CANARY) == set()
    assert world.rows("SELECT count(*) FROM frames") == [(0,)]


async def test_DEL_02_a_hold_keeps_the_newest_readings_of_an_erased_machine_too(world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days that are closed, late frames and hot ones: all go to the held files, though the machine is gone for its people at once."""
    monkeypatch.setattr(jobs, "ROUTES_LIVE_S", 0.0)
    await plant(world, "hp1", CANARY, (5,))
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    await plant(world, "hp1", CANARY, (5, 4, 1, 0))
    held = await series_of(world, "hp1")
    with psycopg.connect(world.owner_address) as owner:
        owner.execute("ALTER TABLE holds NO FORCE ROW LEVEL SECURITY")
        owner.execute(
            "INSERT INTO holds (id, household_id, kind, reason, placed_at) VALUES (%s, %s, 'legal', 'a dispute', now())",
            (new_id(), world.house.household),
        )
        owner.execute("ALTER TABLE holds FORCE ROW LEVEL SECURITY")
    async with world.door.open(world.house.acting) as tx:
        await telemetry.erase_machine(tx, world.machines["hp1"])
    with pytest.raises(NotFound):
        await seen(world, TODAY - 6 * DAY, TODAY, "electric_power")
    await ask(world, [held])
    assert await jobs.finish_erasures(world.door, world.engine, storage_of(world)) == 1
    assert in_files(world, CANARY) == {"held"}
    days = world.rows("SELECT period FROM history_files WHERE tier = 'held' ORDER BY period")
    assert days == [((TODAY - n * DAY).date(),) for n in (5, 4, 1, 0)]
    assert world.rows("SELECT count(*) FROM frames") == [(0,)]
    assert world.rows(f"SELECT count(*) FROM tenures WHERE series_id = {held}") == [(0,)]  # noqa: S608 - a number


async def ask(world: Bench, series: list[int]) -> None:
    async with world.door.open(Context(System("history"), Purpose.KEEP)) as tx:
        await tx.session.execute(
            text("INSERT INTO series_erasures (id, series, household_id, asked_at) VALUES (:id, :series, :household, :at)"),
            {"id": new_id(), "series": series, "household": world.house.household, "at": now()},
        )


async def test_DEL_02_only_an_owner_erases(world: Bench) -> None:
    staff, _ = await technician(world.door, world.house.household, "view", "equipment", "people")
    async with world.door.open(staff) as tx:
        with pytest.raises(Denied):
            await telemetry.erase_machine(tx, world.machines["hp1"])


async def test_DEL_02_an_earlier_owners_time_stays_when_the_later_one_erases(world: Bench) -> None:
    await plant(world, "hp1", CANARY, (5, 4))
    earlier = await series_of(world, "hp1")
    machine = world.machines["hp1"]
    with psycopg.connect(world.owner_address) as owner:  # as a hand-over does, three days ago
        for table in ("tenures", "households", "equipment", "sites"):
            owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        stranger = new_id()
        copy = "SELECT (jsonb_populate_record(h, jsonb_build_object('id', %s::uuid))).* FROM households h LIMIT 1"
        owner.execute(f"INSERT INTO households {copy}", (stranger,))
        owner.execute("UPDATE tenures SET ends_at = now() - interval '3 days', household_id = %s WHERE series_id = %s", (stranger, earlier))
        owner.execute(
            "INSERT INTO tenures (equipment_id, household_id, starts_at) VALUES (%s, %s, now() - interval '3 days')",
            (machine, world.house.household),
        )
        for table in ("tenures", "households", "equipment", "sites"):
            owner.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    await plant(world, "hp1", OTHER, (2, 1))
    assert list((await seen(world, TODAY - 6 * DAY, TODAY + DAY, "electric_power")).values()) == [OTHER] * 2
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    later = await series_of(world, "hp1")
    async with world.door.open(world.house.acting) as tx:
        household, series = await sites.remove_equipment(tx, machine)
    assert (household, series) == (world.house.household, [later])
    async with desk_of(world) as desk:
        await erasing.erase(desk, series, set())
    assert in_files(world, CANARY) == {"raw", "hour", "day"}
    assert in_files(world, OTHER) == set()
    assert world.rows("SELECT DISTINCT equipment_id FROM slots") == [(machine,)]  # the earlier owner's, to read by
    assert world.rows("SELECT count(*) FROM frames") == [(0,)]


async def test_RET_01_files_go_when_their_time_is_over_and_a_hold_keeps_what_it_covers(world: Bench) -> None:
    await plant(world, "hp1", CANARY, (4,))
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    with psycopg.connect(world.owner_address) as owner:
        owner.execute("ALTER TABLE holds NO FORCE ROW LEVEL SECURITY")
        owner.execute(
            "INSERT INTO holds (id, household_id, kind, reason, placed_at) VALUES (%s, %s, 'legal', 'a dispute', now())",
            (new_id(), world.house.household),
        )
        owner.execute("ALTER TABLE holds FORCE ROW LEVEL SECURITY")
    over = TODAY.date() + timedelta(days=801)
    async with desk_of(world) as desk:
        gone = await retaining.retire(desk, over)
    assert gone["raw"] == 1
    assert gone["hour"] == 0
    assert in_files(world, CANARY) == {"held", "hour", "day"}
    with psycopg.connect(world.owner_address) as owner:
        owner.execute("ALTER TABLE holds NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE holds SET ended_at = now()")
        owner.execute("ALTER TABLE holds FORCE ROW LEVEL SECURITY")
    async with desk_of(world) as desk:
        assert (await retaining.retire(desk, over))["held"] == 1
    assert in_files(world, CANARY) == {"hour", "day"}
    async with desk_of(world) as desk:
        await retaining.retire(desk, TODAY.date() + timedelta(days=3653 + 400))
    assert in_files(world, CANARY) == set()
    assert [tier for tier in TIERS if world.rows(f"SELECT 1 FROM history_files WHERE tier = '{tier}'")] == []  # noqa: S608


async def test_RET_01_a_shorter_choice_hides_at_once_and_its_bytes_leave(world: Bench) -> None:
    await plant(world, "hp1", CANARY, (40, 20))
    await fill(world, range(40, 41), step_s=3600)
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    async with world.door.open(world.house.acting) as tx:
        await tx.session.execute(
            text("INSERT INTO keeping (household_id, raw_days, chosen_at) VALUES (:h, 31, now())"), {"h": world.house.household}
        )
    shown = await seen(world, TODAY - 21 * DAY, TODAY, "electric_power")
    assert list(shown.values()) == [CANARY]
    older = await seen(world, TODAY - 41 * DAY, TODAY - 39 * DAY, "room_temperature")
    assert 0 < len(older) <= 50  # the hours' lowest and highest stand in for single readings
    assert all(t % 3600 in (900.0, 2700.0) for t in older)
    async with desk_of(world) as desk:
        await retaining.keep_less(desk, world.house.household)
    classes = world.rows("SELECT DISTINCT keep_days, period FROM history_files WHERE tier = 'raw'")
    assert classes == [(31, (TODAY - 20 * DAY).date())]
    assert list((await seen(world, TODAY - 21 * DAY, TODAY, "electric_power")).values()) == [CANARY]
    assert in_files(world, CANARY) == {"raw", "hour", "day"}
    async with desk_of(world) as desk:
        await retaining.retire(desk, TODAY.date() + timedelta(days=12))
    assert in_files(world, CANARY) == {"hour", "day"}
