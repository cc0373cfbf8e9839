"""What privacy costs: GDPRbench's workloads beside plain PostgreSQL (`privacy_workloads`), the door and the log on a point read, and a copy
and an erasure of somebody with a year of readings, done by a worker in a process of its own while others look at theirs."""

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from alembic.script import ScriptDirectory
from lineset import migrating, platform, telemetry
from lineset.kit.addresses import database_secret, owner_url
from lineset.kit.database import make_engine
from lineset.kit.ids import new_id
from lineset.kit.storage import storage
from lineset.privacy import Context, Person, Purpose, System, Target, ask_erasure, list_erasures
from lineset.privacy.exporting.service import ask_export, list_exports_of
from lineset.telemetry.history.desk import Desk
from lineset.telemetry.history.jobs import ROUTES_LIVE_S
from lineset.telemetry.history.lake import Lake
from lineset.telemetry.history.manifest import Change, exclusive
from lineset.telemetry.history.summing import sum_up
from psycopg.types.json import Jsonb
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.history import POINTS, readings, write_raw
from bench.privacy_workloads import EACH, PEOPLE, VALUE, ZIPF, Operation, Ours, Plain, World, mixes
from tests.support.fleet import Rig, rig

OPERATIONS = 1_000
ROUTES_S = ROUTES_LIVE_S
"""For so long an erasure waits for processes that may still know a route to what is erased."""
BUCKET = 16
"""Machines with a year of readings, which share files with the one that is copied and erased."""
STEP_S, DAYS = 300, 365
_NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
_IMPORT = Context(System("import"), Purpose.OPERATE)
_PATIENCE_S = 240.0
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Filling:
    """Rows by table: columns, and for each row its values, with those of `sealed` columns in the clear."""

    table: str
    columns: tuple[str, ...]
    rows: list[Row]
    sealed: dict[int, int]  # place of a column -> place of the subject's id


