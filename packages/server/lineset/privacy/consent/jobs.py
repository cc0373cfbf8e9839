"""What follows a no: a job that has other places forget what was stored on the yes, and an hourly look that nothing was left behind."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import procrastinate
import structlog
from sqlalchemy import delete, func, literal_column, select, tuple_

from lineset.kit.database import Base
from lineset.privacy.declare import Table
from lineset.privacy.door import Context, Door, System, Tx
from lineset.privacy.vocabulary import PURPOSES, Purpose

Forgetter = Callable[[UUID, Purpose, str], Awaitable[object]]
"""Erases what lies outside the declared tables and was stored on a household's or person's yes to a purpose and thing."""
_HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)

_log = structlog.get_logger(__name__)


def add_consent_jobs(app: procrastinate.Blueprint, door: Door, forgetters: Sequence[Forgetter]) -> None:
    """Register `privacy.withdrawn`, after each yes that is taken back, and `privacy.unconsented`, each hour."""

    @app.task(name="privacy.withdrawn", retry=5)
    async def withdrawn(subject: str, purpose: str, detail: str) -> None:
        for forgetter in forgetters:
            await forgetter(UUID(subject), Purpose(purpose), detail)

    @app.periodic(cron="51 * * * *")
    @app.task(name="privacy.unconsented", queueing_lock="privacy.unconsented")
    async def unconsented(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        async with door.open(_HOUSEKEEPING) as tx:
            counts = await sweep_unconsented(tx)
        if counts:
            _log.warning("deleted what nobody agreed to", **counts)


async def sweep_unconsented(tx: Tx) -> dict[str, int]:
    """Delete rows that rest on consent alone and whose subject has none, such as those of a site that went to another household; how many
    by table. A yes to older terms keeps them: they are not touched until the new answer. For `System("housekeeping")`."""
    counts = {}
    for sql in Base.metadata.sorted_tables:
        declared = sql.info["declared"]
        if not isinstance(declared, Table) or not declared.consents or not all(PURPOSES[p].consent for p in declared.rests_on):
            continue
        row = tuple_(sql.columns[declared.path], literal_column(declared.detail or "''"))
        gone = delete(sql)
        for purpose in declared.rests_on:
            agreed = func.access.agreed(purpose.value).table_valued("subject", "detail")
            gone = gone.where(row.not_in(select(agreed.c.subject, agreed.c.detail)))
        if count := (await tx.session.execute(gone)).rowcount:  # type: ignore[attr-defined]
            counts[sql.name] = count
    return counts
