"""What has reached its time is deleted, by the declarations alone.

A table whose retention is anchored in one of its columns loses the rows whose anchor is older than the declared days. Retention that is
anchored in an event ("account closed") is erasure's business. Network addresses are shortened before that, where a column says so.
"""

from datetime import timedelta
from ipaddress import ip_address, ip_network

from sqlalchemy import Column, delete, select, update
from sqlalchemy import Table as SqlTable

from lineset.kit.clock import now
from lineset.privacy.declare import Holds, Table
from lineset.privacy.door import Context, System, Tx
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import Purpose, Retention

IPV4_PREFIX, IPV6_PREFIX = 24, 48
"""Bits of an address that stay: a provider's few hundred customers, or one provider's region."""
_AT_ONCE = 2_000
HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)


def timed_tables(register: Register) -> list[tuple[SqlTable, Table]]:
    """The tables whose rows end by a column of their own, in order of name."""
    found = [(register.metadata.tables[name], declared) for name, declared in sorted(register.tables.items())]
    return [(table, d) for table, d in found if d.retention.days is not None and d.retention.anchor in table.columns]


async def sweep(tx: Tx, register: Register) -> dict[str, int]:
    """Delete what is past its time; how many rows by table, those with none left out. For `System("housekeeping")`."""
    counts = {}
    for table, declared in timed_tables(register):
        over = table.columns[declared.retention.anchor] < now() - timedelta(days=declared.retention.days or 0)
        gone = await tx.session.execute(delete(table).where(over))
        if count := gone.rowcount:  # type: ignore[attr-defined]
            counts[table.name] = count
    return counts


def shortened_columns(register: Register) -> list[tuple["Column[str | None]", Retention]]:
    """The columns whose network addresses lose their end after a time, in order of table and name."""
    found = []
    for _, table in sorted(register.metadata.tables.items()):
        for column in table.columns:
            holds = column.info.get("holds")
            if isinstance(holds, Holds) and holds.shorten is not None:
                found.append((column, holds.shorten))
    return found


def network_of(address: str) -> str | None:
    """The network of an address, as 203.0.113.0/24 or 2001:db8:1::/48; None for what is none."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if found.version == 6 else None
    found = mapped or found
    return str(ip_network((found, IPV4_PREFIX if found.version == 4 else IPV6_PREFIX), strict=False))


async def shorten(tx: Tx, register: Register) -> dict[str, int]:
    """Leave of network addresses past their declared time only the network; how many addresses by column. For `System("housekeeping")`."""
    counts = {}
    for column, after in shortened_columns(register):
        table = column.table
        over = table.columns[after.anchor] < now() - timedelta(days=after.days or 0)
        whole = select(column).distinct().where(over, column.is_not(None), column.not_like("%/%")).limit(_AT_ONCE)
        found = [address for address in await tx.session.scalars(whole) if address is not None]
        for address in found:
            values = {column.name: network_of(address)}
            await tx.session.execute(update(table).where(over, column == address).values(values))
        if found:
            counts[f"{table.name}.{column.name}"] = len(found)
    return counts
