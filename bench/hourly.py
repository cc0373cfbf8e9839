"""An hour of a fleet diagnosed through the database, as workers do it: `python -m bench.hourly [machines]`.

Machines of five types and four time zones, three at a site, with 18 points every 60 s, lie in a PostgreSQL of its own: readings in the hot
tables, two weeks of days, a memory each. Two processes take the lots of the hourly job in turn, each with the door, the roles and the
transactions of a worker. What is told is how long the hour takes from the first lot to the last commit, and where the time goes.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import structlog
from lineset import sites, telemetry
from lineset.diagnostics import following, jobs, keeping, ledger, population
from lineset.diagnostics.baseline import Memory
from lineset.diagnostics.cases import WINDOW_DAYS
from lineset.kit.database import make_engine
from lineset.kit.roles import APP, role_url
from lineset.kit.storage import Storage
from lineset.privacy import Context, Door, Purpose, System, Vault
from lineset.telemetry import copying  # the format itself, to bring rows in quickly

from bench.diagnosis_speed import TYPES, ZONES, samples_of
from bench.place import place
from tests.functional.devices.world import Keys
from tests.support.engines import Engines
from tests.telemetry.world import Bench, bench

MACHINES = 4_000
PROCESSES = 2
AT_A_SITE = 3
STEP_S = 60.0
LEAD_HOURS = 3
"""Hours of readings that there are before the hour that is diagnosed."""
SETUP = Context(System("setup"), Purpose.OPERATE)
IMPORT = Context(System("import"), Purpose.OPERATE)
GUARDED = ("sites", "equipment", "tenures", "slots", "machine_memories", "machine_days")
BUSY = ", processor"
STAGES: tuple[tuple[str, object, str], ...] = (
    ("which machines", population, "of_lots"),
    ("readings", following, "_samples"),
    ("what was known: days, memories, findings", ledger, "resumed"),
    ("features, days, detectors, learning", following, "_chunk"),
    ("days kept", keeping, "store"),
    ("memories and findings kept", ledger, "store"),
)


def copied(table: str, prototype: str, fresh: str, source: str) -> str:
    """SQL that adds rows to `table`, each the prototype with fresh values."""
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(p) || jsonb_build_object({fresh}))).*"  # noqa: S608
        f" FROM {source}, LATERAL (SELECT * FROM {table} WHERE {prototype}) AS p"
    )


async def make(made: Bench, count: int, hour: datetime) -> None:
    """Fill the database: `count` machines, readings of some hours until the end of `hour`, and what diagnosis knew at its start."""
    prototypes = []
    points = samples_of(1, STEP_S, 0).points
    for kind in TYPES:
        async with made.door.open(SETUP) as tx:
            new = sites.NewEquipment(name=kind, type=kind, local_name=kind, make="Arbelo", model="M1")
            prototypes.append(await sites.add_equipment(tx, made.house.site, new))
        async with made.door.open(IMPORT) as tx:
            one = {name: np.array([1.0]) for name in points}
            await telemetry.load(tx, prototypes[-1], np.array([(hour - timedelta(days=3)).timestamp()]), one, now=time.time())
    with psycopg.connect(made.owner_address) as owner:
        for table in GUARDED:
            owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        series = await asyncio.to_thread(_machines, owner, made, count, prototypes)
        slots = owner.execute("SELECT point, kind FROM slots WHERE equipment_id = %s ORDER BY slot", (prototypes[0],)).fetchall()
        await asyncio.to_thread(_readings, owner, series, slots, hour)
        await asyncio.to_thread(_known, owner, hour)
        for table in GUARDED:
            owner.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    with psycopg.connect(made.owner_address, autocommit=True) as owner:
        owner.execute("ANALYZE")


def _machines(owner: psycopg.Connection, made: Bench, count: int, prototypes: list[UUID]) -> list[int]:
    """Sites with machines of the types in turn; their series in order."""
    zones = "(ARRAY[" + ",".join(f"'{zone}'" for zone in ZONES) + "])"
    owner.execute(f"CREATE TEMP TABLE places AS SELECT n, gen_random_uuid() AS id FROM generate_series(0, {count // AT_A_SITE}) AS n")  # noqa: S608
    fresh = f"'id', w.id, 'time_zone', {zones}[w.n %% {len(ZONES)} + 1]"
    owner.execute(copied("sites", "id = %s", fresh, "places w"), (made.house.site,))
    owner.execute(
        "CREATE TEMP TABLE wanted AS SELECT g.n, gen_random_uuid() AS id, w.id AS site, (%s::uuid[])[g.n %% 5 + 1] AS like_"
        " FROM generate_series(0, %s) AS g(n) JOIN places w ON w.n = g.n / %s",
        (prototypes, count - 1, AT_A_SITE),
    )
    fresh = (
        "'id', w.id, 'site_id', w.site, 'local_name', 'm' || w.n, 'refrigerant', (ARRAY['R410A','R32'])[w.n % 2 + 1], 'capacity_w', 9000"
    )
    owner.execute(copied("equipment", "id = w.like_", fresh, "wanted w"))
    owner.execute(copied("slots", "equipment_id = w.like_", "'equipment_id', w.id", "wanted w"))
    owner.execute(
        "INSERT INTO tenures (equipment_id, household_id, starts_at)"
        " SELECT w.id, %s, now() - interval '90 days' FROM wanted w ORDER BY w.n",
        (made.house.household,),
    )
    # the prototypes are no part of the fleet
    owner.execute("UPDATE equipment SET retired_at = now() WHERE id = ANY(%s) OR local_name IN ('hp1', 'wh1')", (prototypes,))
    return [row[0] for row in owner.execute("SELECT series_id FROM tenures JOIN wanted w ON w.id = equipment_id ORDER BY w.n").fetchall()]


def _readings(owner: psycopg.Connection, series: list[int], slots: list[tuple[str, str]], hour: datetime) -> None:
    """The readings of the lead and of the hour, into the partitions of their days as fast as they go in."""
    for back in range(LEAD_HOURS, -1, -1):
        start = hour - timedelta(hours=back)
        samples = samples_of(len(series), STEP_S, back)
        day = f"{start:%Y%m%d}"
        owner.execute("SELECT access.ensure_day(%s)", (start.date(),))
        owner.execute(f"ALTER TABLE frames_{day} DISABLE ROW LEVEL SECURITY")
        t = start.timestamp() + samples.t - samples.t.min()
        real = np.column_stack([samples.points[point] for point, kind in slots if kind != "counter"])
        total = np.column_stack([samples.points[point] + 0.03 * (LEAD_HOURS - back) for point, kind in slots if kind == "counter"])
        number = np.array(series, np.int64)[samples.row_machine]
        with owner.cursor() as cursor, cursor.copy(f"COPY frames_{day} FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(copying.HEADER)
            for at in range(0, len(t), 50_000):
                part = slice(at, at + 50_000)
                copy.write(copying.rows(number[part], t[part], [real[part]], [total[part]]))
            copy.write(copying.TRAILER)
        owner.execute(f"ALTER TABLE frames_{day} ENABLE ROW LEVEL SECURITY")


def _known(owner: psycopg.Connection, hour: datetime) -> None:
    """A memory for each machine, which knows nothing yet and was diagnosed until one hour before `hour`."""
    state = Memory.empty(1).to_bytes()[0]
    owner.execute(
        "INSERT INTO machine_memories (series_id, equipment_id, household_id, state, through)"
        " SELECT n.series_id, n.equipment_id, n.household_id, %s, %s FROM tenures n JOIN wanted w ON w.id = n.equipment_id",
        (state, hour - timedelta(hours=1)),
    )


def _weeks(address: str) -> None:
    """The day that was diagnosed so far as each of the days before it, too."""
    with psycopg.connect(address) as owner:
        owner.execute("ALTER TABLE machine_days NO FORCE ROW LEVEL SECURITY")
        fresh = "'day', w.day - b"
        owner.execute(
            copied(
                "machine_days", "series_id = w.series_id AND day = w.day", fresh, f"machine_days w, generate_series(1, {WINDOW_DAYS - 1}) b"
            )
        )
        owner.execute("ALTER TABLE machine_days FORCE ROW LEVEL SECURITY")
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE machine_days")


def timed(spent: dict[str, float]) -> None:
    """Have each stage add its seconds to `spent`, and those of the processor, from here on in this process."""
    for name, module, attribute in STAGES:
        inner: Callable[..., Any] = getattr(module, attribute)

        def plain(*args: Any, inner: Callable[..., Any] = inner, name: str = name) -> Any:
            began = time.perf_counter(), time.process_time()
            try:
                return inner(*args)
            finally:
                _add(spent, name, began)

        async def waited(*args: Any, inner: Callable[..., Awaitable[Any]] = inner, name: str = name, **more: Any) -> Any:
            began = time.perf_counter(), time.process_time()
            try:
                return await inner(*args, **more)
            finally:
                _add(spent, name, began)

        setattr(module, attribute, waited if asyncio.iscoroutinefunction(inner) else plain)


def _add(spent: dict[str, float], name: str, began: tuple[float, float]) -> None:
    """The seconds since then; a worker does one thing at a time, so those of its processor are the stage's, threads and all."""
    for key, seconds in ((name, time.perf_counter() - began[0]), (f"{name}{BUSY}", time.process_time() - began[1])):
        spent[key] = spent.get(key, 0.0) + seconds


