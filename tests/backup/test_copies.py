"""The ledger of copies: what is past its time goes from the disk, and it says until when anything can be read."""

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
from lineset import platform
from lineset.kit.addresses import owner_url
from lineset.kit.clock import now
from lineset.kit.settings import Settings
from lineset.privacy import copies
from lineset.privacy.copies import BACKUP, DATA_COPY_DAYS, KEY_COPY_DAYS, note_copy, prune_copies, readable_until

from tests.backup.conftest import Source


def test_DEL_03_copies_end_and_the_last_day_of_reading_is_known(source: Source, tmp_path: Path) -> None:
    asyncio.run(_copies(source, tmp_path))


async def _copies(source: Source, folder: Path) -> None:
    settings, moment = source.engines.settings, now()
    old, young = folder / "old.keys", folder / "young.keys"
    for path in (old, young):
        path.write_bytes(b"keys")
    async with platform.open_platform(settings, "test") as here:
        async with here.door.open(BACKUP) as tx:
            await note_copy(tx, "keys", str(old), moment - timedelta(days=KEY_COPY_DAYS, minutes=1), 4, "")
            await note_copy(tx, "keys", str(young), moment - timedelta(days=KEY_COPY_DAYS - 1), 4, "")
            await note_copy(tx, "data", str(folder / "gone.backup"), moment - timedelta(days=DATA_COPY_DAYS + 1), 4, "")
            # a key destroyed before any copy was made is in none; one destroyed now is in those that there are
            assert await readable_until(tx, moment - timedelta(days=400)) == moment - timedelta(days=400)
            until = await readable_until(tx, now())
            known = [made for made in await copies.list_copies(tx) if made.kind == "keys"]
            assert until == max(made.ends_at for made in known)
            assert until <= now() + timedelta(days=KEY_COPY_DAYS)
        assert await prune_copies(here.door) == 2, "also the one that its keeper has deleted already"
        assert (old.exists(), young.exists(), source.keys.exists()) == (False, True, True)
        async with here.door.open(BACKUP) as tx:
            left = {made.path for made in await copies.list_copies(tx) if made.deleted_at is None}
        assert str(young) in left
        assert str(old) not in left


def test_both_files_of_a_backup_are_noted_with_their_ends(source: Source) -> None:
    assert _noted(source.engines.settings, source.file) == ("data", DATA_COPY_DAYS, source.file.stat().st_size)
    assert _noted(source.engines.settings, source.keys) == ("keys", KEY_COPY_DAYS, source.keys.stat().st_size)


def _noted(settings: Settings, path: Path) -> tuple[object, ...]:
    with psycopg.connect(owner_url(settings)) as owner:
        owner.execute("SELECT set_config('app.actor', 'system:backup', true)")
        row = owner.execute(
            "SELECT kind, extract(day FROM ends_at - made_at)::int, bytes FROM copies WHERE path = %s", [str(path)]
        ).fetchone()
    assert row is not None
    return tuple(row)
