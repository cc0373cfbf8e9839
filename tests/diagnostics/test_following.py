"""From stored measurements to findings and their life: hour by hour, killed, twice, repaired, false alarms, anew."""

import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from lineset import diagnostics, telemetry
from lineset.diagnostics import course, following, jobs, keeping, population
from lineset.diagnostics.cases import Cases, Detector, Verdicts, status_of
from lineset.diagnostics.following import follow
from lineset.diagnostics.population import DIAGNOSE, LOTS
from lineset.diagnostics.samples import Samples
from lineset.diagnostics.views import Finding
from lineset.kit.errors import Conflict, NotFound
from lineset.privacy import Context, Purpose, System

from tests.functional.devices.world import home
from tests.telemetry.world import Bench

pytestmark = pytest.mark.anyio
IMPORT = Context(System("import"), Purpose.OPERATE)
DAY = 86_400.0
NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
TODAY = NOW.replace(hour=0, minute=0).timestamp()


def _hot(cases: Cases) -> Verdicts:
    """A room that reads far too much on most of the last two days."""
    mean, heard = cases.mean("t.room.x", "t.room.s", last=2), cases.total("t.room.s", last=2)
    enough, fault = np.nan_to_num(heard) > 6 * 3600, mean > 30.0
    share = np.where(fault, 0.9, 0.0)
    nothing = np.zeros(len(cases))
    return Verdicts(
        status_of(enough, fault & enough),
        {"sensor_biased": share, "sensor_swapped": share / 20},
        {"sensor_biased": np.clip((mean - 30.0) / 20.0, 0, 1), "sensor_swapped": nothing},
        {"sensor_biased": nothing + 0.1, "sensor_swapped": nothing},
        {"mean_degC": mean},
    )


DETECTORS = (Detector("hot", ("sensor_biased", "sensor_swapped"), frozenset({"heat_pump"}), (("room_temperature",),), {}, "", (), _hot),)


def _features(samples: Samples) -> dict[str, Any]:
    room, power = samples.point("room_temperature"), samples.point("compressor_power")
    return {
        "t.room.x": samples.total(room * samples.dt),
        "t.room.s": samples.seconds(~np.isnan(room)),
        "s.covered": samples.seconds(np.ones(len(samples), bool)),
        "kwh.electric": samples.total(power * samples.dt) / 3.6e6,
    }


