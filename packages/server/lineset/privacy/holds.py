"""Holds: what must not be deleted yet, for law or security, with who said so, why and until when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update

from lineset.kit.clock import now
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy.door import Tx
from lineset.privacy.model import HoldRow

KINDS = ("legal", "security")
MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a household; `until` None: until it is released."""

    id: UUID
    household: UUID
    kind: str
    reason: str
    placed_by: UUID | None
    placed_at: datetime
    until: datetime | None
    ended_at: datetime | None


async def place_hold(tx: Tx, household: UUID, kind: str, reason: str, until: datetime | None = None) -> UUID:
    """Hold all that there is of a household; the hold's id. For the operator's privacy officer.

    Raises:
        Invalid: no such kind, no reason, or an end in the past.
    """
    reason = reason.strip()
    if kind not in KINDS:
        raise Invalid("bad_kind", f"A hold is one of: {', '.join(KINDS)}.", "kind")
    if not reason or len(reason) > MOST_REASON:
        raise Invalid("bad_reason", f"Give the reason in at most {MOST_REASON} characters.", "reason")
    if until is not None and until <= now():
        raise Invalid("bad_until", "The end must lie in the future.", "until")
    hold = HoldRow(id=new_id(), household_id=household, kind=kind, reason=reason, placed_by=tx.context.person, placed_at=now(), until=until)
    tx.session.add(hold)
    await tx.session.flush()
    return hold.id


async def release_hold(tx: Tx, hold: UUID) -> None:
    """End a hold before its time. Raises NotFound where there is none that the asker may end."""
    done = update(HoldRow).where(HoldRow.id == hold, HoldRow.ended_at.is_(None)).values(ended_at=now()).returning(HoldRow.id)
    if (await tx.session.execute(done)).one_or_none() is None:
        raise NotFound("hold")


async def list_holds(tx: Tx) -> list[Hold]:
    """All holds that the asker may see, newest first."""
    rows = await tx.session.scalars(select(HoldRow).order_by(HoldRow.placed_at.desc()))
    return [
        Hold(r.id, r.household_id, r.kind, r.reason, r.placed_by, r.placed_at, r.until, r.ended_at or (r.until if _over(r) else None))
        for r in rows
    ]


async def held_households(tx: Tx) -> set[UUID]:
    """The households under a hold at this moment; for the platform's own actors that delete."""
    lasting = select(HoldRow.household_id).where(HoldRow.ended_at.is_(None), or_(HoldRow.until.is_(None), HoldRow.until > now()))
    return set(await tx.session.scalars(lasting))


def _over(row: HoldRow) -> bool:
    return row.until is not None and row.until <= now()
