"""Rows of the database's tables, subject by subject, out of one snapshot and into an empty database.

Rows travel as lines of PostgreSQL's own text format (COPY), by column name, so that any later version of the server reads them and
every number comes back exactly. Numbers of sequences travel too: what is erased never lends its number to something new.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from lineset.privacy import Register, Subject

FRAMES = ("frames", "late_frames")
"""Measurements: read for one household after the other by their key instead of sorted."""
FRAME_COLUMNS = ["series_id", "t", "reals", "totals"]
_QUEUE_COLUMNS = ["queue_name", "task_name", "priority", "lock", "queueing_lock", "args", "scheduled_at"]

Batch = tuple[UUID | None, int, bytes]
"""Whose rows (None: nobody's), how many, and their lines."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table that is copied: its columns in order, the SQL that says whose a row `t` is, and what must be joined for that.

    `keyed`: everybody in it has a key, unless they are being erased.
    """

    name: str
    columns: list[str]
    subject: str
    join: str
    keyed: bool


def sources(register: Register, connection: psycopg.Connection) -> list[Source]:
    """Every declared table whose rows are copied, but for measurements. Of signed-out visitors those are who have a key that can end."""
    found = []
    for name, declared in sorted(register.tables.items()):
        if declared.backup is not True or name in FRAMES:
            continue
        subject, join = "NULL::uuid", ""
        if declared.subject is not Subject.NOBODY and declared.via:
            # a machine's row is the business of each of its owners: it comes once for each, and back once
            through, _, key = declared.via.partition(".")
            whose = register.table(through).path
            subject = "v.whose"
            join = f'LEFT JOIN (SELECT DISTINCT "{key}" AS key, "{whose}" AS whose FROM "{through}") v ON v.key = t."{declared.path}"'  # noqa: S608
        elif declared.subject is not Subject.NOBODY:
            subject = f't."{declared.path}"'
        found.append(Source(str(name), columns_of(connection, name), subject, join, declared.subject is not Subject.TAG))
    return found


def columns_of(connection: psycopg.Connection, name: str) -> list[str]:
    """The columns of a table that hold what they were given."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
        " ORDER BY attnum",
        [f"public.{name}"],
    )
    return [str(name) for (name,) in rows]


def read_rows(connection: psycopg.Connection, source: Source, most: int) -> Iterator[Batch]:
    """The rows of a table by subject, at most about `most` bytes at once."""
    query = sql.SQL("COPY (SELECT {subject} AS s_, {columns} FROM {table} t {join} ORDER BY s_) TO STDOUT").format(
        subject=sql.SQL(source.subject),
        columns=_columns(source.columns, "t."),
        table=sql.Identifier(source.name),
        join=sql.SQL(source.join),
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        yield from _batches((bytes(line) for line in copy), most)


def read_frames(connection: psycopg.Connection, table: str, households: dict[UUID, list[int]], most: int) -> Iterator[Batch]:
    """The rows of `frames` or `late_frames` of each household with its series, at most about `most` bytes at once."""
    for household, series in households.items():
        query = sql.SQL("COPY (SELECT {s}, {columns} FROM {table} WHERE series_id = ANY({series}) ORDER BY series_id, t) TO STDOUT").format(
            s=sql.Literal(str(household)), columns=_columns(FRAME_COLUMNS), table=sql.Identifier(table), series=sql.Literal(series)
        )
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            yield from _batches((bytes(line) for line in copy), most)


def read_queue(connection: psycopg.Connection, most: int) -> Iterator[Batch]:
    """Jobs that are not done: ids, codes and times."""
    query = sql.SQL("COPY (SELECT NULL, {columns} FROM jobs.procrastinate_jobs WHERE status IN ('todo', 'doing') ORDER BY id) TO STDOUT")
    with connection.cursor() as cursor, cursor.copy(query.format(columns=_columns(_QUEUE_COLUMNS))) as copy:
        yield from _batches((bytes(line) for line in copy), most)


def read_sequences(connection: psycopg.Connection) -> dict[str, int]:
    """The last number that each sequence has given."""
    names = connection.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL")
    return {str(name): int(last) for name, last in names}


def read_days(connection: psycopg.Connection) -> list[date]:
    """The days that have a partition of frames."""
    return [day for (day,) in connection.execute("SELECT access.days()")]


def _batches(lines: Iterable[bytes], most: int) -> Iterator[Batch]:
    whose, rows, size = b"", list[bytes](), 0
    for line in lines:
        subject, _, rest = line.partition(b"\t")
        if rows and (subject != whose or size > most):
            yield _batch(whose, rows)
            rows, size = [], 0
        whose = subject
        rows.append(rest)
        size += len(rest)
    if rows:
        yield _batch(whose, rows)


def _batch(subject: bytes, rows: list[bytes]) -> Batch:
    return None if subject == rb"\N" else UUID(subject.decode()), len(rows), b"".join(rows)


def _columns(names: Iterable[str], of: LiteralString = "") -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL(of) + sql.Identifier(name) for name in names)


