"""Making a backup while everything runs.

One snapshot of the database says what the backup holds. Measurements go first, while the lock of history is held, so that no day is
closed and no file rewritten under it; ingestion and everything else go on. Then follow the other tables, each read in a short
transaction of its own under the same snapshot, so that no lock is held for long.
"""

import asyncio
import contextlib
import importlib.metadata
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from lineset.backup import tables
from lineset.backup.keys import Copy, Ring, copy_of, vault_of, write_copy
from lineset.backup.sealing import CHUNK, FORMAT, Header, Writer
from lineset.kit.addresses import owner_url
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Invalid
from lineset.kit.settings import Settings
from lineset.kit.storage import storage
from lineset.platform import Platform, open_platform
from lineset.privacy import copies
from lineset.telemetry import carrying

Progress = Callable[[float, int], None]
"""Called with the part that is done, 0 to 1, and the bytes written so far."""
HISTORY, QUEUE = "history", "jobs"
_LOCK_WAIT_S, _LOCK_LOOK_S = 600.0, 1.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What was made. `left_out`: people and households whose key is gone, since they are being erased."""

    file: Path
    keys: Path
    bytes: int
    rows: int
    subjects: int
    left_out: int

    def lines(self) -> Iterator[tuple[str, str]]:
        """What to tell, as style and text."""
        yield "bold", f"{self.rows:,} rows of {self.subjects:,} people and households in {self.file}, {self.bytes:,} bytes"
        if self.left_out:
            yield "yellow", f"{self.left_out} that are being erased are left out"
        yield "", f"The keys are in {self.keys}. Keep them apart, for {copies.KEY_COPY_DAYS} days at most, and `secrets` in a third place."


async def take(settings: Settings, file: Path, keys: Path, progress: Progress) -> Taken:
    """Write a backup to `file` and a copy of the key store to `keys`. Each appears whole or not at all.

    Raises:
        Invalid: a path can't be used, or the master key is missing.
        Conflict: somebody else has been changing history for ten minutes.
        BusFault: the key store does not answer.
    """
    file, keys = check_target(settings, file), check_target(settings, keys)
    vault_of(settings)  # before anything would make a new master key
    async with open_platform(settings, "backup") as here:
        with _written(file) as out, contextlib.ExitStack() as stack:
            async with _history_lock(here.engine):
                made_at = now()
                run = await asyncio.to_thread(_Run, here, out, made_at, progress)
                stack.callback(run.close)
                copy = await copy_of(here.bus, made_at)  # after the snapshot: whose key is there now can be restored
                run.begin(copy)
                await asyncio.to_thread(run.measurements)
            digest = await asyncio.to_thread(run.others)  # without the lock, for which others may be waiting
        await _note(here, "data", file, made_at, run.size, digest)
        await _write_keys(here, keys, copy)
    return Taken(file, keys, run.size, run.rows, len(run.subjects), len(run.left_out))


async def take_keys(settings: Settings, keys: Path) -> Copy:
    """Write a copy of the key store alone.

    Raises:
        Invalid: the path can't be used, or the master key is missing.
        BusFault: the key store does not answer.
    """
    keys = check_target(settings, keys)
    vault_of(settings)
    async with open_platform(settings, "backup") as here:
        copy = await copy_of(here.bus, now())
        await _write_keys(here, keys, copy)
    return copy


def check_target(settings: Settings, path: Path) -> Path:
    """The whole path of a new file. Raises Invalid unless it can be made: not over another, nor among the installation's own files."""
    whole = path.absolute()
    if whole.exists() or whole.is_symlink():
        raise Invalid("exists", f"{path} exists already. Name a file that does not.")
    if not whole.parent.is_dir():
        raise Invalid("no_folder", f"There is no folder {whole.parent}. Make it first.")
    below = whole.parent.resolve()
    data = settings.data.resolve()
    if below.is_relative_to(data) and below != data / "backups":
        raise Invalid("inside", f"{path} is in the data folder, which a backup must outlive. Name a file elsewhere, or in {data}/backups.")
    return whole


@contextlib.contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A new file for our eyes only that gets its name when it is whole and on the disk."""
    draft = path.with_name(f"{path.name}.part")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.link(draft, path)  # unlike a rename, this never replaces what came there meanwhile
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def _write_keys(here: Platform, path: Path, copy: Copy) -> None:
    with _written(path) as out:
        digest = write_copy(here.vault, copy, out)
        size = out.tell()
    await _note(here, "keys", path, copy.made_at, size, digest)


async def _note(here: Platform, kind: copies.CopyKind, path: Path, made_at: datetime, size: int, digest: str) -> None:
    async with here.door.open(copies.BACKUP) as tx:
        await copies.note_copy(tx, kind, str(path), made_at, size, digest)


@contextlib.asynccontextmanager
async def _history_lock(engine: AsyncEngine) -> AsyncIterator[None]:
    for _ in range(int(_LOCK_WAIT_S / _LOCK_LOOK_S)):
        async with carrying.exclusive(engine) as holder:
            if holder is not None:
                yield
                return
        await asyncio.sleep(_LOCK_LOOK_S)
    raise Conflict("history_busy", "Days are being closed or readings erased for ten minutes already. Try again later.")


class _Snapshot:
    """One moment of the database, for as many short transactions as are wanted. Read by the owner as the declared actor `backup`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._keeper = psycopg.connect(address)
        self._keeper.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._keeper.read_only = True
        row = self._keeper.execute("SELECT pg_export_snapshot()").fetchone()
        self._name = str(row[0]) if row else ""
        self._reader = psycopg.connect(address)
        self._reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._reader.read_only = True

    @contextlib.contextmanager
    def reading(self) -> Iterator[psycopg.Connection]:
        with self._reader.transaction():
            self._reader.execute(f"SET TRANSACTION SNAPSHOT '{self._name}'")
            self._reader.execute("SELECT set_config('app.actor', %s, true)", [str(copies.BACKUP.actor)])
            yield self._reader

    def close(self) -> None:
        self._reader.close()
        self._keeper.close()


