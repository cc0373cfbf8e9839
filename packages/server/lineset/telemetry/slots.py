"""Which points a machine has sent, and where they stand in the arrays of its rows."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import text

from lineset.privacy import Tx
from lineset.telemetry.layout import Kind


@dataclass(frozen=True, slots=True)
class PointInfo:
    """A point that a machine has sent at least once."""

    name: str
    kind: Kind
    slot: int
    known: bool


async def points_of(tx: Tx, equipment: list[UUID]) -> dict[UUID, list[PointInfo]]:
    """The points that each of these machines has sent, in order of name."""
    rows = await tx.session.execute(
        text("SELECT equipment_id, point, kind, slot, known FROM slots WHERE equipment_id = ANY(:ids) ORDER BY point"), {"ids": equipment}
    )
    found: dict[UUID, list[PointInfo]] = {}
    for id_, point, kind, slot, known in rows:
        found.setdefault(id_, []).append(PointInfo(point, cast("Kind", kind), slot, known))
    return found
