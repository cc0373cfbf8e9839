"""Whatever is loaded, closed, merged, deleted and erased, in whatever order: what is read is what a plain dictionary says."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lineset import telemetry
from lineset.kit.storage import Storage
from lineset.telemetry.history import erasing
from lineset.telemetry.history.closing import close_due, merge_late

from tests.support.engines import Engines
from tests.telemetry.test_closing import DAY, IMPORT, TODAY, desk_of, same, seen, series_of
from tests.telemetry.world import Bench, bench

Machine = Literal["hp1", "wh1"]
OLDEST = 7
machines = st.sampled_from(["hp1", "wh1"])
minutes = st.lists(st.integers(0, 1439), min_size=1, max_size=6, unique=True)


@dataclass(frozen=True)
class Load:
    """Readings of one day, a few minutes of it."""

    machine: Machine
    days_ago: int
    minutes: list[int]
    value: int


@dataclass(frozen=True)
class Close:
    """The platform's day is so many days ago, so days two before it close."""

    days_ago: int


@dataclass(frozen=True)
class Do:
    """Something without a choice, or an erasure of a machine's series."""

    what: Literal["merge", "tidy", "erase hp1", "erase wh1"]


steps = st.lists(
    st.one_of(
        st.builds(Load, machines, st.integers(3, OLDEST), minutes, st.integers(-30, 50)),
        st.builds(Close, st.integers(0, 4)),
        st.builds(Do, st.sampled_from(["merge", "tidy", "erase hp1", "erase wh1"])),
    ),
    min_size=3,
    max_size=9,
)


@dataclass
class Model:
    """What should be read: the first value of each time, by machine."""

    readings: dict[str, dict[float, float]] = field(default_factory=lambda: {"hp1": {}, "wh1": {}})

    async def take(self, world: Bench, step: Load | Close | Do) -> None:
        """Do it there and here."""
        if isinstance(step, Load):
            start = (TODAY - step.days_ago * DAY).timestamp()
            t = np.array([start + 60.0 * m for m in sorted(step.minutes)])
            columns = {"room_temperature": np.full(len(t), float(step.value))}
            async with world.door.open(IMPORT) as tx:
                await telemetry.load(tx, world.machines[step.machine], t, columns, now=datetime.now(UTC).timestamp())
            for at in t.tolist():
                self.readings[step.machine].setdefault(at, float(step.value))
            return
        async with desk_of(world) as desk:
            if isinstance(step, Close):
                await close_due(desk, (TODAY - step.days_ago * DAY).date())
            elif step.what == "merge":
                await merge_late(desk)
            elif step.what == "tidy":
                await desk.tidy()
            else:
                machine = step.what.removeprefix("erase ")
                await erasing.erase(desk, [await series_of(world, machine)], set())
                self.readings[machine].clear()


async def play(engines: Engines, address: str, todo: list[Load | Close | Do]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with bench(address, engines.secret, Storage(f"file://{Path(folder)}")) as world:
            model = Model()
            for step in todo:
                await model.take(world, step)
                for machine, readings in model.readings.items():
                    same(await seen(world, TODAY - OLDEST * DAY, TODAY - 2 * DAY, local=machine), readings)


def tried(engines: Engines, template: str, todo: list[Load | Close | Do]) -> None:
    with engines.database(template) as address:
        asyncio.run(play(engines, address, todo))


QUICK = settings(deadline=None, max_examples=4, suppress_health_check=list(HealthCheck))
LONG = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


@QUICK
@given(todo=steps)
def test_TEL_02_history_reads_like_a_dictionary_in_any_order(engines: Engines, template: str, todo: list[Load | Close | Do]) -> None:
    tried(engines, template, todo)


@pytest.mark.soak
@LONG
@given(todo=steps)
def test_TEL_02_history_reads_like_a_dictionary_over_many_orders(engines: Engines, template: str, todo: list[Load | Close | Do]) -> None:
    tried(engines, template, todo)
