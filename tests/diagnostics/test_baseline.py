"""What machines learn of themselves: regression, memory, and what they don't learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.diagnostics.baseline import Memory, compare
from lineset.diagnostics.expectations import BLOCKS, COLUMNS, DRIVERS, PRIORS, RELATIVE, SPEED_CENTRE
from lineset.diagnostics.samples import Flags, Floats, Ints

TRUE = np.array([43.0, 1.4, 8.2, 2.5, 0.2, 0.1])
"""Condensing temperature: coefficients of the drivers in the order of `DRIVERS`, within the prior but not at its mean."""


def learn(memory: Memory, machine: Ints, features: dict[str, Floats], healthy: Flags) -> Memory:
    return compare(memory, machine, features).learnt(healthy)


def residuals(memory: Memory, machine: Ints, features: dict[str, Floats]) -> dict[str, Floats]:
    return compare(memory, machine, features).residuals()


def hours(seed: int, count: int, machines: int = 1, shift: float = 0.0, noise: float = 0.3) -> tuple[Ints, dict[str, Floats]]:
    """Random hours of heating that follow `TRUE`, with full steady time."""
    rng = np.random.default_rng(seed)
    source, sink = rng.uniform(-10, 15, count), rng.uniform(19, 40, count)
    speed, humidity = rng.uniform(35, 100, count), rng.uniform(40, 90, count)
    x = np.c_[
        np.ones(count), (source - 7) / 10, (sink - 30) / 10, np.log(speed / SPEED_CENTRE), (humidity - 50) / 20, ((source - 7) / 10) ** 2
    ]
    values = {
        "source": source,
        "sink": sink,
        "speed": speed,
        "humidity": humidity,
        "condensing": x @ TRUE + shift + rng.normal(0, noise, count),
    }
    seconds = np.full(count, 2400.0)
    features = {f"steady.heating.{name}.x": value * seconds for name, value in values.items()}
    features |= {f"steady.heating.{name}.s": seconds.copy() for name in values}
    return rng.integers(0, machines, count), features


def part(features: dict[str, Floats], which: Ints) -> dict[str, Floats]:
    return {name: values[which] for name, values in features.items()}


def learnt(seed: int, count: int = 400, machines: int = 1) -> Memory:
    idx, features = hours(seed, count, machines)
    return learn(Memory.empty(machines), idx, features, np.ones(count, bool))


def deviation(memory: Memory, shift: float, machines: int = 1) -> tuple[Floats, Floats]:
    idx, features = hours(99, 200, machines, shift)
    found = residuals(memory, idx, features)
    s = found["residual.heating.condensing.s"]
    return found["residual.heating.condensing.x"] / s, found["residual.heating.condensing.v"] / s


def test_DIA_02_a_machine_that_changed_stands_out_from_its_own_past() -> None:
    memory = learnt(1)
    same, variance = deviation(memory, 0.0)
    assert abs(same.mean()) < 0.1
    assert np.mean(np.abs(same) < 3 * np.sqrt(variance)) > 0.98
    changed, _ = deviation(memory, 3.0)
    assert changed.mean() == pytest.approx(3.0, abs=0.15)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1.5, 1.5))
def test_coefficients_are_recovered_whatever_the_machine(seed: int, scale: float) -> None:
    block = ("heating", "condensing")
    true = PRIORS[block].mean + scale * PRIORS[block].sd
    idx, features = hours(seed, 300)
    x = np.array([features[f"steady.heating.{name}.x"] / 2400.0 for name in ("source", "sink", "speed", "humidity")])
    a = (x[0] - 7) / 10
    design = np.c_[np.ones(300), a, (x[1] - 30) / 10, np.log(x[2] / SPEED_CENTRE), (x[3] - 50) / 20, a * a]
    rng = np.random.default_rng(seed)
    features["steady.heating.condensing.x"] = (design @ true + rng.normal(0, 0.2, 300)) * 2400.0
    memory = learn(Memory.empty(1), np.zeros(300, np.int64), features, np.ones(300, bool))
    found = residuals(memory, np.zeros(300, np.int64), features)
    assert np.sqrt(np.mean((found["residual.heating.condensing.x"] / 2400.0) ** 2)) < 0.3
    assert len(DRIVERS) == design.shape[1]
    assert not idx.any()


def test_many_machines_at_once_are_as_one_by_one() -> None:
    machines = 5
    idx, features = hours(3, 300, machines)
    together = learn(Memory.empty(machines), idx, features, np.ones(300, bool))
    for n in range(machines):
        mine = np.flatnonzero(idx == n)
        alone = learn(Memory.empty(1), np.zeros(len(mine), np.int64), part(features, mine), np.ones(len(mine), bool))
        assert np.allclose(alone.sums[0], together.sums[n], rtol=1e-4, atol=1e-3)
        one = residuals(alone, np.zeros(len(mine), np.int64), part(features, mine))
        all_ = residuals(together, idx, features)
        for name, values in one.items():
            assert np.allclose(values, all_[name][mine], rtol=1e-3, atol=1.0, equal_nan=True), name


def test_the_order_in_which_hours_come_does_not_matter() -> None:
    _, features = hours(4, 60)
    zeros = np.zeros(30, np.int64)
    order = np.random.default_rng(0).permutation(60)

    def in_two(order: Ints) -> Memory:
        memory = Memory.empty(1)
        for half in (order[:30], order[30:]):
            memory = learn(memory, zeros, part(features, half), np.ones(30, bool))
        return memory

    assert np.allclose(in_two(np.arange(60)).sums, in_two(order).sums, rtol=1e-4, atol=1e-3)


def test_a_memory_survives_being_kept() -> None:
    memory = learnt(5, machines=3)
    kept = memory.to_bytes()
    back = Memory.from_bytes(kept)
    assert np.array_equal(back.sums, memory.sums)
    assert np.array_equal(back.cells, memory.cells)
    assert max(len(each) for each in kept) < 2_000
    assert np.array_equal(Memory.from_bytes([b"", *kept[:1]]).sums[1], memory.sums[0])
    assert not Memory.from_bytes([b""]).sums.any()
    with pytest.raises(ValueError, match="no memory"):
        Memory.from_bytes([kept[0][:1] + b"rubbish"])


def test_what_is_not_healthy_is_not_learnt() -> None:
    idx, features = hours(6, 100, 2)
    memory = learn(Memory.empty(2), idx, features, idx == 0)
    assert memory.sums[0].any()
    assert not memory.sums[1].any()


def test_a_slow_loss_is_not_learnt_away() -> None:
    """200 days of a kelvin more every 20 days in conditions that were seen before."""
    memory = learnt(7, 3000)
    for day in range(200):
        idx, features = hours(1000 + day, 10, shift=day / 20)
        memory = learn(memory, idx, features, np.ones(10, bool))
    late, _ = deviation(memory, 10.0)
    assert late.mean() > 9.0


def test_doubt_grows_outside_of_what_was_seen() -> None:
    _, features = hours(8, 200)
    memory = learn(Memory.empty(1), np.zeros(200, np.int64), features, np.ones(200, bool))
    _, near = deviation(memory, 0.0)
    idx, far = hours(9, 50)
    far["steady.heating.source.x"] = far["steady.heating.source.x"] - 40.0 * 2400.0
    away = residuals(memory, idx, far)
    assert (away["residual.heating.condensing.v"] / 2400.0).mean() > 2 * near.mean()


def test_a_driver_that_is_missing_widens_the_doubt_instead_of_making_a_fault() -> None:
    memory = learnt(10)
    idx, features = hours(11, 100)
    del features["steady.heating.sink.x"], features["steady.heating.sink.s"]
    found = residuals(memory, idx, features)
    z = found["residual.heating.condensing.x"] / 2400.0 / np.sqrt(found["residual.heating.condensing.v"] / 2400.0)
    assert np.abs(z).max() < 3.5


def test_hours_that_are_too_short_say_nothing() -> None:
    idx, features = hours(12, 20)
    for name in ("x", "s"):
        features[f"steady.heating.condensing.{name}"][:10] *= 60.0 / 2400.0
    found = residuals(Memory.empty(1), idx, features)["residual.heating.condensing.x"]
    assert np.isnan(found[:10]).all()
    assert not np.isnan(found[10:]).any()


def test_every_block_has_a_prior_of_the_right_shape() -> None:
    for block in BLOCKS:
        assert PRIORS[block].mean.shape == PRIORS[block].sd.shape == (len(DRIVERS),)
        assert (PRIORS[block].sd > 0).all()
    assert {channel for _, channel in COLUMNS} >= RELATIVE
