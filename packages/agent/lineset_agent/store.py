"""The agent's one SQLite file: messages, outbox, commands, settings. Written through before anything is sent."""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, frames INTEGER NOT NULL, oldest REAL NOT NULL, newest REAL NOT NULL,
    payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
    epoch TEXT, seq INTEGER, place INTEGER, code TEXT NOT NULL, say TEXT NOT NULL, t REAL NOT NULL,
    PRIMARY KEY (epoch, seq, place));
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS commands (
    id TEXT PRIMARY KEY, received REAL NOT NULL, command BLOB NOT NULL, state TEXT NOT NULL, result BLOB,
    written REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (
    e TEXT, setting TEXT, value TEXT NOT NULL, PRIMARY KEY (e, setting)) WITHOUT ROWID;
"""


class StoreError(Exception):
    """The file cannot be opened or used; the message says what to do."""


class StoreBrokenError(StoreError):
    """The file has unreadable pages; the next start keeps it aside and begins anew."""


class StoreFullError(StoreError):
    """No room is left on the disk."""


class Store:
    """A SQLite file in WAL mode with full synchronisation: what is committed survives a power cut.

    Any thread may use it; one transaction runs at a time. A file that SQLite cannot read is moved aside, never
    deleted, and `moved_aside` names it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.moved_aside: Path | None = None
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _mark(path).exists():
            self._begin_anew("pages were unreadable in the last run")
            return
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise StoreError(f"{path} cannot be opened ({error}). Check the folder's owner and free space.") from error
            self._begin_anew(str(error))

    def _begin_anew(self, why: str) -> None:
        self.moved_aside = _move_aside(self.path)
        log.error("%s is not a sound database (%s); kept as %s and begun anew", self.path, why, self.moved_aside)
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            # The mode is set before the first page is written: the file holds a household's readings.
            os.chmod(self.path, 0o600)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA journal_size_limit=4194304")
            connection.execute("PRAGMA cache_size=-1024")
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction, committed at its end and rolled back on an error.

        Raises StoreFullError when the disk is full, StoreError when it cannot be written.
        """
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise _explained(self.path, error) from error
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for queries only."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise _explained(self.path, error) from error

    def get(self, key: str) -> str | None:
        """A meta value, or None."""
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Keep a meta value."""
        with self.transaction() as connection:
            put(connection, key, value)

    def close(self) -> None:
        """Close the file; its WAL is folded in."""
        with self._lock:
            self._connection.close()


def put(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a meta value within a transaction."""
    connection.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value))


def _explained(path: Path, error: sqlite3.Error) -> StoreError:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return StoreFullError(f"No room is left for {path}. Free some space on the disk.")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        with contextlib.suppress(OSError):
            _mark(path).touch()
        return StoreBrokenError(f"{path} has unreadable pages. Restart the agent: it keeps the file aside and begins anew.")
    return StoreError(f"{path} cannot be used ({name or error}). Check the disk.")


def _mark(path: Path) -> Path:
    """Its presence says that the file proved unreadable while it was open."""
    return path.with_name(path.name + ".unreadable")


def _move_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.unreadable-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    _mark(path).unlink(missing_ok=True)
    return aside
