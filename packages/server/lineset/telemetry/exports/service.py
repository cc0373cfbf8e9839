"""Asking for downloads, looking after them, and taking the finished file."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Select, delete, func, insert, select, text, update

from lineset.kit.clock import now
from lineset.kit.errors import Conflict, NotFound, TooMany
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.kit.storage import Storage
from lineset.privacy import Context, Door, Purpose, System, Tx
from lineset.telemetry.exports.plan import Machine, Size, Stretch, Wanted, machines_of, size_of, stretches
from lineset.telemetry.model_exports import ExportPartRow, ExportRow

HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
MOST_RUNNING = 3
MOST_A_DAY = 30
MOST_LISTED = 100
_LANES = 2
"""So many downloads are made at one time on all workers together; mails and commands never wait for them."""
_BUSY = ("waiting", "running")
_CHECK_EVERY = 16
"""Pieces of a file after which it is asked again whether the reader may still see it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Export:
    """A download as the person who asked for it sees it. Sizes in bytes; `parts_done` of `parts` are made; `code` says why there is no
    file: `not_shared`, `trouble`, `stuck`."""

    id: UUID
    site: UUID | None
    equipment: UUID | None
    start: datetime
    end: datetime
    detail: str
    format: str
    state: str
    code: str
    machines: int
    parts: int
    parts_done: int
    rows: int
    rows_expected: int
    bytes_expected: int
    bytes: int | None
    sha256: str | None
    asked_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None

    @property
    def busy(self) -> bool:
        """Whether it is still being made."""
        return self.state in _BUSY

    @property
    def ending(self) -> str:
        """The kind of file."""
        return "zip" if self.format == "csv" else "parquet"

    @property
    def name(self) -> str:
        """The file's name."""
        return f"lineset_{self.start:%Y-%m-%d}_{self.end:%Y-%m-%d}_{self.detail}.{self.ending}"


@dataclass(frozen=True, slots=True)
class File:
    """A finished file, which never changes: where it lies, its size in bytes, its SHA-256, its name."""

    export: UUID
    path: str
    bytes: int
    sha256: str
    name: str
    format: str

    @property
    def etag(self) -> str:
        """Its strong entity tag: the same bytes for ever."""
        return f'"{self.sha256}"'

    @property
    def headers(self) -> dict[str, str]:
        """Headers that go with its bytes."""
        return {"content-disposition": f'attachment; filename="{self.name}"', "cache-control": "private, no-store"}

    @property
    def media_type(self) -> str:
        """What kind of file it is."""
        return "application/zip" if self.format == "csv" else "application/vnd.apache.parquet"


async def size(tx: Tx, wanted: Wanted) -> Size:
    """About how much that would be.

    Raises:
        NotFound: no such machine or site for the asker.
        Invalid: too much for one download.
    """
    return await size_of(tx, wanted, await machines_of(tx, wanted))


async def ask(tx: Tx, wanted: Wanted) -> UUID:
    """Begin a download; a job makes it.

    Raises:
        NotFound: no such machine or site for the asker.
        Invalid: too much for one download.
        TooMany: the person has as many under way, or asked for as many today, as one may.
    """
    person = tx.context.person
    machines = await machines_of(tx, wanted)
    expected = await size_of(tx, wanted, machines)
    await _within_limits(tx, person)
    export, moment = new_id(), now()
    await tx.session.execute(
        insert(ExportRow).values(
            id=export,
            person_id=person,
            purpose=tx.context.purpose.value,
            site_id=wanted.site,
            equipment_id=wanted.equipment,
            since=wanted.start,
            until=wanted.end,
            detail=wanted.detail,
            format=wanted.format,
            machines=len(machines),
            parts=expected.parts,
            rows_expected=expected.rows,
            bytes_expected=expected.bytes,
            asked_at=moment,
        )
    )
    await tx.session.execute(insert(ExportPartRow), [_part(export, person, n, s) for n, s in enumerate(stretches(wanted, machines))])
    await queue(tx, export)
    return export


def _part(export: UUID, person: UUID, number: int, stretch: Stretch) -> dict[str, object]:
    machine: Machine = stretch.machine
    return {
        "export_id": export,
        "number": number,
        "person_id": person,
        "equipment_id": machine.id,
        "series": machine.series,
        "points": machine.points,
        "time_zone": machine.time_zone,
        "since": stretch.since,
        "until": stretch.until,
    }


async def _within_limits(tx: Tx, person: UUID) -> None:
    await tx.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))"), {"who": f"exports {person}"})
    mine = select(func.count()).select_from(ExportRow).where(ExportRow.person_id == person)
    if (await tx.session.scalar(mine.where(ExportRow.state.in_(_BUSY))) or 0) >= MOST_RUNNING:
        raise TooMany("too_many_exports", f"{MOST_RUNNING} downloads are being made already. Wait for one, or cancel one.", 60)
    if (await tx.session.scalar(mine.where(ExportRow.asked_at > now() - timedelta(days=1))) or 0) >= MOST_A_DAY:
        raise TooMany("too_many_exports", f"You may ask for {MOST_A_DAY} downloads a day. Try again tomorrow.", 3_600)


