"""History of 1,000 machines: a day closed, a year kept, charts, a sum over the fleet, and one account erased while others look on.

One-minute readings of 20 points. The day that is closed goes the whole way for all machines: rows in PostgreSQL, files, hourly and daily
sums. So does the year of the sixteen machines that share files with the one that is charted and erased. The rest of the year's files (the
other machines') are written with a reading each quarter of an hour and not summed up: they are there so that manifest, log and folders
are as long as they would be.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from uuid import UUID

import numpy as np
import polars as pl
import psycopg
from lineset import sites, telemetry
from lineset.kit.background import work_in_background
from lineset.kit.database import make_engine
from lineset.kit.roles import APP, role_url
from lineset.kit.storage import Storage
from lineset.privacy import Context, Door, Purpose, System, Vault
from lineset.telemetry import copying  # the format itself, to bring rows in quickly
from lineset.telemetry.history import erasing, reading
from lineset.telemetry.history.closing import close_day
from lineset.telemetry.history.columns import raw_schema
from lineset.telemetry.history.desk import Desk, modulus_for
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import HISTORY, Change, Part, all_parts, exclusive, parts
from lineset.telemetry.history.summing import sum_up
from lineset.telemetry.model import RAW_DAYS
from lineset.telemetry.series import downsample

from bench.place import place
from tests.functional.devices.world import Keys
from tests.support.engines import Engines
from tests.telemetry.world import Bench, bench

MACHINES = 1000
DAYS = 365
POINTS = (
    *("electric_power", "outdoor_temperature", "room_temperature", "room_humidity", "supply_air_temperature", "return_air_temperature"),
    *("suction_line_temperature", "liquid_line_temperature", "discharge_line_temperature", "suction_line_pressure"),
    *("outlet_water_temperature", "inlet_water_temperature", "water_flow_rate", "compressor_speed", "heating_setpoint"),
    *("operating_mode", "electric_energy", "run_time", "tank_top_temperature", "tank_bottom_temperature"),
)
IMPORT = Context(System("import"), Purpose.OPERATE)
SETUP = Context(System("setup"), Purpose.OPERATE)
NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass
class World:
    """A migrated database with a thousand machines; `series` by machine."""

    bench: Bench
    machines: list[UUID]
    series: list[int]
    slots: list[tuple[str, str, int]]


def readings(series: list[int], start: datetime, days: int, step_s: int, seed: int) -> pl.DataFrame:
    """Believable readings: slow swings, noise at the resolution of sensors, a machine that cycles, counters that rise."""
    rng = np.random.default_rng(seed)
    n = days * 86_400 // step_s
    t = start.timestamp() + np.arange(n) * step_s
    hour = t / 3600
    parts = []
    for s in series:
        runs = (np.sin(hour * (2 + s % 3) + s) > 0.2).astype(np.float64)
        outdoor = 8 + 7 * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 0.1, n).cumsum() * 0.02
        swing = {name: outdoor * 0.2 + 20 + k + 12 * runs * np.sin(k) + rng.normal(0, 0.08, n) for k, name in enumerate(POINTS)}
        columns = {name: np.round(values, 1) for name, values in swing.items()}
        columns["electric_power"] = np.round(runs * (1800 + 15 * outdoor) + rng.normal(0, 4, n)).clip(0)
        columns["outdoor_temperature"] = np.round(outdoor, 1)
        columns["operating_mode"], columns["heating_setpoint"] = runs, np.full(n, 21.0)
        columns["electric_energy"] = np.round(np.cumsum(columns["electric_power"]) * step_s / 3.6e6, 3)
        columns["run_time"] = np.cumsum(runs) * step_s
        data = {"series": np.full(n, s), "t": (t * 1e6).astype(np.int64), **columns}
        parts.append(pl.DataFrame(data))
    schema = raw_schema(POINTS)
    return pl.concat(parts).select(pl.col(name).cast(kind) for name, kind in schema.items())


async def make(address: str, secret: bytes, storage: Storage, stack: AsyncExitStack) -> World:
    """The machines, all of one household for the sake of a short set-up; what is charted and erased is one of them."""
    made = await stack.enter_async_context(bench(address, secret, storage))
    machines = []
    async with made.door.open(SETUP) as tx:
        for n in range(MACHINES):
            new = sites.NewEquipment(name=f"M{n}", type="heat_pump_air_water", local_name=f"m{n}")
            machines.append(await sites.add_equipment(tx, made.house.site, new))
    async with made.door.open(IMPORT) as tx:
        columns = {name: np.array([1.0]) for name in POINTS}
        await telemetry.load(tx, machines[0], np.array([NOW.timestamp()]), columns, now=time.time())
    with psycopg.connect(address) as owner:
        owner.execute("ALTER TABLE slots NO FORCE ROW LEVEL SECURITY")
        owner.execute("ALTER TABLE tenures NO FORCE ROW LEVEL SECURITY")
        owner.execute(
            "INSERT INTO slots (equipment_id, point, kind, slot, known, first_seen_at)"
            " SELECT e.id, s.point, s.kind, s.slot, s.known, s.first_seen_at FROM unnest(%s::uuid[]) AS e(id), slots s"
            " WHERE s.equipment_id = %s",
            (machines[1:], machines[0]),
        )
        series: dict[UUID, int] = dict(owner.execute("SELECT equipment_id, series_id FROM tenures").fetchall())
        rows = owner.execute("SELECT point, kind, slot FROM slots WHERE equipment_id = %s ORDER BY slot", (machines[0],)).fetchall()
        owner.execute("ALTER TABLE slots FORCE ROW LEVEL SECURITY")
        owner.execute("ALTER TABLE tenures FORCE ROW LEVEL SECURITY")
    return World(made, machines, [series[m] for m in machines], rows)


def to_hot(world: World, address: str, frame: pl.DataFrame, day: date) -> float:
    """Bring readings into the partition of their day as the owner, whose way in is not what is measured; seconds."""
    real = [point for point, kind, _ in world.slots if kind != "counter"]
    total = [point for point, kind, _ in world.slots if kind == "counter"]
    name = f"frames_{day:%Y%m%d}"
    began = time.perf_counter()
    with psycopg.connect(address) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT access.ensure_day(%s)", (day,))
        cursor.execute(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
        with cursor.copy(f"COPY {name} FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(copying.HEADER)
            for piece in frame.iter_slices(50_000):
                t = piece["t"].dt.epoch("us").to_numpy() / 1e6
                reals = piece.select(pl.col(real).cast(pl.Float64)).to_numpy()
                copy.write(copying.rows(piece["series"].to_numpy().astype(np.int64), t, [reals], [piece.select(total).to_numpy()]))
            copy.write(copying.TRAILER)
        cursor.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    return time.perf_counter() - began


async def year(desk: Desk, world: World) -> dict[str, float]:
    """The year before the closed day: the charted machine's bucket in full, the others' files as ballast."""
    modulus = modulus_for([], MACHINES)
    mine = world.series[0] % modulus
    first = NOW - timedelta(days=DAYS + 3)
    bucket = [s for s in world.series if s % modulus == mine]
    found = dict.fromkeys(("rows", "bytes", "write_s", "sum_s"), 0.0)
    for begin in range(0, DAYS, 30):
        start, days = first + timedelta(days=begin), min(30, DAYS - begin)
        whole = await asyncio.to_thread(readings, bucket, start, days, 60, begin)
        change = Change(desk.door)
        began = time.perf_counter()
        for n in range(days):
            day = start + timedelta(days=n)
            rows = whole.filter(pl.col("t").is_between(day, day + timedelta(days=1), closed="left"))
            part = await write_raw(desk, rows, day.date(), modulus, mine)
            change.swap([], [part])
            found["rows"] += part.rows
            found["bytes"] += part.bytes
        found["write_s"] += time.perf_counter() - began
        began = time.perf_counter()
        await sum_up(desk, change, bucket, start.date(), (start + timedelta(days=days - 1)).date(), MACHINES)
        found["sum_s"] += time.perf_counter() - began
        await desk.commit(change)
    others = [s for s in world.series if s % modulus != mine]
    ballast = await asyncio.to_thread(readings, others, first, 1, 900, 7)
    change = Change(desk.door)
    for n in range(DAYS):
        moved = ballast.with_columns(pl.col("t") + timedelta(days=n), (pl.col("series") % modulus).alias("bucket"))
        for rows in moved.partition_by("bucket"):
            part = await write_raw(desk, rows.drop("bucket"), (first + timedelta(days=n)).date(), modulus, rows["bucket"][0])
            change.swap([], [part])
    await desk.commit(change)
    return found


async def write_raw(desk: Desk, rows: pl.DataFrame, day: date, modulus: int, remainder: int) -> Part:
    """One file of raw readings."""
    where = {"period": day, "keep_days": RAW_DAYS, "modulus": modulus, "remainder": remainder}
    return await asyncio.to_thread(lambda: desk.lake.write("raw", rows, **where))  # type: ignore[arg-type]


async def latencies(ask: Callable[[], Awaitable[object]], times: int) -> tuple[float, float]:
    """Milliseconds of one question asked again and again: median and 95th percentile."""
    await ask()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took), statistics.quantiles(took, n=20)[18]


async def chart(world: World, machine: UUID, days: float, end: datetime) -> None:
    """What a page asks for its chart, from the door on."""
    async with world.bench.door.open(world.bench.house.acting) as tx:
        await telemetry.series(tx, machine, ["room_temperature", "electric_power"], end - timedelta(days=days), end, 400)


async def plain(desk: Desk, series: int, days: float, end: datetime) -> None:
    """The same question to the Parquet files alone: read all readings of the span, two extremes a bucket."""
    start = end - timedelta(days=days)
    async with desk.door.open(HISTORY) as tx:
        files = await parts(tx, "raw", start.date(), end.date(), [series])

    def work() -> None:
        found = reading.raw(desk.lake.storage, files, [series], ["room_temperature", "electric_power"], start, end)
        downsample(found.t, found.values, start.timestamp(), end.timestamp(), 400)

    await asyncio.to_thread(work)


async def others_while(world: World, machine: UUID, stop: asyncio.Event) -> list[float]:
    """How long another machine's chart of a day takes, in ms, over and over until stopped."""
    took = []
    while not stop.is_set():
        began = time.perf_counter()
        await chart(world, machine, 1, NOW)
        took.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.05)
    return took


