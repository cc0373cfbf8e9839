"""Making copies: part after part, in turns of a few seconds, so that a worker that dies costs one part and others get their turn.

Each part is read as the person who asked, for the purpose of their rights, page by page in transactions of its own: row-level security
hands over what is theirs at that moment and nothing else.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from sqlalchemy import func, insert, select, update

from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.storage import Storage
from lineset.privacy.door import Context, Door, Person, Tx
from lineset.privacy.exporting import rows
from lineset.privacy.exporting.model import FILE_DAYS, AccountExportPartRow, AccountExportRow
from lineset.privacy.exporting.plan import ROWS, Exporter, owned, parts_of, whose
from lineset.privacy.exporting.service import BUSY, HOUSEKEEPING, clean, close, queue, still_owned
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import Purpose

if TYPE_CHECKING:
    from lineset.kit.objects import Written

TURN_S = 5.0
MOST_BYTES = 50_000_000_000
"""A copy whose parts are larger than this together is given up: it would fill the storage of others."""
Words = Callable[[str], str]
"""A declared English sentence in the reader's language."""

_log = structlog.get_logger(__name__)


class Over(Exception):
    """The copy is not being made any more: it was cancelled, deleted, or made by somebody else."""


@dataclass(frozen=True, slots=True)
class Task:
    """A copy that is being made, and the person for whom."""

    id: UUID
    context: Context
    subjects: list[UUID]
    asked_at: datetime

    @property
    def person(self) -> UUID:
        """For whom."""
        return self.context.person


