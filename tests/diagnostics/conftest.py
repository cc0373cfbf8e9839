from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lineset.kit.database import make_engine
from lineset.kit.roles import APP, role_url
from lineset.kit.storage import Storage
from lineset.privacy import Door, Vault

from tests.functional.devices.world import Keys
from tests.support.engines import Engines
from tests.telemetry.world import Bench, bench


@pytest.fixture
async def world(database: str, engines: Engines, tmp_path: Path) -> AsyncIterator[Bench]:
    """A household with two machines, whose history lies in files of this test."""
    folder = tmp_path / "history"
    folder.mkdir()
    async with bench(database, engines.secret, Storage(f"file://{folder}")) as made:
        yield made


@pytest.fixture
async def door(database: str, engines: Engines) -> AsyncIterator[Door]:
    """The door to an empty platform."""
    engine = make_engine(role_url(database, engines.secret, APP).render_as_string(hide_password=False))
    yield Door(engine, Vault(Keys(), b"k" * 32))
    await engine.dispose()
