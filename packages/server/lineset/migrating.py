"""Bringing a database to this build, and telling where it differs."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from lineset.kit.addresses import database_secret, owner_url
from lineset.kit.database import driver_url
from lineset.kit.errors import Conflict
from lineset.kit.roles import ensure_roles
from lineset.kit.settings import Settings
from lineset.privacy import Register, access
from lineset.schema import MIGRATIONS, metadata, register


@contextlib.contextmanager
def _owner(address: str) -> Iterator[Connection]:
    engine = create_engine(driver_url(address), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> alembic.config.Config:
    """Alembic's configuration for that connection."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(address: str, secret: bytes) -> bool:
    """Bring the owner's database at `address` to this build: roles, tables, row-level security, and a check against the register.

    Processes may call it at the same time; one works, the others wait. Returns whether anything changed.

    Raises:
        Undeclared: the database holds what no declaration names.
        Conflict: a restore that was begun there did not end.
    """
    declared = register()
    with _owner(address) as connection:
        if connection.scalar(text("SELECT to_regnamespace('restoring')")) is not None:
            raise Conflict("restoring", "A backup was being restored here and that did not end. Restore again, into a new place.")
        changed = _bring(connection, secret, declared, "head")
        with connection.begin():
            declared.check_database(connection)
        return changed


def _bring(connection: Connection, secret: bytes, declared: Register, revision: str) -> bool:
    connection.execute(text("SELECT pg_advisory_lock(hashtext('lineset.migrate'))"))
    connection.commit()
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {MIGRATIONS}"))
    connection.commit()
    before = _revision(connection)
    ensure_roles(connection, secret)
    alembic.command.upgrade(alembic_config(connection), revision)
    connection.commit()
    after = _revision(connection)
    if revision != "head":
        return before != after
    with connection.begin():
        return access.apply(connection, declared) or before != after


def build(address: str, secret: bytes, revision: str = "head") -> None:
    """Make an empty database's tables as they were at a revision, still without row-level security; or bring it to this build."""
    with _owner(address) as connection:
        _bring(connection, secret, register(), revision)


def begin_restore(address: str) -> None:
    """Mark an empty database as one that is being restored: until `end_restore` no process of the platform works with it.

    Raises:
        Conflict: it is not empty.
    """
    with _owner(address) as connection, connection.begin():
        if connection.scalar(text("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname IN ('public', 'restoring'))")):
            raise Conflict("not_empty", "The database is not empty. Restore into a new one.")
        connection.execute(text("CREATE SCHEMA restoring CREATE TABLE unfinished (begun_at timestamptz)"))


def end_restore(address: str) -> None:
    """Take that mark away."""
    with _owner(address) as connection, connection.begin():
        connection.execute(text("DROP SCHEMA restoring CASCADE"))


def _revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": MIGRATIONS})
    try:
        return context.get_current_revision()
    finally:
        connection.rollback()


def drift(address: str) -> list[Any]:
    """Differences between the tables of the code and a migrated database; none, or a migration is missing."""
    with _owner(address) as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda _o, n, k, r, _c: not (k == "table" and r and (n or "").startswith("frames_"))},
        )
        return list(compare_metadata(context, metadata))


def migrate_here(settings: Settings) -> bool:
    """Bring the database of these settings to this build; whether anything changed.

    Raises:
        Undeclared: the database holds what no declaration names.
    """
    return migrate(owner_url(settings), database_secret(settings))
