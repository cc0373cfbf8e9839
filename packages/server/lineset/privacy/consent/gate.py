"""What holds for a transaction whose purpose waits for a yes: its subjects gave it, and it combines nothing held for other purposes.

The tables' policies ask for the consent again, row by row. This is the side that says why, instead of showing nothing.
"""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import Executable, event, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.sql import visitors

from lineset.kit.errors import Denied
from lineset.privacy.declare import Table
from lineset.privacy.vocabulary import PURPOSES, Purpose

_MISSING = text(
    "SELECT s FROM unnest(CAST(:subjects AS uuid[])) AS s WHERE s NOT IN (SELECT c.subject FROM access.consenting(:purpose) AS c) LIMIT 1"
)


async def admit(session: AsyncSession, purpose: Purpose, subjects: Sequence[UUID]) -> None:
    """Let a transaction begin under this purpose for these households or persons; nothing to do for a purpose that rests on no consent.

    Raises:
        Denied: one of them has not said yes, to nothing of this purpose or not to today's terms.
    """
    if not PURPOSES[purpose].consent:
        return
    if subjects:
        asked = {"subjects": [str(s) for s in subjects], "purpose": purpose.value}
        if await session.scalar(_MISSING, asked) is not None:
            title = PURPOSES[purpose].title
            raise Denied("consent_needed", f"{title} is switched off here. Its people can switch it on in Your data, or where it is about.")

    def refuse(state: ORMExecuteState) -> None:
        check_together(purpose, tables_in(state.statement))

    event.listen(session.sync_session, "do_orm_execute", refuse)


def tables_in(statement: Executable) -> list[SqlTable]:
    """The tables that a statement names, wherever in it."""
    parts = visitors.iterate(cast("visitors.ExternallyTraversible", statement))
    return [part for part in parts if isinstance(part, SqlTable)]


def check_together(purpose: Purpose, tables: Sequence[SqlTable]) -> None:
    """Whether these may be read together for a purpose: each has to be held for it.

    Raises:
        Denied: one of them is held for other purposes only.
    """
    for table in tables:
        declared = table.info.get("declared")
        if isinstance(declared, Table) and purpose not in declared.purposes:
            raise Denied("not_combined", f"{table.name} is not held for {PURPOSES[purpose].title!r} and can't be combined with what is.")
