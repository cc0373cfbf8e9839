"""Asking for an erasure, changing one's mind, and seeing how far it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.kit.jobs import defer
from lineset.privacy.door import Tx
from lineset.privacy.erasure.model import ErasureRow
from lineset.privacy.erasure.planning import GRACE_DAYS
from lineset.privacy.erasure.scope import Target, gather, require

JOB = "privacy.erase"
OPEN = ("waiting", "erasing", "held")


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is done: its code, when, and how many rows, files, keys or recipients it was about."""

    code: str
    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure and how far it is. `state`: "waiting" (for the grace time to end), "erasing", "held" (by law, for now), "done",
    "cancelled". `to_do`: the steps that are still to come, in order, as codes."""

    id: UUID
    target: Target
    state: str
    asked_at: datetime
    asked_by: UUID
    grace_until: datetime
    hidden_at: datetime | None
    steps: tuple[Step, ...]
    to_do: tuple[str, ...]
    certificate: dict[str, Any] | None
    finished_at: datetime | None

    @property
    def may_cancel(self) -> bool:
        """Whether one can still change one's mind."""
        return self.state == "waiting"


STEPS = ("hide", "remember", "tell", "downloads", "measurements", "streams", "rows", "files", "keys", "rewrite", "probe", "certify")
"""What is done, in this order: hide it; keep its ids outside the database, so that a restored backup loses it again; note which recipients
have to erase it too; then from every tier; destroy the keys; write what had the bytes anew; search; certify."""


async def ask_erasure(tx: Tx, target: Target, *, grace_days: float | None = None) -> UUID:
    """Have the target erased once the grace time is over; the erasure's id. The page has had the person sign in again.

    `grace_days`: fewer days than the declared ones, 0 for at once. What was asked for already is not asked twice.

    Raises:
        NotFound, Denied: as `plan`.
        Invalid: more days than are declared, or fewer than none.
    """
    person, household = await require(tx, target)
    await gather(tx, target)
    most = GRACE_DAYS[target.kind]
    days = most if grace_days is None else grace_days
    if not 0 <= days <= most:
        raise Invalid("bad_grace", f"Choose a time to change your mind of 0 to {most} days.", "grace_days")
    mine = ErasureRow.kind == target.kind, ErasureRow.target_id == target.id, ErasureRow.state.in_(OPEN)
    if (known := await tx.session.scalar(select(ErasureRow).where(*mine))) is not None:
        if known.state == "waiting" and now() + timedelta(days=days) < known.grace_until:
            await _shorten(tx, known.id, days)
        return known.id
    moment = now()
    row = ErasureRow(
        id=new_id(),
        kind=target.kind,
        target_id=target.id,
        asked_by=tx.context.person,
        person_id=person,
        household_id=household,
        state="waiting",
        asked_at=moment,
        grace_until=moment + timedelta(days=days),
    )
    tx.session.add(row)
    await tx.session.flush()
    if not days:
        await defer(tx.session, JOB, erasure=str(row.id))
    return row.id


async def _shorten(tx: Tx, erasure: UUID, days: float) -> None:
    await tx.session.execute(update(ErasureRow).where(ErasureRow.id == erasure).values(grace_until=now() + timedelta(days=days)))
    if not days:
        await defer(tx.session, JOB, erasure=str(erasure))


async def cancel_erasure(tx: Tx, erasure: UUID) -> None:
    """Change one's mind within the grace time: everything stays as it is.

    Raises:
        NotFound: the asker has asked for no such erasure.
        Conflict: it has begun, so that it can't be undone.
    """
    waiting = ErasureRow.id == erasure, ErasureRow.state == "waiting"
    done = update(ErasureRow).where(*waiting).values(state="cancelled", finished_at=now()).returning(ErasureRow.id)
    if (await tx.session.execute(done)).one_or_none() is not None:
        return
    if (await tx.session.scalar(select(ErasureRow.id).where(ErasureRow.id == erasure))) is None:
        raise NotFound("erasure")
    raise Conflict("erasure_begun", "This has begun or is over, so it can't be stopped any more.")


async def list_erasures(tx: Tx, limit: int = 100) -> list[Erasure]:
    """The erasures that the asker may see, newest first."""
    rows = await tx.session.scalars(select(ErasureRow).order_by(ErasureRow.asked_at.desc()).limit(limit))
    return [view(row) for row in rows]


def view(row: ErasureRow) -> Erasure:
    """A row as people see it."""
    done = tuple(Step(code, datetime.fromisoformat(told["at"]), told["count"]) for code, told in row.steps.items())
    done = tuple(sorted(done, key=lambda step: STEPS.index(step.code)))
    to_do = () if row.state in ("done", "cancelled") else tuple(code for code in STEPS if code not in row.steps)
    return Erasure(
        row.id,
        Target(row.kind, row.target_id),
        row.state,
        row.asked_at,
        row.asked_by,
        row.grace_until,
        row.hidden_at,
        done,
        to_do,
        row.certificate,
        row.finished_at,
    )
