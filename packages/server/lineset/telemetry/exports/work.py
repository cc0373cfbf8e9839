"""Making downloads: part after part, in turns of a few seconds, so that a worker that dies costs one part and others get their turn.

Each part is read as the person who asked, in a transaction of its own: where a grant has ended, row-level security ends the download.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import polars as pl
import structlog
from sqlalchemy import func, select, text, update

from lineset import sites
from lineset.kit import objects
from lineset.kit.archive import Archive
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.storage import Storage
from lineset.privacy import Context, Door, Person, Purpose, Tx, note_action
from lineset.telemetry.exports.files import Label, csv_text, described, machines_table, parquet_bytes, points_table, readme
from lineset.telemetry.exports.plan import Detail
from lineset.telemetry.exports.rows import SUM_COLUMNS, raw_columns, table
from lineset.telemetry.exports.service import HOUSEKEEPING, all_shared, clean, close, queue
from lineset.telemetry.exports.words import tell_ready
from lineset.telemetry.model_exports import FILE_DAYS, ExportPartRow, ExportRow

TURN_S = 5.0
_BUSY = ("waiting", "running")

_log = structlog.get_logger(__name__)


class Over(Exception):
    """The download is not being made any more: it was cancelled, deleted, or made by somebody else."""


@dataclass(frozen=True, slots=True)
class Task:
    """A download that is being made, and the person for whom."""

    id: UUID
    context: Context
    detail: Detail
    format: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A finished part."""

    number: int
    equipment: UUID
    points: list[str]
    zone: str
    path: str | None
    sha256: str | None


async def work(door: Door, storage: Storage, export: UUID, turn_s: float = TURN_S) -> None:
    """Make parts for one turn, then queue the next one; make the file when all parts are there."""
    task = await _begin(door, export)
    if task is None:
        return
    end = time.monotonic() + turn_s
    try:
        while await _next_part(door, storage, task):
            if time.monotonic() >= end:
                async with door.open(task.context) as tx:
                    await queue(tx, export)
                return
        await _finish(door, storage, task)
    except NotFound:
        await close(door, export, "ended", "not_shared")
    except Over:
        async with door.open(HOUSEKEEPING) as tx:
            await clean(tx, export)


async def _begin(door: Door, export: UUID) -> Task | None:
    async with door.open(HOUSEKEEPING) as tx:
        row = await tx.session.get(ExportRow, export)
        if row is None or row.state not in _BUSY:
            return None
        row.state = "running"
        note_action("download")
        context = Context(Person(row.person_id), Purpose(row.purpose), row.equipment_id or row.site_id)
        return Task(row.id, context, cast("Detail", row.detail), row.format, row.since, row.until)


async def _next_part(door: Door, storage: Storage, task: Task) -> bool:
    """Make the next part that is missing; False where none is.

    Raises:
        NotFound: what it holds is not shared with the person any more.
        Over: the download has ended meanwhile.
    """
    async with door.open(task.context) as tx:
        part = await tx.session.scalar(
            select(ExportPartRow)
            .where(ExportPartRow.export_id == task.id, ExportPartRow.done_at.is_(None))
            .order_by(ExportPartRow.number)
            .limit(1)
        )
        if part is None:
            return False
        frame = await table(tx, part.equipment_id, part.series, part.points, part.time_zone, part.since, part.until, task.detail)
    written = None
    if frame.height:
        path = objects.part_path(task.id, part.number)
        named = frame.select(pl.lit(str(part.equipment_id)).alias("equipment"), pl.all())
        written = await asyncio.to_thread(lambda: objects.put(storage, path, parquet_bytes(named)))
    if not await _note(door, task, part.number, written, frame.height) and written is not None:
        await asyncio.to_thread(objects.discard, storage, written.path)
    return True


async def _note(door: Door, task: Task, number: int, written: objects.Written | None, rows: int) -> bool:
    """Write down that a part is made; False where somebody else has made it.

    Raises:
        Over: as above.
    """
    async with door.open(task.context) as tx:
        state = await tx.session.scalar(select(ExportRow.state).where(ExportRow.id == task.id).with_for_update())
        if state != "running":
            raise Over
        missing = ExportPartRow.export_id == task.id, ExportPartRow.number == number, ExportPartRow.done_at.is_(None)
        facts: dict[str, Any] = {"rows": rows, "done_at": now()}
        if written is not None:
            facts |= {"path": written.path, "bytes": written.bytes, "sha256": written.sha256}
        done = await tx.session.execute(update(ExportPartRow).where(*missing).values(**facts))
        if not done.rowcount:  # type: ignore[attr-defined]
            return False
        await tx.session.execute(
            update(ExportRow).where(ExportRow.id == task.id).values(parts_done=ExportRow.parts_done + 1, rows=ExportRow.rows + rows)
        )
        return True


async def _finish(door: Door, storage: Storage, task: Task) -> None:
    """Put the parts together.

    Raises:
        NotFound, Over: as above.
    """
    async with door.open(task.context) as tx:
        if not await all_shared(tx, task.id):
            raise NotFound("download")
        parts = await _parts(tx, task)
        labels = await _labels(tx, parts)
    try:
        written = await asyncio.to_thread(_put_together, storage, task, parts, labels)
    except objects.Spoilt as error:
        await _again(door, task, str(error))
        return
    async with door.open(task.context) as tx:
        if not await all_shared(tx, task.id):
            raise NotFound("download")
        row = await tx.session.get(ExportRow, task.id, with_for_update=True)
        if row is None or row.state != "running":
            raise Over
        row.state, row.path, row.bytes, row.sha256 = "ready", written.path, written.bytes, written.sha256
        row.ready_at, row.expires_at = now(), now() + timedelta(days=FILE_DAYS)
        await tell_ready(tx, row)
        await clean(tx, task.id)
    _log.info("export_ready", export=str(task.id), parts=len(parts), bytes=written.bytes)