@pytest.fixture(autouse=True)
def one_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fault that is easily made, so that these tests hang on no real detector."""
    for module in (course, following):
        monkeypatch.setattr(module, "features", _features)


async def measured(world: Bench, since: float, until: float, room: float, step: float = 600.0) -> None:
    t = np.arange(since, until, step)
    columns = {"room_temperature": np.full(len(t), room), "compressor_power": np.full(len(t), 1_000.0)}
    async with world.door.open(IMPORT) as tx:
        for part in np.array_split(np.arange(len(t)), max(1, len(t) // 2_000)):
            await telemetry.load(tx, world.machines["hp1"], t[part], {n: v[part] for n, v in columns.items()}, now=time.time())


async def run(world: Bench, until: datetime) -> following.Outcome:
    async with world.door.open(DIAGNOSE) as tx:
        await population.lock(tx, range(LOTS))
        return await follow(tx, await population.of_lots(tx, range(LOTS)), until, DETECTORS)


async def found(world: Bench, **asked: Any) -> list[Finding]:
    async with world.door.open(world.house.acting) as tx:
        return await diagnostics.list_findings(tx, **asked)


def at(day: float, hour: float = 0.5) -> datetime:
    return datetime.fromtimestamp(TODAY + day * DAY + hour * 3600, UTC)


async def states(world: Bench, finding: Finding) -> list[str]:
    async with world.door.open(world.house.acting) as tx:
        return [step.state for step in await diagnostics.steps(tx, finding.id)]


async def test_DIA_02_a_fault_in_what_was_measured_becomes_one_finding_with_its_cost(world: Bench) -> None:
    await measured(world, TODAY - 8 * DAY, TODAY - 4 * DAY, 21.0)
    await measured(world, TODAY - 4 * DAY, TODAY, 40.0)
    done = await run(world, at(0))
    assert (len(done.opened), len(done.closed)) == (1, 0)
    (one,) = await found(world, open_only=True)
    assert (one.fault, one.state, [c.fault for c in one.candidates]) == ("sensor_biased", "open", ["sensor_biased"])
    assert one.equipment == world.machines["hp1"]
    assert at(-4) < one.opened < at(-1)
    assert one.evidence["mean_degC"] == pytest.approx(40.0)
    assert one.cost_a_day == pytest.approx(24 * 0.16 * 0.1, rel=0.05), "a tenth of 1 kW all day, at the declared price"
    assert await states(world, one) == ["open"]


async def test_a_run_that_is_killed_has_done_nothing_and_a_second_run_adds_nothing(world: Bench) -> None:
    await measured(world, TODAY - 4 * DAY, TODAY, 40.0)

    async def killed() -> None:
        async with world.door.open(DIAGNOSE) as tx:
            await follow(tx, await population.of_lots(tx, range(LOTS)), at(0), DETECTORS)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await killed()
    assert await found(world) == []
    first = await run(world, at(0))
    second = await run(world, at(0))
    assert first.hours > 90
    assert second.hours == 0
    assert len(await found(world)) == 1


async def test_hour_by_hour_comes_to_the_same_days_as_all_at_once(world: Bench) -> None:
    await measured(world, TODAY - 2 * DAY, TODAY, 21.0)
    for hour in range(-30, 1, 5):
        await run(world, at(0, hour + 0.5))
    async with world.door.open(DIAGNOSE) as tx:
        members = [m for m in await population.of_lots(tx, range(LOTS)) if m.machine.id == str(world.machines["hp1"])]
        series = [members[0].whose.series]
        day = keeping.day_of(at(-1))
        stored = await keeping.load(tx, [members[0].machine], series, day, day)
    assert stored.sums["s.covered"][0] == pytest.approx(DAY)
    assert stored.sums["kwh.electric"][0] == pytest.approx(24.0, rel=1e-4)


async def test_DIA_02_a_repair_is_verified_by_sound_running(world: Bench) -> None:
    await measured(world, TODAY - 9 * DAY, TODAY - 6 * DAY, 40.0)
    await run(world, at(-6))
    (one,) = await found(world)
    async with world.door.open(world.house.acting) as tx:
        await diagnostics.acknowledge(tx, one.id)
        await diagnostics.start_repair(tx, one.id, "Ladder needed")
        with pytest.raises(Conflict):
            await diagnostics.acknowledge(tx, one.id)
        mended = await diagnostics.repaired(tx, one.id, at=at(-6, 0.6))
    assert (mended.state, mended.repaired) == ("in_repair", at(-6, 0.6))
    await measured(world, TODAY - 6 * DAY, TODAY, 21.0)
    await run(world, at(-4))
    assert (await found(world))[0].state == "in_repair", "too little was seen of it yet"
    await run(world, at(0))
    (one,) = await found(world)
    assert one.state == "verified_fixed"
    assert await states(world, one) == ["open", "acknowledged", "in_repair", "in_repair", "verified_fixed"]


async def test_DIA_02_a_fault_that_is_still_there_after_a_repair_opens_again(world: Bench) -> None:
    await measured(world, TODAY - 9 * DAY, TODAY - 1 * DAY, 40.0)
    await run(world, at(-6))
    (one,) = await found(world)
    async with world.door.open(world.house.acting) as tx:
        await diagnostics.repaired(tx, one.id, at=at(-6, 0.6))
    await run(world, at(-1))
    (one,) = await found(world)
    assert (one.state, one.repaired, one.closed) == ("open", None, None)
    async with world.door.open(world.house.acting) as tx:
        assert (await diagnostics.steps(tx, one.id))[-1].note == "came_back"


async def test_what_somebody_called_a_false_alarm_is_not_found_again(world: Bench) -> None:
    await measured(world, TODAY - 9 * DAY, TODAY, 40.0)
    await run(world, at(-6))
    (one,) = await found(world)
    async with world.door.open(world.house.acting) as tx:
        await diagnostics.false_alarm(tx, one.id, "The sensor hangs over the stove")
    done = await run(world, at(0))
    assert done.opened == []
    assert [f.state for f in await found(world)] == ["false_alarm"]


async def test_a_stranger_sees_and_changes_no_finding(world: Bench) -> None:
    await measured(world, TODAY - 4 * DAY, TODAY, 40.0)
    await run(world, at(0))
    (one,) = await found(world)
    async with world.door.open((await home(world.door)).acting) as tx:
        assert await diagnostics.list_findings(tx) == []
        with pytest.raises(NotFound):
            await diagnostics.acknowledge(tx, one.id)


async def test_history_diagnosed_anew_keeps_what_people_did(world: Bench) -> None:
    await measured(world, TODAY - 6 * DAY, TODAY, 40.0)
    await run(world, at(0))
    (one,) = await found(world)
    async with world.door.open(world.house.acting) as tx:
        await diagnostics.acknowledge(tx, one.id)
    async with world.door.open(DIAGNOSE) as tx:
        members = await population.of_site(tx, one.site)
        await following.again(tx, members, None, NOW, DETECTORS)
    (after,) = await found(world)
    assert (after.id, after.state) == (one.id, "acknowledged")
    async with world.door.open(DIAGNOSE) as tx:
        await following.again(tx, await population.of_site(tx, one.site), None, NOW, ())
    assert [f.id for f in await found(world)] == [one.id], "somebody works on it"


async def test_days_that_became_fuller_are_added_up_again(world: Bench) -> None:
    await measured(world, TODAY - 2 * DAY, TODAY - 1.5 * DAY, 21.0)
    await measured(world, TODAY - DAY, TODAY, 21.0)
    await run(world, at(0, 3))
    await measured(world, TODAY - 1.5 * DAY, TODAY - DAY, 21.0)
    assert await jobs.recompute_lots(world.door, range(LOTS), at(0, 4)) >= 1
    assert await jobs.recompute_lots(world.door, range(LOTS), at(0, 4)) == 0


def test_lots_are_shared_out_without_gap_or_overlap() -> None:
    for machines in (0, 1, 499, 501, 100_000, 10**7):
        lots = [lot for first, last in jobs.shares(machines) for lot in range(first, last + 1)]
        assert lots == list(range(LOTS)), machines
