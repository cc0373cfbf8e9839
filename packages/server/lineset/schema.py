"""The whole database and everything else that holds data, put together: tables of all domains, the register, and migration."""

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

from lineset.accounts import model as _accounts
from lineset.control import model as _control
from lineset.gateways import model as _gateways
from lineset.kit.database import Base, driver_url
from lineset.kit.jobs import SCHEMA as JOBS
from lineset.kit.roles import ensure_roles
from lineset.messaging import model as _messaging
from lineset.privacy import Cookie, Engine, File, Purpose, Register, Retention, Stream, Subject, access
from lineset.sites import model as _sites
from lineset.telemetry import model as _telemetry

MIGRATIONS = "migrations"
metadata = Base.metadata
MODELS = (_accounts, _control, _gateways, _messaging, _sites, _telemetry)
_AS_LONG_AS_USED = Retention("replaced", 0)

ENGINES = (
    Engine(
        JOBS,
        "jobs to be done: names, ids, times",
        "procrastinate",
        (Purpose.KEEP, Purpose.COMMUNICATE),
        Retention("done", 7),
        app=True,
    ),
    Engine(MIGRATIONS, "which migrations have run", "alembic", (Purpose.KEEP,), _AS_LONG_AS_USED),
)
STREAMS = (
    Stream(
        "$MQTT_msgs",
        "messages of devices that asked for a receipt, until they are stored",
        "equipment.measurement",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        Retention("stored", 0),
    ),
    Stream(
        "$MQTT_sess",
        "sessions of devices",
        "user.device.device_id",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        Retention("disconnected", 1),
    ),
    Stream(
        "$MQTT_rmsgs",
        "the last status of each device",
        "equipment.event",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        _AS_LONG_AS_USED,
    ),
    Stream(
        "$MQTT_out",
        "messages to devices on their way",
        "equipment.setting",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        Retention("delivered", 0),
    ),
    Stream(
        "$MQTT_qos2in",
        "messages of devices on their way",
        "equipment.measurement",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        Retention("stored", 0),
    ),
    Stream(
        "KV_subject_keys",
        "the wrapped keys under which names and addresses are sealed",
        "user.authorization.credentials",
        Subject.PERSON,
        (Purpose.SECURITY,),
        Retention("erasure", 0),
    ),
)
FILES = (
    File(
        "ca.pem",
        "the public certificate of the platform's authority",
        "system.operations",
        Subject.NOBODY,
        (Purpose.SECURITY,),
        _AS_LONG_AS_USED,
    ),
    File(
        "demo.json",
        "sign-ins of the demo, made at its first start",
        "user.authorization.credentials",
        Subject.NOBODY,
        (Purpose.ADMINISTER,),
        _AS_LONG_AS_USED,
    ),
    File(
        "secrets/**",
        "keys and secrets of this installation",
        "user.authorization.credentials",
        Subject.NOBODY,
        (Purpose.SECURITY,),
        _AS_LONG_AS_USED,
    ),
    File("postgres/**", "the database", "system.operations", Subject.HOUSEHOLD, (Purpose.OPERATE,), _AS_LONG_AS_USED),
    File(
        "nats/**",
        "the message broker's store",
        "system.operations",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        _AS_LONG_AS_USED,
    ),
    File(
        "logs/**",
        "logs of the platform's processes",
        "user.device.ip_address",
        Subject.NOBODY,
        (Purpose.SECURITY,),
        Retention("written", 14),
    ),
    File(
        "run/**",
        "process numbers and sockets",
        "system.operations",
        Subject.NOBODY,
        (Purpose.OPERATE,),
        _AS_LONG_AS_USED,
    ),
    File(
        "demo/**",
        "state of the demo's simulated homes",
        "system.operations",
        Subject.NOBODY,
        (Purpose.OPERATE,),
        _AS_LONG_AS_USED,
    ),
)
COOKIES = (
    Cookie("ls_session", "keeps you signed in", Purpose.SECURITY, True, 30),
    Cookie("ls_csrf", "makes sure that a form was sent from our own page", Purpose.SECURITY, True, None),
    Cookie("ls_theme", "remembers light or dark", Purpose.ACCOUNT, True, 365),
    Cookie("ls_language", "remembers your language before you sign in", Purpose.ACCOUNT, True, 365),
)


def register() -> Register:
    """The register of this build.

    Raises:
        Undeclared: a table or column of the code has no declaration.
    """
    return Register(metadata, ENGINES, STREAMS, FILES, COOKIES)


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
        connection.commit()
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
