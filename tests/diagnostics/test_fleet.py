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
from lineset.diagnostics.expectations import COLUMNS
from lineset.diagnostics.keeping import EPOCH, Whose, store
from lineset.diagnostics.kinds import Norms
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.population import DIAGNOSE
from lineset.diagnostics.predict import norms
from lineset.diagnostics.predict.fleet import FleetModel, norms_of, taught, told, train
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


def coiled(machines: list[Machine], over: float, days: int = norms.LEAST_DAYS) -> Days:
    """Days of each machine on which its indoor coil was so much (K) over the room at full load and the rating point."""
    count = len(machines) * days
    read = {"coil_over_sink": over, "source": 7.0, "speed": 100.0}
    sums = {f"steady.heating.{name}.x": np.full(count, value * STEADY_S) for name, value in read.items()}
    sums |= {f"steady.heating.{name}.s": np.full(count, STEADY_S) for name in read}
    yesterday = (date.today() - EPOCH).days - 1  # noqa: DTZ011 - as above
    return Days(machines, np.repeat(np.arange(len(machines)), days), np.tile(yesterday - np.arange(days)[::-1], len(machines)), sums)


async def settle(door: Door, cop: float, machines: int = 1, over: float | None = None) -> Home:
    """A home whose machines of one make and model run with this COP, or with their coils so much over the room."""
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
        await store(tx, whose, lived(about, cop) if over is None else coiled(about, over), now())
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


@pytest.mark.anyio
async def test_DIA_07_how_a_make_differs_from_its_kind_is_learnt_and_known_to_diagnosis(door: Door) -> None:
    overs = [24.0 + 0.2 * n for n in range(LEAST_HOUSEHOLDS)]
    homes = [await settle(door, 0.0, over=over) for over in (*overs, 60.0)]  # the last one is ill
    machine = Machine(id="new", type=KIND[0], make=KIND[1], model="another")
    stranger = Machine(id="other", type="chiller", make=KIND[1])
    for house in homes:
        await answer(door, house, yes=True)
    await train(door)

    async def known() -> Norms | None:
        async with door.open(DIAGNOSE) as tx:
            return await norms_of(tx, [machine, stranger])

    first = await known()
    assert first is not None
    at = COLUMNS.index(("heating", "condensing"))
    assert first.mean[0, at] == pytest.approx(np.mean(overs) - 20.0, abs=0.2)
    assert first.spread[0, at] == pytest.approx(np.std(overs, ddof=1), abs=0.2)
    assert np.isnan(first.mean[1]).all()
    assert np.isnan(first.mean[0]).sum() == len(COLUMNS) - 1

    for house in homes[:2]:
        await answer(door, house, yes=False)
    await train(door)
    assert await known() is None, "too few are left"


def test_DIA_07_norms_of_a_model_come_before_those_of_its_make_and_of_its_type() -> None:
    kinds = (KIND, (KIND[0], KIND[1], ""), (KIND[0], "", ""))
    known = {kind: {"heating.split": (float(n), 1.0)} for n, kind in enumerate(kinds)} | {kinds[2]: {"cooling.split": (7.0, 2.0)}}
    machines = [Machine("a", KIND[0], make=KIND[1], model=KIND[2]), Machine("b", KIND[0], make=KIND[1]), Machine("c", KIND[0])]
    found = norms.norms_for(machines, known)
    assert found is not None
    assert found.mean[:, COLUMNS.index(("heating", "split"))].tolist() == pytest.approx([0.0, 1.0, np.nan], nan_ok=True)
    assert found.mean[:, COLUMNS.index(("cooling", "split"))].tolist() == [7.0] * 3


def test_days_of_little_running_teach_no_norm() -> None:
    machines = [Machine(id="a", type=KIND[0])]
    assert list(norms.told(coiled(machines, 24.0))) == [(KIND[0], "", "")]
    assert norms.told(coiled(machines, 24.0, days=norms.LEAST_DAYS - 1)) == {}
    days = coiled(machines, 24.0)
    assert norms.told(Days(days.machines, days.machine, days.day, {name: values / 20 for name, values in days.sums.items()})) == {}


@given(st.lists(st.floats(-20, 20), min_size=LEAST_HOUSEHOLDS, max_size=40), st.lists(st.floats(500, 900), max_size=3))
def test_machines_that_are_ill_do_not_move_a_norm(sound: list[float], ill: list[float]) -> None:
    found = norms.taught([{"heating.split": value} for value in (*sound, *ill)])
    mean, spread = found.get("heating.split", (sound[0], 0.0))  # where too few lie together, nothing is told
    assert min(sound) - 20 <= mean <= max(sound) + 20
    assert 0 <= spread <= 60


def test_DIA_07_outliers_do_not_count_among_the_eleven() -> None:
    sound = [{"heating.split": 0.1 * n} for n in range(LEAST_HOUSEHOLDS)]
    assert norms.taught([*sound, {"heating.split": 500.0}])
    assert not norms.taught([*sound[1:], {"heating.split": 500.0}])


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
