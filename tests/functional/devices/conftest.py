"""One database for the tests of the device side; every test makes households of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from lineset.embedded.nats import EmbeddedNats
from lineset.embedded.ports import free_port
from lineset.kit.bus import Bus
from lineset.kit.ca import Authority
from lineset.kit.database import make_engine
from lineset.kit.roles import APP, INGEST, role_url
from lineset.kit.settings import Settings
from lineset.privacy import Door, Vault
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.functional.devices.cloud import Cloud
from tests.functional.devices.world import Heard, Keys
from tests.support.engines import Engines

MASTER = b"m" * 32


@pytest.fixture(scope="package")
def devices_database(engines: Engines, template: str) -> Iterator[str]:
    with engines.database(template) as address:
        yield address


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
def authority(engines: Engines) -> Authority:
    assert isinstance(engines.data, Path)
    return Authority.open(engines.settings)


@pytest.fixture(scope="package")
def broker(tmp_path_factory: pytest.TempPathFactory, engines: Engines, devices_database: str) -> Iterator[Settings]:
    """A message bus of these tests' own: their callout and delivery must not answer for other tests. With it the settings of a whole
    platform on this database."""
    data = tmp_path_factory.mktemp("broker")
    (data / "secrets").mkdir(mode=0o700)
    (data / "secrets" / "database").write_bytes(engines.secret)
    settings = Settings(data=data, database_url=devices_database, mqtt_port=free_port(), mqtt_token_port=free_port())
    nats = EmbeddedNats(settings)
    nats.start()
    yield settings
    nats.stop()


@pytest.fixture
def authority_of_broker(broker: Settings) -> Authority:
    """The authority that the broker trusts."""
    return Authority.open(broker)


@pytest.fixture
async def bus(broker: Settings) -> AsyncIterator[Bus]:
    bus = await Bus.connect(broker, "test")
    yield bus
    await bus.close()


@pytest.fixture
async def cloud(devices_database: str, engines: Engines, keys: Keys, bus: Bus) -> AsyncIterator[Cloud]:
    """Doors that announce on the real bus."""
    vault = Vault(keys, MASTER)
    app, ingest = (_engine(devices_database, engines.secret, role) for role in (APP, INGEST))
    yield Cloud(Door(app, vault, bus.publish), Door(ingest, vault, bus.publish), bus)
    await app.dispose()
    await ingest.dispose()
