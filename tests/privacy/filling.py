"""Fills every table of the database for several households, so that tests over all tables need no list of them.

A new table is filled by the types and keys of its columns. Where that can't be right, the test fails and says so: teach `VALUES`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from lineset import schema
from lineset.kit.ids import new_id
from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Table,
    Uuid,
    and_,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)
Key = tuple[Any, ...]

VALUES: dict[str, Any] = {
    "people.status": "active",
    "transfers.equipment_id": None,  # an offer is of a site or of a machine
    "access_grants.ends_at": None,
    "erasures.state": "done",
    "erasures.asked_by": lambda side: side.owner,
    "history_files.remainder": lambda side: ord(side.name[0]),  # unique
    "memberships.role": "technician",
    "places.gateway_id": None,  # a place is of a site or of a gateway
    "access_log.household_id": lambda side: side.household,
    "access_log.seq": lambda side: ord(side.name[0]),
    "audit_leaves.seq": lambda side: ord(side.name[0]),
    "audit_checkpoints.size": lambda side: ord(side.name[0]),
    "fleet_models.model": lambda side: side.name,  # unique
    "home_changes.month": lambda side: date(2026, ord(side.name[0]) % 12 + 1, 1),  # unique
    "findings.closed": None,  # or it would not be open
    "machine_day_layouts.layout": lambda side: ord(side.name[0]),
    "staff_accesses.ends_at": NOON + timedelta(minutes=30),
}
"""What can't be told from a column's type and keys."""

NOT_YET = {"ended_at", "revoked_at", "ends_at", "used_at", "retired_at", "accepted_at", "erased_at", "suspended_at"}
"""Ends that have not come."""


@dataclass
class Side:
    """One household with its owner, and the company that it lets in, with a technician. `rows` holds each table's keys.

    `values`: as `VALUES`, for this side; `mark` may put something of its own where any value would do.
    """

    name: str
    owner: UUID = field(default_factory=new_id)
    staff: UUID = field(default_factory=new_id)
    household: UUID = field(default_factory=new_id)
    company: UUID = field(default_factory=new_id)
    ids: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, set[Key]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    mark: Callable[[Column[Any], Any], Any] = lambda column, value: value  # noqa: ARG005


def key_columns(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def by_key(table: Table, key: Key) -> ColumnElement[bool]:
    """The condition that finds the row of that key."""
    return and_(*(table.columns[name] == value for name, value in zip(key_columns(table), key, strict=True)))


def fill(connection: Connection, side: Side) -> None:
    """A row in every table for this side, as the tables' owner."""
    side.ids = {"people": side.owner, "households": side.household, "organisations": side.company, "equipment": new_id()}
    side.ids |= {"gateways": new_id(), "sites": new_id()}
    connection.execute(text("SELECT access.ensure_day(:day)"), {"day": NOON.date()})
    tables = sorted(schema.metadata.sorted_tables, key=lambda table: table.name.endswith("frames"))  # which have no key to their tenure
    for table in tables:
        rows = [_row(table, side)]
        if table.name == "people":
            rows.append({**rows[0], "id": side.staff, "email_digest": side.staff.bytes})
        if table.name == "access_grants":
            rows += [{**rows[0], "id": new_id(), "scope": scope} for scope in ("control", "equipment", "people", "reset", "members")]
        for row in rows:
            _insert(connection, table, side, row)


def _insert(connection: Connection, table: Table, side: Side, row: dict[str, Any]) -> None:
    names = key_columns(table)
    done = connection.execute(insert(table).values(**row).returning(*(table.columns[name] for name in names)))
    key = tuple(done.one())
    side.rows.setdefault(table.name, set()).add(key)
    if len(key) == 1:
        side.ids.setdefault(table.name, key[0])


def _row(table: Table, side: Side) -> dict[str, Any]:
    row = {}
    values = VALUES | side.values
    for column in table.columns:
        if column.identity is not None:
            continue
        name = f"{table.name}.{column.name}"
        if name in values:
            row[column.name] = values[name](side) if callable(values[name]) else values[name]
        elif column.primary_key and column.name == "id":
            row["id"] = side.ids.get(table.name) or new_id()
        else:
            row[column.name] = _value(table, column, side)
    if table.name == "memberships":
        row["person_id"] = side.staff
    return row


def _value(table: Table, column: Column[Any], side: Side) -> Any:
    referred = _referred(table, column)
    if referred is not None:
        return side.ids[referred]
    if column.name in NOT_YET and column.nullable:
        return None
    words = _words(table, column)
    if words:
        return words[0]
    for kind, value in (
        (Boolean, False),
        (DateTime, LATER if column.name == "expires_at" else NOON),
        (Date, date(2026, 11, 1)),
        (Integer, 1),
        ((Float, Numeric), 1.0),
        (LargeBinary, new_id().bytes),
        (Uuid, new_id()),
        (JSONB, {}),
        (ARRAY, []),
        (String, f"{side.name}-{new_id().hex[-8:]}"),
    ):
        if isinstance(column.type, kind):
            return side.mark(column, value)
    raise AssertionError(f"teach the filler what {table.name}.{column.name} of type {column.type} may hold")


def _referred(table: Table, column: Column[Any]) -> str | None:
    """The table that a column points to: by its key, or by its name where there is no key."""
    for key in column.foreign_keys:
        if key.column.name in ("id", "series_id"):
            return str(key.column.table.name)
    if "outlives" in column.info:
        return str(column.info["outlives"])
    by_name = {"gateway_id": "gateways", "series_id": "tenures", "equipment_id": "equipment", "subject_id": "people", "caused_by": "people"}
    found = by_name.get(column.name)
    return found if found != table.name and not (table.name == "equipment" and found == "gateways") else None


def _words(table: Table, column: Column[Any]) -> list[str]:
    """What a check of the table allows in a text column."""
    for check in table.constraints:
        if isinstance(check, CheckConstraint):
            found = re.match(rf"{column.name} IN \((.*)\)$", str(check.sqltext))
            if found:
                return re.findall(r"'(\w+)'", found[1])
    return []
