"""Bringing a backup back, into an empty installation and before anybody can read it.

First the whole file is compared with its list of contents; nothing is written before. Then the tables are built as they were, filled,
and brought to this build; then come measurements, files of history and the queue. What was erased since is left out with its key, and
what was erased in part is erased again. Until all is done a mark in the database keeps every process of the platform from starting.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import alembic.script
import alembic.util
import msgspec
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lineset import migrating, schema
from lineset.backup import tables
from lineset.backup.keys import Copy, Ring, read_copy, require_master, require_young, store_copy, vault_of
from lineset.backup.sealing import Chunk, Reader, Section
from lineset.backup.taking import HISTORY, QUEUE, Progress
from lineset.embedded.nats import EmbeddedNats
from lineset.embedded.postgres import EmbeddedPostgres
from lineset.embedded.run import RunFolder
from lineset.erasing import replay_tombstones
from lineset.kit.addresses import database_secret, owner_url
from lineset.kit.bus import Bus
from lineset.kit.database import make_engine
from lineset.kit.errors import Conflict, Invalid
from lineset.kit.roles import APP, role_url
from lineset.kit.settings import Settings
from lineset.kit.storage import storage
from lineset.kit.subject_keys import SubjectKeys
from lineset.platform import Platform
from lineset.privacy import Door, Vault
from lineset.telemetry import carrying


@dataclass
class Restored:
    """What came back. `subjects` and `gone` have the labels of the people and households that came back, and of those whose key has been
    destroyed; `dropped`: rows of others that belonged to these; `erased`: erasures done again."""

    made_at: datetime
    rows: int = 0
    files: int = 0
    dropped: int = 0
    erased: int = 0
    subjects: set[bytes] = field(default_factory=set)
    gone: set[bytes] = field(default_factory=set)

    def lines(self) -> Iterator[tuple[str, str]]:
        """What to tell, as style and text."""
        if self.erased:
            yield "", f"{self.erased:,} erasures that the key store remembers were done again"
        yield "bold", f"{self.rows:,} rows of {len(self.subjects):,} people and households, as of {self.made_at:%Y-%m-%d %H:%M} UTC"
        if self.gone:
            yield (
                "yellow",
                f"{len(self.gone):,} were erased since and did not come back, nor did {self.dropped:,} rows of others about them",
            )


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of a backup found. `opened`: chunks that were opened with the keys given, of so many."""

    made_at: datetime
    version: str
    rows: int
    subjects: int
    chunks: int
    opened: int

    def lines(self) -> Iterator[tuple[str, str]]:
        """What to tell, as style and text."""
        yield "bold", f"whole: {self.rows:,} rows of {self.subjects:,} people and households"
        yield "", f"made {self.made_at:%Y-%m-%d %H:%M} UTC by Lineset {self.version}; {self.opened:,} of {self.chunks:,} chunks were opened"


def verify(settings: Settings, file: Path, keys: Path | None, progress: Progress) -> Verified:
    """Check a whole backup without restoring it; with a copy of the keys, open everything that they open.

    Raises:
        BadBackup: the file is no backup, cut short or changed.
        Invalid: it was made with another master key, or there is none here.
    """
    vault = vault_of(settings)
    copy = read_copy(vault, keys) if keys is not None else None
    with _opened(file) as reader:
        ring = _checked(vault, reader, copy.keys if copy else {}, file, progress)
        assert reader.contents is not None  # noqa: S101 - _checked has verified it
        opened = 0
        for section in reader.contents.sections:
            for chunk in reader.chunks(section):
                key = _key(ring, chunk)
                if key is not None:
                    chunk.opened(key)
                    opened += 1
        rows = sum(s.rows for s in reader.contents.sections)
        header = reader.header
        return Verified(
            datetime.fromisoformat(header.made_at), header.version, rows, reader.contents.subjects, reader.contents.chunks, opened
        )


