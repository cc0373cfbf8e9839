"""What has reached its time is deleted, by the declarations alone.

A table whose retention is anchored in one of its columns loses the rows whose anchor is older than the declared days. Retention that is
anchored in an event ("account closed") is erasure's business.
"""

from datetime import timedelta

import procrastinate
import structlog
from sqlalchemy import Table as SqlTable
from sqlalchemy import delete

from lineset.kit.clock import now
from lineset.privacy.declare import Table
from lineset.privacy.door import Context, Door, System, Tx
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import Purpose

HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)

_log = structlog.get_logger(__name__)


def timed_tables(register: Register) -> list[tuple[SqlTable, Table]]:
    """The tables whose rows end by a column of their own, in order of name."""
    found = [(register.metadata.tables[name], declared) for name, declared in sorted(register.tables.items())]
    return [(table, d) for table, d in found if d.retention.days is not None and d.retention.anchor in table.columns]


async def sweep(tx: Tx, register: Register) -> dict[str, int]:
    """Delete what is past its time; how many rows by table, those with none left out. For `System("housekeeping")`."""
    counts = {}
    for table, declared in timed_tables(register):
        over = table.columns[declared.retention.anchor] < now() - timedelta(days=declared.retention.days or 0)
        gone = await tx.session.execute(delete(table).where(over))
        if count := gone.rowcount:  # type: ignore[attr-defined]
            counts[table.name] = count
    return counts


def add_jobs(app: procrastinate.Blueprint, door: Door, register: Register) -> None:
    """Register `privacy.sweep`, which runs once an hour."""

    @app.periodic(cron="17 * * * *")
    @app.task(name="privacy.sweep", queueing_lock="privacy.sweep")
    async def sweep_all(timestamp: int) -> None:
        async with door.open(HOUSEKEEPING) as tx:
            counts = await sweep(tx, register)
        _log.info("deleted what is past its time", due=timestamp, **counts)