async def _parts(tx: Tx, task: Task) -> list[Made]:
    p = ExportPartRow
    columns = (p.number, p.equipment_id, p.points, p.time_zone, p.path, p.sha256)
    return [Made(*row) for row in await tx.session.execute(select(*columns).where(p.export_id == task.id).order_by(p.number))]


async def _labels(tx: Tx, parts: Sequence[Made]) -> list[Label]:
    """The machines of a download, as the person knows them, in order.

    Raises:
        NotFound: one is not shared any more.
    """
    zones = {part.equipment: part.zone for part in parts}
    named = {site.id: site.name for site in await sites.list_sites(tx, with_equipment=False)}
    rows = await tx.session.execute(text("SELECT id, name, type, site_id FROM equipment WHERE id = ANY(:ids)"), {"ids": list(zones)})
    known = {id_: (name, type_, named.get(site, "")) for id_, name, type_, site in rows}
    if known.keys() != zones.keys():
        raise NotFound("machine")
    return [
        Label(id_, *known[id_], time_zone=zone, file=f"{number:04d}_{known[id_][1]}.csv")
        for number, (id_, zone) in enumerate(zones.items(), 1)
    ]


async def _again(door: Door, task: Task, path: str) -> None:
    """Have a part made anew whose object was lost, as after a power cut.

    Raises:
        Over: the download has ended, and its parts with it.
    """
    async with door.open(task.context) as tx:
        if await tx.session.scalar(select(ExportRow.state).where(ExportRow.id == task.id).with_for_update()) != "running":
            raise Over
        _log.warning("export_part_lost", export=str(task.id), path=path)
        mine = ExportPartRow.export_id == task.id
        await tx.session.execute(update(ExportPartRow).where(mine, ExportPartRow.path == path).values(done_at=None, path=None, sha256=None))
        done = select(func.count(), func.coalesce(func.sum(ExportPartRow.rows), 0)).where(mine, ExportPartRow.done_at.is_not(None))
        count, rows = (await tx.session.execute(done)).one()
        await tx.session.execute(update(ExportRow).where(ExportRow.id == task.id).values(parts_done=count, rows=rows))
        await queue(tx, task.id)


def _put_together(storage: Storage, task: Task, parts: Sequence[Made], labels: Sequence[Label]) -> objects.Written:
    points = sorted({name for part in parts for name in part.points})
    if task.format == "parquet":
        return _one_table(storage, task, parts, described(labels, points, task.detail, task.since, task.until), points)
    sink = objects.Sink(storage, objects.file_path(task.id, "zip"))
    archive = Archive(sink, now())
    archive.text("README.txt", readme(task.detail, task.since, task.until))
    archive.text("points.csv", points_table(points))
    archive.text("machines.csv", machines_table(labels))
    by_machine: dict[UUID, list[Made]] = {}
    for part in parts:
        by_machine.setdefault(part.equipment, []).append(part)
    for label in labels:
        archive.pieces(label.file, _texts(storage, task, by_machine[label.id]))
    archive.close()
    return sink.finish()


def _texts(storage: Storage, task: Task, parts: Sequence[Made]) -> Iterator[bytes]:
    """A machine's CSV file, with one part in memory at a time."""
    columns = raw_columns(parts[0].points) if task.detail == "raw" else SUM_COLUMNS
    yield from csv_text(pl.DataFrame(schema=columns), parts[0].zone, task.detail, head=True)
    for part in parts:
        if part.path is not None and part.sha256 is not None:
            frame = pl.read_parquet(objects.get(storage, part.path, part.sha256)).select(columns.keys())
            yield from csv_text(frame, part.zone, task.detail, head=False)


def _one_table(storage: Storage, task: Task, parts: Sequence[Made], metadata: dict[str, str], points: Sequence[str]) -> objects.Written:
    """All machines in one Parquet file with a column that says which: an analyst reads it in one step and groups by that column."""
    columns = {"equipment": pl.String, **(raw_columns(points) if task.detail == "raw" else SUM_COLUMNS)}
    target = objects.file_path(task.id, "parquet")
    there = [part for part in parts if part.path is not None and part.sha256 is not None]
    if not there:
        return objects.put(storage, target, parquet_bytes(pl.DataFrame(schema=columns), metadata))
    for part in there:
        objects.get(storage, part.path or "", part.sha256 or "")
    root, options = storage.folder or storage.url, dict(storage.options) or None
    lazy = pl.scan_parquet(
        [f"{root}/{part.path}" for part in there],
        schema=columns,
        missing_columns="insert",
        storage_options=options,
        hive_partitioning=False,
        glob=False,
    )
    lazy.sink_parquet(f"{root}/{target}", compression="zstd", metadata=metadata, storage_options=options, row_group_size=100_000)
    objects.sync(storage, target)
    return objects.digest(storage, target)
