"""What was not taken, for the people who look after a site or the platform."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy import Tx
from lineset.telemetry.model import PoisonRow, RefusalRow


@dataclass(frozen=True, slots=True)
class RefusalView:
    """Something that a device sent and that was not taken, with the reason that it was told."""

    at: datetime
    gateway: UUID
    equipment: str | None
    code: str
    say: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class PoisonView:
    """A message that was set aside: its size in bytes, not its content."""

    id: UUID
    at: datetime
    subject: str
    size: int
    reason: str


async def refusals(tx: Tx, gateways: list[UUID], limit: int = 50) -> list[RefusalView]:
    """The newest refusals of these gateways."""
    rows = await tx.session.execute(
        select(RefusalRow.at, RefusalRow.gateway_id, RefusalRow.equipment, RefusalRow.code, RefusalRow.say, RefusalRow.times)
        .where(RefusalRow.gateway_id.in_(gateways))
        .order_by(RefusalRow.at.desc())
        .limit(limit)
    )
    return [RefusalView(*row) for row in rows]


async def refusal_counts(tx: Tx, gateways: list[UUID], since: datetime) -> dict[UUID, int]:
    """How much of each gateway's sending was not taken since then; gateways without any have no entry."""
    rows = await tx.session.execute(
        select(RefusalRow.gateway_id, func.sum(RefusalRow.times))
        .where(RefusalRow.gateway_id.in_(gateways), RefusalRow.at >= since)
        .group_by(RefusalRow.gateway_id)
    )
    return dict(rows.all())


async def poison(tx: Tx, limit: int = 50) -> list[PoisonView]:
    """The newest messages set aside, for staff."""
    rows = await tx.session.execute(
        select(PoisonRow.id, PoisonRow.at, PoisonRow.subject, func.length(PoisonRow.payload), PoisonRow.reason)
        .order_by(PoisonRow.at.desc())
        .limit(limit)
    )
    return [PoisonView(*row) for row in rows]


async def keep_poison(tx: Tx, subject: str, payload: bytes, reason: str) -> None:
    """Set a message aside that could not be handled, for staff to look at; in ingestion."""
    tx.session.add(PoisonRow(id=new_id(), at=now(), subject=subject[:200], payload=payload, reason=reason[:500]))
    await tx.session.flush()
