"""The jobs of privacy: what is past its time goes each hour, and the month's evidence is made on its first day."""

from collections.abc import Mapping
from datetime import timedelta

import procrastinate
import structlog

from lineset.kit.clock import now
from lineset.privacy.door import Door
from lineset.privacy.evidence import Overdue, has_evidence, keep_evidence, record, retention_report
from lineset.privacy.register import Register
from lineset.privacy.retention import HOUSEKEEPING, shorten, sweep

_log = structlog.get_logger(__name__)


def add_jobs(app: procrastinate.Blueprint, door: Door, register: Register, files: Mapping[str, Overdue]) -> None:
    """Register `privacy.sweep`, each hour, and `privacy.evidence`, each day until last month's report is there.

    `files` counts overdue files by the pattern of their declaration.
    """

    @app.periodic(cron="17 * * * *")
    @app.task(name="privacy.sweep", queueing_lock="privacy.sweep")
    async def sweep_all(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await sweep_now(door, register)

    @app.periodic(cron="27 2 * * *")
    @app.task(name="privacy.evidence", queueing_lock="privacy.evidence")
    async def evidence(timestamp: int) -> None:  # noqa: ARG001 - as above
        await report_last_month(door, register, files)


async def sweep_now(door: Door, register: Register) -> None:
    """Delete and shorten what is past its time, and count it, in one transaction."""
    async with door.open(HOUSEKEEPING) as tx:
        deleted, shortened = await sweep(tx, register), await shorten(tx, register)
        await record(tx, "deleted", deleted)
        await record(tx, "shortened", shortened)
    _log.info("deleted what is past its time", **deleted, **shortened)


async def report_last_month(door: Door, register: Register, files: Mapping[str, Overdue]) -> bool:
    """Make and keep the report on last month, unless it is there; whether it was made."""
    month = now().date().replace(day=1) - timedelta(days=1)
    async with door.open(HOUSEKEEPING) as tx:
        if await has_evidence(tx, "retention", f"{month:%Y-%m}"):
            return False
        report = await retention_report(tx, register, month, files)
        await keep_evidence(tx, "retention", report.period, report)
    _log.info("evidence of retention kept", period=report.period, overdue=report.overdue)
    return True