class _Run:
    """One backup on its way. `rows` and `subjects` (their labels) count what is in it."""

    def __init__(self, here: Platform, out: BinaryIO, made_at: datetime, progress: Progress) -> None:
        self._here = here
        self._out = out
        self._made_at = made_at
        self._progress = progress
        self._snapshot = _Snapshot(owner_url(here.settings))
        self._expected, self._done = 1, 0
        self._about: dict[str, Any] = {}
        self.rows = 0
        self.subjects: set[UUID] = set()
        self.left_out: set[UUID] = set()

    @property
    def size(self) -> int:
        """Bytes of the file so far."""
        return self._writer.size

    def close(self) -> None:
        self._snapshot.close()

    def begin(self, copy: Copy) -> None:
        """Write the header, with the keys of that copy."""
        with self._snapshot.reading() as connection:
            row = connection.execute("SELECT version_num FROM migrations.alembic_version").fetchone()
            size = connection.execute("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'").fetchone()
        salt = os.urandom(16).hex()
        self._ring = Ring(self._here.vault, salt, copy.keys)
        version = importlib.metadata.version("lineset")
        header = Header(FORMAT, version, self._made_at.isoformat(), str(row[0]) if row else "", salt, self._ring.check)
        self._writer = Writer(self._out, header)
        self._expected = int(size[0] or 1) if size else 1

    def measurements(self) -> None:
        """Hot readings and the files of history, household by household."""
        with self._snapshot.reading() as connection:
            owned: dict[int, UUID] = dict(connection.execute("SELECT series_id, household_id FROM tenures").fetchall())
            held: dict[int, UUID] = dict(connection.execute("SELECT unnest(series), household_id FROM series_erasures").fetchall())
            households: dict[UUID, list[int]] = {}
            for series, household in owned.items():
                households.setdefault(household, []).append(series)
            parts = [
                carrying.Part(*row)
                for row in connection.execute("SELECT tier, period, keep_days, modulus, remainder, path, rows, bytes FROM history_files")
            ]
            self._expected += sum(p.bytes for p in parts)
            self._about["days"] = tables.read_days(connection)
        for name in tables.FRAMES:
            with self._snapshot.reading() as connection:
                self._add(name, tables.FRAME_COLUMNS, tables.read_frames(connection, name, households, CHUNK))
        self._writer.begin(HISTORY, [], packed=False)
        places: dict[int, carrying.Place] = {}
        for share in carrying.shares(storage(self._here.settings, "history"), parts, held | owned):
            places[share.group] = share.place
            if share.owner is not None:
                self._seal(share.owner, share.rows, share.parquet, share.group)
        self._about["places"] = [places[n] for n in sorted(places)]

    def others(self) -> str:
        """All other tables, what waits in the queue, and the list of contents; the SHA-256 of the file in hexadecimal."""
        with self._snapshot.reading() as connection:
            wanted = tables.sources(self._here.register, connection)
            self._about["sequences"] = tables.read_sequences(connection)
        for source in wanted:
            with self._snapshot.reading() as connection:
                self._add(source.name, source.columns, tables.read_rows(connection, source, CHUNK), keyed=source.keyed)
        with self._snapshot.reading() as connection:
            self._add(QUEUE, [], tables.read_queue(connection, CHUNK))
        about = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in self._about.items()}
        return self._writer.finish(self._ring.own, len(self.subjects), about)

    def _add(self, name: str, columns: list[str], batches: Iterable[tables.Batch], *, keyed: bool = True) -> None:
        self._writer.begin(name, columns)
        for subject, rows, data in batches:
            if not self._seal(subject, rows, data) and keyed and subject is not None:
                self.left_out.add(subject)

    def _seal(self, subject: UUID | None, rows: int, data: bytes, group: int = 0) -> bool:
        """Write a chunk; whether its subject has a key."""
        self._done += len(data)
        self._progress(min(0.99, self._done / self._expected), self._writer.size)
        if subject is None:
            self._writer.add(self._ring.own, None, rows, data, group)
        elif (key := self._ring.of(subject)) is not None:
            self._writer.add(key, self._ring.label(subject), rows, data, group)
            self.subjects.add(subject)
        else:
            return False
        self.rows += rows
        return True
