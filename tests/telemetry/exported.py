"""What tests of downloads do again and again: ask for one, have it made, read what is in it."""

import csv
import io
import zipfile
from datetime import datetime
from pathlib import Path
from uuid import UUID

from lineset.kit.storage import Storage
from lineset.privacy import Context, Purpose, System
from lineset.telemetry import exports
from lineset.telemetry.exports import ending, work
from lineset.telemetry.history.closing import close_due
from sqlalchemy import text

from tests.telemetry.test_closing import TODAY, desk_of
from tests.telemetry.world import Bench

SETUP = Context(System("setup"), Purpose.OPERATE)
HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)


async def live_in(world: Bench, zone: str) -> None:
    """Move the site into another time zone."""
    async with world.door.open(SETUP) as tx:
        await tx.session.execute(text("UPDATE sites SET time_zone = :zone"), {"zone": zone})


async def close_days(world: Bench) -> None:
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())


async def asked(world: Bench, wanted: exports.Wanted, who: Context | None = None) -> UUID:
    async with world.door.open(who or world.house.acting) as tx:
        return await exports.ask(tx, wanted)


async def state(world: Bench, export: UUID, who: Context | None = None) -> exports.Export:
    async with world.door.open(who or world.house.acting) as tx:
        return await exports.get(tx, export)


async def made(world: Bench, files: Storage, wanted: exports.Wanted, who: Context | None = None) -> tuple[exports.Export, bytes]:
    """A download with its bytes, made without a break."""
    export = await asked(world, wanted, who)
    await work.work(world.door, files, export, turn_s=1e9)
    await ending.clean_up(world.door, files, export)
    async with world.door.open(who or world.house.acting) as tx:
        file = await exports.file_of(tx, export)
        found = await exports.get(tx, export)
    pieces = exports.stream(world.door, who or world.house.acting, files, file, 0, file.bytes)
    data = b"".join([piece async for piece in pieces])
    assert len(data) == file.bytes == found.bytes
    return found, data


def wanted(start: datetime, end: datetime, **more: object) -> exports.Wanted:
    if "format" in more:
        more["format_"] = more.pop("format")
    return exports.wanted_of(start, end, **more)  # type: ignore[arg-type]


def table_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def moment(cell: str) -> float:
    return datetime.fromisoformat(cell).timestamp()


def objects(files: Storage) -> list[Path]:
    assert files.folder is not None
    return [path for path in files.folder.rglob("*") if path.is_file()]
