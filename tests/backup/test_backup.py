"""A backup is whole, names nobody, ends with each one's key, and comes back without what was erased since."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import msgspec
import polars as pl
import pytest
from lineset import backup, platform
from lineset.backup.keys import Ring, read_copy, vault_of
from lineset.backup.sealing import Reader
from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.kit.settings import Settings
from lineset.kit.tombstones import Tombstones
from lineset.privacy import Context, Person, Purpose, Target
from lineset.privacy.erasure.scope import gather
from lineset.probing.canary import canary
from lineset.probing.run import probe

from tests.backup.conftest import Source, quiet
from tests.backup.world import HISTORY, Lived, counts, elsewhere, pairs, seen
from tests.support.engines import start_engines

MEANWHILE = {"zones"}


@pytest.fixture(scope="module")
def after(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of the keys that was made after one home and its owner, and another home's machine, were erased."""
    path = tmp_path_factory.mktemp("after") / "later.keys"

    async def erase() -> None:
        async with platform.open_platform(source.engines.settings, "test") as here:
            for subject in (source.gone.home.household, source.gone.home.owner):
                await here.vault.destroy(subject)
            machine = Target("machine", source.half.machine)
            async with here.door.open(Context(Person(source.half.home.owner), Purpose.RIGHTS)) as tx:
                scope = await gather(tx, machine)
            told = {"kind": "machine", "target": machine.id, "at": now() - timedelta(hours=1), "scope": scope}
            await Tombstones(here.bus).put(str(new_id()), msgspec.json.encode(told))
        await backup.take_keys(source.engines.settings, path)

    asyncio.run(erase())
    return path


def readable(source: Source, keys: Path) -> Iterator[bytes]:
    """Everything in the backup that those keys open, as text."""
    vault = vault_of(source.engines.settings)
    with source.file.open("rb") as file:
        reader = Reader.of(file, source.file)
        ring = Ring(vault, reader.header.salt, read_copy(vault, keys).keys)
        list(reader.verify(ring.own))
        assert reader.contents is not None
        for section in reader.contents.sections:
            for chunk in reader.chunks(section):
                subject = None if chunk.label is None else ring.whose(chunk.label)
                key = ring.own if chunk.label is None else None if subject is None else ring.of(subject)
                if key is not None:
                    data = chunk.opened(key)
                    yield data if section.packed else repr(pl.read_parquet(BytesIO(data)).to_dict(as_series=False)).encode()


def traces(source: Source, keys: Path, one: Lived) -> int:
    """In how many chunks something of that home can be read: what its people wrote, and its ids in rows that are somebody's."""
    return sum(one.secret.encode() in data for data in readable(source, keys))


def test_DEL_03_a_restored_backup_has_every_row_and_every_reading(source: Source, tmp_path: Path) -> None:
    there = elsewhere(source.engines.settings, tmp_path / "data")
    restored = asyncio.run(backup.restore(there, source.file, source.keys, quiet))
    assert (len(restored.subjects), len(restored.gone), restored.dropped) == (source.taken.subjects, 0, 0)
    engines = start_engines(there.data)
    try:
        found = counts(engines.settings)
        assert {n: c for n, c in found.items() if n not in MEANWHILE} == {n: c for n, c in source.counts.items() if n not in MEANWHILE}
        mine, theirs = pairs(engines.settings, source.gone), pairs(engines.settings, source.stays)
        assert mine == theirs, "what was written in one transaction while the backup ran is there whole or not at all"
        for one in (source.gone, source.stays):
            assert asyncio.run(seen(engines.settings, one)) == one.sent
        asyncio.run(_numbers_go_on(engines.settings))
    finally:
        engines.stop()


async def _numbers_go_on(settings: Settings) -> None:
    """What comes now gets numbers that nothing has ever had."""
    async with platform.open_platform(settings, "test") as here, here.door.open(HISTORY) as tx:
        from sqlalchemy import text  # noqa: PLC0415 - one question

        last = await tx.session.scalar(text("SELECT max(series_id) FROM tenures"))
        given = await tx.session.scalar(text("SELECT last_value FROM pg_sequences WHERE sequencename = 'tenures_series_id_seq'"))
        assert last == given or given is None


def test_DEL_03_a_destroyed_key_makes_its_part_of_every_backup_unreadable(source: Source, after: Path) -> None:
    assert traces(source, source.keys, source.gone) >= 3, "found before: machine, points of hot and of closed days"
    assert traces(source, after, source.gone) == 0
    assert traces(source, after, source.stays) == traces(source, source.keys, source.stays) >= 3
    whole = source.file.read_bytes()
    for subject in (source.gone.home.household, source.gone.home.owner, source.stays.home.household):
        assert subject.bytes not in whole
        assert str(subject).encode() not in whole
    assert source.stays.secret.encode() not in whole


def test_DEL_03_what_was_erased_since_does_not_come_back(source: Source, after: Path, tmp_path: Path) -> None:
    there = elsewhere(source.engines.settings, tmp_path / "data")
    restored = asyncio.run(backup.restore(there, source.file, after, quiet))
    assert (len(restored.gone), restored.erased) == (2, 1)
    assert len(restored.subjects) == source.taken.subjects - 2
    engines = start_engines(there.data)
    try:
        assert asyncio.run(seen(engines.settings, source.stays)) == source.stays.sent
        found = probe(engines.settings, [canary(one.secret) for one in (source.gone, source.half, source.stays)])
        assert found.places[:2] == [{}, {}]
        assert {"hot", "history"} <= set(found.places[2])
        rows = counts(engines.settings)
        assert [rows[n] for n in ("households", "sites", "household_members")] == [2] * 3
        assert [rows[n] for n in ("equipment", "tenures", "latest")] == [1] * 3
    finally:
        engines.stop()


def test_a_check_opens_what_the_keys_open(source: Source, after: Path) -> None:
    settings = source.engines.settings
    everything, less = (backup.verify(settings, source.file, keys, quiet) for keys in (source.keys, after))
    assert everything.opened == everything.chunks > less.opened > backup.verify(settings, source.file, None, quiet).opened > 0
    assert everything.rows == source.taken.rows


def test_what_is_left_out_of_a_backup_says_why() -> None:
    from lineset import schema  # noqa: PLC0415 - one question

    left_out = {name: table.backup for name, table in schema.register().tables.items() if table.backup is not True}
    assert {"sessions", "one_time_tokens", "mails", "exports"} <= set(left_out)
    assert all(isinstance(why, str) and len(why) > 10 for why in left_out.values()), left_out
