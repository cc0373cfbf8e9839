"""Downloads of measurements hold exactly what was sent, in any zone and over any span; sums agree with the readings."""

import asyncio
import io
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from lineset import telemetry
from lineset.kit.errors import Denied, Invalid, NotFound
from lineset.kit.storage import Storage
from lineset.telemetry import exports
from lineset.telemetry.exports import files as formats
from lineset.telemetry.history.closing import _move_boundary, close_day
from sqlalchemy import text

from tests.functional.devices.world import member
from tests.telemetry.exported import SETUP, close_days, live_in, made, moment, table_of, unzipped, wanted
from tests.telemetry.test_closing import DAY, TODAY, desk_of, fill
from tests.telemetry.world import Bench, just_now, message, other

pytestmark = pytest.mark.anyio
WORDS = {0: "off", 1: "heating", 2: "cooling"}


def read_csv(data: bytes, machine: UUID, zone: str) -> dict[float, tuple[float | None, float | None]]:
    """Room temperature and a counter by time, from the ZIP; the local times are checked on the way."""
    inside = unzipped(data)
    assert {"README.txt", "points.csv", "machines.csv"} < inside.keys()
    assert len(inside) == 4
    (listed,) = table_of(inside["machines.csv"].removeprefix(b"\xef\xbb\xbf"))
    assert listed["id"] == str(machine)
    rows = table_of(inside[listed["file"]])
    local = [datetime.fromisoformat(r["time_local"]) for r in rows]
    assert [t.utcoffset() for t in local] == [t.astimezone(ZoneInfo(zone)).utcoffset() for t in local]
    assert [moment(r["time_utc"]) for r in rows] == [t.timestamp() for t in local] == sorted({t.timestamp() for t in local})
    assert {r["operating_mode"] for r in rows if r["operating_mode"]} <= set(WORDS.values())
    return {moment(r["time_utc"]): (number(r["room_temperature [degC]"]), number(r["hot_water_volume [L]"])) for r in rows}


def read_parquet(data: bytes, machine: UUID) -> dict[float, tuple[float | None, float | None]]:
    """As `read_csv`, from the table."""
    table = pl.read_parquet(io.BytesIO(data))
    assert set(table["equipment"]) <= {str(machine)}
    assert table["time"].is_sorted()
    assert table["time"].is_unique().all()
    return {t.timestamp(): (room, litres) for t, room, litres in table.select("time", "room_temperature", "hot_water_volume").rows()}


def number(cell: str) -> float | None:
    return float(cell) if cell else None


