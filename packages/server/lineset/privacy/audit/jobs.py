"""The sealer's job: each minute what was logged gets its place in the chain, under a new checkpoint."""

import procrastinate
import structlog

from lineset.privacy.audit.sealing import seal_all
from lineset.privacy.door import Door

_log = structlog.get_logger(__name__)


def add_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register `audit.seal`, which runs each minute."""

    @app.periodic(cron="* * * * *")
    @app.task(name="audit.seal", queueing_lock="audit.seal")
    async def seal_now(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        if count := await seal_all(door):
            _log.info("entries of the access log chained", count=count)
