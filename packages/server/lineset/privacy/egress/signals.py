"""Signals of browsers, Global Privacy Control and Do Not Track, kept as opt-outs of whoever is signed in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from lineset.kit.clock import now
from lineset.privacy.door import Tx
from lineset.privacy.egress.model import OptOutRow


@dataclass(frozen=True, slots=True)
class OptOut:
    """A signal that stands: "gpc" or "dnt", since when, last seen when, from which browser."""

    signal: str
    first_at: datetime
    last_at: datetime
    browser: str


async def note_signal(tx: Tx, person: UUID, signal: str, browser: str) -> None:
    """Keep that a browser of the acting person sent "gpc" or "dnt". It stands for the account, in every browser."""
    at = now()
    row = {"person_id": person, "signal": signal, "first_at": at, "last_at": at, "browser": browser[:80]}
    again = {"last_at": at, "browser": row["browser"]}
    await tx.session.execute(insert(OptOutRow).values(**row).on_conflict_do_update(index_elements=["person_id", "signal"], set_=again))


async def opt_outs(tx: Tx, person: UUID) -> list[OptOut]:
    """The signals that stand for the person, the older first."""
    rows = await tx.session.scalars(select(OptOutRow).where(OptOutRow.person_id == person).order_by(OptOutRow.first_at))
    return [OptOut(row.signal, row.first_at, row.last_at, row.browser) for row in rows]


async def end_opt_outs(tx: Tx, person: UUID) -> None:
    """Forget them, at the person's own wish. A browser that goes on sending a signal brings it back at once."""
    await tx.session.execute(delete(OptOutRow).where(OptOutRow.person_id == person))
