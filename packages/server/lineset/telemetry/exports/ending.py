"""The end of downloads: files whose time is over, what nobody owns any more, and those that hold what is being erased."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, select, text, update

from lineset.kit import objects
from lineset.kit.clock import now
from lineset.kit.storage import Storage
from lineset.privacy import Door, Tx
from lineset.telemetry.exports.service import HOUSEKEEPING, close
from lineset.telemetry.history.manifest import HISTORY
from lineset.telemetry.model_exports import ExportRow

_STUCK = timedelta(days=2)
_ORPHAN = timedelta(hours=1)
_BUSY = ("waiting", "running")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Holding:
    """A download that has readings of certain series in it, and its objects in storage."""

    export: UUID
    series: list[int]
    paths: list[str]


async def holding(tx: Tx, series: Collection[int]) -> list[Holding]:
    """Every download with readings of these series. For `System("history")` or `System("housekeeping")`."""
    rows = await tx.session.execute(
        text(
            "SELECT e.id, e.path, array_agg(DISTINCT w) FILTER (WHERE w = ANY(:series)), array_remove(array_agg(DISTINCT p.path), NULL)"
            " FROM exports e JOIN export_parts p ON p.export_id = e.id, unnest(p.series) AS w"
            " WHERE e.id IN (SELECT export_id FROM export_parts WHERE series && CAST(:series AS int[])) GROUP BY e.id, e.path"
        ),
        {"series": list(series)},
    )
    return [Holding(id_, sorted(found), [*([path] if path else []), *paths]) for id_, path, found, paths in rows]


async def delete_exports(door: Door, storage: Storage, series: Collection[int], people: Collection[UUID] = ()) -> int:
    """Delete every download with readings of these series, and all of these people's: rows first, so that no worker goes on with it, then
    all objects. How many."""
    async with door.open(HISTORY) as tx:
        found = {h.export for h in await holding(tx, series)}
        found |= set(await tx.session.scalars(select(ExportRow.id).where(ExportRow.person_id.in_(people))))
        await tx.session.execute(delete(ExportRow).where(ExportRow.id.in_(found)))
    for export in found:
        await asyncio.to_thread(objects.remove, storage, export)
    return len(found)


async def end_due(door: Door, storage: Storage) -> dict[str, int]:
    """End what is due: files whose time is over, downloads that never got made, objects that belong to none. How many of each."""
    moment = now()
    async with door.open(HOUSEKEEPING) as tx:
        over = update(ExportRow).where(ExportRow.state == "ready", ExportRow.expires_at <= moment)
        expired = list(await tx.session.scalars(over.values(state="expired", path=None).returning(ExportRow.id)))
        late = select(ExportRow.id).where(ExportRow.state.in_(_BUSY), ExportRow.asked_at < moment - _STUCK)
        stuck = list(await tx.session.scalars(late))
    for export in expired:
        await asyncio.to_thread(objects.remove, storage, export)
    for export in stuck:
        await close(door, export, "failed", "stuck")
    orphans = await _orphans(door, storage)
    for export in orphans:
        await asyncio.to_thread(objects.remove, storage, export)
    counts = {"expired": len(expired), "stuck": len(stuck), "orphans": len(orphans)}
    _log.info("exports_ended", **counts)
    return counts


async def _orphans(door: Door, storage: Storage) -> list[UUID]:
    """Downloads that have objects though they are gone or over, untouched for an hour."""
    there = await asyncio.to_thread(objects.folders, storage)
    old = [export for export, at in there.items() if at < now() - _ORPHAN]
    async with door.open(HOUSEKEEPING) as tx:
        wanted = select(ExportRow.id).where(ExportRow.id.in_(old), ExportRow.state.in_((*_BUSY, "ready")))
        known = set(await tx.session.scalars(wanted))
    return [export for export in old if export not in known]


async def clean_up(door: Door, storage: Storage, export: UUID) -> None:
    """Delete the objects of a download that nobody needs: all of one that is over, the parts of one that is ready."""
    async with door.open(HOUSEKEEPING) as tx:
        row = await tx.session.get(ExportRow, export)
        keep = row.path if row is not None and row.state == "ready" else None
        if row is not None and row.state in _BUSY:
            return
    await asyncio.to_thread(objects.remove, storage, export, keep)
