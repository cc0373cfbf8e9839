"""Slowing down guesses: failed tries are counted by keyed digest, and the wait grows with each.

A try is written down before it is judged, in a transaction of its own, so that many at once can't slip through; a success strikes out
the tries for that address again. Whoever has to wait adds nothing to the count.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, insert, select, text

from lineset.accounts.model import AttemptRow
from lineset.kit.clock import now
from lineset.kit.errors import TooMany
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System, Tx

SECURITY = Context(System("authentication"), Purpose.SECURITY)
WINDOW = timedelta(hours=1)
LONGEST_WAIT_S = 900


@dataclass(frozen=True, slots=True)
class Counter:
    """Something whose tries are counted: a kind, what it is about, and how many tries are free within the hour."""

    kind: str
    about: str
    free: int


async def admit(door: Door, *counters: Counter) -> None:
    """Count one try for each of these, or refuse it.

    Raises:
        TooMany: one of them has used its free tries and must wait; the wait doubles with each further try, up to 15 minutes.
    """
    async with door.open(SECURITY) as tx:
        keys = sorted((tx.vault.text_digest(c.kind, c.about), c.free) for c in counters)
        moment = now()
        waits = [await _wait_s(tx, key, free) for key, free in keys]
        if max(waits, default=0) <= 0:
            for key, _ in keys:
                await tx.session.execute(insert(AttemptRow).values(id=new_id(), key=key, at=moment))
    if (wait := max(waits, default=0)) > 0:
        unit = f"{wait} seconds" if wait < 120 else f"{wait // 60 + 1} minutes"
        say = f"Too many tries. Try again in {unit}."
        raise TooMany("too_many_tries", say, wait)


async def forgive(tx: Tx, *counters: Counter) -> None:
    """Strike out the tries of these."""
    keys = [tx.vault.text_digest(c.kind, c.about) for c in counters]
    await tx.session.execute(delete(AttemptRow).where(AttemptRow.key.in_(keys)))


async def _wait_s(tx: Tx, key: bytes, free: int) -> int:
    """Seconds that this key still has to wait; locks it until the transaction's end."""
    await tx.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int.from_bytes(key[:8], "big", signed=True)})
    moment = now()
    found = select(func.count(), func.max(AttemptRow.at)).where(AttemptRow.key == key, AttemptRow.at > moment - WINDOW)
    count, last = (await tx.session.execute(found)).one()
    if count < free or last is None:
        return 0
    wait: float = min(2.0 ** (count - free + 1), LONGEST_WAIT_S) - (moment - last).total_seconds()
    return max(0, -int(-wait // 1))
