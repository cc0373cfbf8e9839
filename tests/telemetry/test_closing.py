"""Days that are over leave the hot tables for history, and nobody sees a reading twice or not at all, whenever they look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from lineset import telemetry
from lineset.kit.storage import Storage
from lineset.privacy import Context, Purpose, System
from lineset.telemetry.history import delta, erasing
from lineset.telemetry.history.closing import close_due, merge_late
from lineset.telemetry.history.desk import Desk
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import exclusive
from sqlalchemy import text

from tests.telemetry.world import Bench

IMPORT = Context(System("import"), Purpose.OPERATE)
DAY = timedelta(days=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@asynccontextmanager
async def desk_of(world: Bench) -> AsyncIterator[Desk]:
    async with exclusive(world.engine) as holder:
        assert holder is not None
        yield Desk(world.door, Lake(storage_of(world)), holder)


def storage_of(world: Bench) -> Storage:
    found = world.door._storage
    assert found is not None
    return found


async def fill(world: Bench, days_ago: range, step_s: int = 600, local: str = "hp1", **points: Any) -> dict[float, float]:
    """Rows for these days, loaded as history is; time to room temperature."""
    sent: dict[float, float] = {}
    for ago in days_ago:
        start = (TODAY - ago * DAY).timestamp()
        t = np.arange(start, start + 86_400, step_s)
        room = np.round(20 + 2 * np.sin(t / 9_000) + ago % 10, 2)
        columns = {"room_temperature": room, **{name: make(t) for name, make in points.items()}}
        async with world.door.open(IMPORT) as tx:
            await telemetry.load(tx, world.machines[local], t, columns, now=datetime.now(UTC).timestamp())
        sent |= dict(zip(t.tolist(), room.tolist(), strict=True))
    return sent


async def seen(world: Bench, start: datetime, end: datetime, point: str = "room_temperature", local: str = "hp1") -> dict[float, float]:
    """Every reading that the owner is shown, raw."""
    found = {}
    at = start
    while at < end:  # single readings come as long as a bucket has two at most
        until = min(at + timedelta(hours=6), end)
        async with world.door.open(world.house.acting) as tx:
            series = await telemetry.series(tx, world.machines[local], [point], at, until, buckets=2000)
        for t, value in zip(series.t, series.values[point], strict=True):
            if value is not None:
                assert t not in found
                found[t] = value
        at = until
    return found


async def series_of(world: Bench, local: str) -> int:
    async with world.door.open(world.house.acting) as tx:
        return int(
            (
                await tx.session.execute(
                    text("SELECT series_id FROM tenures WHERE equipment_id = :id AND ends_at IS NULL"), {"id": world.machines[local]}
                )
            ).scalar_one()
        )


def same(shown: dict[float, float], sent: dict[float, float]) -> None:
    assert shown.keys() == sent.keys()
    assert all(abs(shown[t] - sent[t]) < 1e-4 for t in sent)


@pytest.mark.anyio
async def test_TEL_02_closed_days_read_as_before_and_their_rows_are_files(world: Bench) -> None:
    sent = await fill(world, range(2, 6))
    before = await seen(world, TODAY - 6 * DAY, TODAY)
    async with desk_of(world) as desk:
        done = await close_due(desk, TODAY.date())
        again = await close_due(desk, TODAY.date())
    assert (done.days, done.rows, again.days, again.rows) == (3, 3 * 144, 0, 0)
    assert await seen(world, TODAY - 6 * DAY, TODAY) == before
    same(before, sent)
    assert world.rows("SELECT count(*) FROM frames") == [(144,)]
    table = delta.open_table(storage_of(world), "raw")
    others = pl.scan_delta(table).select("t", "room_temperature").collect()
    assert others.height == 3 * 144
    same({t.timestamp(): v for t, v in others.rows()}, {t: v for t, v in sent.items() if t < (TODAY - 2 * DAY).timestamp()})


@pytest.mark.anyio
async def test_TEL_02_late_frames_join_their_own_day_and_the_first_value_stays(world: Bench) -> None:
    await fill(world, range(3, 5))
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    at = (TODAY - 4 * DAY).timestamp()
    late = np.array([at + 300, at + 600, at + 900])  # between two readings, at one, between two
    async with world.door.open(IMPORT) as tx:
        columns = {"room_temperature": np.array([1.0, 2.0, 3.0]), "outdoor_temperature": np.array([-1.0, -2.0, -3.0])}
        await telemetry.load(tx, world.machines["hp1"], late, columns, now=datetime.now(UTC).timestamp())
    assert world.rows("SELECT count(*) FROM late_frames") == [(3,)]
    waiting = await seen(world, TODAY - 4 * DAY, TODAY - 3 * DAY)
    async with desk_of(world) as desk:
        done = await close_due(desk, TODAY.date())
    assert (done.late, done.conflicts) == (3, 1)
    assert world.rows("SELECT count(*) FROM late_frames") == [(0,)]
    assert await seen(world, TODAY - 4 * DAY, TODAY - 3 * DAY) == waiting
    assert waiting[at + 300] == 1.0
    assert waiting[at + 600] != 2.0
    outdoor = await seen(world, TODAY - 4 * DAY, TODAY - 3 * DAY, "outdoor_temperature")
    assert outdoor == {at + 300: -1.0, at + 600: -2.0, at + 900: -3.0}


STEPS = ("commit", "drop", "tidy", "sum", "write")


@pytest.mark.anyio
@pytest.mark.parametrize("step", STEPS)
async def test_TEL_02_a_closing_that_dies_at_any_step_is_done_by_the_next(world: Bench, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = await fill(world, range(3, 5)) | await fill(world, range(3, 5), local="wh1")

    class Died(Exception):
        pass

    async def die(*_: object, **__: object) -> None:
        raise Died

    def die_now(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as broken:
        match step:
            case "commit":
                broken.setattr("lineset.telemetry.history.desk.Desk.commit", die)
            case "drop":
                broken.setattr("lineset.telemetry.history.closing._drop", die)
            case "tidy":
                broken.setattr("lineset.telemetry.history.desk.Desk.tidy", die)
            case "sum":
                broken.setattr("lineset.telemetry.history.closing.sum_up", die)
            case "write":
                broken.setattr("lineset.telemetry.history.lake.Lake.write", die_now)
        with pytest.raises(Died):
            async with desk_of(world) as desk:
                await close_due(desk, TODAY.date())
        same(await seen(world, TODAY - 5 * DAY, TODAY), sent)
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
        await desk.tidy()
    same(await seen(world, TODAY - 5 * DAY, TODAY), sent)
    assert world.rows("SELECT count(*) FROM frames") == [(0,)]
    files = {path for (path,) in world.rows("SELECT path FROM history_files")}
    folder = storage_of(world).folder
    assert folder is not None
    assert {str(p.relative_to(folder)) for p in folder.rglob("*/keep_days=*/**/*.parquet")} == files


@pytest.mark.anyio
async def test_TEL_02_readers_see_each_reading_once_while_days_close_late_frames_merge_and_others_are_erased(world: Bench) -> None:
    """The same window is read over and over while everything that moves rows works on it."""
    sent = await fill(world, range(3, 7), step_s=1800)
    await fill(world, range(3, 7), step_s=1800, local="wh1")
    stop = asyncio.Event()
    reads = 0

    async def read() -> None:
        nonlocal reads
        while not stop.is_set():
            shown = await seen(world, TODAY - 7 * DAY, TODAY)
            assert before <= shown.keys() <= sent.keys()
            same(shown, {t: sent[t] for t in shown})
            reads += 1

    before = frozenset(sent)  # what came later may or may not be there when a read begins
    readers = [asyncio.create_task(read()) for _ in range(3)]
    try:
        async with desk_of(world) as desk:
            for day in range(6, 3, -1):
                await close_due(desk, (TODAY - (day - 3) * DAY).date())
                late = (TODAY - day * DAY).timestamp() + 900.0
                sent[late] = 7.0
                async with world.door.open(IMPORT) as tx:
                    await telemetry.load(
                        tx,
                        world.machines["hp1"],
                        np.array([late]),
                        {"room_temperature": np.array([7.0])},
                        now=datetime.now(UTC).timestamp(),
                    )
                await merge_late(desk)
                await desk.tidy()
            await erasing.erase(desk, [await series_of(world, "wh1")], set())
    finally:
        stop.set()
        await asyncio.gather(*readers)
    assert reads >= 3
    same(await seen(world, TODAY - 7 * DAY, TODAY), sent)
    assert await seen(world, TODAY - 7 * DAY, TODAY, local="wh1") == {}
