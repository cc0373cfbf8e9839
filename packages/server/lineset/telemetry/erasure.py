"""Asking for measurements to be erased: hidden at once, then erased by a job from every tier. And as a part of larger erasures."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid5

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from lineset import sites
from lineset.kit.jobs import defer
from lineset.kit.storage import Storage
from lineset.privacy import Door, Tx
from lineset.telemetry.history.jobs import Eraser, finish_erasures
from lineset.telemetry.history.manifest import HISTORY, TIERS, parts
from lineset.telemetry.model_history import ErasureRow


async def erase_machine(tx: Tx, equipment: UUID) -> int:
    """Erase a machine and all that it measured while its household owned it; how many series go.

    The machine is gone from every page when the transaction commits. Its bytes leave every tier by the job "telemetry.erase"; an
    earlier owner's measurements stay.

    Raises:
        NotFound: there is no such machine for the asker.
        Denied: the asker is not an owner of its household.
    """
    household, series = await sites.remove_equipment(tx, equipment)
    await ask(tx, household, series)
    return len(series)


async def erase_site(tx: Tx, site: UUID) -> int:
    """Erase a site with its machines and all that they measured, as `erase_machine` does for one."""
    household, series = await sites.remove_site(tx, site)
    await ask(tx, household, series)
    return len(series)


async def erase_household(tx: Tx, household: UUID) -> int:
    """Erase all that a household's machines, present and former, ever measured; how many series go.

    Raises:
        Denied: the asker is not an owner of that household.
    """
    machines = await sites.machines_of_household(tx, household)
    series = await sites.series_of(tx, household)
    for equipment in machines:
        await sites.remove_equipment(tx, equipment)
    await ask(tx, household, series)
    return len(series)


async def ask(tx: Tx, household: UUID, series: list[int]) -> None:
    """Put the erasure of these series into the queue, as part of this transaction."""
    if series:
        await defer(tx.session, "telemetry.erase", series=",".join(map(str, series)), household=str(household))


async def erase_series(
    door: Door,
    engine: AsyncEngine,
    storage: Storage,
    erasure: UUID,
    series: Sequence[int],
    since: datetime,
    erasers: tuple[Eraser, ...] = (),
) -> int:
    """Erase series that were hidden at `since` from every tier, as the part of that erasure; how many. May be done again."""
    async with door.open(HISTORY) as tx:
        owned = "SELECT household_id, series_id FROM tenures WHERE series_id = ANY(:series) ORDER BY series_id"
        by_household: dict[UUID, list[int]] = defaultdict(list)
        for household, one in await tx.session.execute(text(owned), {"series": list(series)}):
            by_household[household].append(one)
        for household, mine in by_household.items():
            row = {"id": uuid5(erasure, str(household)), "series": mine, "household_id": household, "asked_at": since}
            await tx.session.execute(insert(ErasureRow).values(**row).on_conflict_do_nothing(index_elements=["id"]))
        waiting = await tx.session.scalar(select(ErasureRow.id).where(ErasureRow.finished_at.is_(None)).limit(1))
    if waiting is not None:
        await finish_erasures(door, engine, storage, erasers)
    return len(series)


async def series_left(door: Door, storage: Storage, series: Sequence[int]) -> list[str]:
    """The tiers in which readings of these series are still found, files read one by one."""
    if not series:
        return []
    found = []
    async with door.open(HISTORY) as tx:
        for table in ("frames", "late_frames", "latest"):
            there = text(f"SELECT EXISTS (SELECT FROM {table} WHERE series_id = ANY(:series))")  # noqa: S608 - one of three names
            if await tx.session.scalar(there, {"series": list(series)}):
                found.append(f"table {table}")
        files = [p for tier in TIERS for p in await parts(tx, tier, date.min, date.max, series)]
    import polars as pl  # noqa: PLC0415 - a library that an idle worker has no use for

    from lineset.telemetry.history.lake import Lake  # noqa: PLC0415 - as above

    lake = Lake(storage)
    for part in files:
        rows = await asyncio.to_thread(
            lambda path=part.path: lake.collect(lake.scan([path]).filter(pl.col("series").is_in(list(series))).select(pl.len()))  # type: ignore[misc]
        )
        if rows.item():
            found.append(f"history {part.tier}")
    return found
