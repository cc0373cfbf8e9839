"""The jobs of erasure: one that begins at once, and one each minute for those whose time has come or that were stopped."""

from uuid import UUID

import procrastinate
import structlog

from lineset.privacy.erasure.asking import JOB
from lineset.privacy.erasure.machine import carry_out, due
from lineset.privacy.erasure.shop import Shop

_log = structlog.get_logger(__name__)


def add_jobs(app: procrastinate.Blueprint, shop: Shop) -> None:
    """Register `privacy.erase` and, each minute, `privacy.erase_due`."""

    @app.task(name=JOB, retry=3)
    async def erase(erasure: str) -> None:
        await carry_out(shop, UUID(erasure))

    @app.periodic(cron="* * * * *")
    @app.task(name="privacy.erase_due", queueing_lock="privacy.erase_due")
    async def erase_due(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await carry_out_due(shop)


async def carry_out_due(shop: Shop) -> dict[UUID, str]:
    """Bring every erasure as far as it can be brought; the state of each. One that fails does not stop the others."""
    states = {}
    for erasure in await due(shop):
        try:
            states[erasure] = await carry_out(shop, erasure)
        except Exception:  # noqa: BLE001 - it is noted at the erasure, and tried again in a minute
            _log.exception("erasure_failed", erasure=str(erasure))
            states[erasure] = "failed"
    return states
