"""Lives learnt from a fleet: from households that say yes, from enough of them, and used where they tell more than published lives."""

from datetime import timedelta
from uuid import UUID

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset import diagnostics
from lineset.diagnostics import jobs
from lineset.diagnostics.days import Days
from lineset.diagnostics.keeping import EPOCH, Whose, store
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.model import MemoryRow
from lineset.diagnostics.population import LOTS
from lineset.diagnostics.predict.fleet import train
from lineset.diagnostics.predict.fleet_lives import Lived, lives_taught
from lineset.diagnostics.predict.told import LEAST_HOUSEHOLDS, Kind
from lineset.diagnostics.views import Life
from lineset.kit.clock import now
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System
from lineset.sites.model import EquipmentRow, TenureRow
from sqlalchemy import insert

from tests.diagnostics.test_fleet import answer, newest
from tests.functional.devices.world import Home, home

KIND = ("heat_pump_air_air", "Norvik", "A1")
MEASURED = np.concatenate([np.arange(5) - 3 * 365, np.arange(20) - 20])
"""Days from today, of which there are measurements: for three years, with a gap."""


async def lived(door: Door, years: float, *, ended: bool) -> tuple[Home, UUID]:
    """A home whose machine was installed so many years ago, was measured until yesterday, and perhaps retired today."""
    house, id_ = await home(door), new_id()
    today = now().date()
    async with door.open(Context(System("setup"), Purpose.OPERATE)) as tx:
        row = {"id": id_, "site_id": house.site, "household_id": house.household, "local_name": "hp1", "name": "Heat pump"}
        row |= {"installed_on": today - timedelta(days=round(365.25 * years)), "retired_at": now() if ended else None, "created_at": now()}
        await tx.session.execute(insert(EquipmentRow).values(**row, **dict(zip(("type", "make", "model"), KIND, strict=True))))
        tenure = {"equipment_id": id_, "household_id": house.household, "starts_at": now()}
        series = await tx.session.scalar(insert(TenureRow).values(**tenure).returning(TenureRow.series_id))
        assert series is not None
    machine = Machine(id=str(id_), type=KIND[0], make=KIND[1], model=KIND[2])
    day = (today - EPOCH).days + MEASURED
    days = Days([machine], np.zeros(len(day), np.int64), day, {"s.heating": np.full(len(day), 30_000.0)})
    async with door.open(Context(System("diagnosis"), Purpose.OPERATE)) as tx:
        await store(tx, [Whose(series, id_, house.household, house.site)], days, now())
        memory = {"series_id": series, "equipment_id": id_, "household_id": house.household, "state": b"", "through": now()}
        await tx.session.execute(insert(MemoryRow).values(**memory))
    return house, id_


async def told(door: Door, house: Home, machine: UUID) -> Life:
    """What its owner reads of the compressor."""
    async with door.open(house.acting) as tx:
        (life,) = (await diagnostics.prospects_of(tx, [machine]))[machine].lives
    return life


@pytest.mark.anyio
async def test_DIA_07_lives_are_learnt_from_those_who_agree_and_forget_who_leaves(door: Door) -> None:
    rng = np.random.default_rng(3)
    homes = [(await lived(door, 6.0 + 2.0 * rng.random(), ended=n % 3 > 0))[0] for n in range(24)]
    mine, machine = await lived(door, 5.0, ended=False)  # never said yes, and is told what the others taught
    for house in homes[: LEAST_HOUSEHOLDS - 1]:
        await answer(door, house, yes=True)
    assert await train(door) == 0, "one household too few, though more have such machines"
    await jobs.foretell_lots(door, range(LOTS), now())
    before = await told(door, mine, machine)
    assert (before.taught_by, before.model) == (0, "published lives")

    for house in homes[LEAST_HOUSEHOLDS - 1 :]:
        await answer(door, house, yes=True)
    assert await train(door) == 3, "of the type, the make and the model"
    first = (await newest(door, mine))[KIND[0], "", ""]
    life = first.lives["compressor"]
    assert (life.households, life.machines, life.ends) == (20, 20, 10)
    assert life.good
    assert 5 < life.median_years < 10
    assert life.brier is not None
    assert life.brier_published is not None
    assert life.brier < life.brier_published
    await jobs.foretell_lots(door, range(LOTS), now() + timedelta(days=1))
    after = await told(door, mine, machine)
    assert after.taught_by == 20
    assert after.left_years[1] < before.left_years[1] - 2

    for house in homes[LEAST_HOUSEHOLDS - 1 :]:
        await answer(door, house, yes=False)
    assert await train(door) == 0, "too few are left"
    last = (await newest(door, mine))[KIND[0], "", ""]
    assert (last.state, last.lives) == ("withdrawn", {})
    async with door.open(mine.acting) as tx:
        assert (await diagnostics.model_card(tx, first.id)).lives == {}, "what was learnt is gone from the older version too"
    await jobs.foretell_lots(door, range(LOTS), now() + timedelta(days=2))
    assert (await told(door, mine, machine)).model == "published lives"


