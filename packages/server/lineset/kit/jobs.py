"""The outbox: a job is deferred inside the business transaction, so it exists exactly if the transaction committed.

A job's arguments are ids, codes and times only.
"""

from datetime import UTC, datetime
from typing import Any

import procrastinate
import structlog
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from sqlalchemy.ext.asyncio import AsyncSession

SCHEMA = "jobs"
SILENT_S = 30.0
"""A worker process says every 10 s that it is alive; after this long its jobs are others'."""
MOST_STARTS = 5
"""A job under which so many processes died is not given to another one."""

_log = structlog.get_logger(__name__)

# Never opened: it only shapes the call that runs on the transaction's own connection.
_outbox = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer(session: AsyncSession, task: str, *, lock: str | None = None, **ids: str | int | float) -> None:
    """Put a job into the queue as part of this transaction; `task` is its name, such as "messaging.send".

    Of the jobs with the same `lock` one runs at a time, in the order in which they were put there.
    """
    connection = await session.connection()
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await _outbox.configure_task(task, allow_unknown=True, connection=raw, lock=lock).defer_async(**ids)


async def take_over(app: procrastinate.App, silent_s: float = SILENT_S) -> int:
    """Put the jobs of worker processes that died back into the queue; how many. Any number of processes may do this.

    Such a job may have done part of its work, or, if its process only stood still, may even go on: jobs can bear to run twice.
    """
    count = 0
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent_s):
        if job.id is None:
            continue
        try:
            count += await _again(app, job.id, job.attempts + 1)
        except ConnectorException as error:
            _log.debug("another process has settled the job", job=job.id, why=str(error.__cause__ or error)[:200])
    return count


async def _again(app: procrastinate.App, job: int, starts: int) -> bool:
    """Whether the job waits in the queue again. If not, it is given up: too many died of it, or another one with its lock waits."""
    why = f"{starts} processes died"
    if starts < MOST_STARTS:
        try:
            await app.job_manager.retry_job_by_id_async(job, retry_at=datetime.now(UTC))
        except UniqueViolation:
            why = "another one waits"
        else:
            _log.warning("job taken over from a process that died", job=job)
            return True
    await app.job_manager.finish_job_by_id_async(job, Status.FAILED, delete_job=False)
    _log.error("job given up", job=job, why=why)
    return False
