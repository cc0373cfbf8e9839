"""The disk buffer: numbered messages that are written first, sent after, and deleted only once the cloud has them.

Rows are numbered without a gap; a message's `seq` is its row number less the epoch's base. So a new epoch, needed
when rows had to be dropped or when the cloud forgot what it had, renumbers everything held by changing two values.
"""

import contextlib
import logging
import secrets
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence

import msgspec
from lineset_contract.wire import Ack, Event, Frame, Refused

from lineset_agent import outbox
from lineset_agent.frames import pack
from lineset_agent.store import Store, StoreFullError, put

log = logging.getLogger(__name__)

ROW_BYTES = 64
"""Counted for each row besides its payload: SQLite's own share, measured with small messages."""
_KEPT_REFUSALS = 1000
_WHOLE_PAGES = 65_536


class Message(msgspec.Struct, frozen=True):
    """A message as it is sent: its row, and the whole payload with epoch and number."""

    row: int
    payload: bytes


class Depth(msgspec.Struct, frozen=True):
    """What the buffer holds. Times are the frames' own, in s since 1970 UTC; None when it is empty."""

    messages: int
    frames: int
    bytes: int
    oldest: float | None
    newest: float | None


class Buffer:
    """Messages on disk until acknowledged. Any thread may call; every change is one durable transaction.

    `max_bytes` bounds what is kept. When a message would go over it, the oldest hundredth is dropped, an event tells
    the cloud how many frames from when to when, and a new epoch keeps the numbers without a gap.
    """

    def __init__(self, store: Store, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes
        with store.transaction() as connection:
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").fetchone()
            self.epoch: str = meta.get("epoch", "")
            self._base = int(meta.get("base", "0"))
            self.acked: int = int(meta.get("acked", "0"))
            self.last: int = 0 if last is None else int(last[0])
            if not self.epoch:
                self._begin_epoch(connection, self.acked)
            total = connection.execute("SELECT coalesce(sum(length(payload) + ?), 0) FROM messages", (ROW_BYTES,)).fetchone()
            self._bytes = int(total[0])

    @property
    def base(self) -> int:
        """The row before the epoch's message 1."""
        return self._base

    def append(self, frames: Sequence[Frame], now: float | None = None) -> int:
        """Write frames as one or more messages in one durable transaction; returns how many messages.

        Give frames that `frames.prepare` let pass. Raises StoreFullError when the disk is full even after the oldest
        were dropped, StoreError when it cannot be written; then nothing of this call was kept.
        """
        packed = [(group, zlib.compress(payload, 1)) for group, payload in pack(frames)]
        if not packed:
            return 0
        needed = sum(len(payload) + ROW_BYTES for _, payload in packed)
        now = time.time() if now is None else now
        try:
            self._write(packed, needed, now, room=self._max_bytes)
        except StoreFullError:
            # The disk itself is full: give up the oldest for the new, and say so. Only whole pages come free.
            self._write(packed, needed, now, room=self._bytes - _WHOLE_PAGES)
        return len(packed)

    def _write(self, packed: Sequence[tuple[list[Frame], bytes]], needed: int, now: float, room: int) -> None:
        with self._change() as connection:
            if self._bytes and self._bytes + needed > room:
                excess = self._bytes + needed - room
                self._drop(connection, max(excess, min(self._max_bytes, self._bytes) // 100), now)
            self.last = _insert(connection, packed)
            self._bytes += needed

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which the counters held in memory go back, too, when it fails."""
        with self._store.reading():
            before = (self.epoch, self._base, self.acked, self.last, self._bytes)
            try:
                with self._store.transaction() as connection:
                    yield connection
            except BaseException:
                self.epoch, self._base, self.acked, self.last, self._bytes = before
                raise

    def read(self, after: int, limit: int, max_bytes: int = 1 << 20) -> list[Message]:
        """Up to `limit` messages after a row, oldest first, about `max_bytes` at most but at least one."""
        found: list[Message] = []
        with self._store.reading() as connection:
            rows = connection.execute("SELECT id, payload FROM messages WHERE id > ? ORDER BY id LIMIT ?", (max(after, self.acked), limit))
            for row, payload in rows:
                frames = zlib.decompress(payload)
                head = f'{{"epoch":"{self.epoch}","seq":{row - self._base},"frames":'.encode()
                found.append(Message(row, head + frames + b"}"))
                max_bytes -= len(frames)
                if max_bytes <= 0:
                    break
        return found

    def row_of(self, ack: Ack) -> int | None:
        """The row that an ack's `through` stands for, or None for another epoch's ack."""
        return self._base + ack.through if ack.epoch == self.epoch else None

    def acknowledge(self, ack: Ack, now: float | None = None) -> None:
        """Delete the messages up to `ack.through`, which the cloud has committed or refused; keep its refusals.

        An ack of another epoch deletes nothing: its numbers mean nothing here any more. A number beyond the last
        written one says that this file is older than what the cloud saw (an old copy put back): nothing is deleted
        and a new epoch begins.
        """
        now = time.time() if now is None else now
        with self._change() as connection:
            self._keep_refusals(connection, ack, now)
            row = self.row_of(ack)
            if row is None:
                return
            if row > self.last:
                log.warning("the cloud has seen more than this file holds: a new epoch begins")
                self._begin_epoch(connection, self.acked)
            elif row > self.acked:
                self._bytes -= self._delete(connection, row)
                self.acked = row
                put(connection, "acked", str(row))

    def begin_epoch(self) -> None:
        """Number what is held anew from 1, because the cloud no longer knows what it had acknowledged."""
        with self._change() as connection:
            self._begin_epoch(connection, self.acked)
        log.warning("a new epoch %s begins, %d messages are sent again", self.epoch, self.last - self.acked)

    def depth(self) -> Depth:
        """How much is held and how old it is."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT count(*), coalesce(sum(frames), 0), min(oldest), max(newest) FROM messages WHERE id > ?",
                (self.acked,),
            ).fetchone()
        return Depth(messages=row[0], frames=row[1], bytes=self._bytes, oldest=row[2], newest=row[3])

    def days_of_room(self) -> float | None:
        """Days that `max_bytes` lasts at the pace of what is held now; None below 10 minutes' worth."""
        depth = self.depth()
        if depth.oldest is None or depth.newest is None or depth.newest - depth.oldest < 600:
            return None
        return self._max_bytes / depth.bytes * (depth.newest - depth.oldest) / 86_400

    def refusals(self) -> list[Refused]:
        """The latest refusals that the cloud sent, oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT seq, place, code, say FROM refused ORDER BY t, seq, place").fetchall()
        return [Refused(seq, None if place < 0 else place, code, say) for seq, place, code, say in rows]

    def _drop(self, connection: sqlite3.Connection, at_least: int, now: float) -> None:
        """Drop whole messages from the oldest on until `at_least` bytes are gone."""
        through, freed = self.acked, 0
        frames, oldest, newest = 0, None, None
        rows = connection.execute("SELECT id, length(payload), frames, oldest, newest FROM messages ORDER BY id")
        for row, size, count, first, last in rows:
            if freed >= at_least:
                break
            through, freed, frames = row, freed + size + ROW_BYTES, frames + count
            oldest = first if oldest is None else min(oldest, first)
            newest = last if newest is None else max(newest, last)
        rows.close()
        self._bytes -= self._delete(connection, through)
        self.acked = through
        put(connection, "acked", str(through))
        total = _counted(connection, "dropped_frames", frames)
        self._begin_epoch(connection, through)
        detail: dict[str, object] = {"code": "buffer_full", "frames": frames, "from": oldest, "to": newest, "total": total}
        outbox.add(connection, "events", Event("error", now, None, detail))
        log.error("the buffer is full: %d of the oldest frames were dropped (%d in all)", frames, total)

    def _begin_epoch(self, connection: sqlite3.Connection, base: int) -> None:
        self.epoch, self._base = secrets.token_hex(10), base
        put(connection, "epoch", self.epoch)
        put(connection, "base", str(base))

    def _delete(self, connection: sqlite3.Connection, through: int) -> int:
        freed = connection.execute(
            "SELECT coalesce(sum(length(payload) + ?), 0) FROM messages WHERE id <= ?", (ROW_BYTES, through)
        ).fetchone()
        connection.execute("DELETE FROM messages WHERE id <= ?", (through,))
        return int(freed[0])

    def _keep_refusals(self, connection: sqlite3.Connection, ack: Ack, now: float) -> None:
        for one in ack.refused:
            place = -1 if one.index is None else one.index
            kept = connection.execute(
                "INSERT OR IGNORE INTO refused VALUES (?, ?, ?, ?, ?, ?)",
                (ack.epoch, one.seq, place, one.code, one.say, now),
            )
            if kept.rowcount:
                log.warning("the cloud refused message %d%s: %s", one.seq, "" if place < 0 else f" frame {place}", one.say)
                _counted(connection, "refused_total", 1)
        connection.execute("DELETE FROM refused WHERE t < (SELECT t FROM refused ORDER BY t DESC LIMIT 1 OFFSET ?)", (_KEPT_REFUSALS,))


def _insert(connection: sqlite3.Connection, packed: Sequence[tuple[list[Frame], bytes]]) -> int:
    last = 0
    for group, payload in packed:
        times = [frame.t for frame in group]
        inserted = connection.execute(
            "INSERT INTO messages (frames, oldest, newest, payload) VALUES (?, ?, ?, ?)",
            (len(group), min(times), max(times), payload),
        )
        last = inserted.lastrowid or last
    return last


def _counted(connection: sqlite3.Connection, key: str, more: int) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    total = more + (0 if row is None else int(row[0]))
    put(connection, key, str(total))
    return total
