"""One installation with two homes, and a backup of it, for all tests of backups."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lineset import backup

from tests.backup.world import Lived, counts, made
from tests.support.engines import Engines, start_engines


@dataclass(frozen=True)
class Source:
    """The installation, its two homes, the backup and what was in every table when it was made."""

    engines: Engines
    gone: Lived
    stays: Lived
    file: Path
    keys: Path
    taken: backup.Taken
    counts: dict[str, int]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    folder = tmp_path_factory.mktemp("backup")
    engines = start_engines(folder / "data")
    try:
        gone, stays = made(engines.settings)
        file, keys = folder / "all.backup", folder / "all.keys"
        before = counts(engines.settings)
        taken = asyncio.run(backup.take(engines.settings, file, keys, lambda _done, _bytes: None))
        yield Source(engines, gone, stays, file, keys, taken, before)
    finally:
        engines.stop()