async def erase_one(world: World, task: tuple[str, bytes, str, int]) -> dict[str, float]:
    """Erase the charted machine in a process of its own, as a worker does it, while others look at theirs; seconds, and others' charts
    before and during."""
    other = world.machines[1]
    quiet = asyncio.Event()
    os.environ["POLARS_MAX_THREADS"] = str(max(1, (os.cpu_count() or 2) // 2))  # in the new process, as the worker role has it
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, _ready)
        watching = asyncio.create_task(others_while(world, other, quiet))
        await asyncio.sleep(10)
        quiet.set()
        before = await watching
        stop = asyncio.Event()
        watching = asyncio.create_task(others_while(world, other, stop))
        took = await asyncio.get_running_loop().run_in_executor(pool, _erase, task)
        stop.set()
        during = await watching
    return {
        "seconds": took,
        "before_ms": statistics.median(before),
        "before_max_ms": max(before),
        "during_ms": statistics.median(during),
        "during_max_ms": max(during),
    }


def _ready() -> int:
    """The process, once it has loaded what it needs."""
    return os.getpid()


def _erase(task: tuple[str, bytes, str, int]) -> float:
    """The erasure as a worker does it; seconds."""
    address, secret, folder, series = task

    async def run() -> float:
        work_in_background(asyncio.get_running_loop())
        store = Storage(folder)
        engine = make_engine(role_url(address, secret, APP).render_as_string(hide_password=False))
        try:
            async with exclusive(engine) as holder:
                assert holder is not None
                began = time.perf_counter()
                await erasing.erase(Desk(Door(engine, Vault(Keys(), b"k" * 32), None, store), Lake(store), holder), [series], set())
                return time.perf_counter() - began
        finally:
            await engine.dispose()

    return asyncio.run(run())


def sql_erasure(world: World, address: str) -> float:
    """Hand-written SQL on a plain table with the same machine-years as the rewritten files, a reading each five minutes: seconds."""
    modulus = modulus_for([], MACHINES)
    bucket = [s for s in world.series if s % modulus == world.series[0] % modulus]
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("CREATE TABLE plain (series_id integer, t timestamptz, reals real[], PRIMARY KEY (series_id, t))")
        owner.execute(
            "INSERT INTO plain SELECT s, t, ARRAY(SELECT (20 + random())::real FROM generate_series(1, 20))"
            " FROM unnest(%s::int[]) AS s, generate_series(now() - interval '365 days', now(), interval '5 minutes') AS t",
            (bucket,),
        )
        began = time.perf_counter()
        owner.execute("DELETE FROM plain WHERE series_id = %s", (world.series[0],))
        owner.execute("VACUUM FULL plain")
        owner.execute("CHECKPOINT")
        took = time.perf_counter() - began
        owner.execute("DROP TABLE plain")
    return took


async def measure(engines: Engines, address: str, storage: Storage) -> dict[str, float]:
    """All of it; figures by name."""
    found: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        world = await make(address, engines.secret, storage, stack)
        closing_day = (NOW - timedelta(days=3)).date()
        for ago, step in ((3, 60), (1, 60), (2, 300)):
            day = NOW - timedelta(days=ago)
            frame = await asyncio.to_thread(readings, world.series, day, 1, step, ago)
            copied = await asyncio.to_thread(to_hot, world, address, frame, day.date())
            if ago == 3:
                found["hot_rows"], found["copy_s"] = frame.height, copied
        with psycopg.connect(address, autocommit=True) as owner:
            name = f"frames_{closing_day:%Y%m%d}"
            found["hot_bytes"] = float(owner.execute("SELECT pg_total_relation_size(%s)", (name,)).fetchone()[0])  # type: ignore[index]
        changing = await stack.enter_async_context(AsyncExitStack())
        holder = await changing.enter_async_context(exclusive(world.bench.engine))
        assert holder is not None
        desk = Desk(world.bench.door, Lake(storage), holder)
        began = time.perf_counter()
        await close_day(desk, closing_day)
        found["close_s"] = time.perf_counter() - began
        async with desk.door.open(HISTORY) as tx:
            for tier in ("raw", "hour", "day"):
                found[f"{tier}_bytes"] = float(sum(p.bytes for p in await all_parts(tx, tier)))
        found |= {f"year_{name}": value for name, value in (await year(desk, world)).items()}
        began = time.perf_counter()
        await desk.tidy()
        found["publish_s"] = time.perf_counter() - began
        async with desk.door.open(HISTORY) as tx:
            found["files"] = float(len(await all_parts(tx, "raw")))
        machine, end, ended = world.machines[0], NOW, NOW - timedelta(days=2)
        for label, days, times in (("24h", 1.0, 60), ("30d", 30.0, 40), ("1y", 365.0, 40)):
            found[f"chart_{label}_p50"], found[f"chart_{label}_p95"] = await latencies(lambda d=days: chart(world, machine, d, end), times)  # type: ignore[misc]
            few = 5 if days > 100 else 20
            found[f"plain_{label}_p50"], found[f"plain_{label}_p95"] = await latencies(
                lambda d=days: plain(desk, world.series[0], d, ended),  # type: ignore[misc]
                few,
            )
        began = time.perf_counter()
        async with desk.door.open(HISTORY) as tx:
            start = datetime.combine(closing_day, datetime.min.time(), UTC)
            lazy = await reading.scan(tx, ["room_temperature"], start, start + timedelta(days=1))
            found["fleet_rows"] = float(
                await asyncio.to_thread(lambda: lazy.group_by("series").agg(pl.col("room_temperature").mean()).collect().height)
            )
        found["fleet_s"] = time.perf_counter() - began
        await changing.aclose()
        task = address, engines.secret, storage.url, world.series[0]
        found |= {f"erase_{name}": value for name, value in (await erase_one(world, task)).items()}
        found["sql_erase_s"] = await asyncio.to_thread(sql_erasure, world, address)
    return found


def run() -> dict[str, float]:
    """Engines of its own, a folder of its own; figures by name."""
    with place() as at:
        return asyncio.run(measure(at.engines, at.address, Storage(f"file://{at.history}")))
