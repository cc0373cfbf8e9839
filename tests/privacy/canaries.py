"""A token of its own in every column that can hold one, for a household with all that belongs to it: so that nothing that should be handed
over is missing unseen, and nothing that should be gone is left unseen.

`plant` fills a database as its owner. Tokens in sealed columns are sealed under the key that their table declares.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from lineset import schema
from lineset.kit.ids import new_id
from lineset.privacy import Subject, Vault
from lineset.privacy.paths import is_sealed, sealing
from sqlalchemy import ARRAY, Column, Connection, LargeBinary, String, Uuid, func, select, update
from sqlalchemy.dialects.postgresql import JSONB

from tests.privacy.filling import NOON, Side, by_key, fill

_MUST_BE_KNOWN = {
    "people.language": "en",  # words that the platform looks something up by
    "people.time_zone": "UTC",
    "people.units": "us",
    "sites.time_zone": "UTC",
    "exports.state": "expired",
    "account_exports.state": "expired",
    "export_parts.points": [],
    "keeping.raw_days": 800,
    "tenures.starts_at": NOON - timedelta(days=1),
}


@dataclass
class Canaries:
    """`tokens` by table and column; `numbers` are readings, of which each tier has one of its own."""

    side: Side
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)

    def mark(self, column: Column[Any], value: Any) -> Any:
        """The value that carries the column's token; what can carry none stays as it is."""
        place = (column.table.name, column.name)
        token = self.tokens.get(place) or f"canary{self.side.name}{new_id().hex}"
        marked = self._carrying(column, token)
        if marked is None:
            return value
        self.tokens[place] = str(marked) if isinstance(column.type, Uuid) else token
        return marked

    @staticmethod
    def _carrying(column: Column[Any], token: str) -> Any:
        kind = column.type
        if isinstance(kind, String):
            return token
        if isinstance(kind, LargeBinary):
            return token.encode()
        if isinstance(kind, JSONB):
            return {"token": token}
        if isinstance(kind, ARRAY) and isinstance(kind.item_type, String):
            return [token]
        if isinstance(kind, Uuid) and not column.primary_key:
            return new_id()
        return None


def numbers(name: str) -> dict[str, float]:
    """Readings that no other side has, each exact in 32 bits."""
    base = 4096.0 + 64 * ord(name[0])
    return {"frames": base + 0.25, "late_frames": base + 0.5}


async def plant(connection: Connection, vault: Vault, name: str) -> Canaries:
    """A household called `name` (one letter) with a row in every table, all tokens in it."""
    found = Canaries(Side(name), numbers=numbers(name))
    side = found.side
    side.mark = found.mark
    side.values = {
        **_ways(side),
        **_MUST_BE_KNOWN,
        "frames.reals": [0.0, found.numbers["frames"]],  # at the slot that the table of points names
        "late_frames.reals": [0.0, found.numbers["late_frames"]],
        "late_frames.t": NOON + timedelta(hours=1),
        "slots.slot": 1,
        "slots.kind": "real",
    }
    fill(connection, side)
    await _seal(connection, vault, found)
    return found


def _ways(side: Side) -> dict[str, Any]:
    """The columns that lead to a subject without a key that says so."""
    ids = {Subject.PERSON: side.owner, Subject.HOUSEHOLD: side.household}
    found: dict[str, Any] = {}
    for name, declared in schema.register().tables.items():
        for column, subject in ((declared.path, declared.subject), *declared.also):
            if subject in ids and not declared.via and column != "id" and not schema.metadata.tables[name].columns[column].foreign_keys:
                found.setdefault(f"{name}.{column}", ids[subject])
    return found


async def _seal(connection: Connection, vault: Vault, found: Canaries) -> None:
    register = schema.register()
    for table in schema.metadata.sorted_tables:
        sealed = [column for column in table.columns if is_sealed(column)]
        for key in found.side.rows[table.name] if sealed else ():
            row = connection.execute(select(table).where(by_key(table, key))).mappings().one()
            subject = next((row[name] for name in sealing(register, table) if row[name] is not None), None)
            assert isinstance(subject, UUID), f"under whose key is {table.name} sealed? Declare it (`sealed_by`)."
            values = {column.name: await vault.seal(subject, bytes(row[column.name]).decode()) for column in sealed if row[column.name]}
            connection.execute(update(table).where(by_key(table, key)).values(**values))


def rows_of(connection: Connection, table: str) -> int:
    """How many rows a table has."""
    return int(connection.scalar(select(func.count()).select_from(schema.metadata.tables[table])) or 0)
