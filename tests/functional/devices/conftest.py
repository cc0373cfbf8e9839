"""One database for the tests of the device side; every test makes households of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from lineset.kit.ca import Authority
from lineset.kit.database import make_engine
from lineset.kit.roles import APP, INGEST, role_url
from lineset.privacy import Door, Vault
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.functional.devices.world import Heard, Keys
from tests.support.engines import Engines

MASTER = b"m" * 32


@pytest.fixture(scope="session")
def devices_database(engines: Engines, template: str) -> Iterator[str]:
    with engines.database(template) as address:
        yield address


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys()


@pytest.fixture
def heard() -> Heard:
    return Heard()


def _engine(address: str, secret: bytes, role: str) -> AsyncEngine:
    return make_engine(role_url(address, secret, role).render_as_string(hide_password=False))


@pytest.fixture
async def door(devices_database: str, engines: Engines, keys: Keys, heard: Heard) -> AsyncIterator[Door]:
    """The application's door; what it announces is only written down."""
    engine = _engine(devices_database, engines.secret, APP)
    yield Door(engine, Vault(keys, MASTER), heard.publish)
    await engine.dispose()


@pytest.fixture
async def ingest(devices_database: str, engines: Engines, keys: Keys, heard: Heard) -> AsyncIterator[Door]:
    """The ingestion role's door."""
    engine = _engine(devices_database, engines.secret, INGEST)
    yield Door(engine, Vault(keys, MASTER), heard.publish)
    await engine.dispose()


@pytest.fixture(scope="session")
def authority(engines: Engines) -> Authority:
    assert isinstance(engines.data, Path)
    return Authority.open(engines.settings)
