"""What every process of the server needs, opened once: settings, database, message bus, vault and door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from lineset import schema
from lineset.kit import gate
from lineset.kit.addresses import database_secret, owner_url
from lineset.kit.bus import Bus
from lineset.kit.database import make_engine
from lineset.kit.roles import APP, INGEST, role_url
from lineset.kit.settings import Settings, secret
from lineset.kit.storage import storage
from lineset.kit.subject_keys import SubjectKeys
from lineset.privacy import Door, Register, Vault


@dataclass(frozen=True, slots=True)
class Platform:
    """One process's view of the platform. `door` opens transactions as the application's role, or as ingestion's in that process."""

    settings: Settings
    engine: AsyncEngine
    bus: Bus
    vault: Vault
    door: Door
    register: Register

    async def ingest_connection(self) -> psycopg.AsyncConnection:
        """A connection of the ingestion role, for binary COPY."""
        url = role_url(owner_url(self.settings), database_secret(self.settings), INGEST).set(drivername="postgresql")
        return await psycopg.AsyncConnection.connect(url.render_as_string(hide_password=False), autocommit=True)


@asynccontextmanager
async def open_platform(settings: Settings, name: str, *, role: str = APP, pool: int = 5) -> AsyncIterator[Platform]:
    """Connect this process. The register is made first: undeclared data stops the process before it reads any.

    Raises:
        Undeclared: the code or the database holds data that no declaration names.
        BusFault: the message bus can't be reached.
    """
    register = schema.register()
    await gate.opened()
    address = role_url(owner_url(settings), database_secret(settings), role)
    engine = make_engine(address.render_as_string(hide_password=False), size=pool, overflow=pool)
    bus = await Bus.connect(settings, name)
    try:
        await bus.ensure_streams()
        vault = Vault(SubjectKeys(bus), secret(settings, "master"))
        async with engine.connect() as connection:
            await connection.run_sync(register.check_database)
        yield Platform(settings, engine, bus, vault, Door(engine, vault, bus.publish, storage(settings, "history")), register)
    finally:
        await bus.close()
        await engine.dispose()


async def ready(platform: Platform) -> dict[str, str]:
    """What works, by part: "ok" or what is wrong. Every role answers on the bus."""
    state: dict[str, str] = {}
    try:
        async with asyncio.timeout(2), platform.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
        state["database"] = "ok"
    except Exception as error:  # noqa: BLE001 - whatever is wrong is the answer
        state["database"] = str(error).splitlines()[0][:200]
    state["bus"] = "ok" if platform.bus.connected else "away"
    for role in ("ingest", "worker"):
        try:
            answer = await platform.bus.request(f"health.{role}", timeout_s=1.0)
            state[role] = answer.decode() or "ok"
        except Exception as error:  # noqa: BLE001 - as above
            state[role] = str(error)[:200]
    return state
