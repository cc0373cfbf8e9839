"""Who of the others saw or changed a household, as its own people are told."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from lineset.privacy.door import Tx

_SEEN = text("SELECT * FROM access.seen_by(:household, :most)")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one person did at a household, for one purpose.

    `who` is empty where the person's account is gone; `what` is a code (the pages have words for it), `thing` the site, machine or gateway
    where it was one; `times` counts stretches of 15 minutes, or of an hour where it was part of a list over many homes.
    """

    person: UUID | None
    who: str
    company: str
    role: str
    purpose: str
    reason: str
    what: str
    thing: UUID | None
    first_at: datetime
    last_at: datetime
    times: int


async def seen_by(tx: Tx, household: UUID, limit: int = 100) -> list[Seen]:
    """Who saw or changed the household within two years, newest first, at most 1,000.

    For its own people with the purpose of rights or operation, and for the operator's privacy officer; nothing for others.
    """
    rows = (await tx.session.execute(_SEEN, {"household": household, "most": limit})).all()
    names = await tx.vault.open_many((row.actor_id, row.name_sealed) for row in rows if row.name_sealed is not None)
    known = iter(names)
    return [
        Seen(
            row.actor_id,
            "" if row.name_sealed is None else next(known) or "",
            row.company,
            row.role,
            row.purpose,
            row.reason,
            row.action,
            row.thing,
            row.first_at,
            row.last_at,
            int(row.times),
        )
        for row in rows
    ]
