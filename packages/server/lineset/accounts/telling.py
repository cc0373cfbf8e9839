"""Mails about new versions of policy and terms, to everybody with an account."""

from uuid import UUID

from sqlalchemy import select

from lineset.accounts.model import PersonRow
from lineset.accounts.notices import Reader, tell
from lineset.privacy import Context, Door, Purpose, System, policy

ACCOUNT = Context(System("authentication"), Purpose.ACCOUNT)
_AT_ONCE = 50


async def tell_some(door: Door, version_id: UUID) -> bool:
    """Mail the next people about that version, with a receipt of each in the same transaction; whether more are left.

    A job that dies goes on with those who have no receipt, so that nobody gets the mail twice and nobody is left out.
    """
    async with door.open(ACCOUNT) as tx:
        version = await policy.find_version(tx, version_id)
        if version is None:
            return False
        waiting = select(PersonRow.id, PersonRow.language).where(
            PersonRow.status.in_(("active", "suspended")), PersonRow.id.not_in(policy.told_people(version_id))
        )
        people = (await tx.session.execute(waiting.order_by(PersonRow.id).limit(_AT_ONCE))).all()
        for person in people:
            if await policy.acknowledge(tx, person.id, version_id, "mailed", language=person.language, channel="mail"):
                await tell(
                    tx,
                    person.id,
                    f"{version.kind}_changed",
                    day=lambda reader: reader.time(version.effective_at),
                    digest=version.digest[:12],
                    changes=lambda reader: _changes(version, reader),
                )
        if not people:
            await policy.done_telling(tx, version_id)
    return bool(people)


def _changes(version: policy.Version, reader: Reader) -> str:
    return "; ".join(change.said(reader.language) for change in version.changes)
