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
from lineset.kit.roles import ensure_roles
from lineset.kit.settings import Settings
from lineset.privacy import access
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
    """
    declared = register()
    with _owner(address) as connection:
        connection.execute(text("SELECT pg_advisory_lock(hashtext('lineset.migrate'))"))
        connection.commit()
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {MIGRATIONS}"))
        connection.commit()
        before = _revision(connection)
        ensure_roles(connection, secret)
        alembic.command.upgrade(alembic_config(connection), "head")
        connection.commit()
        after = _revision(connection)
        with connection.begin():
            changed = access.apply(connection, declared)
            declared.check_database(connection)
        return changed or before != after


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
