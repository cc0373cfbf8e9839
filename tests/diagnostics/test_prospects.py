"""What comes next of a machine, from its stored measurements: foretold at night, read by its owner, and made into advice."""

import time
from datetime import UTC, date, datetime, timedelta

import msgspec
import numpy as np
import psycopg
import pytest
from lineset import diagnostics, telemetry
from lineset.diagnostics import jobs, keeping, population
from lineset.diagnostics.following import follow
from lineset.diagnostics.population import DIAGNOSE, LOTS
from lineset.diagnostics.views import Prospect
from lineset.privacy import Context, Purpose, System
from sqlalchemy import text

from tests.functional.devices.world import home
from tests.telemetry.world import Bench

pytestmark = pytest.mark.anyio
IMPORT = Context(System("import"), Purpose.OPERATE)
DAY = 86_400.0
NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
TODAY = NOW.replace(hour=0, minute=0).timestamp()
EVERY = range(LOTS)


async def measured(world: Bench, since: float, until: float) -> None:
    """A heat pump that heats for half of each hour with 2 kW, and for all of it from 6 to 9 (UTC)."""
    t = np.arange(since, until, 600.0)
    early = (np.mod(t, DAY) >= 6 * 3600) & (np.mod(t, DAY) < 9 * 3600)
    on = early | (np.mod(t, 3600.0) < 1800)
    columns = {
        "operating_mode": np.where(on, 2.0, 0.0),
        "electric_power": np.where(on, 2_000.0, 10.0),
        "outdoor_temperature": 5.0 + 5.0 * np.sin(2 * np.pi * t / DAY),
        "filter_run_time": np.cumsum(on * 600.0) + 430 * 3600,
    }
    async with world.door.open(IMPORT) as tx:
        for part in np.array_split(np.arange(len(t)), max(1, len(t) // 2_000)):
            await telemetry.load(tx, world.machines["hp1"], t[part], {n: v[part] for n, v in columns.items()}, now=time.time())


async def run(world: Bench, until: datetime) -> None:
    async with world.door.open(DIAGNOSE) as tx:
        await population.lock(tx, EVERY)
        await follow(tx, await population.of_lots(tx, EVERY), until)


async def told(world: Bench) -> Prospect:
    async with world.door.open(world.house.acting) as tx:
        return (await diagnostics.prospects_of(tx, [world.machines["hp1"]]))[world.machines["hp1"]]


def at(day: float, hour: float = 0.5) -> datetime:
    return datetime.fromtimestamp(TODAY + day * DAY + hour * 3600, UTC)


async def test_DIA_04_the_next_day_is_foretold_with_the_error_of_past_days(world: Bench) -> None:
    await measured(world, TODAY - 20 * DAY, TODAY)
    await run(world, at(0))
    assert await jobs.foretell_lots(world.door, EVERY, at(0)) == 2
    assert await jobs.foretell_lots(world.door, EVERY, at(0, 20)) == 0, "once a day"
    coming = (await told(world)).forecast
    assert coming is not None
    assert coming.start == datetime.fromtimestamp(TODAY, UTC)
    likely = [hour[0] for hour in coming.energy_kwh]
    assert len(likely) == len(coming.run_s) == 48
    local = [(coming.start + timedelta(hours=n)).hour for n in range(24)]
    for hour, kwh, (run_s, low, high) in zip(local, likely, coming.run_s, strict=False):
        assert kwh == pytest.approx(2.0 if 6 <= hour < 9 else 1.0, abs=0.2), hour
        assert low <= run_s <= high
    assert coming.past_error_kwh == pytest.approx(0.0, abs=0.1)


async def test_DIA_04_hours_that_came_one_by_one_are_kept_as_if_they_had_come_together(world: Bench) -> None:
    await measured(world, TODAY - 2 * DAY, TODAY)
    for hour in range(-30, 1, 3):
        await run(world, at(0, hour + 0.5))
    async with world.door.open(DIAGNOSE) as tx:
        (member,) = [m for m in await population.of_lots(tx, EVERY) if m.machine.id == str(world.machines["hp1"])]
        day = keeping.day_of(at(-1))
        hours = (await keeping.load_hours(tx, [member.whose.series], [day]))[0, day]
    assert np.isfinite(hours).all()
    assert hours[:, 0].tolist() == [3600.0 if 6 <= hour < 9 else 1800.0 for hour in range(24)]
    assert hours[:, 1].sum() == pytest.approx(27.0, rel=0.01)


async def test_DIA_06_a_filter_comes_due_and_becomes_advice_that_can_be_dismissed(world: Bench) -> None:
    await measured(world, TODAY - 20 * DAY, TODAY)
    await run(world, at(0))
    await jobs.foretell_lots(world.door, EVERY, at(0))
    (due,) = [due for due in (await told(world)).dues if due.part == "filter"]
    a_day = 13.5  # hours of air, towards 500
    assert due.figures["limit"] == 500 * 3600
    assert 0 <= due.days <= (70 - 20 * a_day) / a_day or due.days == 0
    await diagnostics.renew_advice(world.door)
    async with world.door.open(world.house.acting) as tx:
        (advice,) = [a for a in await diagnostics.list_advice(tx, equipment=world.machines["hp1"]) if a.code == "filter"]
        assert advice.kind == "maintenance"
        await diagnostics.dismiss_advice(tx, advice.id)
    await diagnostics.renew_advice(world.door)
    async with world.door.open(world.house.acting) as tx:
        assert not [a for a in await diagnostics.list_advice(tx, equipment=world.machines["hp1"]) if a.code == "filter"]


async def test_DIA_03_what_is_left_of_a_compressor_is_told_with_its_doubt_where_its_age_is_known(world: Bench) -> None:
    await measured(world, TODAY - 16 * DAY, TODAY)
    await run(world, at(0))
    await jobs.foretell_lots(world.door, EVERY, at(0))
    assert (await told(world)).lives == ()
    async with world.door.open(world.house.acting) as tx:
        built = {"machine": world.machines["hp1"], "day": date.today() - timedelta(days=365 * 12)}  # noqa: DTZ011 - a day's difference is nothing
        await tx.session.execute(text("UPDATE equipment SET installed_on = :day WHERE id = :machine"), built)
    await jobs.foretell_lots(world.door, EVERY, at(1))
    (life,) = (await told(world)).lives
    low, median, high = life.left_years
    assert life.part == "compressor"
    assert 0 < low < median < high < 30
    assert 0.02 < life.risk_a_year < 0.5
    assert life.model == "published lives"
    assert life.figures["starts"] == pytest.approx(21 / 13.5 / 2, rel=0.01)  # starts an hour of running, beside the usual


async def test_PRV_01_the_copy_has_each_day_with_its_sums_and_hours(world: Bench) -> None:
    await measured(world, TODAY - 3 * DAY, TODAY)
    await run(world, at(0))
    files = diagnostics.DayFiles()
    async with world.door.open(Context(world.house.acting.actor, Purpose.RIGHTS)) as tx:
        pieces = [piece for piece in await files.plan(tx, world.house.household) if piece.args["equipment"] == str(world.machines["hp1"])]
        made = await files.make(tx, pieces[0].args)
    assert made is not None
    days = [msgspec.json.decode(line) for line in made.data.splitlines()]
    whole = next(day for day in days if len(day["hours"]) == 24)
    assert sum(hour["energy_kwh"] for hour in whole["hours"]) == pytest.approx(whole["sums"]["kwh.electric"], rel=0.01)
    assert {"hour", "run_s", "energy_kwh", "outdoor_degC"} == set(whole["hours"][0])


async def test_what_is_foretold_is_its_households_alone_and_its_owners_time_alone(world: Bench) -> None:
    await measured(world, TODAY - 10 * DAY, TODAY)
    await run(world, at(0))
    await jobs.foretell_lots(world.door, EVERY, at(0))
    other = await home(world.door)
    async with world.door.open(other.acting) as tx:
        assert await diagnostics.prospects_of(tx, [world.machines["hp1"]]) == {}
    assert (await told(world)).forecast is not None
    with psycopg.connect(world.owner_address) as owner:  # as a hand-over does
        owner.execute("ALTER TABLE tenures NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE tenures SET ends_at = now() WHERE equipment_id = %s", (world.machines["hp1"],))
        owner.execute("ALTER TABLE tenures FORCE ROW LEVEL SECURITY")
    async with world.door.open(DIAGNOSE) as tx:
        assert await diagnostics.prospects_of(tx, [world.machines["hp1"]]) == {}, "no advice to the next owner comes of it"
