"""Days that are over leave the hot tables for history, and nobody sees a reading twice or not at all, whenever they look."""

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
from lineset.telemetry.history import delta
from lineset.telemetry.history.closing import close_due
from lineset.telemetry.history.desk import Desk
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import exclusive

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
    sent = {}
    for ago in days_ago:
        start = (TODAY - ago * DAY).timestamp()
        t = np.arange(start, start + 86_400, step_s)
        room = np.round(20 + 2 * np.sin(t / 9_000) + ago, 2)
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
