"""An erasure from its grace time to its certificate: a durable state machine.

Each step is done in transactions of its own and noted when it is done; it can be done again without harm. So an erasure goes on where a
process died, two processes do no more than one, and a hold stops it between two steps with nothing lost.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select, text

from lineset.kit.clock import now
from lineset.kit.errors import LinesetError, NotFound
from lineset.kit.ids import new_id
from lineset.privacy.copies import readable_until
from lineset.privacy.egress.ledger import recipient_notices, tell_recipients
from lineset.privacy.erasure.asking import STEPS
from lineset.privacy.erasure.certificate import sign
from lineset.privacy.erasure.model import ErasureRow
from lineset.privacy.erasure.rows import TOUCHED, erase_rows, hide_rows, reached, rewrite, rows_left
from lineset.privacy.erasure.scope import Scope, Target, declared, gather, item_tables, tables
from lineset.privacy.erasure.shop import ERASURE, Case, Memory, Shop
from lineset.privacy.holds import held_households

MOST_SEARCHES = 3
"""How often what is found in the search is erased again before somebody has to look."""
_log = structlog.get_logger(__name__)


class StillThere(LinesetError):
    """The search after an erasure found something of it; the message names the places, never what is there."""


async def carry_out(shop: Shop, erasure: UUID) -> str:
    """Bring one erasure as far as it can be brought now; its state.

    Raises:
        StillThere: the search found something again and again.
    """
    async with _alone(shop, erasure) as mine:
        if not mine:
            return "erasing"
        case = await _begin(shop, erasure)
        while isinstance(case, Case):
            step = await _next(shop, case)
            if step in ("held", "done"):
                return step
            try:
                await _do(shop, case, step)
            except Exception as error:
                await _failed(shop, case, f"{step}: {type(error).__name__}")
                raise
        return case


@asynccontextmanager
async def _alone(shop: Shop, erasure: UUID) -> AsyncIterator[bool]:
    """Whether nobody else works on it; while the block lasts nobody else begins."""
    key = int.from_bytes(erasure.bytes[8:], signed=True)
    async with shop.engine.connect() as connection:
        mine = bool(await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
        await connection.commit()
        try:
            yield mine
        finally:
            if mine:
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                await connection.commit()


async def _begin(shop: Shop, erasure: UUID) -> Case | str:
    """The case, hidden by now; or the state in which there is nothing to do."""
    async with shop.door.open(ERASURE) as tx:
        row = await tx.session.get(ErasureRow, erasure, with_for_update=True)
        if row is None or row.state in ("done", "cancelled") or (row.state == "waiting" and row.grace_until > now()):
            return "done" if row is None else row.state
        target = Target(row.kind, row.target_id)
        if row.state != "waiting":
            assert row.hidden_at is not None  # noqa: S101 - it is set together with the state
            return Case(row.id, target, msgspec.convert(row.scope, Scope, strict=False), row.hidden_at)
        try:
            scope = await gather(tx, target)
        except NotFound:  # it went by another way; its key and its copies may still be there
            scope = alone(target)
        moment = now()
        case = Case(row.id, target, scope, moment)
        touched = await reached(tx, scope)
        await hide_rows(tx, scope)
        for hider in shop.hiders:
            await hider(tx, case)
        row.state, row.hidden_at, row.scope = "erasing", moment, msgspec.to_builtins(scope) | {TOUCHED: touched}
        row.steps = {"hide": {"at": moment.isoformat(), "count": len(scope.ids) or 1}}
        return case


def alone(target: Target) -> Scope:
    """The scope of something of which nothing is known but its id."""
    if target.kind == "item":
        return Scope()
    field = {"account": "people", "household": "households", "site": "sites", "machine": "machines", "device": "gateways"}[target.kind]
    return msgspec.structs.replace(Scope(), **{field: (target.id,)})


async def _next(shop: Shop, case: Case) -> str:
    """The code of the next step, "held" while a hold lasts, or "done"."""
    async with shop.door.open(ERASURE) as tx:
        row = await tx.session.get(ErasureRow, case.id, with_for_update=True)
        if row is None or row.state in ("done", "cancelled"):
            return "done"
        step = next((code for code in STEPS if code not in row.steps), "done")
        held = step not in ("hide", "remember") and bool({*case.scope.touches, *case.scope.households} & await held_households(tx))
        row.state = "held" if held else "done" if step == "done" else "erasing"
        if step == "done" and row.finished_at is None:
            row.finished_at = now()
        return "held" if held else step


async def _do(shop: Shop, case: Case, step: str) -> None:
    ways: dict[str, Callable[[], Awaitable[int]]] = {
        "remember": lambda: _remember(shop, case),
        "tell": lambda: _tell(shop, case),
        "rows": lambda: erase_rows(shop, case, shop.claimed),
        "keys": lambda: _destroy_keys(shop, case),
        "rewrite": lambda: rewrite(shop, case),
        "probe": lambda: _probe(shop, case),
        "certify": lambda: _certify(shop, case),
    }
    count = await ways[step]() if step in ways else 0
    for eraser in shop.erasers:
        if eraser.step == step:
            count += await eraser.erase(case)
    if step == "probe" and count:
        return  # what was found is erased again
    async with shop.door.open(ERASURE) as tx:
        row = await tx.session.get(ErasureRow, case.id, with_for_update=True)
        if row is not None:
            row.steps = {**row.steps, step: {"at": now().isoformat(), "count": count}}
            row.failure = ""
    _log.info("erasure_step", erasure=str(case.id), step=step, count=count)


async def _failed(shop: Shop, case: Case, what: str) -> None:
    async with shop.door.open(ERASURE) as tx:
        row = await tx.session.get(ErasureRow, case.id, with_for_update=True)
        if row is not None:
            row.failure = what[:200]


async def _remember(shop: Shop, case: Case) -> int:
    told = {
        "kind": case.target.kind,
        "target": str(case.target.id),
        "at": case.hidden_at.isoformat(),
        "scope": msgspec.to_builtins(case.scope),
    }
    await shop.memory.put(str(case.id), msgspec.json.encode(told))
    return 1


async def remember_item(memory: Memory, table: str, item: UUID) -> None:
    """Remember a single row that its person deletes by itself, so that a restored backup loses it again. Call it once the row is
    deleted, before that is committed: nobody may have others' rows remembered.

    Raises:
        ValueError: no table of which single rows are erased.
    """
    if table not in {found.name for found in item_tables()}:
        raise ValueError(f"single rows of {table!r} are not erased by themselves")
    scope = msgspec.to_builtins(Scope(item=table, item_id=item))
    await memory.put(str(new_id()), msgspec.json.encode({"kind": "item", "target": str(item), "at": now().isoformat(), "scope": scope}))


async def _tell(shop: Shop, case: Case) -> int:
    """Note for every recipient that it has to erase too; how many are to confirm."""
    count = 0
    async with shop.door.open(ERASURE) as tx:
        for subject in case.scope.keyed:
            count = await tell_recipients(tx, subject, case.id)
    return count


async def _destroy_keys(shop: Shop, case: Case) -> int:
    for subject in case.scope.keyed:
        await shop.vault.destroy(subject)
    return len(case.scope.keyed)


async def _probe(shop: Shop, case: Case) -> int:
    """Search every table, every key and what the domains keep elsewhere; how many places still have something, which is then erased again.

    Raises:
        StillThere: it was found again and again.
    """
    found = [f"table {name}" for name in await rows_left(shop, case, shop.claimed)]
    found += ["key store" for subject in case.scope.keyed if await shop.vault.has_key(subject)]
    for eraser in shop.erasers:
        if eraser.left is not None:
            found += await eraser.left(case)
    if not found:
        return 0
    async with shop.door.open(ERASURE) as tx:
        row = await tx.session.get(ErasureRow, case.id, with_for_update=True)
        if row is None:
            return 0
        searches = int(row.scope.get("searches", 0)) + 1
        row.scope = {**row.scope, "searches": searches}
        first = STEPS.index("downloads")
        row.steps = {code: done for code, done in row.steps.items() if STEPS.index(code) < first}
    _log.warning("erasure_found_something", erasure=str(case.id), places=sorted(set(found)), searches=searches)
    if searches >= MOST_SEARCHES:
        raise StillThere("still_there", f"The search still finds it in: {', '.join(sorted(set(found)))}.")
    return len(found)


async def _certify(shop: Shop, case: Case) -> int:
    moment = now()
    async with shop.door.open(ERASURE) as tx:
        row = await tx.session.get(ErasureRow, case.id, with_for_update=True)
        if row is None:
            return 0
        keyed = bool(case.scope.keyed)
        destroyed = datetime.fromisoformat(row.steps["keys"]["at"])
        notices = await recipient_notices(tx, case.id)
        statement: dict[str, Any] = {
            "erasure": str(case.id),
            "kind": case.target.kind,
            "id": str(case.target.id),
            "asked_at": row.asked_at.isoformat(),
            "hidden_at": case.hidden_at.isoformat(),
            "finished_at": moment.isoformat(),
            "went": {name: len(getattr(case.scope, name)) for name in ("people", "households", "sites", "machines", "gateways", "series")},
            "steps": [{"step": code, **row.steps[code]} for code in STEPS if code in row.steps],
            "tables_written_anew": len(row.scope.get(TOUCHED, ())),
            "search": {"tables": len(tables()), "found": 0, "at": row.steps["probe"]["at"]},
            "stays": sorted(
                {f"{declared(t).about}: {keep}" for t in tables() if declared(t).erasure == "keep" for keep in _bases(t) if keep}
            ),
            "recipients": {"told": len(notices), "confirmed": sum(n.acknowledged_at is not None for n in notices)},
            "last_copy_ends": (await readable_until(tx, destroyed)).date().isoformat() if keyed else None,
        }
        row.certificate = sign(statement, shop.key)
    return 1


def _bases(table: Any) -> set[str]:
    return {column.info["holds"].keep for column in table.columns}


async def due(shop: Shop) -> list[UUID]:
    """The erasures that have something to do now, oldest first."""
    async with shop.door.open(ERASURE) as tx:
        ready = (ErasureRow.state == "waiting") & (ErasureRow.grace_until <= now())
        wanted = select(ErasureRow.id).where(ready | ErasureRow.state.in_(("erasing", "held"))).order_by(ErasureRow.asked_at)
        return list(await tx.session.scalars(wanted))


async def replay(shop: Shop) -> int:
    """Erase again, from this database, all that was ever erased; how many erasures. For a database that was restored from a backup.

    Nothing else may work on the database meanwhile. Holds are kept to: what they cover waits as it would have.
    """
    count = 0
    for name, content in sorted((await shop.memory.everything()).items()):
        told = msgspec.json.decode(content)
        await _again(shop, UUID(name), Target(told["kind"], UUID(told["target"])), datetime.fromisoformat(told["at"]), told["scope"])
        await carry_out(shop, UUID(name))
        count += 1
    return count


async def _again(shop: Shop, erasure: UUID, target: Target, hidden_at: datetime, scope: dict[str, Any]) -> None:
    """Put an erasure into the state right after its tombstone was written. What it reached then, it reaches again."""
    async with shop.door.open(ERASURE) as tx:
        row = await tx.session.get(ErasureRow, erasure, with_for_update=True)
        known = msgspec.convert(scope, Scope, strict=False)
        if row is None:
            person = known.people[0] if known.people else None
            household = known.touches[0] if known.touches else None
            asked_by = person or target.id
            row = ErasureRow(id=erasure, kind=target.kind, target_id=target.id, asked_by=asked_by, person_id=person, household_id=household)
            row.state, row.asked_at, row.grace_until = "erasing", hidden_at, hidden_at
            tx.session.add(row)
            await tx.session.flush()
        case = Case(erasure, target, known, hidden_at)
        touched = await reached(tx, known)
        await hide_rows(tx, known)
        for hider in shop.hiders:
            await hider(tx, case)
        row.state, row.hidden_at, row.scope, row.certificate, row.finished_at = (
            "erasing",
            hidden_at,
            {**scope, TOUCHED: touched},
            None,
            None,
        )
        row.steps = {code: {"at": hidden_at.isoformat(), "count": 1} for code in ("hide", "remember")}
