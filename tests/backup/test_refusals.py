"""What a restore refuses, before it has written anything: damaged files, other masters, old keys, full places, newer versions."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from lineset import backup, migrating
from lineset.backup.keys import Copy, read_copy, vault_of, write_copy
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Invalid, LinesetError
from lineset.kit.settings import Settings
from lineset.privacy.copies import KEY_COPY_DAYS

from tests.backup.conftest import Source, quiet
from tests.backup.world import elsewhere, recast
from tests.support.engines import Engines, start_engines


def refused(settings: Settings, file: Path, keys: Path | None) -> str:
    with pytest.raises(LinesetError) as told:
        asyncio.run(backup.restore(settings, file, keys, quiet))
    assert told.value.say
    return told.value.code


@pytest.fixture
def there(source: Source, tmp_path: Path) -> Settings:
    return elsewhere(source.engines.settings, tmp_path / "data")


def test_every_changed_bit_and_every_cut_is_found(source: Source, tmp_path: Path) -> None:
    whole = bytearray(source.file.read_bytes())
    bad = tmp_path / "bad"
    for place in (0, 9, 20, 200, len(whole) // 3, len(whole) // 2, len(whole) - 400, len(whole) - 12, len(whole) - 1):
        whole[place] ^= 1
        bad.write_bytes(whole)
        whole[place] ^= 1
        with pytest.raises((backup.BadBackup, Invalid)):
            backup.verify(source.engines.settings, bad, None, quiet)
    for length in (0, 7, 11, 300, len(whole) // 2, len(whole) - 1):
        bad.write_bytes(whole[:length])
        with pytest.raises(backup.BadBackup):
            backup.verify(source.engines.settings, bad, None, quiet)
    bad.write_bytes(whole + b"\0")
    with pytest.raises(backup.BadBackup):
        backup.verify(source.engines.settings, bad, None, quiet)


def test_damaged_copies_of_keys_are_refused(source: Source, there: Settings, tmp_path: Path) -> None:
    whole = bytearray(source.keys.read_bytes())
    bad = tmp_path / "bad.keys"
    for place in (0, 15, len(whole) // 2, len(whole) - 1):
        whole[place] ^= 1
        bad.write_bytes(whole)
        whole[place] ^= 1
        assert refused(there, source.file, bad) in ("no_copy", "bad_copy")
    bad.write_bytes(whole[:-5])
    assert refused(there, source.file, bad) == "bad_copy"
    assert not (there.data / "postgres").exists()


def test_another_master_key_or_none_is_refused(source: Source, there: Settings) -> None:
    master = there.secrets_folder / "master"
    master.write_bytes(b"another master key, of 32 bytes.")
    assert refused(there, source.file, None) == "wrong_master_key"
    master.unlink()
    assert refused(there, source.file, None) == "no_secrets"
    assert not master.exists(), "a new one would open nothing"


def test_DEL_03_copies_of_keys_past_their_time_are_refused(source: Source, there: Settings, tmp_path: Path) -> None:
    vault = vault_of(source.engines.settings)
    known = read_copy(vault, source.keys)
    old = tmp_path / "old.keys"
    with old.open("wb") as file:
        write_copy(vault, Copy(now() - timedelta(days=KEY_COPY_DAYS, minutes=1), known.keys, known.marks), file)
    assert refused(there, source.file, old) == "keys_too_old"
    assert refused(there, source.file, None) == "no_keys"
    assert not (there.data / "postgres").exists()


def test_a_place_that_is_not_empty_is_refused(source: Source, there: Settings) -> None:
    assert refused(source.engines.settings, source.file, source.keys) == "not_empty"
    (there.data / "history" / "raw").mkdir(parents=True)
    (there.data / "history" / "raw" / "part.parquet").write_bytes(b"PAR1")
    assert refused(there, source.file, source.keys) == "not_empty"


def test_targets_of_a_backup_that_can_not_be_used_are_refused(source: Source, tmp_path: Path) -> None:
    settings = source.engines.settings
    for file, code in ((source.file, "exists"), (tmp_path / "none" / "x", "no_folder"), (settings.data / "x", "inside")):
        with pytest.raises(Invalid) as told:
            asyncio.run(backup.take(settings, file, tmp_path / "x.keys", quiet))
        assert told.value.code == code


def test_a_backup_of_newer_tables_is_refused_and_one_of_older_tables_is_brought_to_this_build(
    source: Source, there: Settings, tmp_path: Path
) -> None:
    newer, older = tmp_path / "newer", tmp_path / "older"
    recast(source.engines.settings, source.file, source.keys, newer, "9999", {"households"})
    assert refused(there, newer, source.keys) == "newer"
    # as a backup of the first build was: without the tables and columns that came since
    recast(source.engines.settings, source.file, source.keys, older, "0001", {"households", "organisations"})
    restored = asyncio.run(backup.restore(there, older, source.keys, quiet))
    assert restored.rows == 6
    engines = start_engines(there.data)
    try:
        assert not migrating.migrate_here(engines.settings), "it is at this build already"
        assert migrating.drift(engines.database_url) == []
    finally:
        engines.stop()


def test_nothing_starts_on_a_restore_that_did_not_end(engines: Engines) -> None:
    with engines.database() as address:
        migrating.begin_restore(address)
        with pytest.raises(Conflict, match="restored"):
            migrating.migrate(address, engines.secret)
        with pytest.raises(Conflict, match="not empty"):
            migrating.begin_restore(address)
        migrating.build(address, engines.secret)
        migrating.end_restore(address)
        assert not migrating.migrate(address, engines.secret)
