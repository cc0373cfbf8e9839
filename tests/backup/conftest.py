"""One installation with three homes, and a backup of it, for all tests of backups."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lineset import backup
from lineset.kit.settings import Settings

from tests.backup.world import Lived, counts, made, write_pairs
from tests.support.engines import Engines, start_engines


def quiet(_done: float, _bytes: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Source:
    """The installation, its homes, the backup and what was in every table when it was made."""

    engines: Engines
    gone: Lived
    stays: Lived
    half: Lived
    file: Path
    keys: Path
    taken: backup.Taken
    counts: dict[str, int]


@pytest.fixture(scope="package")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    folder = tmp_path_factory.mktemp("backup")
    engines = start_engines(folder / "data")
    try:
        gone, stays, half = made(engines.settings)
        file, keys = folder / "all.backup", folder / "all.keys"
        before = counts(engines.settings)
        taken = asyncio.run(_take(engines.settings, file, keys, (gone, stays)))
        yield Source(engines, gone, stays, half, file, keys, taken, before)
    finally:
        engines.stop()


async def _take(settings: Settings, file: Path, keys: Path, lived: tuple[Lived, Lived]) -> backup.Taken:
    """Make the backup while somebody goes on writing."""
    ended = asyncio.Event()
    writing = asyncio.create_task(write_pairs(settings, lived, ended))
    try:
        return await backup.take(settings, file, keys, quiet)
    finally:
        ended.set()
        await writing
