"""What a signed-in person has to be told on every page: a change of the policy that matters, and terms to be accepted."""

import time
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from lineset.accounts import Principal
from lineset.privacy import Door, Purpose, policy

from .published import READ

_FRESH_S = 3.0
_MOST = 50_000


class Notice(msgspec.Struct, frozen=True):
    """A line at the head of the page, until it is put away or the terms are accepted."""

    kind: Literal["policy", "terms"]
    version: UUID
    digest: str
    effective_at: datetime


class Notices:
    """Knows the newest versions, read again every few seconds, and who has settled them, which never changes back."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._read_at = -_FRESH_S
        self._open: tuple[Notice, ...] = ()
        self._settled: set[tuple[UUID, UUID]] = set()

    async def of(self, who: Principal) -> Notice | None:
        """What this person has not settled yet, the terms first."""
        if time.monotonic() - self._read_at > _FRESH_S:
            await self._read()
        waiting = [n for n in self._open if (who.person_id, n.version) not in self._settled]
        if not waiting:
            return None
        async with self._door.open(who.acts(Purpose.ACCOUNT)) as tx:
            done = {r.version_id for r in await policy.receipts(tx, who.person_id) if r.what != "mailed"}
        if len(self._settled) > _MOST:
            self._settled.clear()
        self._settled |= {(who.person_id, version) for version in done}
        return next((n for n in waiting if n.version not in done), None)

    async def _read(self) -> None:
        async with self._door.open(READ) as tx:
            self._open = tuple(Notice(v.kind, v.id, v.digest, v.effective_at) for v in await policy.awaiting(tx))
        self._read_at = time.monotonic()
