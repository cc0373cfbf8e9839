"""The outbox: a job is deferred inside the business transaction, so it exists exactly if the transaction committed.

A job's arguments are ids, codes and times only.
"""

from typing import Any

import procrastinate
from sqlalchemy.ext.asyncio import AsyncSession

SCHEMA = "jobs"

# Never opened: it only shapes the call that runs on the transaction's own connection.
_outbox = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer(session: AsyncSession, task: str, **ids: str | int | float) -> None:
    """Put a job into the queue as part of this transaction; `task` is its name, such as "messaging.send"."""
    connection = await session.connection()
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await _outbox.configure_task(task, allow_unknown=True, connection=raw).defer_async(**ids)
