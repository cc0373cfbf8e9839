"""Asking for a copy of all data about oneself, looking after it, and taking the file."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update

from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, NotFound, TooMany
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.privacy.door import Context, Door, System, Tx
from lineset.privacy.exporting.model import AccountExportRow
from lineset.privacy.exporting.plan import owned
from lineset.privacy.vocabulary import Purpose

if TYPE_CHECKING:
    from lineset.kit.storage import Storage

HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
MOST_A_DAY = 3
MOST_LISTED = 50
_LANES = 2
"""So many copies are made at one time on all workers together."""
BUSY = ("waiting", "running")
_CHECK_EVERY = 16
"""Pieces of a file after which it is asked again whether the reader may still have it."""


@dataclass(frozen=True, slots=True)
class AccountExport:
    """A copy as the person who asked sees it. `subjects`: the person and the households in it. Sizes in bytes; `parts_done` of `parts` are
    made, 0 of 0 while it waits; `code` says why there is no file: `not_yours`, `trouble`, `stuck`, `too_large`."""

    id: UUID
    subjects: tuple[UUID, ...]
    state: str
    code: str
    parts: int
    parts_done: int
    rows: int
    bytes: int | None
    sha256: str | None
    asked_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None

    @property
    def busy(self) -> bool:
        """Whether it is still being made."""
        return self.state in BUSY

    @property
    def name(self) -> str:
        """The file's name."""
        return f"lineset_copy_{self.asked_at:%Y-%m-%d}.zip"


@dataclass(frozen=True, slots=True)
class AccountFile:
    """A finished copy, which never changes: where it lies, its size in bytes, its SHA-256, its name."""

    export: UUID
    path: str
    bytes: int
    sha256: str
    name: str

    @property
    def etag(self) -> str:
        """Its strong entity tag: the same bytes for ever."""
        return f'"{self.sha256}"'

    @property
    def headers(self) -> dict[str, str]:
        """Headers that go with its bytes."""
        return {"content-disposition": f'attachment; filename="{self.name}"', "cache-control": "private, no-store"}


async def ask_export(tx: Tx, subject: UUID) -> UUID:
    """Begin a copy of all data about `subject`; a job makes it. For the purpose of rights.

    The subject is the asker, with every household of which the asker is an owner, or one of these households alone.

    Raises:
        Denied: another purpose, another person, or a household of which the asker is no owner.
        TooMany: one is being made already, or as many were asked for today as one may.
    """
    person = tx.context.person
    if tx.context.purpose is not Purpose.RIGHTS:
        raise Denied("bad_purpose", "Copies of one's data are asked for with the purpose of one's rights.")
    households = await owned(tx)
    if subject != person and subject not in households:
        raise Denied("not_yours", "You can ask for a copy of your own data and of the households that you own.")
    await _within_limits(tx, person)
    export = new_id()
    subjects = [person, *households] if subject == person else [subject]
    values = {"id": export, "person_id": person, "subjects": [str(s) for s in subjects], "asked_at": now()}
    await tx.session.execute(insert(AccountExportRow).values(**values))
    await queue(tx, export)
    return export


async def _within_limits(tx: Tx, person: UUID) -> None:
    await tx.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))"), {"who": f"copies {person}"})
    mine = select(func.count()).select_from(AccountExportRow).where(AccountExportRow.person_id == person)
    if await tx.session.scalar(mine.where(AccountExportRow.state.in_(BUSY))):
        raise TooMany("too_many_exports", "A copy of your data is being made already. Wait for it, or cancel it.", 60)
    if (await tx.session.scalar(mine.where(AccountExportRow.asked_at > now() - timedelta(days=1))) or 0) >= MOST_A_DAY:
        raise TooMany("too_many_exports", f"You may ask for {MOST_A_DAY} copies a day. Try again tomorrow.", 3_600)


async def queue(tx: Tx, export: UUID) -> None:
    """Put the job that makes the next parts into the queue, behind those of other copies in the same lane."""
    await defer(tx.session, "privacy.export", lock=f"privacy.export/{export.int % _LANES}", export=str(export))


