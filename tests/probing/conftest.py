"""An installation of these tests' own: engines as an operator has them, with a migrated database."""

from collections.abc import Iterator

import psycopg
import pytest
from lineset import migrating

from tests.support.engines import Engines, start_engines


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Its data folder holds nothing but what these tests put there."""
    engines = start_engines(tmp_path_factory.mktemp("probing") / "data", durable=True)
    try:
        migrating.migrate_here(engines.settings)
        yield engines
    finally:
        engines.stop()


@pytest.fixture
def owner(installation: Engines) -> Iterator[psycopg.Connection]:
    with psycopg.connect(installation.database_url, autocommit=True) as connection:
        yield connection
