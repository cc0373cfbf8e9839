"""A backup is whole, names nobody, ends with each one's key, and comes back without what was erased since."""

import asyncio
from pathlib import Path

from lineset import backup

from tests.backup.conftest import Source
from tests.backup.world import counts, elsewhere, seen
from tests.support.engines import start_engines


def quiet(_done: float, _bytes: int) -> None:
    """No progress is shown."""


def test_DEL_03_a_restored_backup_has_every_row_and_every_reading(source: Source, tmp_path: Path) -> None:
    there = elsewhere(source.engines.settings, tmp_path / "data")
    restored = asyncio.run(backup.restore(there, source.file, source.keys, quiet))
    assert (len(restored.subjects), len(restored.gone), restored.dropped) == (source.taken.subjects, 0, 0)
    engines = start_engines(there.data)
    try:
        assert counts(engines.settings) == source.counts
        for one in (source.gone, source.stays):
            assert asyncio.run(seen(engines.settings, one)) == one.sent
    finally:
        engines.stop()
