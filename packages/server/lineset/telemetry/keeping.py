"""How long a household lets its single readings be kept: the platform's time, or less."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from lineset.kit.clock import now
from lineset.kit.errors import Denied, Invalid, NotFound
from lineset.kit.jobs import defer
from lineset.privacy import Tx
from lineset.privacy.rights import may
from lineset.telemetry.model import RAW_DAYS
from lineset.telemetry.model_history import KeepingRow

KEEPING_DAYS = (RAW_DAYS, 400, 92, 31)
"""What a household may choose, in days: the platform's time, a year and a month, a quarter, a month."""


async def keeping(tx: Tx, household: UUID) -> int:
    """For how many days single readings of this household are kept.

    Raises:
        NotFound: no such household for the asker.
    """
    if not await may(tx, household, "view"):
        raise NotFound("household")
    chosen = await tx.session.scalar(select(KeepingRow.raw_days).where(KeepingRow.household_id == household))
    return min(chosen or RAW_DAYS, RAW_DAYS)


async def choose_keeping(tx: Tx, household: UUID, days: int) -> None:
    """Keep single readings of this household for so many days from now on. What is older is hidden with this transaction, and a job that
    it queues has the bytes deleted.

    Raises:
        Invalid: not one of `KEEPING_DAYS`.
        NotFound: no such household for the asker.
        Denied: the asker is not an owner.
    """
    if days not in KEEPING_DAYS:
        raise Invalid("bad_keeping", "Choose one of the list.", "days")
    before = await keeping(tx, household)
    if not await may(tx, household, "owner"):
        raise Denied("owners_only", "Only an owner of the household can do this.")
    if days == before:
        return
    if days == RAW_DAYS:
        await tx.session.execute(delete(KeepingRow).where(KeepingRow.household_id == household))
    else:
        chosen = {"raw_days": days, "chosen_at": now()}
        row = insert(KeepingRow).values(household_id=household, **chosen)
        await tx.session.execute(row.on_conflict_do_update(index_elements=["household_id"], set_=chosen))
    await defer(tx.session, "telemetry.keep_less", household=str(household))
