"""What the acting person may do in a household, asked of the same functions that row-level security asks; and numbers for staff."""

from typing import Literal
from uuid import UUID

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
    return dict((await tx.session.execute(text("SELECT what, number FROM access.totals()"))).tuples().all())
