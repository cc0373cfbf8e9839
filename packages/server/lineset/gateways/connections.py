"""From which network addresses gateways connect, and when: noted where a device is let in, and kept for its household."""

import asyncio
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import func, select, update

from lineset.gateways.model import ConnectionRow, GatewayRow
from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Tx

Way = Literal["certificate", "token", "http", "enrolment"]
MAX_NOTED = 20_000
"""Gateways, addresses and ways that wait to be written; more are written once these are."""
MAX_ADDRESSES_A_DAY = 50
"""Rows of one gateway a day; further addresses that day are not kept apart."""
_PAUSE_S = 2.0
_AT_ONCE = 100

_log = structlog.get_logger(__name__)


class _Key(NamedTuple):
    gateway: UUID
    way: Way
    address: str


class _Noted(msgspec.Struct):
    first: datetime
    last: datetime
    count: int = 1


class ConnectionView(msgspec.Struct, frozen=True):
    """Connections of one day from one address; after 30 days the address is only its network. `address` is empty where it isn't known."""

    way: str
    address: str
    first_at: datetime
    last_at: datetime
    count: int


class Connections:
    """Gathers what is noted for two seconds and writes it in one transaction, so that letting a device in does not wait for it."""

    def __init__(self, door: Door, context: Context) -> None:
        """`context`: the platform's actor that lets devices in here."""
        self._door = door
        self._context = context
        self._noted: dict[_Key, _Noted] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, gateway: UUID, address: str, way: Way) -> None:
        """A device of that gateway was let in from there just now. Needs a running event loop."""
        key, moment = _Key(gateway, way, address[:64]), now()
        seen = self._noted.get(key)
        if seen is not None:
            seen.last, seen.count = moment, seen.count + 1
        elif len(self._noted) < MAX_NOTED:
            self._noted[key] = _Noted(moment, moment)
        else:
            _log.warning("connection_not_noted", gateway=str(gateway))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._soon())

    async def write(self) -> None:
        """Write what has been noted, a hundred at a time. What the database does not take now is kept for the next time."""
        noted, self._noted = self._noted, {}
        keys = sorted(noted)  # in one order, so that two processes never wait for each other
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            try:
                async with self._door.open(self._context) as tx:
                    for key in part:
                        await _keep(tx, key, noted[key])
            except Exception as error:  # noqa: BLE001 - the database is away; nobody waits for this
                left = keys[start:]
                _log.warning("connections_not_written", count=len(left), error=f"{type(error).__name__}: {error}"[:200])
                self._noted = {key: noted[key] for key in left} | self._noted
                return

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        if self._noted:
            await self.write()

    async def _soon(self) -> None:
        while self._noted:
            await asyncio.sleep(_PAUSE_S)
            await self.write()


async def _keep(tx: Tx, key: _Key, noted: _Noted) -> None:
    household = await tx.session.scalar(select(GatewayRow.household_id).where(GatewayRow.id == key.gateway))
    if household is None:
        return  # nobody's: released in the meantime
    day = noted.last.replace(hour=0, minute=0, second=0, microsecond=0)
    mine = (ConnectionRow.gateway_id == key.gateway, ConnectionRow.household_id == household, ConnectionRow.last_at >= day)
    rows, shown = (await tx.session.execute(select(func.count(), func.bool_or(ConnectionRow.address.is_(None))).where(*mine))).one()
    same = (*mine, ConnectionRow.way == key.way, ConnectionRow.address == key.address)
    one = select(ConnectionRow.id).where(*same).limit(1).scalar_subquery()
    known = await tx.session.scalar(
        update(ConnectionRow)
        .where(ConnectionRow.id == one)
        .values(last_at=func.greatest(ConnectionRow.last_at, noted.last), count=ConnectionRow.count + noted.count)
        .returning(ConnectionRow.id)
    )
    if known is not None:
        return
    if rows >= MAX_ADDRESSES_A_DAY:
        await _keep_the_rest(tx, key, noted, household, day, known=bool(shown))
        return
    await _insert(tx, key, noted, household, key.address or None)


async def _keep_the_rest(tx: Tx, key: _Key, noted: _Noted, household: UUID, day: datetime, *, known: bool) -> None:
    """One line without an address for all addresses beyond the most that are kept apart."""
    if not known:
        await _insert(tx, key, noted, household, None)
        return
    await tx.session.execute(
        update(ConnectionRow)
        .where(
            ConnectionRow.gateway_id == key.gateway,
            ConnectionRow.household_id == household,
            ConnectionRow.last_at >= day,
            ConnectionRow.address.is_(None),
        )
        .values(last_at=noted.last, count=ConnectionRow.count + noted.count)
    )


async def _insert(tx: Tx, key: _Key, noted: _Noted, household: UUID, address: str | None) -> None:
    tx.session.add(
        ConnectionRow(
            id=new_id(),
            gateway_id=key.gateway,
            household_id=household,
            way=key.way,
            address=address,
            first_at=noted.first,
            last_at=noted.last,
            count=noted.count,
        )
    )
    await tx.session.flush()


async def connections(tx: Tx, gateway_id: UUID, limit: int = 20) -> list[ConnectionView]:
    """From where the gateway connected, newest first, for its household alone: a contractor sees none."""
    wanted = select(ConnectionRow).where(ConnectionRow.gateway_id == gateway_id).order_by(ConnectionRow.last_at.desc()).limit(limit)
    return [ConnectionView(r.way, r.address or "", r.first_at, r.last_at, r.count) for r in await tx.session.scalars(wanted)]