async def test_TEL_03_downloads_hold_exactly_what_was_sent_over_any_span_in_any_zone(world: Bench, files: Storage) -> None:
    sent = await fill(world, range(1, 9), step_s=1_200, hot_water_volume=lambda t: t + 0.015625, operating_mode=lambda t: (t // 7_200) % 3)
    await close_days(world)
    machine, draw = world.machines["hp1"], random.Random(7)
    for zone in ("UTC", "America/New_York", "Australia/Adelaide", "Asia/Kathmandu"):
        await live_in(world, zone)
        start = TODAY - timedelta(seconds=draw.randrange(8 * 86_400))
        end = min(start + timedelta(seconds=draw.randrange(3_600, 8 * 86_400)), TODAY + DAY)
        mine = {t: v for t, v in sent.items() if start.timestamp() <= t < end.timestamp()}
        for format_ in ("csv", "parquet"):
            found, data = await made(world, files, wanted(start, end, format=format_, equipment=machine))
            shown = read_csv(data, machine, zone) if format_ == "csv" else read_parquet(data, machine)
            assert shown.keys() == mine.keys(), (zone, start, end)
            assert {t: room for t, (room, _) in shown.items()} == pytest.approx(mine, abs=1e-4)
            assert {t: litres for t, (_, litres) in shown.items()} == {t: t + 0.015625 for t in mine}
            assert found.rows == len(mine)


async def test_TEL_03_a_point_that_nobody_knows_and_a_late_frame_are_in_the_download(world: Bench, files: Storage) -> None:
    sent = await fill(world, range(4, 6), step_s=3_600)
    await close_days(world)
    late = min(sent) + 60.0
    await world.send(message(1, (late, "hp1", {"room_temperature": 33.25, "strange_thing": 4.5})))
    await world.send(message(2, (min(sent), "hp1", {"strange_thing": 1.25, "room_temperature": 5.0})))
    for closed in (False, True):
        if closed:
            await close_days(world)
        for format_ in ("csv", "parquet"):
            _, data = await made(world, files, wanted(TODAY - 9 * DAY, TODAY, format=format_, equipment=world.machines["hp1"]))
            if format_ == "parquet":
                table = pl.read_parquet(io.BytesIO(data))
                found = {t.timestamp(): (a, b) for t, a, b in table.select("time", "room_temperature", "strange_thing").rows()}
            else:
                rows = table_of(next(body for name, body in unzipped(data).items() if name.startswith("0001_")))
                found = {moment(r["time_utc"]): (number(r["room_temperature [degC]"]), number(r["strange_thing"])) for r in rows}
            assert len(found) == len(sent) + 1
            assert found[late] == (33.25, 4.5)
            first_room, first_strange = found[min(sent)]
            assert first_strange == 1.25
            assert first_room == pytest.approx(sent[min(sent)], abs=1e-4), "what was stored first stays"
            assert found[max(sent)][1] is None


def _fall_back() -> date:
    """The last day on which clocks went back in New York, at least four days ago."""
    zone, day = ZoneInfo("America/New_York"), datetime.now(UTC).date() - timedelta(days=4)
    while True:
        noon, before = (datetime(d.year, d.month, d.day, 12, tzinfo=zone) for d in (day, day - timedelta(days=1)))
        if noon.utcoffset() < before.utcoffset():  # type: ignore[operator]
            return day
        day -= timedelta(days=1)


async def test_TEL_03_sums_in_a_download_follow_the_sites_clock_when_it_is_set_back(world: Bench, files: Storage) -> None:
    await live_in(world, "America/New_York")
    day = _fall_back()
    ago = (TODAY.date() - day).days
    sent = await fill(world, range(ago - 2, ago + 3), operating_mode=lambda t: (t // 7_200) % 3)
    zone, machine = ZoneInfo("America/New_York"), world.machines["hp1"]
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, day + timedelta(days=2)))
    mine = [t for t in sent if start.timestamp() <= t < end.timestamp()]
    by_day = Counter(datetime.fromtimestamp(t, zone).date() for t in mine)
    by_hour = Counter(int(t // 3_600) for t in mine)
    for closed in (False, True):  # from the readings themselves, then as history keeps them
        if closed:
            await close_days(world)
        _, data = await made(world, files, wanted(start, end, detail="day", equipment=machine))
        rows = [r for r in table_of(unzipped(data)["0001_heat_pump_air_air.csv"]) if r["point"] == "room_temperature"]
        assert {datetime.fromisoformat(r["time_local"]).date(): int(r["count"]) for r in rows} == by_day
        assert by_day[day] == 25 * 6
        first = next(r for r in rows if datetime.fromisoformat(r["time_local"]).date() == day)
        values = [v for t, v in sent.items() if datetime.fromtimestamp(t, zone).date() == day]
        assert [float(first[n]) for n in ("low", "high")] == pytest.approx([min(values), max(values)], abs=1e-3)
        assert float(first["mean"]) == pytest.approx(sum(values) / len(values), abs=1e-3)
        assert float(first["seconds"]) == pytest.approx(25 * 3600)
        _, data = await made(world, files, wanted(start, end, detail="hour", format="parquet", equipment=machine))
        table = pl.read_parquet(io.BytesIO(data))
        hours = table.filter(pl.col("point") == "room_temperature")
        assert {int(t.timestamp() // 3600): n for t, n in hours.select("time", "count").rows()} == by_hour
        assert hours["unit"].unique().to_list() == ["degC"]
        modes = table.filter(pl.col("point") == "operating_mode")
        assert set(modes["state"].to_list()) == set(WORDS.values())
        assert modes["seconds"].sum() == pytest.approx(len(mine) * 600)


async def test_TEL_03_a_whole_home_comes_as_a_file_for_each_machine_or_one_table(world: Bench, files: Storage) -> None:
    heat = await fill(world, range(1, 4), step_s=3_600)
    water = await fill(world, range(2, 4), step_s=7_200, local="wh1", tank_top_temperature=lambda t: 50 + t % 7)
    async with world.door.open(SETUP) as tx:
        await tx.session.execute(text("UPDATE equipment SET name = '=1+1' WHERE id = :id"), {"id": world.machines["wh1"]})
    span = TODAY - 5 * DAY, TODAY
    found, data = await made(world, files, wanted(*span, site=world.house.site))
    inside = unzipped(data)
    assert found.machines == 2
    machines = table_of(inside["machines.csv"].removeprefix(b"\xef\xbb\xbf"))
    assert {m["machine"] for m in machines} == {"hp1", "'=1+1"}, "what people wrote never begins a formula"
    assert {m["id"]: len(table_of(inside[m["file"]])) for m in machines} == {
        str(world.machines["hp1"]): len(heat),
        str(world.machines["wh1"]): len(water),
    }
    points = {p["point"]: p for p in table_of(inside["points.csv"].removeprefix(b"\xef\xbb\xbf"))}
    assert points["tank_top_temperature"]["unit"] == "degC"
    assert b"time_local" in inside["README.txt"]
    _, data = await made(world, files, wanted(*span, format="parquet"))
    table = pl.read_parquet(io.BytesIO(data))
    assert dict(table.group_by("equipment").len().rows()) == {str(world.machines["hp1"]): len(heat), str(world.machines["wh1"]): len(water)}
    assert table.filter(pl.col("equipment") == str(world.machines["hp1"]))["tank_top_temperature"].null_count() == len(heat)
    told = pl.read_parquet_metadata(io.BytesIO(data))["lineset"]
    assert '"tank_top_temperature": {"unit": "degC"' in told
    assert str(world.machines["wh1"]) in told


async def test_TEL_03_a_few_days_of_one_machine_are_sent_at_once(world: Bench) -> None:
    sent = await fill(world, range(1, 7), step_s=1_800)
    await close_days(world)
    ask = wanted(TODAY - 6 * DAY, TODAY, equipment=world.machines["hp1"])
    async with world.door.open(world.house.acting) as tx:
        machine = await exports.machine_at_once(tx, ask)
    pieces = [piece async for piece in exports.csv_of(world.door, world.house.acting, machine, ask)]
    assert len(pieces) == 6, "a day at a time"
    rows = table_of(b"".join(pieces))
    assert {moment(r["time_utc"]): float(r["room_temperature [degC]"]) for r in rows} == pytest.approx(sent, abs=1e-4)
    async with world.door.open(world.house.acting) as tx:
        data = await exports.parquet_of(tx, machine, ask)
        with pytest.raises(Invalid, match="At most 7 days"):
            await exports.machine_at_once(tx, wanted(TODAY - 20 * DAY, TODAY, equipment=machine.id))
    table = pl.read_parquet(io.BytesIO(data))
    assert table.height == len(sent)
    async with world.door.open(other(uuid4())) as tx:
        with pytest.raises(NotFound):
            await exports.machine_at_once(tx, ask)


async def test_TEL_03_a_download_while_days_are_closed_has_each_reading_once(world: Bench) -> None:
    sent = await fill(world, range(1, 7), step_s=1_800)
    ask = wanted(TODAY - 6 * DAY, TODAY, equipment=world.machines["hp1"], format="parquet")
    async with world.door.open(world.house.acting) as tx:
        machine = await exports.machine_at_once(tx, ask)
    closing = asyncio.create_task(close_days(world))
    rounds = 0
    while not closing.done() or rounds < 3:
        async with world.door.open(world.house.acting) as tx:
            table = pl.read_parquet(io.BytesIO(await exports.parquet_of(tx, machine, ask)))
        assert [t.timestamp() for t in table["time"].to_list()] == sorted(sent)
        rounds += 1
    await closing
    assert world.rows("SELECT count(*) FROM history_files WHERE tier = 'raw'") == [(4,)]


async def test_TEL_05_sums_lack_nothing_while_a_day_is_being_closed(world: Bench, files: Storage) -> None:
    sent = await fill(world, range(3, 7), step_s=1_800)
    async with desk_of(world) as desk:
        await close_day(desk, TODAY.date() - 6 * DAY)
        await _move_boundary(desk, TODAY - 2 * DAY)  # as far as a closing comes before it dies
    async with world.door.open(world.house.acting) as tx:
        size = await exports.size(tx, wanted(TODAY - 7 * DAY, TODAY, equipment=world.machines["hp1"]))
    assert size.rows == pytest.approx(len(sent), abs=2)
    for detail in ("hour", "day"):
        _, data = await made(world, files, wanted(TODAY - 7 * DAY, TODAY, detail=detail, format="parquet", equipment=world.machines["hp1"]))
        assert pl.read_parquet(io.BytesIO(data))["count"].sum() == len(sent)


async def test_TEL_03_the_size_is_told_before(world: Bench) -> None:
    sent = await fill(world, range(1, 9))
    await close_days(world)
    async with world.door.open(world.house.acting) as tx:
        for start in (TODAY - 8 * DAY, TODAY - 5 * DAY):
            size = await exports.size(tx, wanted(start, TODAY, equipment=world.machines["hp1"]))
            assert size.rows == pytest.approx(sum(t >= start.timestamp() for t in sent), rel=0.02)
            assert (size.machines, size.bytes > 0) == (1, True)


def test_fractions_of_seconds_and_far_zones_are_written_out() -> None:
    times = [datetime(2026, 1, 1, 0, 0, 0, 250_000, UTC), datetime(2026, 7, 1, tzinfo=UTC)]
    frame = pl.DataFrame(
        {"time": times, "room_temperature": [1.5, None]}, schema={"time": pl.Datetime("us", "UTC"), "room_temperature": pl.Float32}
    )
    text_ = b"".join(formats.csv_text(frame, "Australia/Lord_Howe", "raw", head=True)).decode().splitlines()
    assert text_ == [
        "time_utc,time_local,room_temperature [degC]",
        "2026-01-01T00:00:00.250Z,2026-01-01T11:00:00.250+11:00,1.5",
        "2026-07-01T00:00:00Z,2026-07-01T10:30:00+10:30,",
    ]


async def test_RET_01_an_owner_chooses_how_long_single_readings_are_kept(world: Bench, files: Storage) -> None:
    sent = await fill(world, range(1, 50, 4), step_s=7_200)
    await close_days(world)
    household, acting = world.house.household, world.house.acting
    async with world.door.open(acting) as tx:
        assert await telemetry.keeping(tx, household) == 800
        await telemetry.choose_keeping(tx, household, 31)
    async with world.door.open(acting) as tx:
        assert await telemetry.keeping(tx, household) == 31
        jobs = text("SELECT args->>'household' FROM jobs.procrastinate_jobs WHERE task_name = 'telemetry.keep_less'")
        assert list((await tx.session.execute(jobs)).scalars()) == [str(household)]
    _, data = await made(world, files, wanted(TODAY - 60 * DAY, TODAY, format="parquet", equipment=world.machines["hp1"]))
    shown = {t.timestamp() for t in pl.read_parquet(io.BytesIO(data))["time"].to_list()}
    edge = just_now() - 31 * 86_400
    assert {t for t in sent if t > edge + 600} <= shown
    assert min(shown) > edge - 600, "what is older is hidden at once"
    _, data = await made(world, files, wanted(TODAY - 60 * DAY, TODAY, format="parquet", detail="day", equipment=world.machines["hp1"]))
    assert pl.read_parquet(io.BytesIO(data))["count"].sum() == len(sent), "sums stay"
    async with world.door.open(acting) as tx:
        await telemetry.choose_keeping(tx, household, 800)
        assert await telemetry.keeping(tx, household) == 800
        with pytest.raises(Invalid):
            await telemetry.choose_keeping(tx, household, 30)
    async with world.door.open(await member(world.door, household, "member")) as tx:
        with pytest.raises(Denied, match="Only an owner"):
            await telemetry.choose_keeping(tx, household, 31)
    async with world.door.open(other(uuid4())) as tx:
        with pytest.raises(NotFound):
            await telemetry.keeping(tx, household)
        with pytest.raises(NotFound):
            await telemetry.choose_keeping(tx, household, 31)
