from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lineset.kit.storage import Storage

from tests.support.engines import Engines
from tests.telemetry.world import Bench, bench


@pytest.fixture
async def world(database: str, engines: Engines, tmp_path: Path) -> AsyncIterator[Bench]:
    """A household with two machines, whose history lies in files of this test."""
    folder = tmp_path / "history"
    folder.mkdir()
    async with bench(database, engines.secret, Storage(f"file://{folder}")) as made:
        yield made
