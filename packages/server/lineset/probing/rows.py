"""The database's rows: every column of every table as PostgreSQL itself hands it out, decompressed, whatever their row-level security."""

import contextlib
from collections.abc import Iterator

import psycopg
from psycopg import sql

from lineset.kit.errors import LinesetError
from lineset.probing.canary import Search

_ACTOR = "system:probe"
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
      AND n.nspname NOT LIKE 'pg\\_temp%' ORDER BY 1, 2
"""
# which table or index a data file belongs to; toast tables by the table that they serve
_FILES = """
    SELECT pg_relation_filepath(c.oid), coalesce(o.relname, c.relname), c.relkind = 't' OR c.relname LIKE 'pg\\_toast\\_%\\_index'
    FROM pg_class c LEFT JOIN pg_class o ON o.reltoastrelid = c.oid WHERE c.relkind IN ('r', 'i', 'm', 't', 'S')
"""


class Unreachable(LinesetError):
    """The database or the message bus does not answer."""


@contextlib.contextmanager
def owner(address: str) -> Iterator[psycopg.Connection]:
    """A connection as the owner of the database, who alone sees every row, and only in this role.

    Raises:
        Unreachable: nobody answers there.
    """
    try:
        connection = psycopg.connect(address, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines() or [""]
        raise Unreachable(
            "database_away", f"The database can't be reached, so nothing is proven ({said[-1]}). Start `lineset up`."
        ) from error
    with connection:
        connection.execute("SELECT set_config('app.actor', %s, false)", [_ACTOR])
        yield connection


def checkpoint(connection: psycopg.Connection) -> str | None:
    """Bring what is in memory to the disk, so that files can be searched; why it was not done, or None."""
    try:
        connection.execute("CHECKPOINT")
    except psycopg.errors.InsufficientPrivilege:
        return "the database's owner may not make checkpoints (grant it pg_checkpoint), so files may lack what is in memory"
    return None


def files(connection: psycopg.Connection) -> dict[str, tuple[str, bool]]:
    """The tables and indexes of the data files, by path; and whether it holds values kept outside their rows."""
    return {path: (name, toast) for path, name, toast in connection.execute(_FILES) if path}


def tables(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Schema and name of every table; partitions are in their table."""
    return list(connection.execute(_TABLES))


def scan_table(connection: psycopg.Connection, schema: str, name: str, search: Search) -> Iterator[int | dict[int, str]]:
    """Search one table. Yields how many bytes each step read, and at the end what was found.

    The rows come in COPY's binary format, in which texts, numbers and ids stand as their bytes, numbers with the highest byte first.
    """
    scan = search.scan(short=True)
    statement = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT binary)").format(sql.Identifier(schema, name))
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for piece in copy:
                scan.feed(bytes(piece))
                yield len(piece)
    except psycopg.errors.UndefinedTable:  # dropped meanwhile
        scan = search.scan(short=True)
    scan.close()
    yield {n: f"byte {at}" for n, at in scan.found.items()}
