"""One filled database for the tests of the walls: three households that never meet."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from lineset.kit.database import driver_url
from lineset.kit.roles import APP, role_url
from lineset.privacy.door import BY_OTHERS
from sqlalchemy import Connection, Engine, NullPool, create_engine, text

from tests.privacy.filling import Side, fill
from tests.support.engines import Engines


@dataclass
class Walls:
    """A filled database, seen through the application's role as whoever acts."""

    address: str
    app: Engine
    a: Side
    b: Side

    @contextlib.contextmanager
    def acting(self, actor: str, purpose: str, *, keep: bool = False) -> Iterator[Connection]:
        """A transaction of the application's role in that context; undone at the end unless `keep`."""
        with self.app.connect() as connection, connection.begin() as transaction:
            told = {"actor": actor, "purpose": purpose}
            connection.execute(text("SELECT set_config('app.actor', :actor, true), set_config('app.purpose', :purpose, true)"), told)
            if purpose in BY_OTHERS:
                connection.execute(text("SELECT access.enter('look', '{}', '')"))
            yield connection
            if not keep:
                transaction.rollback()


@contextlib.contextmanager
def unforced(address: str) -> Iterator[Connection]:
    """A transaction as the tables' owner that sees past row-level security, which is forced again at its end."""
    engine = create_engine(driver_url(address), poolclass=NullPool)
    with engine.begin() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
        yield connection
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
    engine.dispose()


@pytest.fixture(scope="module")
def walls(engines: Engines, template: str) -> Iterator[Walls]:
    with engines.database(template) as address:
        a, b = Side("a"), Side("b")
        with unforced(address) as connection:
            for side in (a, b):
                fill(connection, side)
        app = create_engine(role_url(driver_url(address).render_as_string(hide_password=False), engines.secret, APP), pool_size=1)
        yield Walls(address, app, a, b)
        app.dispose()
