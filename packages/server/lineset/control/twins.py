"""The desired twin of each gateway: the limits of its machines, handed down until the gateway reports that it keeps to them.

The gateway judges commands by these limits again, so they hold also for what reaches it in other ways.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from lineset_contract.wire import Desired, DesiredEquipment, encode
from sqlalchemy import func, select, update

from lineset import gateways, sites
from lineset.control.apart import apart
from lineset.control.machines import ranges
from lineset.control.model import TwinRow
from lineset.control.results import LOOK_AGAIN
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.privacy import Tx

_PAUSES_S = (5, 10, 20, 40, 60)
_WITHOUT_LINK = timedelta(seconds=60)


async def refresh(tx: Tx, gateway_id: UUID) -> bool:
    """Bring the twin of a gateway up to date with the limits of its machines and have it sent; False when the gateway has no owner."""
    try:
        gateway = await gateways.get_gateway(tx, gateway_id)
    except NotFound:
        return False
    row = await tx.session.scalar(select(TwinRow).where(TwinRow.gateway_id == gateway_id).with_for_update())
    if gateway.household is None:
        if row is not None:
            await tx.session.delete(row)
        return False
    desired = await _desired(tx, gateway_id)
    moment = now()
    if row is None:
        row = TwinRow(gateway_id=gateway_id, household_id=gateway.household, settings={})
        row.version, row.desired = _version(0, moment), desired
        tx.session.add(row)
    elif row.household_id != gateway.household:
        _change_hands(row, gateway.household)
        row.version, row.desired = _version(row.version, moment), desired
    elif row.desired != desired:
        row.version, row.desired = _version(row.version, moment), desired
    row.tries, row.next_at = 0, moment
    await tx.session.flush()
    return True


async def hand_down(tx: Tx, limit: int) -> list[tuple[str, bytes]]:
    """Messages for gateways whose turn it is, to be sent after the commit. Several processes may ask at the same time."""
    moment = now()
    due = select(TwinRow).where(TwinRow.next_at <= moment).order_by(TwinRow.next_at).limit(limit).with_for_update(skip_locked=True)
    rows = list(await tx.session.scalars(due))
    links = await gateways.links(tx, [r.gateway_id for r in rows])
    messages: list[tuple[str, bytes]] = []
    failed: list[object] = []
    for row in rows:
        async with apart(tx, "twin", row.gateway_id, failed):
            message = await _hand_down(tx, row, links.get(row.gateway_id), moment)
            if message is not None:
                messages.append((f"lineset.v1.{row.gateway_id}.desired", message))
    if failed:
        await tx.session.execute(update(TwinRow).where(TwinRow.gateway_id.in_(failed)).values(next_at=moment + LOOK_AGAIN))
    return messages


async def _hand_down(tx: Tx, row: TwinRow, link: gateways.Link | None, moment: datetime) -> bytes | None:
    """The message for one gateway whose turn it is, or None when it has no link or keeps to it already."""
    if link is None or not link.up:
        row.next_at = moment + _WITHOUT_LINK
        return None
    desired = await _desired(tx, row.gateway_id)
    if link.household != row.household_id:
        _change_hands(row, link.household)
    if desired != row.desired:
        row.version, row.desired, row.tries = _version(row.version, moment), desired, 0
    if row.reported_version == row.version:
        row.tries, row.next_at = 0, moment + LOOK_AGAIN
        return None
    row.next_at = moment + timedelta(seconds=_PAUSES_S[min(row.tries, len(_PAUSES_S) - 1)])
    row.tries += 1
    return encode(Desired(row.version, msgspec.convert(desired, dict[str, DesiredEquipment])))


def _change_hands(row: TwinRow, household: UUID) -> None:
    row.household_id, row.settings = household, {}
    row.reported_version = row.reported_at = None


async def hello(tx: Tx, gateway_ids: list[UUID]) -> None:
    """These gateways have just come online: what they should keep to goes out at once."""
    known = set(await tx.session.scalars(select(TwinRow.gateway_id).where(TwinRow.gateway_id.in_(gateway_ids))))
    await tx.session.execute(update(TwinRow).where(TwinRow.gateway_id.in_(known)).values(next_at=now(), tries=0))
    for gateway_id in gateway_ids:
        if gateway_id not in known:
            async with apart(tx, "twin", gateway_id, []):
                await refresh(tx, gateway_id)


async def next_due(tx: Tx) -> datetime | None:
    """When the next twin wants to be looked at."""
    return await tx.session.scalar(select(func.min(TwinRow.next_at)))


async def _desired(tx: Tx, gateway_id: UUID) -> dict[str, object]:
    """Limits by local name, as the wire has them."""
    machines = sorted(await sites.list_equipment(tx, gateway_id=gateway_id), key=lambda m: m.local_name)
    allowed = await sites.site_limits(tx, {m.site_id for m in machines})
    limits = {m.local_name: DesiredEquipment(ranges(m.limits), ranges(allowed.get(m.site_id, {}))) for m in machines}
    return {name: msgspec.to_builtins(each) for name, each in limits.items()}


def _version(last: int, moment: datetime) -> int:
    """A version above the last one. It counts by the clock, so that a database from a backup does not fall behind what gateways saw."""
    return max(last + 1, int(moment.timestamp()))
