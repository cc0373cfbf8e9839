"""Jobs of copies. What they need is loaded when the first one runs: an idle worker has no use for it."""

from uuid import UUID

import procrastinate

from lineset.kit.storage import Storage
from lineset.privacy.door import Door
from lineset.privacy.exporting.service import close
from lineset.privacy.exporting.work import Workshop

MOST_TRIES = 6
"""Waits of 3, 9, 27 … s between them: six minutes for the database or the storage to come back."""


def add_jobs(app: procrastinate.Blueprint, door: Door, storage: Storage, shop: Workshop) -> None:
    """Register `privacy.export`, `privacy.clean_export`, and, once an hour, `privacy.end_exports`."""
    retry = procrastinate.RetryStrategy(max_attempts=MOST_TRIES, exponential_wait=3)

    @app.task(name="privacy.export", retry=retry, pass_context=True)
    async def make(context: procrastinate.JobContext, export: str) -> None:
        try:
            await shop.work(UUID(export))
        except Exception:
            if context.job.attempts + 1 >= MOST_TRIES:
                await close(door, UUID(export), "failed", "trouble")
            raise

    @app.task(name="privacy.clean_export", retry=retry)
    async def clean(export: str) -> None:
        from lineset.privacy.exporting import ending  # noqa: PLC0415 - as above

        await ending.clean_up(door, storage, UUID(export))

    @app.periodic(cron="47 * * * *")
    @app.task(name="privacy.end_exports", queueing_lock="privacy.end_exports")
    async def end(timestamp: int) -> None:  # noqa: ARG001 - procrastinate says when it was due
        from lineset.privacy.exporting import ending  # noqa: PLC0415 - as above

        await ending.end_due(door, storage)
