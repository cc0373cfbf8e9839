"""Writing tables anew without what was deleted from them, and ending the write-ahead log that still has it."""

import asyncio
import time
from collections.abc import Iterable

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lineset.kit.errors import Conflict
from lineset.privacy.door import Context, Door

WAIT_S = 300.0
"""How long older transactions are waited for in one attempt."""
_POLL_S = 0.05
_log = structlog.get_logger(__name__)

# Every transaction holds a lock on its virtual id, and on its real one once it has written; anybody may see these locks. A vacuum holds
# nothing back.
_RUNNING = text(
    "SELECT l.virtualtransaction FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.granted AND l.mode = 'ExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()"
    " AND (l.locktype = 'transactionid' OR l.locktype = 'virtualxid' AND a.datname = current_database())"
    " AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = l.pid)"
)


class StillRead(Conflict):
    """An older transaction may still read what was deleted, so its bytes can't go yet. Try again once it has ended."""


async def rewrite_tables(door: Door, context: Context, tables: Iterable[str], wait_s: float = WAIT_S) -> None:
    """Write these tables and their indexes anew, then move the write-ahead log on until it has nothing of what was deleted before.

    Raises:
        StillRead: a transaction from before the deletion goes on for longer than `wait_s` seconds.
    """
    await _outlast_readers(door, context, wait_s)
    for table in tables:
        async with door.open(context) as tx:
            await tx.session.execute(text("SELECT access.rewrite(:table)"), {"table": table})
    for _ in range(2):  # the first checkpoint still needs the log from before
        try:
            async with door.open(context) as tx:
                await tx.session.execute(text("SELECT access.flush_log()"))
        except DBAPIError as error:  # a server of one's own may not allow it
            _log.warning("log_not_flushed", error=str(error.orig)[:200])
            return


async def _outlast_readers(door: Door, context: Context, wait_s: float) -> None:
    """Wait until no transaction can see what was deleted before: a table written anew keeps the rows that one still could.

    Twice, since a transaction that began meanwhile sees no further than the oldest writer that was running then, of any database.
    """
    until = time.monotonic() + wait_s
    for _ in range(2):
        older = await _running(door, context)
        while older:
            if time.monotonic() > until:
                raise StillRead("still_read", f"Older transactions still run ({len(older)}); what was deleted goes once they have ended.")
            await asyncio.sleep(_POLL_S)
            older &= await _running(door, context)


async def _running(door: Door, context: Context) -> set[str]:
    async with door.open(context) as tx:
        return set((await tx.session.execute(_RUNNING)).scalars())