async def list_exports_of(tx: Tx) -> list[AccountExport]:
    """The asker's copies of the last two years, newest first, `MOST_LISTED` at most."""
    mine = select(AccountExportRow).where(AccountExportRow.person_id == tx.context.person)
    rows = await tx.session.scalars(mine.order_by(AccountExportRow.asked_at.desc(), AccountExportRow.id.desc()).limit(MOST_LISTED))
    return [_view(row) for row in rows]


async def get_export(tx: Tx, export: UUID) -> AccountExport:
    """One of the asker's copies. Raises NotFound where it is none of theirs."""
    return _view(await _row(tx, export))


async def drop_export(tx: Tx, export: UUID) -> None:
    """Stop making it, or delete its file; that it was asked for stays in the list.

    Raises:
        NotFound: none of the asker's.
    """
    row = await _row(tx, export)
    if row.state in (*BUSY, "ready"):
        state = "cancelled" if row.state in BUSY else "expired"
        await tx.session.execute(update(AccountExportRow).where(AccountExportRow.id == export).values(state=state, path=None))
    await clean(tx, export)


async def clean(tx: Tx, export: UUID) -> None:
    """Have a job delete the objects of a copy that is not being made and not ready."""
    await defer(tx.session, "privacy.clean_export", export=str(export))


async def close(door: Door, export: UUID, state: str, code: str) -> None:
    """End a copy that can't be made."""
    async with door.open(HOUSEKEEPING) as tx:
        busy = AccountExportRow.id == export, AccountExportRow.state.in_(BUSY)
        await tx.session.execute(update(AccountExportRow).where(*busy).values(state=state, code=code))
        await clean(tx, export)


async def file_of(tx: Tx, export: UUID) -> AccountFile:
    """The finished file.

    Raises:
        NotFound: none of the asker's, or one of its households is not the asker's any more.
        Conflict: it is not ready, or its time is over.
    """
    row = await _row(tx, export)
    if row.state in BUSY:
        raise Conflict("not_ready", "This copy is still being made.")
    if row.state != "ready" or row.expires_at is None or row.expires_at <= now():
        raise Conflict("no_file", "This copy has no file any more. Ask for it again.")
    if not await still_owned(tx, row):
        raise NotFound("copy")
    assert row.path is not None and row.bytes is not None and row.sha256 is not None  # noqa: S101, PT018 - they are there with "ready"
    return AccountFile(row.id, row.path, row.bytes, row.sha256, _view(row).name)


async def still_owned(tx: Tx, row: AccountExportRow) -> bool:
    """Whether every household in the copy is the asker's at this moment."""
    return {UUID(s) for s in row.subjects} <= {tx.context.person, *await owned(tx)}


async def stream(door: Door, context: Context, storage: "Storage", file: AccountFile, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of the file from `start` until before `end`, as long as the asker may have it.

    Raises:
        NotFound, Conflict: it ended meanwhile, so that the answer breaks off.
    """
    import obstore  # noqa: PLC0415 - processes that hand out no files do not load it

    from lineset.kit.objects import CHUNK  # noqa: PLC0415

    store = storage.store()
    for count, at in enumerate(range(start, end, CHUNK)):
        if count and count % _CHECK_EVERY == 0:
            async with door.open(context) as tx:
                await file_of(tx, file.export)
        yield bytes(await obstore.get_range_async(store, file.path, start=at, end=min(at + CHUNK, end)))


async def forget(tx: Tx, subject: UUID) -> list[UUID]:
    """Delete every copy that has data about this person or household in it; their ids, whose objects are to be removed. For
    `System("housekeeping")`."""
    holds_it = AccountExportRow.subjects.contains([str(subject)])
    gone = delete(AccountExportRow).where((AccountExportRow.person_id == subject) | holds_it).returning(AccountExportRow.id)
    return list(await tx.session.scalars(gone))


async def _row(tx: Tx, export: UUID) -> AccountExportRow:
    mine = AccountExportRow.id == export, AccountExportRow.person_id == tx.context.person
    row = await tx.session.scalar(select(AccountExportRow).where(*mine))
    if row is None:
        raise NotFound("copy")
    return row


def _view(row: AccountExportRow) -> AccountExport:
    subjects = tuple(UUID(s) for s in row.subjects)
    facts = (row.state, row.code, row.parts, row.parts_done, row.rows, row.bytes, row.sha256, row.asked_at, row.ready_at, row.expires_at)
    return AccountExport(row.id, subjects, *facts)
