"""Points that tell of people (occupancy, places) as readers get them: only while their household agrees, whatever lies stored."""

from collections.abc import Collection
from uuid import UUID

from lineset_contract.points import consent_for
from sqlalchemy import text

from lineset.privacy import Tx

_AGREED = text(
    "SELECT e.id, access.consented(e.household_id, 'presence', ''),"
    " access.consented(e.household_id, 'location', 'gateway:' || e.gateway_id) FROM equipment e WHERE e.id = ANY(:ids)"
)


async def hidden(tx: Tx, wanted: Collection[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Points of machines that may not be shown, since what they tell of is switched off there. Asks nothing where none tells."""
    telling = {(machine, name): consent_for(name) for machine, name in wanted if consent_for(name)}
    if not telling:
        return set()
    rows = await tx.session.execute(_AGREED, {"ids": list({machine for machine, _ in telling})})
    agreed = {(id_, purpose) for id_, *said in rows for purpose, yes in zip(("presence", "location"), said, strict=True) if yes}
    return {point for point, purpose in telling.items() if (point[0], purpose) not in agreed}
