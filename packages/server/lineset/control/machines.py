"""What control needs to know of a machine: what it is, where its commands go, and how far they may go."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from lineset_contract.control import Limits
from lineset_contract.profiles import Profile, profile
from lineset_contract.wire import Range
from sqlalchemy import text

from lineset.kit.errors import NotFound
from lineset.privacy import Tx

_MACHINE = text(
    "SELECT e.id, e.household_id, e.gateway_id, e.local_name, e.type, e.limits, s.limits AS site_limits,"
    " e.retired_at IS NOT NULL AS retired"
    " FROM equipment e JOIN sites s ON s.id = e.site_id WHERE e.id = :id"
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as a command sees it."""

    id: UUID
    household: UUID
    gateway: UUID | None
    local_name: str
    profile: Profile
    limits: Limits
    retired: bool


async def machine(tx: Tx, equipment_id: UUID) -> Machine:
    """The machine.

    Raises:
        NotFound: no such machine is shared with the asker.
    """
    row = (await tx.session.execute(_MACHINE, {"id": equipment_id})).first()
    if row is None:
        raise NotFound("machine")
    limits = Limits(equipment=ranges(row.limits), site=ranges(row.site_limits))
    return Machine(row.id, row.household_id, row.gateway_id, row.local_name, profile(row.type), limits, row.retired)


def ranges(stored: Mapping[str, list[float | None]]) -> dict[str, Range]:
    """Limits as stored (`{setting: [low, high]}`, null for an open side) as ranges by setting."""
    return {name: Range(low, high) for name, (low, high) in stored.items()}