def fillings() -> tuple[World, list[Filling]]:
    """Everybody, as rows."""
    people, households, sites, machines = ([new_id() for _ in range(PEOPLE)] for _ in range(4))
    technician, company = new_id(), new_id()
    records = {new_id(): n // EACH for n in range(PEOPLE * EACH)}
    world = World(people, households, machines, technician, records, list(records))
    world.weights = list(accumulate(1 / (n + 1) ** ZIPF for n in range(PEOPLE)))
    at = _NOW - timedelta(days=400)

    def person(id_: UUID) -> Row:
        return (id_, os.urandom(32), f"{id_}@example.org", f"Person {id_.hex[:6]}", "active", at)

    every = range(PEOPLE)
    return world, [
        Filling(
            "people",
            ("id", "email_digest", "email_sealed", "name_sealed", "status", "created_at"),
            [person(p) for p in (*people, technician)],
            {2: 0, 3: 0},
        ),
        Filling("organisations", ("id", "kind", "name", "created_at"), [(company, "contractor", "Warm & Co", at)], {}),
        Filling("memberships", ("person_id", "organisation_id", "role", "started_at"), [(technician, company, "technician", at)], {}),
        Filling("households", ("id", "name_sealed", "created_at"), [(h, "Home", at) for h in households], {1: 0}),
        Filling(
            "household_members",
            ("person_id", "household_id", "role", "started_at"),
            [(people[n], households[n], "owner", at) for n in every],
            {},
        ),
        Filling(
            "sites",
            ("id", "household_id", "kind", "name_sealed", "time_zone", "created_at"),
            [(sites[n], households[n], "residential", "House", "UTC", at) for n in every],
            {3: 1},
        ),
        Filling(
            "equipment",
            ("id", "site_id", "household_id", "local_name", "name", "type", "created_at"),
            [(machines[n], sites[n], households[n], "hp1", f"Heat pump {n}", "heat_pump_air_air", at) for n in every],
            {},
        ),
        Filling("tenures", ("equipment_id", "household_id", "starts_at"), [(machines[n], households[n], at) for n in range(BUCKET)], {}),
        Filling(
            "access_grants",
            ("id", "household_id", "organisation_id", "scope", "granted_at"),
            [(new_id(), households[n], company, "view", at) for n in every],
            {},
        ),
        Filling(
            "contacts",
            ("id", "person_id", "kind", "label", "value_sealed"),
            [(key, people[n], "phone", "home", VALUE.format(n)) for key, n in records.items()],
            {4: 1},
        ),
    ]


def load(address: str, filled: list[Filling]) -> None:
    """Bring the rows in as the owner, whose way in is not what is measured; texts for sealed columns as their bytes."""
    with psycopg.connect(address) as owner, owner.cursor() as cursor:
        for one in filled:
            cursor.execute(f"ALTER TABLE {one.table} NO FORCE ROW LEVEL SECURITY")
            with cursor.copy(f"COPY {one.table} ({', '.join(one.columns)}) FROM STDIN") as copy:
                for row in one.rows:
                    copy.write_row([v.encode() if n in one.sealed and isinstance(v, str) else v for n, v in enumerate(row)])
            cursor.execute(f"ALTER TABLE {one.table} FORCE ROW LEVEL SECURITY")
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")


async def sealed(here: platform.Platform, filled: list[Filling]) -> list[Filling]:
    """The same rows with each sealed column under its subject's key, which is made on the way."""
    room = asyncio.Semaphore(64)

    async def seal(one: Filling, row: Row) -> Row:
        values = list(row)
        async with room:
            for place, subject in one.sealed.items():
                values[place] = await here.vault.seal(row[subject], row[place])
        return tuple(values)

    return [replace(one, rows=await asyncio.gather(*(seal(one, row) for row in one.rows)) if one.sealed else one.rows) for one in filled]


@asynccontextmanager
async def plain_database(made: Rig, filled: list[Filling]) -> AsyncIterator[tuple[AsyncEngine, str]]:
    """The same tables without policies, with the same rows in the clear, on the same server."""
    address = owner_url(made.settings)
    plain = make_url(address).set(database="plain").render_as_string(hide_password=False)
    head = ScriptDirectory(str(Path(migrating.__file__).parent / "migrations")).get_current_head() or ""
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("CREATE DATABASE plain")
    await asyncio.to_thread(migrating.build, plain, database_secret(made.settings), head)
    await asyncio.to_thread(load, plain, filled)
    engine = make_engine(plain)
    try:
        yield engine, plain
    finally:
        await engine.dispose()


async def drive(draw: Callable[[], Operation], count: int) -> tuple[float, int]:
    """Seconds for so many operations one after the other, and how many did not do what they must."""
    began, wrong = time.perf_counter(), 0
    for _ in range(count):
        wrong += not await draw()()
    return time.perf_counter() - began, wrong


async def workloads(ours: Ours, plain: Plain, world: World) -> dict[str, float]:
    """Each mix on ours, then the very same operations on plain, from the same random numbers."""
    found: dict[str, float] = {}
    before = dict(world.records), list(world.keys)
    for name, db in (("ours", ours), ("plain", plain)):
        world.records, world.keys, world.gone = dict(before[0]), list(before[1]), []
        rng = random.Random(2020)
        for mix, draw in mixes(db, world, rng).items():
            took, wrong = await drive(draw, OPERATIONS)
            found[f"{mix}_{name}_s"], found[f"{mix}_{name}_wrong"] = took, wrong
        leaks = [await db.strangers_see(key, (person + 1) % PEOPLE) for key, person in list(world.records.items())[:500]]
        found[f"{name}_leaks"] = sum(leaks)
    return found


async def point_reads(ours: Ours, plain: Plain, world: World) -> dict[str, float]:
    """Microseconds of one row by its key, median: plain; one's own through the door; another's, with a new entry in the log, and with one
    that is there."""
    own = list(world.records.items())[:600]

    async def median(ask: Callable[[int], Awaitable[object]], count: int) -> float:
        took = []
        for n in range(count):
            began = time.perf_counter()
            await ask(n)
            took.append(1e6 * (time.perf_counter() - began))
        return statistics.median(took)

    return {
        "point_plain_us": await median(plain.machine, 500),
        "point_own_us": await median(lambda n: ours.is_gone(*own[n]), 500),
        "point_new_entry_us": await median(lambda n: ours.machine(PEOPLE - 1 - n), 300),
        "point_entry_us": await median(lambda n: ours.machine(PEOPLE - 1 - n), 300),
    }


async def year(here: platform.Platform, world: World) -> dict[int, int]:
    """A year of readings for the machines of the bucket, as files with their sums; series by machine's number."""
    async with here.door.open(_IMPORT) as tx:
        columns = {name: np.array([1.0]) for name in POINTS}
        await telemetry.load(tx, world.machines[0], np.array([_NOW.timestamp()]), columns, now=time.time())
    with psycopg.connect(owner_url(here.settings)) as owner:
        for name in ("slots", "tenures"):
            owner.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
        owner.execute(
            "INSERT INTO slots SELECT e.id, s.point, s.kind, s.slot, s.known, s.first_seen_at FROM unnest(%s::uuid[]) AS e(id), slots s"
            " WHERE s.equipment_id = %s",
            (world.machines[1:BUCKET], world.machines[0]),
        )
        series: dict[UUID, int] = dict(owner.execute("SELECT equipment_id, series_id FROM tenures").fetchall())
        for name in ("slots", "tenures"):
            owner.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    mine = sorted(series.values())
    async with exclusive(here.engine) as holder:
        assert holder is not None
        desk = Desk(here.door, Lake(storage(here.settings, "history")), holder)
        for begin in range(0, DAYS, 30):
            start, days = _NOW - timedelta(days=DAYS + 3 - begin), min(30, DAYS - begin)
            whole = await asyncio.to_thread(readings, mine, start, days, STEP_S, begin)
            change = Change(here.door)
            for group in whole.with_columns(whole["t"].dt.date().alias("day")).partition_by("day"):
                change.swap([], [await write_raw(desk, group.drop("day"), group["day"][0], 1, 0)])
            await sum_up(desk, change, mine, start.date(), (start + timedelta(days=days - 1)).date(), BUCKET)
            await desk.commit(change)
        await desk.tidy()
    return {n: series[world.machines[n]] for n in range(BUCKET)}


async def others(here: platform.Platform, ours: Ours, world: World, stop: asyncio.Event) -> list[float]:
    """How long others' questions take, in ms, over and over until stopped: a chart of a day, and all of one's records."""
    took = []
    n = 0
    while not stop.is_set():
        n = n % (BUCKET - 2) + 1
        began = time.perf_counter()
        async with here.door.open(Context(Person(world.people[n]), Purpose.OPERATE)) as tx:
            until = _NOW - timedelta(days=3)
            await telemetry.series(tx, world.machines[n], ["room_temperature", "electric_power"], until - timedelta(days=1), until, 400)
        await ours.read_all(n)
        took.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.02)
    return took


