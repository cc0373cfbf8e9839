"""Reading measurements: who may, over what span, with which peaks."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset.kit.errors import Invalid, NotFound
from lineset.kit.ids import new_id
from lineset.privacy import Context, Purpose, System
from lineset.telemetry import latest, load, series
from lineset.telemetry.series import downsample
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tests.telemetry.world import Bench, just_now, message, other

IMPORT = Context(System("import"), Purpose.OPERATE)


@pytest.mark.anyio
async def test_SEC_04_nobody_else_reads_a_households_measurements(world: Bench) -> None:
    await world.send(message(1, (just_now(), "hp1", {"room_temperature": 20})))
    machine = world.machines["hp1"]
    end = datetime.now(UTC)
    async with world.door.open(other(new_id())) as tx:
        assert await latest(tx, [machine]) == {}
        with pytest.raises(NotFound):
            await series(tx, machine, ["room_temperature"], end - timedelta(days=1), end)
        assert (await tx.session.execute(text("SELECT count(*) FROM frames"))).scalar() == 0
    async with world.door.open(other(new_id())) as tx:
        with pytest.raises(ProgrammingError, match="not shared"):
            await tx.session.execute(text("SELECT * FROM access.read_frames(ARRAY[1, 2, 3], now() - interval '1 day', now())"))


@pytest.mark.anyio
async def test_TEL_02_history_is_loaded_and_read_back(world: Bench) -> None:
    machine = world.machines["hp1"]
    now = just_now()
    t = now - np.arange(2000, 0, -1) * 300.0
    values = 20 + np.sin(np.arange(2000) / 20)
    values[777] = 35.5
    async with world.door.open(IMPORT) as tx:
        assert await load(tx, machine, t, {"room_temperature": values, "operating_mode": np.ones(2000)}, now=now) == 2000
    async with world.door.open(IMPORT) as tx:
        await load(tx, machine, t, {"room_temperature": values}, now=now)
    assert world.rows("SELECT count(*) FROM frames") == [(2000,)]
    start, end = (datetime.fromtimestamp(x, UTC) for x in (t[0], now))
    async with world.door.open(world.house.acting) as tx:
        found = await series(tx, machine, ["room_temperature"], start, end, 100, modes=True)
    read = [v for v in found.values["room_temperature"] if v is not None]
    assert max(read) == 35.5, "a single peak in 2000 readings is not lost in 100 buckets"
    assert len(found.t) == 200
    assert [mode for _, _, mode in found.modes] == ["heating"]


@pytest.mark.anyio
async def test_bad_questions_get_an_answer_that_helps(world: Bench) -> None:
    end = datetime.now(UTC)
    async with world.door.open(world.house.acting) as tx:
        for names, start, buckets in (
            ([], end - timedelta(days=1), 100),
            (["room_temperature"], end + timedelta(days=1), 100),
            (["room_temperature"], end - timedelta(days=31 * 366), 100),
            (["room_temperature"], end - timedelta(days=1), 0),
        ):
            with pytest.raises(Invalid):
                await series(tx, world.machines["hp1"], names, start, end, buckets)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(-50, 50) | st.just(float("nan"))), min_size=1, max_size=300),
    st.integers(2, 20),
)
def test_downsampling_keeps_the_extremes_of_every_series(points: list[tuple[float, float]], buckets: int) -> None:
    points.sort()
    t = np.array([p[0] for p in points])
    column = np.array([p[1] for p in points])
    axis, (out,) = downsample(t, [column], 0.0, 1e6 + 1, buckets)
    assert len(axis) == len(out)
    if np.isnan(column).all():
        assert np.isnan(out).all()
    else:
        assert np.nanmax(out) == np.nanmax(column)
        assert np.nanmin(out) == np.nanmin(column)
    assert (np.diff(axis) >= 0).all()
