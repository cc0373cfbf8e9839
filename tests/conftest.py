"""What every test may ask for: the session's engines, and a migrated database of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lineset import migrating
from xdist.remote import Producer

from tests.support.dealing import Dealing, longest_first
from tests.support.engines import Engines, shared_engines, system_folder

_SYSTEM = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Engines of tests whose folder is closed to others live in one system folder of this session, not in the machine's."""
    if not hasattr(config, "workerinput"):  # workers inherit it
        stack = config.stash[_SYSTEM] = ExitStack()
        stack.enter_context(system_folder())


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Dealing:
    """Tests are dealt to workers by what they share."""
    return Dealing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several workers share the tests, what takes longest begins first."""
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


def pytest_unconfigure(config: pytest.Config) -> None:
    if (stack := config.stash.get(_SYSTEM, None)) is not None:
        stack.close()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Engines]:
    """PostgreSQL and NATS of this test session, shared by its workers."""
    base = tmp_path_factory.getbasetemp()
    found = shared_engines((base if worker_id == "master" else base.parent) / "engines")
    yield found
    found.stop()


@pytest.fixture(scope="session")
def template(engines: Engines) -> str:
    """The name of a database that all migrations have built."""
    return engines.template("migrated", lambda address: migrating.migrate(address, engines.secret))


@pytest.fixture
def database(engines: Engines, template: str) -> Iterator[str]:
    """A migrated database of this test's own: its owner's address."""
    with engines.database(template) as address:
        yield address


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of this test's own, at a path short enough for a socket."""
    return tmp_path / "data"
