"""Erasing rows, leaves first; writing anew what had their bytes; and looking whether anything is left."""

from sqlalchemy import delete, exists, false, select, update

from lineset.kit.clock import now
from lineset.privacy.door import Tx
from lineset.privacy.erasure.model import ErasureRow
from lineset.privacy.erasure.rewriting import rewrite_tables
from lineset.privacy.erasure.scope import Scope, leaving, mentions, tables
from lineset.privacy.erasure.shop import ERASURE, Case, Shop

TOUCHED = "touched"
"""Where an erasure notes, beside its steps, which tables it has changed."""


async def hide_rows(tx: Tx, scope: Scope) -> None:
    """Hide what can be hidden by itself: sites, machines, and what these measured."""
    for table in tables():
        if "erased_at" not in table.columns:
            continue
        mine = leaving(table, scope)
        if scope.series and "series_id" in table.columns:
            mine = mine | table.columns["series_id"].in_(scope.series)
        if mine is not false():
            hidden = update(table).where(mine, table.columns["erased_at"].is_(None)).values(erased_at=now())
            await tx.session.execute(hidden)


async def reached(tx: Tx, scope: Scope) -> list[str]:
    """The tables that have rows or mentions of what goes: whatever deletes them, these have to be written anew."""
    found = []
    for table in tables():
        for condition in (leaving(table, scope), *mentions(table, scope).values()):
            if condition is not false() and await tx.session.scalar(select(exists().where(condition))):
                found.append(table.name)
                break
    return sorted(found)


async def erase_rows(shop: Shop, case: Case, claimed: frozenset[str]) -> int:
    """Delete every row that goes, and take mentions out of those that stay; how many. A table is one transaction."""
    count = 0
    for table in reversed(tables()):
        goes, lost = leaving(table, case.scope), mentions(table, case.scope)
        if (goes is false() and not lost) or table.name in claimed:
            continue
        async with shop.door.open(ERASURE) as tx:
            changed = (await tx.session.execute(delete(table).where(goes))).rowcount if goes is not false() else 0  # type: ignore[attr-defined]
            kept = {key.parent.name for key in table.foreign_keys if key.ondelete == "SET NULL"}  # which the database empties by itself
            for name, condition in lost.items():
                if name in kept:
                    changed += bool(await tx.session.scalar(select(exists().where(condition))))
                else:
                    changed += (await tx.session.execute(update(table).where(condition).values({name: None}))).rowcount  # type: ignore[attr-defined]
            if changed:
                await _touch(tx, case, table.name)
            count += changed
    return count


async def _touch(tx: Tx, case: Case, name: str) -> None:
    """Note that a table has to be written anew, with the change itself."""
    row = await tx.session.get(ErasureRow, case.id, with_for_update=True)
    if row is not None:
        known = set(row.scope.get(TOUCHED, ()))
        row.scope = {**row.scope, TOUCHED: sorted(known | {name})}


async def rewrite(shop: Shop, case: Case) -> int:
    """Write every table anew that had rows of the case, with its indexes, then end the write-ahead log that has them; how many tables."""
    async with shop.door.open(ERASURE) as tx:
        row = await tx.session.get(ErasureRow, case.id)
        touched = set(row.scope.get(TOUCHED, ())) if row is not None else set()
    if case.scope.ids:  # a single row has nothing that only a domain reaches
        touched |= {name for eraser in shop.erasers for name in eraser.rewrites}
    await rewrite_tables(shop.door, ERASURE, sorted(touched))
    return len(touched)


async def rows_left(shop: Shop, case: Case, claimed: frozenset[str]) -> list[str]:
    """The tables that still have rows or mentions of the case."""
    async with shop.door.open(ERASURE) as tx:
        return [name for name in await reached(tx, case.scope) if name not in claimed]
