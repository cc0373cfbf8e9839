"""A place for a measurement: engines and a migrated database of its own, a folder for history, gone afterwards."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lineset import migrating

from tests.support.engines import Engines, shared_engines


@dataclass(frozen=True)
class Place:
    """`address`: of the database, as its owner; `history`: an empty folder."""

    engines: Engines
    address: str
    history: Path


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """Start all of it."""
    with tempfile.TemporaryDirectory(prefix="lineset-bench-") as folder:
        engines = shared_engines(Path(folder) / "engines")
        try:
            template = engines.template("migrated", lambda address: migrating.migrate(address, engines.secret))
            with engines.database(template) as address:
                history = Path(folder) / "history"
                history.mkdir()
                yield Place(engines, address, history)
        finally:
            engines.stop()