async def watched(here: platform.Platform, ours: Ours, world: World, work: Callable[[], Awaitable[object]]) -> tuple[float, list[float]]:
    """Seconds that the work takes, and what others' questions take meanwhile."""
    stop = asyncio.Event()
    watching = asyncio.create_task(others(here, ours, world, stop))
    began = time.perf_counter()
    await work()
    took = time.perf_counter() - began
    stop.set()
    return took, await watching


async def rights(here: platform.Platform, ours: Ours, world: World) -> dict[str, float]:
    """A copy for somebody with a year of readings and the erasure of their household, by the worker; others before and meanwhile."""
    context = Context(Person(world.people[0]), Purpose.RIGHTS)

    async def until(state: str, ask: Callable[[Any], Awaitable[list[Any]]]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while True:
            async with here.door.open(context) as tx:
                states = [str(one.state) for one in await ask(tx)]
            if states == [state]:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"{states} after {_PATIENCE_S:.0f} s")
            await asyncio.sleep(0.1)

    async def copy() -> None:
        async with here.door.open(context) as tx:
            await ask_export(tx, world.people[0])
        await until("ready", list_exports_of)

    async def erase() -> None:
        async with here.door.open(context) as tx:
            await ask_erasure(tx, Target("household", world.households[0]), grace_days=0)
        await until("done", list_erasures)

    _, quiet = await watched(here, ours, world, lambda: asyncio.sleep(8))
    copy_s, copying = await watched(here, ours, world, copy)
    erase_s, erasing = await watched(here, ours, world, erase)
    return {
        "copy_s": copy_s,
        "erase_s": erase_s,
        "others_ms": statistics.median(quiet),
        "others_copy_ms": statistics.median(copying),
        "others_erase_ms": statistics.median(erasing),
        "others_erase_max_ms": max(erasing),
    }


def sizes(address: str, filled: list[Filling], prefix: str) -> dict[str, float]:
    """Bytes of the tables with their indexes; of the personal data alone, as its text."""
    with psycopg.connect(address) as owner:
        row = owner.execute(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        total = float(row.fetchone()[0])  # type: ignore[index]
    return {f"{prefix}_bytes": total, "data_bytes": float(sum(len(str(v)) for one in filled for row in one.rows for v in row))}


async def measure(made: Rig) -> dict[str, float]:
    """All of it; figures by name."""
    world, filled = fillings()
    found: dict[str, float] = {}
    async with platform.open_platform(made.settings, "bench") as here, plain_database(made, filled) as (engine, plain_address):
        await asyncio.to_thread(load, owner_url(made.settings), await sealed(here, filled))
        found |= sizes(owner_url(made.settings), filled, "ours") | sizes(plain_address, filled, "plain")
        ours = Ours(here, world)
        await ours.answer(PEOPLE - 1, yes=True)
        with psycopg.connect(owner_url(made.settings)) as owner:
            owner.execute("SELECT set_config('app.actor', 'system:backup', true)")
            cursor = owner.execute("SELECT * FROM person_consent_receipts")
            names = [column.name for column in cursor.description or []]
            kept = cursor.fetchone() or ()
            documents = {column.name for column in cursor.description or [] if column.type_code == psycopg.adapters.types["jsonb"].oid}
            receipt = {n: Jsonb(v) if n in documents else v for n, v in zip(names, kept, strict=True)}
        plain = Plain(engine, world, {k: v for k, v in receipt.items() if k != "number"})
        found |= await workloads(ours, plain, world)
        found |= await point_reads(ours, plain, world)
        await year(here, world)
        await asyncio.to_thread(made.start, "worker")
        await asyncio.to_thread(made.wait, "worker")
        found |= await rights(here, ours, world)
    return found


def run() -> dict[str, float]:
    """Engines of its own in a folder of its own; figures by name."""
    with tempfile.TemporaryDirectory(prefix="lineset-bench-") as folder:
        Path(folder).chmod(0o755)
        with rig(Path(folder) / "data") as made:
            return asyncio.run(measure(made))