def database_s(address: str) -> float:
    """Processor seconds that the database has taken so far, of all its processes."""
    with psycopg.connect(address) as owner:
        keeper = _ticks(owner.info.backend_pid)[1]
    alive = [found for each in Path("/proc").glob("[0-9]*") if (found := _ticks(int(each.name)))[1] == keeper]
    return (sum(_ticks(keeper)[11:15]) + sum(sum(each[11:13]) for each in alive)) / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> list[int]:
    """The figures of /proc/…/stat after the state, which stands as 0; of a process that is gone only zeros."""
    try:
        told = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return [0] * 20
    return [0, *(int(n) for n in told.rpartition(")")[2].split()[1:20])]


def work(task: tuple[str, bytes, str, list[tuple[int, int]], datetime]) -> dict[str, float]:
    """One worker's share of the hour: seconds by stage, `hours` of readings, processor seconds."""
    address, secret, folder, mine, until = task
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    spent: dict[str, float] = {}
    timed(spent)

    async def run() -> int:
        engine = make_engine(role_url(address, secret, APP).render_as_string(hide_password=False))
        door = Door(engine, Vault(Keys(), b"k" * 32), None, Storage(f"file://{folder}"))
        try:
            return sum([await jobs.follow_lots(door, range(first, last + 1), until) for first, last in mine])
        finally:
            await engine.dispose()

    busy = time.process_time()
    spent["hours"] = float(asyncio.run(run()))
    return {**spent, "processor": time.process_time() - busy}


