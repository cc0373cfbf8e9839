"""What the acting person may do in a household, asked of the same functions that row-level security asks; and numbers for staff."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import text

from lineset.privacy.door import System, Tx

Scope = Literal["view", "control", "equipment", "people", "owner"]

_HOLDS = text("SELECT :household = ANY (ARRAY(SELECT access.households(:scope)))")


async def may(tx: Tx, household: UUID, scope: Scope) -> bool:
    """Whether the acting person holds the scope in the household: as a member by role, or, for the purpose of service, by a grant.

    The platform's own actors are always let through here: what each may touch is declared at the tables and enforced there.
    """
    if isinstance(tx.context.actor, System):
        return True
    return bool(await tx.session.scalar(_HOLDS, {"household": household, "scope": scope}))


async def totals(tx: Tx) -> dict[str, int]:
    """How many companies, households, sites, machines and gateways (`gateways_heard` within 15 min, `gateways_waiting` for an owner) exist.

    Numbers alone, for the operator's staff and the purpose of administration; nothing for anybody else.
    """
    return {row.what: row.number for row in await tx.session.execute(text("SELECT what, number FROM access.totals()"))}


class FleetTrouble(msgspec.Struct, frozen=True):
    """Equal troubles of the whole fleet. `source`: gateway or app; `affected`: so many gateways or people, in so many `homes`."""

    source: str
    kind: str
    title: str
    mark: str
    times: int
    first_at: datetime
    last_at: datetime
    affected: int
    homes: int
    versions: tuple[str, ...]


async def fleet_troubles(tx: Tx, since: datetime) -> list[FleetTrouble]:
    """Troubles of all gateways and pages since that time, newest first, at most 200, for the operator's support and security.

    Nothing in them says whose they are; nothing for anybody else, or for another purpose than administration.
    """
    rows = await tx.session.execute(text("SELECT * FROM access.troubles(:since)"), {"since": since})
    return [
        FleetTrouble(r.source, r.kind, r.title, r.mark, int(r.times), r.first_at, r.last_at, r.affected, r.homes, tuple(r.versions))
        for r in rows
    ]
