"""Fleet models: from households that said yes alone, from enough of them, and without those that left."""

from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset import diagnostics
from lineset.diagnostics.days import Days
from lineset.diagnostics.keeping import EPOCH, Whose, store
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.predict.fleet import FleetModel, taught, told, train
from lineset.diagnostics.predict.told import LEAST_HOUSEHOLDS, rounded
from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Person, Purpose, System, give, withdraw
from lineset.sites.model import EquipmentRow, TenureRow
from sqlalchemy import insert

from tests.functional.devices.world import Home, home

KIND = ("heat_pump_air_air", "Norvik", "A1")
STEADY_S = 8 * 3600.0


def lived(machines: list[Machine], cop: float) -> Days:
    """A day of each machine with this COP."""
    count = len(machines)
    day = np.full(count, (date.today() - EPOCH).days - 1)  # noqa: DTZ011 - yesterday, whichever
    sums = {"steady.heating.cop.x": np.full(count, cop * STEADY_S), "steady.heating.cop.s": np.full(count, STEADY_S)}
    return Days(machines, np.arange(count), day, sums)


async def settle(door: Door, cop: float, machines: int = 1) -> Home:
    """A home whose machines of one make and model run with this COP."""
    house = await home(door)
    about, whose = [], []
    async with door.open(Context(System("setup"), Purpose.OPERATE)) as tx:
        for n in range(machines):
            id_ = new_id()
            row = {"id": id_, "site_id": house.site, "household_id": house.household, "local_name": f"hp{n}", "name": "Heat pump"}
            kind = dict(zip(("type", "make", "model"), KIND, strict=True))
            await tx.session.execute(insert(EquipmentRow).values(**row, **kind, created_at=now()))
            tenure = {"equipment_id": id_, "household_id": house.household, "starts_at": now()}
            series = await tx.session.scalar(insert(TenureRow).values(**tenure).returning(TenureRow.series_id))
            assert series is not None
            about.append(Machine(id=str(id_), type=KIND[0], make=KIND[1], model=KIND[2]))
            whose.append(Whose(series, id_, house.household, house.site))
    async with door.open(Context(System("diagnosis"), Purpose.OPERATE)) as tx:
        await store(tx, whose, lived(about, cop), now())
    return house


async def answer(door: Door, house: Home, *, yes: bool) -> None:
    async with door.open(Context(Person(house.owner), Purpose.RIGHTS)) as tx:
        how: dict[str, Any] = {"channel": "page", "language": "en", "steps": ("Your data", "Learning from your readings")}
        await (give if yes else withdraw)(tx, house.household, Purpose.FLEET_MODELS, **how)


async def newest(door: Door, house: Home) -> dict[tuple[str, str, str], FleetModel]:
    """The models as anybody sees them."""
    async with door.open(house.acting) as tx:
        return {(m.type, m.make, m.model): m for m in await diagnostics.list_models(tx)}


@pytest.mark.anyio
async def test_DIA_07_models_learn_from_those_who_agree_and_forget_who_leaves(door: Door) -> None:
    homes = [await settle(door, 3.0 + 0.1 * n) for n in range(LEAST_HOUSEHOLDS)]
    silent = await settle(door, 40.0, machines=3)  # would be seen in any mean, and never said yes
    for house in homes[:-1]:
        await answer(door, house, yes=True)
    assert await train(door) == 0, "one household too few, though one more has such machines"
    assert await newest(door, silent) == {}

    await answer(door, homes[-1], yes=True)
    assert await train(door) == 3, "of the model, of its make, and of its type"
    first = (await newest(door, silent))[KIND]
    mean, spread = first.figures["heating.cop"]
    assert mean == pytest.approx(3.5, abs=0.06)
    assert spread == pytest.approx(0.33, abs=0.06)
    assert (first.version, first.state, first.households) == (1, "published", 10)

    replacing = await settle(door, 5.0)
    await answer(door, replacing, yes=True)
    await answer(door, homes[0], yes=False)
    assert await train(door) == 3
    second = (await newest(door, silent))[KIND]
    assert second.version == 2
    assert second.figures["heating.cop"][0] == pytest.approx(np.mean([*(3.1 + 0.1 * n for n in range(10)), 5.0]), abs=0.06)
    async with door.open(silent.acting) as tx:
        assert (await diagnostics.model_card(tx, first.id)).figures == {}, "what it taught is gone from the older version too"

    await answer(door, homes[1], yes=False)
    assert await train(door) == 0
    last = (await newest(door, silent))[KIND]
    assert (last.version, last.state, last.figures, last.households) == (3, "withdrawn", {}, 0)
    assert await train(door) == 0
    assert (await newest(door, silent))[KIND].version == 3, "withdrawn once"
    async with door.open(silent.acting) as tx:
        with pytest.raises(NotFound):
            await diagnostics.model_card(tx, new_id())


def test_DIA_07_a_home_with_many_machines_weighs_as_one() -> None:
    machines = [Machine(id=str(UUID(int=n)), type=KIND[0], make=KIND[1], model=KIND[2]) for n in range(5)]
    many, one = told(lived(machines, 3.0)), told(lived(machines[:1], 3.0))
    assert many == one
    assert set(one) == {KIND, (KIND[0], KIND[1], ""), (KIND[0], "", "")}


def test_too_little_running_tells_nothing() -> None:
    days = lived([Machine(id="a", type=KIND[0])], 3.0)
    short = Days(days.machines, days.machine, days.day, {name: values / 8 for name, values in days.sums.items()})
    assert told(short) == {}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1, 5), min_size=1, max_size=40))
def test_DIA_07_models_need_enough_homes_and_are_rounded_to_their_error(values: list[float]) -> None:
    figures, covered = taught([{"cop": value} for value in values])
    assert bool(figures) == (len(values) >= LEAST_HOUSEHOLDS)
    if figures:
        error = np.std(values, ddof=1) / len(values) ** 0.5
        assert abs(figures["cop"][0] - np.mean(values)) <= 0.5 * error + 1e-9
        assert covered is not None


def test_four_in_five_homes_lie_where_the_others_make_expect() -> None:
    rng = np.random.default_rng(1)
    _, covered = taught([{"cop": value} for value in rng.normal(3.5, 0.4, 400).tolist()])
    assert covered == pytest.approx(0.8, abs=0.06)
    assert rounded(3.14159, 0.02) == 3.14
    assert rounded(3.14159, 0.0) == 3.14159
