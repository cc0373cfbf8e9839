"""Downloads of measurements: exactly what was sent, in any zone and over any span, made by jobs that can die at any point."""

import asyncio
import csv
import io
import random
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from lineset import telemetry
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound, TooMany
from lineset.kit.ids import new_id
from lineset.kit.storage import Storage
from lineset.privacy import Context, Person, Purpose, System
from lineset.telemetry import exports
from lineset.telemetry.exports import ending, store, work
from lineset.telemetry.exports.words import TELL_AFTER_S, mail_kinds, mail_words
from lineset.telemetry.history.closing import close_due
from lineset.telemetry.model_exports import FILE_DAYS
from sqlalchemy import text

from tests.functional.devices.world import technician
from tests.telemetry.test_closing import DAY, IMPORT, TODAY, desk_of, fill
from tests.telemetry.world import Bench, just_now, message, other

SETUP = Context(System("setup"), Purpose.OPERATE)
HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
pytestmark = pytest.mark.anyio


@pytest.fixture
def files(tmp_path: Path) -> Storage:
    folder = tmp_path / "exports"
    folder.mkdir()
    return Storage(f"file://{folder}")


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


async def test_TEL_03_downloads_hold_exactly_what_was_sent_over_any_span_in_any_zone(world: Bench, files: Storage) -> None:
    sent = await fill(world, range(1, 9), step_s=1_200, energy_consumed=lambda t: t / 100.0, operating_mode=lambda t: (t // 7_200) % 3)
    await world.send(message(1, (just_now() - 30, "hp1", {"strange_thing": 4.5})))
    await close_days(world)
    machine, draw = world.machines["hp1"], random.Random(7)
    words = {0: "off", 1: "heating", 2: "cooling"}
    for zone in ("UTC", "America/New_York", "Australia/Adelaide", "Asia/Kathmandu"):
        await live_in(world, zone)
        start = TODAY - timedelta(seconds=draw.randrange(8 * 86_400))
        end = min(start + timedelta(seconds=draw.randrange(3_600, 8 * 86_400)), TODAY + DAY)
        mine = {t: v for t, v in sent.items() if start.timestamp() <= t < end.timestamp()}
        for format_ in ("csv", "parquet"):
            found, data = await made(world, files, wanted(start, end, format_=format_, equipment=machine))
            if format_ == "csv":
                inside = unzipped(data)
                assert {"README.txt", "points.csv", "machines.csv"} < inside.keys() and len(inside) == 4
                rows = table_of(next(body for name, body in inside.items() if name.endswith("heat_pump_air_air.csv")))
                shown = {moment(r["time_utc"]): float(r["room_temperature [degC]"]) for r in rows if r["room_temperature [degC]"]}
                local = [datetime.fromisoformat(r["time_local"]) for r in rows]
                assert [t.utcoffset() for t in local] == [t.astimezone(ZoneInfo(zone)).utcoffset() for t in local]
                assert all(moment(r["time_utc"]) == moment(r["time_local"]) for r in rows)
                assert {r["operating_mode"] for r in rows if r["operating_mode"]} <= set(words.values())
            else:
                table = pl.read_parquet(io.BytesIO(data))
                assert table["equipment"].unique().to_list() in ([str(machine)], [])
                rows = table.to_dicts()
                shown = {r["time"].timestamp(): r["room_temperature"] for r in rows if r["room_temperature"] is not None}
                assert {r["time"].timestamp(): r["energy_consumed"] for r in rows if r["energy_consumed"]} == {t: t / 100 for t in mine}
            times = [moment(r["time_utc"]) if format_ == "csv" else r["time"].timestamp() for r in rows]
            assert times == sorted(set(times)), "each moment once, in order"
            assert shown.keys() == mine.keys(), (zone, start, end)
            assert all(abs(shown[t] - mine[t]) < 1e-4 for t in mine)
            assert found.rows == len(rows)