def fleet(count: int, median: float, *, seed: int = 1, machines: int = 1, make: str = "Norvik") -> list[Lived]:
    """Homes whose machines, watched for some years, last as long as this; none is used in another way than usual."""
    rng = np.random.default_rng(seed)
    kinds: tuple[Kind, ...] = (("furnace_gas", "", ""), ("furnace_gas", make, ""), ("furnace_gas", make, "A1"))
    found: list[Lived] = []
    for household in range(count):
        for _ in range(machines):
            entry = float(rng.uniform(0, median))
            spans = median / np.log(2) ** (1 / 3) * rng.weibull(3.0, 200)
            span = float(spans[spans > entry][0])
            until = entry + float(rng.uniform(1, 8))
            found.append(Lived(household, kinds, entry, min(span, until), span <= until, (0.0, 0.0, 0.0)))
    return found


def test_DIA_03_a_fleet_that_lasts_as_published_changes_little_and_one_that_does_not_is_learnt() -> None:
    usual = lives_taught(fleet(300, 20.0), "furnace")["furnace_gas", "", ""]["heat_exchanger"]
    short = lives_taught(fleet(300, 9.0), "furnace")["furnace_gas", "", ""]["heat_exchanger"]
    assert usual.median_years == pytest.approx(20.0, rel=0.15)
    assert abs(usual.gain) < 0.05, "published lives are as good"
    assert short.median_years == pytest.approx(9.0, rel=0.12)
    assert short.good
    assert short.gain > 0.1
    limits = short.model()
    assert (np.linalg.eigvalsh(limits.covariance) > 0).all()


def test_a_make_that_ends_sooner_than_its_type_is_told_so() -> None:
    odd = [msgspec.structs.replace(each, household=each.household + 1000) for each in fleet(150, 7.0, seed=2, make="Sola")]
    told = lives_taught(fleet(400, 20.0) + odd, "furnace")
    years = {kind[1]: parts["heat_exchanger"].median_years for kind, parts in told.items() if not kind[2]}
    assert years["Sola"] < years[""] < years["Norvik"]
    assert told["furnace_gas", "Sola", ""]["heat_exchanger"].good


def test_DIA_07_a_home_with_many_machines_counts_once() -> None:
    alike = [Lived(n, (("pump", "", ""),), 0.0, 8.0, True, (0.0, 0.0, 0.0)) for n in range(20)]
    many = alike + [Lived(20, (("pump", "", ""),), 0.0, 0.5 + 0.01 * n, True, (0.0, 0.0, 0.0)) for n in range(300)]
    one = [*alike, Lived(20, (("pump", "", ""),), 0.0, 2.0, True, (0.0, 0.0, 0.0))]
    found = [lives_taught(each, "pump")["pump", "", ""]["pump"].median_years for each in (many, one)]
    assert found[0] == pytest.approx(found[1], rel=0.25)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 2 * LEAST_HOUSEHOLDS), st.integers(0, 1000))
def test_DIA_07_lives_need_enough_homes_and_tell_them_in_tens(count: int, seed: int) -> None:
    told = lives_taught(fleet(count, 15.0, seed=seed, machines=2), "furnace")
    assert bool(told) == (count >= LEAST_HOUSEHOLDS)
    for parts in told.values():
        life = parts["heat_exchanger"]
        assert life.households == count // 10 * 10
        assert life.machines % 10 == life.ends % 10 == 0
        assert np.isfinite(life.mode).all()