def hour_of(pool: ProcessPoolExecutor, address: str, secret: bytes, folder: str, count: int, until: datetime) -> dict[str, float]:
    """All lots of one hour on the processes of the pool; seconds from the first to the last, and by stage over all processes."""
    lots = jobs.shares(count)
    began, database = time.perf_counter(), database_s(address)
    found: dict[str, float] = {}
    tasks = [(address, secret, folder, lots[n::PROCESSES], until) for n in range(PROCESSES)]
    for result in pool.map(work, tasks):
        for name, seconds in result.items():
            found[name] = found.get(name, 0.0) + seconds
    return {**found, "seconds": time.perf_counter() - began, "database": database_s(address) - database}


def run(count: int = MACHINES) -> dict[str, float]:
    """Engines of its own; seconds of an hour by stage."""
    hour = datetime.now(UTC).replace(hour=20, minute=0, second=0, microsecond=0) - timedelta(days=1)
    with place() as at:
        history = str(at.history)
        asyncio.run(_filled(at.engines, at.address, history, count, hour))
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("fork")) as pool:
            hour_of(pool, at.address, at.engines.secret, history, count, hour)
        _weeks(at.address)
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("fork")) as pool:
            list(pool.map(_warm, range(PROCESSES)))
            return hour_of(pool, at.address, at.engines.secret, history, count, hour + timedelta(hours=1))


def _warm(_: int) -> None:
    """Load what a worker has loaded after its first job."""
    from lineset.telemetry.history import fleet  # noqa: F401, PLC0415 - that is what it does

    time.sleep(0.5)  # so that each process of the pool gets one


async def _filled(engines: Engines, address: str, folder: str, count: int, hour: datetime) -> None:
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(bench(address, engines.secret, Storage(f"file://{folder}")))
        await make(made, count, hour)


def table(found: dict[str, float], count: int) -> str:
    """The figures of `run(count)` as a table."""
    rows = [
        f"| the hour of {count:,} machines with 18 points every {STEP_S:.0f} s, from PostgreSQL and back, {PROCESSES} worker processes"
        " beside the database | |",
        "|---|---|",
        f"| from the first lot to the last commit | {found['seconds']:.1f} s |",
        f"| processor time of the workers; of the database | {found['processor']:.1f} s; {found['database']:.1f} s |",
        *(f"| of the workers' processor time: {name} | {found[name + BUSY]:.1f} s |" for name, *_ in STAGES),
        f"| 100,000 machines, scaled from that and not measured | {found['seconds'] * 100_000 / count:,.0f} s |",
        f"| processor time of all on 100,000 machines, scaled too | {(found['processor'] + found['database']) * 100_000 / count:,.0f} s |",
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MACHINES
    print(table(run(count), count))


if __name__ == "__main__":
    main()
