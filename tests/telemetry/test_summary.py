"""Sums and quality over hot rows and history together; the same on S3-compatible storage; the whole fleet at once."""

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from lineset import telemetry
from lineset.embedded.process import wait_until
from lineset.kit.storage import Storage
from lineset.privacy import Context, Purpose, System
from lineset.telemetry.history import delta, erasing, reading
from lineset.telemetry.history.closing import close_due

from tests.support.engines import Engines
from tests.telemetry.test_closing import DAY, TODAY, desk_of, fill, same, seen, series_of, storage_of
from tests.telemetry.world import Bench, bench

pytestmark = pytest.mark.anyio


def power(t: np.ndarray) -> np.ndarray:
    return np.where(t % 3600 < 1800, 2000.0, 0.0)


def mode(t: np.ndarray) -> np.ndarray:
    return np.where(t % 3600 < 1800, 1.0, 0.0)


def energy(t: np.ndarray) -> np.ndarray:
    """A counter in kWh that rises by one in each hour and began again two days ago."""
    hours = t / 3600
    begun = (TODAY - 2 * DAY).timestamp() / 3600
    return np.round(np.where(hours < begun, hours - begun + 1000, hours - begun), 3)


async def test_TEL_05_sums_are_the_same_before_and_after_days_close(world: Bench) -> None:
    await fill(world, range(1, 5), step_s=300, electric_power=power, operating_mode=mode, electric_energy=energy)
    start, end = TODAY - 4 * DAY, TODAY
    points = ["electric_power", "operating_mode", "electric_energy"]

    async def ask(step: str) -> list[telemetry.Sum]:
        async with world.door.open(world.house.acting) as tx:
            return await telemetry.sums(tx, world.machines["hp1"], points, start, end, step)  # type: ignore[arg-type]

    before = {step: await ask(step) for step in ("hour", "day")}
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    for step in ("hour", "day"):
        after = await ask(step)
        assert [(s.point, s.t, s.code, s.count, s.starts) for s in after] == [
            (s.point, s.t, s.code, s.count, s.starts) for s in before[step]
        ]
        for a, b in zip(after, before[step], strict=True):
            for name in ("low", "high", "mean", "last", "seconds", "total"):
                assert getattr(a, name) == pytest.approx(getattr(b, name), abs=301 * 2000 if name == "total" else 301), (step, a, b)
    days = [s for s in await ask("day") if s.point == "electric_power"]
    assert all(s.total == pytest.approx(24 * 1800 * 2000.0, rel=0.01) for s in days[1:-1])
    rises = [s.total for s in await ask("day") if s.point == "electric_energy"]
    assert all(rise == pytest.approx(24.0, abs=1.1) for rise in rises[1:-1])
    states = {s.code: s.seconds for s in await ask("day") if s.point == "operating_mode" and s.t == days[1].t}
    assert states == {0: pytest.approx(43_200, abs=301), 1: pytest.approx(43_200, abs=301)}


