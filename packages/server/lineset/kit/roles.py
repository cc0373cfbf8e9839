"""The database's roles. The owner migrates; the application and ingestion connect as roles that can't get around row-level security."""

import time

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, InternalError, ProgrammingError

from lineset.kit.addresses import role_password
from lineset.kit.errors import Invalid

APP = "lineset_app"
INGEST = "lineset_ingest"
READER = "lineset_reader"
_TRIES = 8
_AT_ONCE = (psycopg.errors.InternalError_, psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject)
"""What PostgreSQL says when two sessions change one role: "tuple concurrently updated", or that somebody else has just made it."""


def role_url(address: str, secret: bytes, role: str) -> URL:
    """The owner's address turned into the address of another role on the same database."""
    return make_url(address).set(username=role, password=role_password(secret, role))


def ensure_roles(connection: Connection, secret: bytes) -> None:
    """Make the roles that are missing and set their passwords and search paths, as an owner that may create roles. Commits.

    Roles belong to the whole server, so what prepares another database of it may change them at the same moment; then this is done again.

    Raises:
        Invalid: one of them exists with powers that would make row-level security worthless.
    """
    for attempt in range(_TRIES):
        try:
            _ensure(connection, secret)
            connection.commit()
        except (InternalError, IntegrityError, ProgrammingError) as error:
            connection.rollback()
            if attempt == _TRIES - 1 or not isinstance(error.orig, _AT_ONCE):
                raise
            time.sleep(0.1 * (attempt + 1))
        else:
            return


def _ensure(connection: Connection, secret: bytes) -> None:
    database = connection.scalar(text("SELECT current_database()"))
    owner = connection.scalar(text("SELECT current_user"))
    for role, login in ((APP, True), (INGEST, True), (READER, False)):
        password = f" LOGIN PASSWORD '{role_password(secret, role)}'" if login else " NOLOGIN"
        mighty = connection.scalar(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :role"), {"role": role})
        if mighty:
            raise Invalid(
                "mighty_role",
                f"The role {role} can get around row-level security. Take SUPERUSER and BYPASSRLS from it.",
            )
        connection.exec_driver_sql(f'{"CREATE" if mighty is None else "ALTER"} ROLE "{role}"{password}')
        connection.exec_driver_sql(f'GRANT CONNECT, TEMPORARY ON DATABASE "{database}" TO "{role}"')
    connection.exec_driver_sql(f'GRANT "{READER}" TO "{owner}"')
    connection.exec_driver_sql(f'ALTER ROLE "{APP}" SET search_path = public, jobs')
