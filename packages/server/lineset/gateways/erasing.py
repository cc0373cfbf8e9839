"""Gateways of a home that is being erased: their identities end, so that nothing of theirs is taken any more.

The device itself goes on: its agent keeps its own limits and schedule, and the machines keep heating.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from lineset.gateways.model import GatewayRow
from lineset.gateways.service import changed, end_identities
from lineset.kit.clock import now
from lineset.privacy import Tx


async def shut_out(tx: Tx, gateways: Collection[UUID], feeding: Collection[UUID] = ()) -> int:
    """Revoke these gateways and cut what is connected as them; how many. Those in `feeding` only lose machines, and are read again.

    For the platform's actor that erases.
    """
    rows = list(await tx.session.scalars(select(GatewayRow).where(GatewayRow.id.in_(gateways)).order_by(GatewayRow.id)))
    for row in rows:
        row.claim_digest = None
        await end_identities(tx, row, now())
    for gateway in feeding:
        changed(tx, gateway)
    return len(rows)