async def queue(tx: Tx, export: UUID) -> None:
    """Put the job that makes the next parts into the queue, behind those of other downloads in the same lane."""
    await defer(tx.session, "telemetry.export", lock=f"telemetry.export/{export.int % _LANES}", export=str(export))


async def list_exports(tx: Tx) -> list[Export]:
    """The asker's downloads for this purpose, newest first, `MOST_LISTED` at most."""
    rows = await tx.session.scalars(_mine(tx).order_by(ExportRow.asked_at.desc(), ExportRow.id.desc()).limit(MOST_LISTED))
    return [_view(row) for row in rows]


async def get(tx: Tx, export: UUID) -> Export:
    """One of the asker's downloads.

    Raises:
        NotFound: none of theirs, or it was asked for under another purpose.
    """
    return _view(await _row(tx, export))


async def cancel(tx: Tx, export: UUID) -> None:
    """Stop making it; what there is of it is deleted. One that is made or over stays as it is.

    Raises:
        NotFound: none of the asker's.
    """
    await _row(tx, export)
    await tx.session.execute(update(ExportRow).where(ExportRow.id == export, ExportRow.state.in_(_BUSY)).values(state="cancelled"))
    await clean(tx, export)


async def drop(tx: Tx, export: UUID) -> None:
    """Delete it with its file, or while it is being made.

    Raises:
        NotFound: none of the asker's.
    """
    await _row(tx, export)
    await tx.session.execute(delete(ExportRow).where(ExportRow.id == export))
    await clean(tx, export)


async def clean(tx: Tx, export: UUID) -> None:
    """Have a job delete the objects of a download that is not being made and not ready."""
    await defer(tx.session, "telemetry.clean_export", export=str(export))


async def close(door: Door, export: UUID, state: str, code: str) -> None:
    """End a download that can't be made."""
    async with door.open(HOUSEKEEPING) as tx:
        await tx.session.execute(update(ExportRow).where(ExportRow.id == export, ExportRow.state.in_(_BUSY)).values(state=state, code=code))
        await clean(tx, export)
    _log.info("export_ended", export=str(export), state=state, code=code)


async def file_of(tx: Tx, export: UUID) -> File:
    """The finished file.

    Raises:
        NotFound: none of the asker's, or not all that is in it is shared with the asker any more.
        Conflict: it is not ready, or its time is over.
    """
    row = await _row(tx, export)
    if row.state in _BUSY:
        raise Conflict("not_ready", "This download is still being made.")
    if row.state != "ready" or row.expires_at is None or row.expires_at <= now():
        raise Conflict("no_file", "This download has no file any more. Ask for it again.")
    if not await all_shared(tx, export):
        raise NotFound("download")
    view = _view(row)
    assert row.path is not None and row.bytes is not None and row.sha256 is not None  # noqa: S101, PT018 - they are there with "ready"
    return File(row.id, row.path, row.bytes, row.sha256, view.name, row.format)


async def all_shared(tx: Tx, export: UUID) -> bool:
    """Whether every series of a download is the asker's to see at this moment."""
    hidden = text(
        "SELECT EXISTS (SELECT FROM export_parts p, unnest(p.series) AS w"
        " WHERE p.export_id = :export AND NOT EXISTS (SELECT FROM tenures n WHERE n.series_id = w))"
    )
    return not await tx.session.scalar(hidden, {"export": export})


async def stream(door: Door, context: Context, storage: Storage, file: File, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of the file from `start` until before `end`, as long as the asker may see it.

    Raises:
        NotFound: it ended meanwhile, so that the answer breaks off.
    """
    import obstore  # noqa: PLC0415 - processes that hand out no files do not load it

    from lineset.kit.objects import CHUNK  # noqa: PLC0415

    store = storage.store()
    for count, at in enumerate(range(start, end, CHUNK)):
        if count and count % _CHECK_EVERY == 0:
            async with door.open(context) as tx:
                await file_of(tx, file.export)
        yield bytes(await obstore.get_range_async(store, file.path, start=at, end=min(at + CHUNK, end)))


async def _row(tx: Tx, export: UUID) -> ExportRow:
    row = await tx.session.scalar(_mine(tx).where(ExportRow.id == export))
    if row is None:
        raise NotFound("download")
    return row


def _mine(tx: Tx) -> Select[ExportRow]:
    return select(ExportRow).where(ExportRow.person_id == tx.context.person, ExportRow.purpose == tx.context.purpose.value)


def _view(row: ExportRow) -> Export:
    return Export(
        row.id,
        row.site_id,
        row.equipment_id,
        row.since,
        row.until,
        row.detail,
        row.format,
        row.state,
        row.code,
        row.machines,
        row.parts,
        row.parts_done,
        row.rows,
        row.rows_expected,
        row.bytes_expected,
        row.bytes,
        row.sha256,
        row.asked_at,
        row.ready_at,
        row.expires_at,
    )


def running(exports: Sequence[Export]) -> bool:
    """Whether one of them is still being made."""
    return any(e.busy for e in exports)
