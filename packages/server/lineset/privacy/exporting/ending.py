"""The end of copies: files whose time is over, what was never made, objects that belong to none, and what is being erased."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import select, update

from lineset.kit import objects
from lineset.kit.clock import now
from lineset.kit.storage import Storage
from lineset.privacy.door import Door
from lineset.privacy.exporting.model import AccountExportRow
from lineset.privacy.exporting.service import BUSY, HOUSEKEEPING, close, forget

_STUCK = timedelta(days=2)
_ORPHAN = timedelta(hours=1)

_log = structlog.get_logger(__name__)


async def forget_exports(door: Door, storage: Storage, subject: UUID) -> int:
    """Delete every copy with data about this person or household: rows first, so that no worker goes on with it, then all objects."""
    async with door.open(HOUSEKEEPING) as tx:
        found = await forget(tx, subject)
    for export in found:
        await asyncio.to_thread(objects.remove, storage, export)
    return len(found)


async def end_due(door: Door, storage: Storage) -> dict[str, int]:
    """End what is due: files whose time is over, copies that never got made, objects that belong to none. How many of each."""
    moment = now()
    async with door.open(HOUSEKEEPING) as tx:
        over = update(AccountExportRow).where(AccountExportRow.state == "ready", AccountExportRow.expires_at <= moment)
        expired = list(await tx.session.scalars(over.values(state="expired", path=None).returning(AccountExportRow.id)))
        late = select(AccountExportRow.id).where(AccountExportRow.state.in_(BUSY), AccountExportRow.asked_at < moment - _STUCK)
        stuck = list(await tx.session.scalars(late))
    for export in stuck:
        await close(door, export, "failed", "stuck")
    orphans = await _orphans(door, storage)
    for export in {*expired, *orphans}:
        await asyncio.to_thread(objects.remove, storage, export)
    counts = {"expired": len(expired), "stuck": len(stuck), "orphans": len(orphans)}
    _log.info("copies_ended", **counts)
    return counts


async def _orphans(door: Door, storage: Storage) -> list[UUID]:
    """Copies that have objects though they are gone or over, untouched for an hour."""
    there = await asyncio.to_thread(objects.folders, storage)
    old = [export for export, at in there.items() if at < now() - _ORPHAN]
    async with door.open(HOUSEKEEPING) as tx:
        wanted = select(AccountExportRow.id).where(AccountExportRow.id.in_(old), AccountExportRow.state.in_((*BUSY, "ready")))
        known = set(await tx.session.scalars(wanted))
    return [export for export in old if export not in known]


async def clean_up(door: Door, storage: Storage, export: UUID) -> None:
    """Delete the objects of a copy that nobody needs: all of one that is over, the parts of one that is ready."""
    async with door.open(HOUSEKEEPING) as tx:
        row = await tx.session.get(AccountExportRow, export)
        keep = row.path if row is not None and row.state == "ready" else None
        if row is not None and row.state in BUSY:
            return
    await asyncio.to_thread(objects.remove, storage, export, keep)
