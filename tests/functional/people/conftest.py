"""A world of people with keys on the real message bus."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from lineset.kit.bus import Bus
from lineset.kit.database import make_engine
from lineset.kit.roles import APP, role_url
from lineset.kit.subject_keys import SubjectKeys
from lineset.privacy import Door, Vault

from tests.functional.people.world import World
from tests.support.engines import Engines


@pytest.fixture(scope="package")
def people_database(engines: Engines, template: str) -> Iterator[str]:
    """One database for all these tests of a worker: each makes people of its own."""
    with engines.database(template) as address:
        yield address


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests sign up often; one of them looks at the time that it takes."""
    monkeypatch.setattr("lineset.accounts.entry.LEAST_S", 0.0)


@pytest.fixture
async def world(engines: Engines, people_database: str) -> AsyncIterator[World]:
    async with _world(engines, people_database) as made:
        yield made


@pytest.fixture
async def first_world(engines: Engines, database: str) -> AsyncIterator[World]:
    """One in which nobody has ever been: no operator either."""
    async with _world(engines, database) as made:
        yield made


@pytest.fixture
def no_other_mails(world: World) -> None:
    """Jobs of other tests would come along."""
    with world.owner() as connection:
        connection.exec_driver_sql("TRUNCATE jobs.procrastinate_jobs, mails CASCADE")


@contextlib.asynccontextmanager
async def _world(engines: Engines, address: str) -> AsyncIterator[World]:
    bus = await Bus.connect(engines.settings, "test")
    await bus.ensure_streams()
    engine = make_engine(role_url(address, engines.secret, APP).render_as_string(hide_password=False))
    vault = Vault(SubjectKeys(bus), b"m" * 32)
    yield World(Door(engine, vault), vault, address)
    await engine.dispose()
    await bus.close()