@dataclass(frozen=True, slots=True)
class _Key:
    """A foreign key: its columns, the table and columns that they refer to, and whether rows without those lose the reference or go."""

    columns: list[str]
    table: str
    referred: list[str]
    null: bool


def in_order(connection: psycopg.Connection, names: Iterable[str]) -> list[str]:
    """The tables so that each comes after those that it refers to."""
    left, done = list(names), list[str]()
    while left:
        ready = [n for n in left if all(k.table == n or k.table not in left for k in _keys(connection, n))]
        done += ready or left  # tables that refer to each other can't be ordered; their rows are checked at the end all the same
        left = [n for n in left if n not in done]
    return done


def load_rows(connection: psycopg.Connection, name: str, columns: list[str], pieces: Iterable[bytes]) -> tuple[int, int]:
    """Put lines into an empty table; how many rows came in, and how many stayed out because what they belong to is gone.

    A row that refers to what is not there goes or loses the reference, as the database itself would have done at a deletion.
    """
    table = sql.Identifier(name)
    connection.execute(sql.SQL("CREATE TEMPORARY TABLE arriving AS SELECT {} FROM {} WITH NO DATA").format(_columns(columns), table))
    copy_in(connection, "arriving", columns, pieces)
    dropped = 0
    for key in _keys(connection, name):
        if key.table != name and set(key.columns) <= set(columns):
            dropped += _without_lost(connection, key)
    came = connection.execute(
        sql.SQL("INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM arriving ON CONFLICT DO NOTHING").format(
            table=table, columns=_columns(columns)
        )
    ).rowcount
    connection.execute("DROP TABLE arriving")
    return came, dropped


def _without_lost(connection: psycopg.Connection, key: _Key) -> int:
    """Let rows that arrive and refer to what is not there lose the reference, or go; how many went."""
    match = [sql.SQL("r.{} = a.{}").format(sql.Identifier(r), sql.Identifier(c)) for c, r in zip(key.columns, key.referred, strict=True)]
    lost = sql.SQL("{given} AND NOT EXISTS (SELECT FROM {table} r WHERE {match})").format(
        given=sql.SQL(" AND ").join(sql.SQL("a.{} IS NOT NULL").format(sql.Identifier(c)) for c in key.columns),
        table=sql.Identifier(key.table),
        match=sql.SQL(" AND ").join(match),
    )
    if key.null:
        nothing = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(c)) for c in key.columns)
        connection.execute(sql.SQL("UPDATE arriving a SET {} WHERE {}").format(nothing, lost))
        return 0
    return connection.execute(sql.SQL("DELETE FROM arriving a WHERE {}").format(lost)).rowcount


def copy_in(connection: psycopg.Connection, name: str, columns: list[str], pieces: Iterable[bytes]) -> int:
    """Put lines into a table as they are; how many."""
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), _columns(columns))) as copy:
            for piece in pieces:
                copy.write(piece)
        return cursor.rowcount


def load_queue(connection: psycopg.Connection, pieces: Iterable[bytes]) -> int:
    """Put jobs into the queue, to be done, within the caller's transaction; how many."""
    connection.execute("SET LOCAL search_path = jobs, public")  # as the queue's own triggers expect it
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY jobs.procrastinate_jobs ({}) FROM STDIN").format(_columns(_QUEUE_COLUMNS))) as copy:
            for piece in pieces:
                copy.write(piece)
        return cursor.rowcount


def load_sequences(connection: psycopg.Connection, numbers: dict[str, int]) -> None:
    """Let each sequence go on where it was."""
    for name, last in numbers.items():
        connection.execute("SELECT setval(found, %s) FROM to_regclass(%s) AS found WHERE found IS NOT NULL", [last, f"public.{name}"])


@contextlib.contextmanager
def unforced(connection: psycopg.Connection, name: str) -> Iterator[None]:
    """Work past a table's row-level security as its owner; it is forced again at the end, within the caller's transaction."""
    table = sql.Identifier(name)
    connection.execute(sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(table))
    yield
    connection.execute(sql.SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(table))


def _keys(connection: psycopg.Connection, name: str) -> list[_Key]:
    rows = connection.execute(
        "SELECT (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY AS k(num, n)"
        "   JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),"
        " r.relname, (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY AS k(num, n)"
        "   JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num), c.confdeltype = 'n'"
        " FROM pg_constraint c JOIN pg_class r ON r.oid = c.confrelid WHERE c.contype = 'f' AND c.conrelid = %s::regclass",
        [f"public.{name}"],
    )
    return [_Key(list(columns), str(table), list(referred), bool(null)) for columns, table, referred, null in rows]
