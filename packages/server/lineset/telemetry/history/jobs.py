"""The jobs of history. One process at a time works on it; a job that finds it taken comes again."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import procrastinate
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.kit.storage import Storage
from lineset.privacy import Door, held_households
from lineset.telemetry.history.manifest import HISTORY, exclusive
from lineset.telemetry.model_history import ErasureRow

if TYPE_CHECKING:
    from lineset.telemetry.history.desk import Desk

_WAIT_S = 600.0
_LOOK_S = 1.0
ROUTES_LIVE_S = 40.0
"""For so long after a machine is gone an ingest process may take frames for it, by what it read before (`telemetry.directory`, 30 s)."""

Eraser = Callable[[list[int], UUID], Awaitable[None]]
"""Erases what another tier (exports, the broker) has of these series of a household."""


def add_jobs(app: procrastinate.Blueprint, door: Door, engine: AsyncEngine, storage: Storage, erasers: tuple[Eraser, ...] = ()) -> None:
    """Register the jobs `telemetry.close_days`, `telemetry.retire`, `telemetry.erase`, `telemetry.finish_erasures`,
    `telemetry.forget_points` and `telemetry.keep_less`."""

    @app.periodic(cron="23 * * * *")
    @app.task(name="telemetry.close_days", queueing_lock="telemetry.close_days")
    async def close_days(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await close_now(door, engine, storage)

    @app.periodic(cron="47 3 * * *")
    @app.task(name="telemetry.retire", queueing_lock="telemetry.retire")
    async def retire(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        from lineset.telemetry.history import retaining  # noqa: PLC0415 - loads libraries that an idle worker has no use for

        async with _desk(door, engine, storage) as desk:
            await retaining.retire(desk)

    @app.task(name="telemetry.keep_less", retry=5)
    async def keep_less(household: str) -> None:
        from lineset.telemetry.history import retaining  # noqa: PLC0415 - as above

        async with _desk(door, engine, storage) as desk:
            await retaining.keep_less(desk, UUID(household))

    @app.task(name="telemetry.erase", retry=5)
    async def erase(series: str, household: str) -> None:
        async with door.open(HISTORY) as tx:
            ids = [int(s) for s in series.split(",")]
            tx.session.add(ErasureRow(id=new_id(), series=ids, household_id=UUID(household), asked_at=now()))
        await finish_erasures(door, engine, storage, erasers)

    @app.periodic(cron="17 4 * * *")
    @app.task(name="telemetry.forget_points", queueing_lock="telemetry.forget_points")
    async def forget(timestamp: int) -> None:  # noqa: ARG001 - as above
        await forget_points(door, engine, storage)

    @app.periodic(cron="37 4 * * *")
    @app.task(name="telemetry.finish_erasures", queueing_lock="telemetry.finish_erasures")
    async def finish(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await finish_erasures(door, engine, storage, erasers)


async def forget_points(door: Door, engine: AsyncEngine, storage: Storage) -> dict[str, int]:
    """Erase every stored point that tells of people whose home has switched that off; how many hot rows and files changed."""
    from lineset.telemetry.history import forgetting  # noqa: PLC0415 - loads libraries that an idle worker has no use for

    async with _desk(door, engine, storage) as desk:
        return await forgetting.forget(desk)


async def close_now(door: Door, engine: AsyncEngine, storage: Storage) -> None:
    """Close what is due."""
    async with door.open(HISTORY) as tx:
        due = await tx.session.scalar(
            text(
                "SELECT EXISTS (SELECT FROM access.days() d WHERE d < (now() AT TIME ZONE 'UTC')::date - 2)"
                " OR EXISTS (SELECT FROM late_frames)"
            )
        )
    if not due:
        return
    from lineset.telemetry.history import closing  # noqa: PLC0415 - loads libraries that an idle worker has no use for

    async with _desk(door, engine, storage) as desk:
        await closing.close_due(desk)


async def finish_erasures(door: Door, engine: AsyncEngine, storage: Storage, erasers: tuple[Eraser, ...] = ()) -> int:
    """Carry out every erasure that was asked for and not done yet; how many."""
    async with door.open(HISTORY) as tx:
        asked = list(await tx.session.scalars(select(ErasureRow).where(ErasureRow.finished_at.is_(None))))
        held = await held_households(tx)
    if not asked:
        return 0
    from lineset.telemetry.history import erasing  # noqa: PLC0415 - as above

    series = sorted({s for row in asked for s in row.series})
    keep = {s for row in asked if row.household_id in held for s in row.series}
    await _elsewhere(asked, erasers)
    async with _desk(door, engine, storage) as desk:
        await erasing.erase_history(desk, series, keep)
    # What an ingest process took meanwhile, by a route that it still knew, goes in the second turn.
    await asyncio.sleep(max(0.0, max(row.asked_at.timestamp() for row in asked) + ROUTES_LIVE_S - time.time()))
    await _elsewhere(asked, erasers)
    async with _desk(door, engine, storage) as desk:
        done = await erasing.erase(desk, series, keep)
    async with door.open(HISTORY) as tx:
        told = {name: str(count) for name, count in done.items()}
        ids = [row.id for row in asked]
        await tx.session.execute(update(ErasureRow).where(ErasureRow.id.in_(ids)).values(finished_at=now(), done=told))
    return len(asked)


async def _elsewhere(asked: list[ErasureRow], erasers: tuple[Eraser, ...]) -> None:
    for row in asked:
        for eraser in erasers:
            await eraser(row.series, row.household_id)


@asynccontextmanager
async def _desk(door: Door, engine: AsyncEngine, storage: Storage) -> "AsyncIterator[Desk]":
    """The desk, once nobody else works at it."""
    from lineset.telemetry.history.desk import Desk  # noqa: PLC0415 - as above
    from lineset.telemetry.history.lake import Lake  # noqa: PLC0415 - as above

    until = time.monotonic() + _WAIT_S
    while True:
        async with exclusive(engine) as holder:
            if holder is not None:
                yield Desk(door, Lake(storage), holder)
                return
        if time.monotonic() > until:
            raise TimeoutError("somebody else has been changing history for ten minutes")
        await asyncio.sleep(_LOOK_S)
