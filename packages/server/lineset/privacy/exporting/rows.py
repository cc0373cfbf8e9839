"""Rows of any declared table as they are handed over: exactly the columns that may be, sealed ones opened."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Column, select, tuple_
from sqlalchemy import Table as SqlTable

from lineset.privacy.declare import Holds
from lineset.privacy.door import Context, Door, Tx
from lineset.privacy.paths import Whose, belongs, is_sealed, sealing
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import Subject

AT_ONCE = 2_000
"""Rows that are in memory at one time; each page is read in a transaction of its own."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A table, or one column of it, that is not handed over, and why."""

    table: str
    column: str
    why: str


def tables_of(register: Register, kind: Subject) -> list[str]:
    """The tables whose rows are handed over to a person, or to an owner for a household (`kind`), by name."""
    anybody = Whose(kind, UUID(int=0))
    return [
        name
        for name, declared in sorted(register.tables.items())
        if declared.export is True and not declared.exporter and belongs(register, name, anybody) is not None
    ]


def columns_of(table: SqlTable) -> "list[Column[Any]]":
    """The columns that are handed over, in their order."""
    return [column for column in table.columns if _holds(column).export is True]


def name_of(column: "Column[Any]") -> str:
    """The column's name as people read it: what was sealed is open."""
    return str(column.name.removesuffix("_sealed") if is_sealed(column) else column.name)


def left_out(register: Register) -> list[LeftOut]:
    """What is about somebody and yet not handed over, with the declared reason, in order of name."""
    found = []
    for name, declared in sorted(register.tables.items()):
        if declared.subject in (Subject.NOBODY, Subject.TAG) and not declared.also:
            continue
        if isinstance(declared.export, str):
            found.append(LeftOut(str(name), "", declared.export))
            continue
        for column in register.metadata.tables[name].columns:
            why = _holds(column).export
            if isinstance(why, str):
                found.append(LeftOut(str(name), str(column.name), why))
    return found


async def read(door: Door, context: Context, register: Register, name: str, whose: Whose) -> AsyncIterator[list[dict[str, Any]]]:
    """The subject's rows of a table, by key, in pages of at most `AT_ONCE`; each row by the names of `name_of`."""
    after: tuple[Any, ...] | None = None
    while True:
        async with door.open(context) as tx:
            rows, after = await _page(tx, register, name, whose, after)
        if rows:
            yield rows
        if after is None:
            return


async def _page(
    tx: Tx, register: Register, name: str, whose: Whose, after: tuple[Any, ...] | None
) -> tuple[list[dict[str, Any]], tuple[Any, ...] | None]:
    """One page, and the key after which the next begins; None at the end."""
    table = register.metadata.tables[name]
    key, seals, columns = list(table.primary_key.columns), sealing(register, table), columns_of(table)
    wanted = belongs(register, name, whose)
    if wanted is None:
        return [], None
    # labelled, because a column may be needed as a key, as the seal's subject and as itself
    read_ = [
        *(c.label(f"key_{c.name}") for c in key),
        *(table.columns[c].label(f"seal_{c}") for c in seals),
        *(c.label(f"is_{c.name}") for c in columns),
    ]
    query = select(*read_).where(wanted).order_by(*key).limit(AT_ONCE)
    if after is not None:
        query = query.where(tuple_(*key) > after)
    found = [row._mapping for row in await tx.session.execute(query)]
    opened = await _opened(tx, found, columns, seals)
    rows = [{name_of(c): next(opened) if is_sealed(c) else row[f"is_{c.name}"] for c in columns} for row in found]
    last = found[-1] if len(found) == AT_ONCE else None
    return rows, None if last is None else tuple(last[f"key_{c.name}"] for c in key)


async def _opened(tx: Tx, rows: Sequence[Any], columns: "Sequence[Column[Any]]", seals: tuple[str, ...]) -> "Any":
    """The text of every sealed value, row by row in order of the columns; None where the key is gone."""
    sealed = [c for c in columns if is_sealed(c)]
    values = []
    for row in rows:
        subject = next((row[f"seal_{name}"] for name in seals if row[f"seal_{name}"] is not None), UUID(int=0))
        values += [(subject, row[f"is_{c.name}"]) for c in sealed]
    return iter(await tx.vault.open_many(values))


def line(row: dict[str, Any]) -> bytes:
    """A row as one line of JSON; times in ISO 8601, bytes as hexadecimal, what is not a number as null."""
    return msgspec.json.encode({name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}) + b"\n"


def _holds(column: "Column[Any]") -> Holds:
    holds = column.info["holds"]
    assert isinstance(holds, Holds)  # noqa: S101 - the register has checked every column
    return holds
