"""Events, results and reports on their way to the cloud: kept on disk until the broker has taken each."""

import sqlite3
from collections.abc import Callable

import msgspec
from lineset_contract.wire import encode

from lineset_agent.store import Store

MAX_KEPT = 5_000
"""Beyond it the oldest go first. The cloud repeats commands, so a result that is lost is sent again."""


class Parcel(msgspec.Struct, frozen=True):
    """One payload for a channel of `topics`."""

    row: int
    channel: str
    payload: bytes


def add(connection: sqlite3.Connection, channel: str, message: msgspec.Struct) -> None:
    """Put a message into the outbox within a transaction."""
    row = connection.execute("INSERT INTO outbox (channel, payload) VALUES (?, ?)", (channel, encode(message))).lastrowid
    connection.execute("DELETE FROM outbox WHERE id <= ?", ((row or 0) - MAX_KEPT,))


class Outbox:
    """The outbox of a store. `listener` is called after each addition."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.listener: Callable[[], None] = lambda: None

    def add(self, channel: str, message: msgspec.Struct) -> None:
        """Keep a message until it is sent. Raises StoreError."""
        with self._store.transaction() as connection:
            add(connection, channel, message)
        self.listener()

    def first(self, limit: int) -> list[Parcel]:
        """The oldest parcels."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT id, channel, payload FROM outbox ORDER BY id LIMIT ?", (limit,)).fetchall()
        return [Parcel(row, channel, payload) for row, channel, payload in rows]

    def sent(self, row: int) -> None:
        """Forget a parcel that the broker has taken."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM outbox WHERE id = ?", (row,))
