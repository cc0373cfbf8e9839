"""Jobs of accounts."""

from datetime import timedelta
from uuid import UUID

import procrastinate
from sqlalchemy import select, update

from lineset.accounts.entry import forget_unverified
from lineset.accounts.model import AccessGrantRow, PersonRow
from lineset.accounts.telling import tell_some
from lineset.kit.clock import now
from lineset.privacy import Context, Door, Purpose, System, Tx

HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
UNVERIFIED_DAYS = 7


def add_jobs(app: procrastinate.Blueprint, door: Door) -> None:
    """Register `accounts.sweep`, which runs once a day, and `accounts.tell_policy`, which mails everybody about a new version."""
    _tell_policy(app, door)

    @app.periodic(cron="23 4 * * *")
    @app.task(name="accounts.sweep", queueing_lock="accounts.sweep")
    async def sweep(timestamp: int) -> None:  # noqa: ARG001 - procrastinate says when it was due
        async with door.open(HOUSEKEEPING) as tx:
            await sweep_unverified(tx)
            await close_ended_grants(tx)


def _tell_policy(app: procrastinate.Blueprint, door: Door) -> None:
    retry = procrastinate.RetryStrategy(max_attempts=8, exponential_wait=4)

    @app.task(name="accounts.tell_policy", lock="accounts.tell_policy", retry=retry)
    async def tell_policy(version: str) -> None:
        while await tell_some(door, UUID(version)):
            pass


async def sweep_unverified(tx: Tx) -> int:
    """Forget sign-ups that were not confirmed within a week, and destroy their keys; how many. For `System("housekeeping")`."""
    over = select(PersonRow.id).where(PersonRow.status == "unverified", PersonRow.created_at < now() - timedelta(days=UNVERIFIED_DAYS))
    people = (await tx.session.scalars(over)).all()
    for person_id in people:
        await forget_unverified(tx, person_id)
    return len(people)


async def close_ended_grants(tx: Tx) -> None:
    """Write down the end of grants that ended by themselves, so that their retention begins. For `System("housekeeping")`."""
    ended = AccessGrantRow.revoked_at.is_(None), AccessGrantRow.ends_at < now()
    await tx.session.execute(update(AccessGrantRow).where(*ended).values(revoked_at=AccessGrantRow.ends_at))