async def test_TEL_05_sums_count_a_reading_once_while_its_day_is_in_both_places(world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(world, range(2, 5), step_s=600)

    async def ask() -> list[tuple[float, int, float]]:
        async with world.door.open(world.house.acting) as tx:
            found = await telemetry.sums(tx, world.machines["hp1"], ["room_temperature"], TODAY - 5 * DAY, TODAY, "hour")
        return [(s.t, s.count, s.seconds) for s in found]

    before = await ask()

    async def later(*_: object) -> None:
        """The process dies after the day's files are named and before its rows are gone."""

    with monkeypatch.context() as patched:
        patched.setattr("lineset.telemetry.history.closing._drop", later)
        async with desk_of(world) as desk:
            await close_due(desk, TODAY.date())
    assert world.rows("SELECT count(*) FROM frames") == [(3 * 144,)]
    after = await ask()
    assert [(t, count) for t, count, _ in after] == [(t, count) for t, count, _ in before]
    assert [seconds for *_, seconds in after] == pytest.approx([seconds for *_, seconds in before], abs=601)


async def test_TEL_03_quality_names_silences(world: Bench) -> None:
    await fill(world, range(4, 5), step_s=300)
    await fill(world, range(2, 3), step_s=300)
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    async with world.door.open(world.house.acting) as tx:
        found = (await telemetry.quality(tx, world.machines["hp1"], TODAY - 4 * DAY, TODAY - DAY))["room_temperature"]
    assert found.readings == 2 * 288
    assert found.share == pytest.approx(2 / 3, abs=0.01)
    assert found.longest_gap_s == pytest.approx(86_400, abs=700)


async def test_TEL_03_charts_of_weeks_and_years_keep_their_peaks(world: Bench) -> None:
    sent = await fill(world, range(10, 40), step_s=900)
    peak = (TODAY - 25 * DAY).timestamp() + 12_345
    async with world.door.open(Context(System("import"), Purpose.OPERATE)) as tx:
        columns = {"room_temperature": np.array([55.5])}
        await telemetry.load(tx, world.machines["hp1"], np.array([peak]), columns, now=datetime.now(UTC).timestamp())
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    for span, step in ((timedelta(days=32), 3600.0), (timedelta(days=365), 86_400.0), (timedelta(days=5), 0.0)):
        start = TODAY - 10 * DAY - span if span.days != 5 else TODAY - 27 * DAY
        async with world.door.open(world.house.acting) as tx:
            chart = await telemetry.series(tx, world.machines["hp1"], ["room_temperature"], start, start + span, 400)
        values = [v for v in chart.values["room_temperature"] if v is not None]
        assert chart.step == step
        assert max(values) == 55.5
        assert min(values) == pytest.approx(
            min(v for t, v in sent.items() if start.timestamp() <= t < (start + span).timestamp()), abs=1e-4
        )
        assert len(chart.t) <= 1200


async def test_TEL_03_the_fleet_is_one_lazy_frame_over_all_tiers(world: Bench) -> None:
    sent = await fill(world, range(1, 6), step_s=1800)
    others = await fill(world, range(1, 6), step_s=1800, local="wh1")
    async with desk_of(world) as desk:
        await close_due(desk, TODAY.date())
    async with world.door.open(Context(System("history"), Purpose.KEEP)) as tx:
        frame = (await reading.scan(tx, ["room_temperature", "electric_power"], TODAY - 6 * DAY, TODAY + DAY)).collect()
    assert frame.height == len(sent) + len(others)
    assert frame["electric_power"].null_count() == frame.height
    mine = frame.filter(pl.col("series") == await series_of(world, "hp1"))
    same({t.timestamp(): v for t, v in mine.select("t", "room_temperature").iter_rows()}, sent)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server of the S3 interface on this machine: its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    bucket = urllib.request.Request(f"{address}/lake", method="PUT")  # noqa: S310 - an address of this machine

    def made() -> bool:
        try:
            urllib.request.urlopen(bucket, timeout=5).close()  # noqa: S310 - as above
        except urllib.error.URLError:
            assert server.poll() is None
            return False
        return True

    assert wait_until(made, 30)
    yield address
    server.terminate()
    server.wait()


async def test_TEL_03_history_in_s3_storage_reads_and_erases_alike(database: str, engines: Engines, s3: str) -> None:
    options = {"aws_endpoint_url": s3, "aws_region": "us-east-1", "aws_access_key_id": "k", "aws_secret_access_key": "s"}
    options |= {"aws_allow_http": "true", "aws_virtual_hosted_style_request": "false"}
    storage = Storage("s3://lake/one/history", options)
    async with bench(database, engines.secret, storage) as world:
        sent = await fill(world, range(3, 5), step_s=1800)
        await fill(world, range(3, 5), step_s=1800, local="wh1")
        async with desk_of(world) as desk:
            await close_due(desk, TODAY.date())
        same(await seen(world, TODAY - 5 * DAY, TODAY), sent)
        assert pl.scan_delta(delta.open_table(storage, "raw")).select(pl.len()).collect().item() == 4 * 48
        async with desk_of(world) as desk:
            await erasing.erase(desk, [await series_of(world, "wh1")], set())
        same(await seen(world, TODAY - 5 * DAY, TODAY), sent)
        assert await seen(world, TODAY - 5 * DAY, TODAY, local="wh1") == {}
        files = [o["path"] for page in storage_of(world).store().list() for o in page if str(o["path"]).endswith(".parquet")]
        assert len([f for f in files if "_delta_log" not in f]) == len(world.rows("SELECT path FROM history_files"))
