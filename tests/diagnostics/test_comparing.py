"""Savings beside other homes: of those that said yes, of eleven or more, and never one home's number for another."""

from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import numpy as np
import pytest
from lineset import diagnostics
from lineset.diagnostics.comparing import BASELINE_DAYS, by_day
from lineset.diagnostics.days import Days
from lineset.diagnostics.keeping import EPOCH, Whose, store
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.told import LEAST_HOUSEHOLDS
from lineset.kit.clock import now
from lineset.kit.database import make_engine
from lineset.kit.ids import new_id
from lineset.kit.roles import APP, role_url
from lineset.privacy import Context, Door, Purpose, System, Vault
from lineset.sites.model import EquipmentRow, TenureRow
from sqlalchemy import insert, text

from tests.diagnostics.test_fleet import answer
from tests.functional.devices.world import Home, Keys, home
from tests.support.engines import Engines

TODAY = date.today()  # noqa: DTZ011 - whichever day
MONTH, LAST = diagnostics.month_before(TODAY)
SPAN = BASELINE_DAYS + (LAST - MONTH).days + 1


def lived(machine: Machine, change: float, seed: int) -> Days:
    """A year and a month of a heat pump that uses `change` times as much in the month as its year before lets expect."""
    first = (MONTH - EPOCH).days - BASELINE_DAYS
    day = np.arange(first, first + SPAN)
    noise = np.random.default_rng(seed)
    outdoor = 10.0 + 9.0 * np.cos(2 * np.pi * day / 365.25) + noise.normal(0.0, 2.5, SPAN)
    kwh = (4.0 + 0.8 * np.maximum(15.0 - outdoor, 0.0)) * (1.0 + noise.normal(0.0, 0.05, SPAN))
    kwh[BASELINE_DAYS:] *= change
    whole = np.full(SPAN, 86_400.0)
    sums = {"outdoor.x": outdoor * whole, "outdoor.s": whole, "s.covered": whole, "kwh.electric": kwh}
    return Days([machine], np.zeros(SPAN, np.int64), day, sums)


@pytest.fixture
async def door(database: str, engines: Engines) -> AsyncIterator[Door]:
    engine = make_engine(role_url(database, engines.secret, APP).render_as_string(hide_password=False))
    yield Door(engine, Vault(Keys(), b"k" * 32))
    await engine.dispose()


async def settle(door: Door, change: float, seed: int) -> Home:
    """A home with such a heat pump."""
    house, id_ = await home(door), new_id()
    async with door.open(Context(System("setup"), Purpose.OPERATE)) as tx:
        row = {"id": id_, "site_id": house.site, "household_id": house.household, "local_name": "hp1", "name": "Heat pump"}
        await tx.session.execute(insert(EquipmentRow).values(**row, type="heat_pump_air_air", created_at=now()))
        tenure = {"equipment_id": id_, "household_id": house.household, "starts_at": now()}
        series = await tx.session.scalar(insert(TenureRow).values(**tenure).returning(TenureRow.series_id))
        assert series is not None
    days = lived(Machine(id=str(id_), type="heat_pump_air_air"), change, seed)
    async with door.open(Context(System("diagnosis"), Purpose.OPERATE)) as tx:
        await store(tx, [Whose(series, id_, house.household, house.site)], days, now())
    return house


async def seen(door: Door, house: Home) -> diagnostics.Compared:
    async with door.open(house.acting) as tx:
        return await diagnostics.compared(tx, house.site, MONTH, LAST)


@pytest.mark.anyio
async def test_REP_01_a_home_is_set_beside_others_that_said_yes_and_are_enough(door: Door) -> None:
    mine = await settle(door, 0.70, 0)
    others = [await settle(door, 0.88 + 0.01 * (n % 5), n + 1) for n in range(LEAST_HOUSEHOLDS)]
    await settle(door, 4.0, 99)  # never said yes
    for house in others[:-1]:
        await answer(door, house, yes=True)
    assert await diagnostics.compare(door, TODAY) == 0, "one home too few"
    alone = await seen(door, mine)
    assert alone.beside is None
    assert alone.own.certain
    assert alone.own.share == pytest.approx(0.30, abs=0.04)

    await answer(door, others[-1], yes=True)
    assert await diagnostics.compare(door, TODAY) == LEAST_HOUSEHOLDS
    found = await seen(door, mine)
    assert (found.homes, found.own.baseline_days, found.own.reported_days) == (10, BASELINE_DAYS, SPAN - BASELINE_DAYS)
    assert np.exp(found.others) == pytest.approx(0.9, abs=0.03)
    assert found.beside is not None
    assert found.beside.certain
    assert found.beside.share == pytest.approx(1 - 0.70 / 0.90, abs=0.05), "what all homes did is not this one's saving"
    like_all = await seen(door, others[2])
    assert like_all.own.certain
    assert like_all.beside is not None
    assert not like_all.beside.certain, "it did what all did"

    await answer(door, others[0], yes=False)
    assert await diagnostics.compare(door, TODAY) == 0
    assert (await seen(door, mine)).beside is None, "once they are too few, the comparison is gone"
    async with door.open(others[0].acting) as tx:
        assert (await diagnostics.compared(tx, mine.site, MONTH, LAST)).own.why == "few_days", "nobody reads another's home"


def test_a_day_on_which_one_meter_was_not_known_has_no_energy() -> None:
    machines = [Machine(id=str(UUID(int=n)), type="heat_pump_air_air") for n in range(2)]
    first = (date(2026, 1, 1) - EPOCH).days
    whole = 86_400.0
    sums = {
        "kwh.electric": np.array([5.0, 6.0, 7.0, 1.0, 2.0]),
        "s.covered": np.array([whole, whole, whole, whole, whole / 2]),
        "outdoor.x": np.array([3.0, 4.0, 5.0, np.nan, np.nan]) * whole,
        "outdoor.s": np.array([whole, whole, whole, np.nan, np.nan]),
    }
    days = Days(machines, np.array([0, 0, 0, 1, 1]), first + np.array([0, 1, 2, 0, 1]), sums)
    outdoor, energy = by_day(days, first, first + 3)
    assert outdoor[:3].tolist() == [3.0, 4.0, 5.0]
    assert energy[0] == 6.0
    assert np.isnan(energy[1:]).all(), "half a day, no reading of the other machine, and a day without any"
    assert np.isnan(outdoor[3])


@pytest.mark.anyio
async def test_the_other_homes_table_tells_of_nobody(door: Door) -> None:
    async with door.open(Context(System("training"), Purpose.FLEET_MODELS)) as tx:
        names = await tx.session.scalars(text("SELECT column_name FROM information_schema.columns WHERE table_name = 'home_changes'"))
    assert set(names) == {"month", "households", "mean", "spread", "made"}
