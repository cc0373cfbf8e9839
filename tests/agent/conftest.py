"""One broker and one authority for all tests of the agent in a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.world import Authority, Broker


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="package")
def broker(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("nats"), authority)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def own_broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    """A broker that a test may start and kill; it is not started yet."""
    folder = tmp_path / "nats"
    folder.mkdir()
    made = Broker(folder, authority)
    yield made
    made.kill()
