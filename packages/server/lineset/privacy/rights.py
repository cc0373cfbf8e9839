"""What the acting person may do in a household, asked of the same functions that row-level security asks."""

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
