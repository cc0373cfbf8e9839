"""Which points a machine has sent, and where they stand in the arrays of its rows."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import text

from lineset.privacy import Tx
from lineset.telemetry.layout import Kind
from lineset.telemetry.telling import hidden


@dataclass(frozen=True, slots=True)
class PointInfo:
    """A point that a machine has sent at least once."""

    name: str
    kind: Kind
    slot: int
    known: bool


async def points_of(tx: Tx, equipment: list[UUID]) -> dict[UUID, list[PointInfo]]:
    """The points that each of these machines has sent and may show, in order of name."""
    rows = await tx.session.execute(
        text("SELECT equipment_id, point, kind, slot, known FROM slots WHERE equipment_id = ANY(:ids) ORDER BY point"), {"ids": equipment}
    )
    found: dict[UUID, list[PointInfo]] = {}
    for id_, point, kind, slot, known in rows:
        found.setdefault(id_, []).append(PointInfo(point, cast("Kind", kind), slot, known))
    named = [(id_, p.name) for id_, points in found.items() for p in points]
    gone = await hidden(tx, named)
    return {id_: [p for p in points if (id_, p.name) not in gone] for id_, points in found.items()} if gone else found
