"""Copies that were made of what the platform keeps: where they lie, until when, and who can still be read from them.

Backups of data are sealed under keys of the people and households; a subject's part of them ends with its key. So what decides are the
copies of the keys: they live for `KEY_COPY_DAYS` at most, are deleted by then, and are refused by a restore after it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

import procrastinate
import structlog
from sqlalchemy import func, select, update

from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy.door import Context, Door, System, Tx
from lineset.privacy.model_copies import CopyRow
from lineset.privacy.vocabulary import Purpose

KEY_COPY_DAYS = 30
"""Days after which a copy of the keys is deleted and refused."""
DATA_COPY_DAYS = 90
"""Days after which a backup of data is deleted."""
CopyKind = Literal["data", "keys"]
BACKUP = Context(System("backup"), Purpose.KEEP)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """A copy that was made, as `CopyRow` says."""

    id: UUID
    kind: str
    path: str
    made_at: datetime
    ends_at: datetime
    bytes: int
    sha256: str
    deleted_at: datetime | None


async def note_copy(tx: Tx, kind: CopyKind, path: str, made_at: datetime, size: int, sha256: str) -> None:
    """Note that a copy was made. For `System("backup")`."""
    ends = made_at + timedelta(days=KEY_COPY_DAYS if kind == "keys" else DATA_COPY_DAYS)
    tx.session.add(CopyRow(id=new_id(), kind=kind, path=path, made_at=made_at, ends_at=ends, bytes=size, sha256=sha256))
    await tx.session.flush()


async def list_copies(tx: Tx) -> list[Made]:
    """The copies that are known, newest first. For the operator's staff."""
    rows = await tx.session.scalars(select(CopyRow).order_by(CopyRow.made_at.desc(), CopyRow.id))
    return [Made(r.id, r.kind, r.path, r.made_at, r.ends_at, r.bytes, r.sha256, r.deleted_at) for r in rows]


async def readable_until(tx: Tx, destroyed: datetime) -> datetime:
    """The time from which nothing can be read from any backup of whose key was destroyed at that time.

    That is when the last copy of the keys made before ends, or at once where there is none. For actors that may read the copies.
    """
    last = await tx.session.scalar(
        select(func.max(CopyRow.ends_at)).where(CopyRow.kind == "keys", CopyRow.made_at <= destroyed, CopyRow.deleted_at.is_(None))
    )
    return max(destroyed, last) if last is not None else destroyed


def add_copy_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register `privacy.prune_copies`, each day."""

    @app.periodic(cron="7 3 * * *")
    @app.task(name="privacy.prune_copies", queueing_lock="privacy.prune_copies")
    async def prune(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await prune_copies(door)


async def prune_copies(door: Door) -> int:
    """Delete the copies on this machine that are past their time; how many. Those elsewhere are their keeper's to delete, and are named."""
    async with door.open(BACKUP) as tx:
        over = list(await tx.session.scalars(select(CopyRow).where(CopyRow.ends_at < now(), CopyRow.deleted_at.is_(None))))
    gone = []
    for row in over:
        path = Path(row.path)
        try:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        except OSError as error:
            _log.warning("copy_not_deleted", path=row.path, error=str(error))
            continue
        gone.append(row.id)
    if gone:
        async with door.open(BACKUP) as tx:
            await tx.session.execute(update(CopyRow).where(CopyRow.id.in_(gone)).values(deleted_at=now()))
        _log.info("copies_deleted", copies=len(gone))
    return len(gone)
