"""What the server draws: gaps stay gaps, scales hold their values."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset.pages.common.draw import DIAL_SWEEP, dial, spark

HOUR = 3600.0


def moves(path: str) -> int:
    """How many separate lines a path has."""
    return path.count("M")


def test_gap_in_the_data_breaks_the_line_and_is_marked() -> None:
    trace = [(t * 300.0, 20.0 + t % 3) for t in range(100) if not 40 <= t < 60]
    drawn = spark(trace, [], 0.0, 100 * 300.0)
    assert moves(drawn.measured) == 2
    assert len(drawn.gaps) == 1
    left, width = drawn.gaps[0]
    assert left / drawn.width == pytest.approx(0.39, abs=0.02)
    assert width / drawn.width == pytest.approx(0.21, abs=0.02)


def test_silence_until_now_is_marked_too() -> None:
    drawn = spark([(t * 300.0, 20.0) for t in range(50)], [], 0.0, 100 * 300.0)
    left, width = drawn.gaps[-1]
    assert left + width == drawn.width


def test_set_point_is_held_between_its_readings() -> None:
    drawn = spark([(0.0, 20.0), (HOUR, 21.0)], [(0.0, 20.0), (8 * HOUR, 22.0)], 0.0, 10 * HOUR)
    assert re.fullmatch(r"M0 \d+H192V\d+H240", drawn.expected)


def test_noise_does_not_fill_the_box() -> None:
    drawn = spark([(t * 300.0, 20.0 + 0.01 * (t % 2)) for t in range(50)], [], 0.0, 50 * 300.0, least=2.0)
    levels = [int(y) for y in re.findall(r"l-?\d+ (-?\d+)", drawn.measured)]
    assert all(abs(step) <= 1 for step in levels)


@given(st.floats(-60, 130), st.floats(-60, 130))
def test_dial_holds_any_room_and_set_point(value: float, target: float) -> None:
    drawn = dial(value, target, major=10.0, span=(50.0, 80.0))
    assert drawn.low <= value <= drawn.high
    assert drawn.low <= target <= drawn.high
    assert drawn.needle is not None
    assert abs(drawn.needle) <= DIAL_SWEEP / 2 + 0.01
    assert 0.0 <= drawn.gap[0] <= drawn.gap[1] <= 1.0


def test_nothing_measured_draws_nothing() -> None:
    drawn = spark([], [], 0.0, HOUR)
    assert drawn.measured == drawn.expected == drawn.between == ""
    assert drawn.gaps == ()
