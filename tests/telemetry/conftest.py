from collections.abc import AsyncIterator

import pytest

from tests.support.engines import Engines
from tests.telemetry.world import Bench, bench


@pytest.fixture
async def world(database: str, engines: Engines) -> AsyncIterator[Bench]:
    async with bench(database, engines.secret) as made:
        yield made
