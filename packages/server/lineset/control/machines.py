"""What control needs to know of a machine: what it is, where its commands go, and how far they may go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lineset_contract.control import Limits
from lineset_contract.profiles import Profile, profile
from lineset_contract.wire import Range

from lineset import sites
from lineset.privacy import Tx


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
    found = await sites.get_equipment(tx, equipment_id)
    allowed = await sites.site_limits(tx, [found.site_id])
    return Machine(
        found.id,
        found.household_id,
        found.gateway_id,
        found.local_name,
        profile(found.type),
        Limits(equipment=ranges(found.limits), site=ranges(allowed.get(found.site_id, {}))),
        found.retired_at is not None,
    )


def ranges(stored: Mapping[str, Sequence[float | None]]) -> dict[str, Range]:
    """Limits as stored (`{setting: [low, high]}`, null for an open side) as ranges by setting."""
    return {name: Range(low, high) for name, (low, high) in stored.items()}