async def restore(settings: Settings, file: Path, keys: Path | None, progress: Progress) -> Restored:
    """Restore a backup. An outside database and message bus must run; embedded ones are started for it and stopped again.

    Raises:
        BadBackup: the file, or the copy of the keys, can't be used.
        Invalid: no or another master key, no keys, keys past their time, or a backup of a newer Lineset.
        Conflict: the installation is not empty.
    """
    vault = vault_of(settings)
    copy = read_copy(vault, keys) if keys is not None else None
    with _opened(file) as reader, contextlib.ExitStack() as stack:
        require_master(Ring(vault, reader.header.salt, {}), reader.header)
        _require_known(reader.header.revision)
        _require_empty_folder(settings)
        if not settings.nats_url and not (settings.data / "nats").exists():
            _require_keys(copy)  # told before anything is started
        folder = RunFolder(settings.data)
        folder.take()
        stack.callback(folder.release)
        for engine in _engines(settings):
            engine.start()
            stack.callback(engine.stop)
        bus = await Bus.connect(settings, "restore")
        try:
            await bus.ensure_streams()
            ring = await asyncio.to_thread(_checked, vault, reader, await _keys(bus, copy), file, progress)
            work = _Restore(settings, reader, ring, progress)
            with psycopg.connect(owner_url(settings), autocommit=True) as owner:
                await asyncio.to_thread(work.run, owner)
                work.done.erased = await _erase_again(settings, bus)
                owner.execute("ANALYZE")  # now, so that no statistics have samples of what was erased
                await asyncio.to_thread(migrating.end_restore, owner_url(settings))
        finally:
            await bus.close()
    return work.done


async def _erase_again(settings: Settings, bus: Bus) -> int:
    """Erase what had been erased by the marks beside the keys; how many erasures there were."""
    address = role_url(owner_url(settings), database_secret(settings), APP)
    engine = make_engine(address.render_as_string(hide_password=False))
    try:
        vault = vault_of(settings, SubjectKeys(bus))
        door = Door(engine, vault, None, storage(settings, "history"))
        return await replay_tombstones(Platform(settings, engine, bus, vault, door, schema.register()))
    finally:
        await engine.dispose()


def _checked(vault: Vault, reader: Reader, keys: dict[str, bytes], file: Path, progress: Progress) -> Ring:
    """The ring of the file, once all of it has been read and found whole."""
    ring = Ring(vault, reader.header.salt, keys)
    require_master(ring, reader.header)
    size = file.stat().st_size or 1
    for done in reader.verify(ring.own):
        progress(done / size / 2, done)
    return ring


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Reader]:
    try:
        with file.open("rb") as opened:
            yield Reader.of(opened, file)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise Invalid("no_file", f"{file} can't be read: {error.strerror}.") from error


def _key(ring: Ring, chunk: Chunk) -> AESGCM | None:
    if chunk.label is None:
        return ring.own
    subject = ring.whose(chunk.label)
    return None if subject is None else ring.of(subject)


def _engines(settings: Settings) -> Iterator[EmbeddedNats | EmbeddedPostgres]:
    if not settings.nats_url:
        yield EmbeddedNats(settings)
    if not settings.database_url:
        yield EmbeddedPostgres(settings)


def _require_known(revision: str) -> None:
    """Raises Invalid where this build does not know the backup's tables."""
    try:
        found = alembic.script.ScriptDirectory(str(Path(migrating.__file__).parent / "migrations")).get_revision(revision)
    except alembic.util.CommandError:
        found = None
    if found is None:
        raise Invalid("newer", f"The backup's tables (revision {revision or 'unknown'}) are newer than this Lineset. Install a newer one.")


def _require_empty_folder(settings: Settings) -> None:
    if not settings.database_url and (settings.data / "postgres").exists():
        raise Conflict(
            "not_empty",
            f"{settings.data} has a database already. Restore into a new data folder that holds nothing but `secrets` (and `nats` where"
            " the key store has survived).",
        )
    if not carrying.empty(storage(settings, "history")):
        raise Conflict("not_empty", "There is history already where it would be restored to. Empty that place, or name another.")