@dataclass(frozen=True, slots=True)
class Workshop:
    """Makes copies. `exporters` by the names that tables declare; `language` of a person; `words` of a language; `tell` mails the person
    that the file is there until a time."""

    door: Door
    storage: Storage
    register: Register
    exporters: Mapping[str, Exporter]
    language: Callable[[Tx, UUID], Awaitable[str]]
    words: Callable[[str], Words]
    tell: Callable[[Tx, UUID, datetime], Awaitable[None]]

    async def work(self, export: UUID, turn_s: float = TURN_S) -> None:
        """Make parts for one turn, then queue the next one; make the file when all parts are there."""
        task = await self._begin(export)
        if task is None:
            return
        end = time.monotonic() + turn_s
        try:
            await self._plan(task)
            while await self._next_part(task):
                if time.monotonic() >= end:
                    async with self.door.open(task.context) as tx:
                        await queue(tx, export)
                    return
            await self._finish(task)
        except Over:
            async with self.door.open(HOUSEKEEPING) as tx:
                await clean(tx, export)

    async def _begin(self, export: UUID) -> Task | None:
        async with self.door.open(HOUSEKEEPING) as tx:
            row = await tx.session.get(AccountExportRow, export)
            if row is None or row.state not in BUSY:
                return None
            row.state = "running"
            return Task(row.id, Context(Person(row.person_id), Purpose.RIGHTS), [UUID(s) for s in row.subjects], row.asked_at)

    async def _plan(self, task: Task) -> None:
        """Write down what is to be made, once.

        Raises:
            Over: the copy has ended, or a household in it is not the asker's any more.
        """
        async with self.door.open(task.context) as tx:
            row = await self._locked(tx, task)
            if row.parts:
                return
            mine = await owned(tx)
            households = [s for s in task.subjects if s in mine]
            with_person = task.person in task.subjects
            parts = await parts_of(tx, self.register, self.exporters, task.person, households, with_person=with_person)
            values = [
                {
                    **{"export_id": task.id, "number": n, "person_id": task.person, "subject": p.subject},
                    **{"maker": p.maker, "name": p.piece.name, "args": p.piece.args},
                }
                for n, p in enumerate(parts)
            ]
            if not values:
                raise Over
            await tx.session.execute(insert(AccountExportPartRow), values)
            row.parts = len(values)

    async def _locked(self, tx: Tx, task: Task) -> AccountExportRow:
        row = await tx.session.get(AccountExportRow, task.id, with_for_update=True)
        if row is None or row.state != "running":
            raise Over
        if not await still_owned(tx, row):
            row.state, row.code = "ended", "not_yours"
            await tx.session.commit()
            raise Over
        return row

    async def _next_part(self, task: Task) -> bool:
        """Make the next part that is missing; False where none is. Raises Over as above."""
        mine = AccountExportPartRow.export_id == task.id
        async with self.door.open(task.context) as tx:
            missing = select(AccountExportPartRow).where(mine, AccountExportPartRow.done_at.is_(None))
            part = await tx.session.scalar(missing.order_by(AccountExportPartRow.number).limit(1))
        if part is None:
            return False
        written, count = await (self._rows(task, part) if part.maker == ROWS else self._made(task, part))
        if not await self._note(task, part.number, written, count) and written is not None:
            from lineset.kit import objects  # noqa: PLC0415 - loaded where files are made

            await asyncio.to_thread(objects.discard, self.storage, written.path)
        return True

    async def _rows(self, task: Task, part: AccountExportPartRow) -> "tuple[Written | None, int]":
        """The rows of a table as lines of JSON; nothing where there are none."""
        from lineset.kit import objects  # noqa: PLC0415 - as above

        sink: objects.Sink | None = None
        count = 0
        about = whose(part.subject, task.person)
        async for page in rows.read(self.door, task.context, self.register, part.args["table"], about):
            if sink is None:
                sink = await asyncio.to_thread(objects.Sink, self.storage, objects.part_path(task.id, part.number, "jsonl"))
            await asyncio.to_thread(sink.write, b"".join(rows.line(row) for row in page))
            count += len(page)
        return (None if sink is None else await asyncio.to_thread(sink.finish)), count

    async def _made(self, task: Task, part: AccountExportPartRow) -> "tuple[Written | None, int]":
        """What an exporter makes; nothing where it is gone meanwhile, as a machine that was erased."""
        from lineset.kit import objects  # noqa: PLC0415 - as above

        try:
            async with self.door.open(task.context) as tx:
                made = await self.exporters[part.maker].make(tx, part.args)
        except NotFound:
            made = None
        if made is None:
            return None, 0
        path = objects.part_path(task.id, part.number, part.name.rpartition(".")[2])
        return await asyncio.to_thread(objects.put, self.storage, path, made.data), made.rows

    async def _note(self, task: Task, number: int, written: "Written | None", count: int) -> bool:
        """Write down that a part is made; False where somebody else has made it. Raises Over as above."""
        async with self.door.open(task.context) as tx:
            row = await self._locked(tx, task)
            missing = AccountExportPartRow.export_id == task.id, AccountExportPartRow.number == number
            facts: dict[str, Any] = {"rows": count, "done_at": now()}
            if written is not None:
                facts |= {"path": written.path, "bytes": written.bytes, "sha256": written.sha256}
            change = update(AccountExportPartRow).where(*missing, AccountExportPartRow.done_at.is_(None)).values(**facts)
            done = await tx.session.execute(change)
            if not done.rowcount:  # type: ignore[attr-defined]
                return False
            row.parts_done += 1
            row.rows += count
            mine = AccountExportPartRow.export_id == task.id
            size = await tx.session.scalar(select(func.coalesce(func.sum(AccountExportPartRow.bytes), 0)).where(mine))
        if (size or 0) > MOST_BYTES:
            await close(self.door, task.id, "failed", "too_large")
            raise Over
        return True

    async def _finish(self, task: Task) -> None:
        """Put the parts together. Raises Over as above."""
        from lineset.kit import objects  # noqa: PLC0415 - as above
        from lineset.privacy.exporting import bundle  # noqa: PLC0415 - loads the templates' library

        async with self.door.open(task.context) as tx:
            await self._locked(tx, task)
            found = select(AccountExportPartRow).where(AccountExportPartRow.export_id == task.id).order_by(AccountExportPartRow.number)
            parts = [_part(row) for row in await tx.session.scalars(found)]
        async with self.door.open(HOUSEKEEPING) as tx:
            language = await self.language(tx, task.person)
        cover = bundle.Cover(task.person, task.subjects, task.asked_at, now(), language, self.words(language))
        try:
            written = await asyncio.to_thread(bundle.put_together, self.storage, self.register, task.id, cover, parts)
        except objects.Spoilt as error:
            await self._again(task, str(error))
            return
        async with self.door.open(task.context) as tx:
            row = await self._locked(tx, task)
            row.state, row.path, row.bytes, row.sha256 = "ready", written.path, written.bytes, written.sha256
            row.ready_at, row.expires_at = now(), now() + timedelta(days=FILE_DAYS)
            until = row.expires_at
            await clean(tx, task.id)
        async with self.door.open(HOUSEKEEPING) as tx:
            await self.tell(tx, task.person, until)
        _log.info("copy_ready", export=str(task.id), parts=len(parts), bytes=written.bytes)

    async def _again(self, task: Task, path: str) -> None:
        """Have a part made anew whose object was lost, as after a power cut. Raises Over as above."""
        async with self.door.open(task.context) as tx:
            row = await self._locked(tx, task)
            _log.warning("copy_part_lost", export=str(task.id), path=path)
            mine = AccountExportPartRow.export_id == task.id
            lost = update(AccountExportPartRow).where(mine, AccountExportPartRow.path == path)
            await tx.session.execute(lost.values(done_at=None, path=None, sha256=None, bytes=None))
            done = select(func.count(), func.coalesce(func.sum(AccountExportPartRow.rows), 0))
            count, rows_ = (await tx.session.execute(done.where(mine, AccountExportPartRow.done_at.is_not(None)))).one()
            row.parts_done, row.rows = count, rows_ or 0
            await queue(tx, task.id)


def _part(row: AccountExportPartRow) -> "Any":
    from lineset.privacy.exporting.bundle import Part  # noqa: PLC0415 - as above

    return Part(row.subject, row.maker, row.name, row.args, row.path, row.rows or 0, row.bytes or 0, row.sha256 or "")