async def _keys(bus: Bus, copy: Copy | None) -> dict[str, bytes]:
    """The keys that there are: those of the key store if it has survived, else those of the copy, which then becomes the key store."""
    known = await SubjectKeys(bus).everything()
    if known:
        return known
    copy = _require_keys(copy)
    await store_copy(bus, copy)
    return copy.keys


def _require_keys(copy: Copy | None) -> Copy:
    if copy is None:
        raise Invalid("no_keys", "The key store is empty, so nothing of anybody could be read. Name the copy of the keys with --keys.")
    require_young(copy)
    return copy


class _Restore:
    """One restore on its way."""

    def __init__(self, settings: Settings, reader: Reader, ring: Ring, progress: Progress) -> None:
        assert reader.contents is not None  # noqa: S101 - the caller has verified it
        self._settings = settings
        self._reader = reader
        self._contents = reader.contents
        self._ring = ring
        self._progress = progress
        self._opened = 0
        self.done = Restored(datetime.fromisoformat(reader.header.made_at))

    def run(self, owner: psycopg.Connection) -> None:
        """Everything but what is erased again."""
        secret = database_secret(self._settings)
        address = owner_url(self._settings)
        migrating.begin_restore(address)
        migrating.build(address, secret, self._reader.header.revision)
        with owner.transaction():
            self._tables(owner)
        migrating.build(address, secret)
        with owner.transaction():
            self._measurements(owner)
        self._history(owner)

    def _tables(self, owner: psycopg.Connection) -> None:
        apart = {HISTORY, QUEUE, *tables.FRAMES}
        named = {s.name: s for s in self._contents.sections if s.name not in apart}
        for name in tables.in_order(owner, named):
            came, dropped = tables.load_rows(owner, name, named[name].columns, self._lines(named[name]))
            self.done.rows += came
            self.done.dropped += dropped
        tables.load_sequences(owner, self._about("sequences", dict[str, int]))

    def _measurements(self, owner: psycopg.Connection) -> None:
        for day in self._about("days", list[str]):
            owner.execute("SELECT access.ensure_day(%s::date)", [day])
        for name in tables.FRAMES:
            if (section := self._reader.section(name)) is not None:
                with tables.unforced(owner, name):
                    self.done.rows += tables.copy_in(owner, name, section.columns, self._lines(section))
        if (queue := self._reader.section(QUEUE)) is not None:
            self.done.rows += tables.load_queue(owner, self._lines(queue))

    def _history(self, owner: psycopg.Connection) -> None:
        """Files of history and their manifest, then the log by which other programs read them."""
        section = self._reader.section(HISTORY)
        if section is None:
            return
        places = self._about("places", list[carrying.Place])
        lake, parts = storage(self._settings, "history"), list[carrying.Part]()
        for group, chunks in itertools.groupby(self._reader.chunks(section), key=lambda chunk: chunk.group):
            packed = [data for chunk in chunks if (data := self._open(chunk)) is not None]
            if packed:
                parts += carrying.bring(lake, places[group - 1], packed)
        with owner.transaction(), tables.unforced(owner, "history_files"), owner.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO history_files (path, tier, period, keep_days, modulus, remainder, rows, bytes, written_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now())",
                [(p.path, p.tier, p.period, p.keep_days, p.modulus, p.remainder, p.rows, p.bytes) for p in parts],
            )
        carrying.publish(lake, parts)
        self.done.files = len(parts)
        self.done.rows += sum(p.rows for p in parts)

    def _lines(self, section: Section) -> Iterator[bytes]:
        for chunk in self._reader.chunks(section):
            if (data := self._open(chunk)) is not None:
                yield data

    def _open(self, chunk: Chunk) -> bytes | None:
        """A chunk's rows; None where the key of the one whose they were has been destroyed."""
        self._opened += 1
        self._progress(0.5 + self._opened / (self._contents.chunks or 1) / 2, self._opened)
        key = _key(self._ring, chunk)
        if chunk.label is not None:
            (self.done.gone if key is None else self.done.subjects).add(chunk.label)
        return None if key is None else chunk.opened(key)

    def _about(self, name: str, kind: type[Any]) -> Any:
        return msgspec.json.decode(self._contents.about[name], type=kind)
