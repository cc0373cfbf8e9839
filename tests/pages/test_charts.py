"""Charts without a browser: what an address asks for, ticks through both changes of the clock, gaps, faults, figures."""

import csv
import io
import itertools
import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset import telemetry
from lineset.kit.errors import Invalid
from lineset.pages.common.chart_answer import answer_of
from lineset.pages.common.charting import Charted
from lineset.pages.common.day import chart, faults
from lineset.pages.common.facts import Day, Machine, Reading, Spell, Trouble
from lineset.pages.common.figures import csv_of, table
from lineset.pages.common.panels import lanes_of, panels
from lineset.pages.common.ranges import BESIDE, PRESETS, View, shifted, shifted_trace, title, view_of
from lineset.pages.common.reader import Reader
from lineset.pages.common.spells import coarse, gap_of, spells, troubles
from lineset.pages.common.ticks import ticks

ZONE = ZoneInfo("America/Los_Angeles")
READER = Reader("en", "us", "America/Los_Angeles")
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=ZONE).timestamp()
HOUR, DAY = 3600.0, 86_400.0
LONG_DAY = datetime(2026, 11, 1, tzinfo=ZONE)  # clocks go back: 25 h
SHORT_DAY = datetime(2026, 3, 8, tzinfo=ZONE)  # clocks go forward: 23 h


def local_day(first: datetime) -> tuple[float, float]:
    """From this midnight to the next."""
    return first.timestamp(), (first + timedelta(days=1)).timestamp()


# -- the address -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("span", PRESETS)
def test_preset_ends_now_and_stands_in_the_address(span: str) -> None:
    view = view_of(READER, {"span": span}, NOW, None)
    assert (view.end, view.end - view.start, view.live) == (NOW, PRESETS[span], True)
    assert view_of(READER, dict(pair.split("=") for pair in view.query().split("&") if pair), NOW, None) == view


@given(st.floats(NOW - 300 * DAY, NOW - HOUR), st.floats(300, 50 * DAY), st.sampled_from(["", *BESIDE]), st.booleans())
@settings(deadline=None)
def test_view_comes_back_from_its_own_address(start: float, length: float, compare: str, outdoor: bool) -> None:
    start = round(start)
    end = round(min(NOW, start + length + 1))
    view = View(start, end, "", ("room_temperature", "cop"), compare, outdoor)
    assert view_of(READER, dict(pair.split("=") for pair in view.query().split("&")), NOW, None) == view


def test_time_without_offset_is_the_sites_own() -> None:
    view = view_of(READER, {"start": "2026-11-17T02:00", "end": "2026-11-17T04:30"}, NOW, None)
    assert view.start == datetime(2026, 11, 17, 10, tzinfo=ZoneInfo("UTC")).timestamp()
    assert view.end - view.start == 2.5 * HOUR
    assert title(READER, view) == "Tue 17 Nov 2026, 02:00 to 04:30"


@pytest.mark.parametrize(
    ("span", "words"), [("300s", "Last 5 minutes"), ("9000s", "Last 2.5 hours"), ("30d", "Last 30 days"), ("45d", "Last 45 days")]
)
def test_live_stretch_is_named_by_its_length(span: str, words: str) -> None:
    assert title(READER, view_of(READER, {"span": span}, NOW, None)) == words


def test_all_reaches_back_to_the_first_day_and_no_further_than_can_be_read() -> None:
    assert view_of(READER, {"span": "all"}, NOW, NOW - 30 * DAY).start == NOW - 30 * DAY
    assert view_of(READER, {"span": "all"}, NOW, NOW - 1e12).start == NOW - telemetry.MAX_SPAN_S


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"span": "soon"}, "such as 90m"),
        ({"span": "10s"}, "five minutes"),
        ({"span": "999999999d"}, "at most"),
        ({"start": "yesterday"}, "year-month-day"),
        ({"start": "2026-11-17T04:00", "end": "2026-11-17T02:00"}, "five minutes after"),
        ({"start": "2027-01-01T00:00"}, "in the future"),
        ({"start": "0001-01-01T00:00"}, "2000"),
        ({"end": "9999-12-31T23:59:59Z", "start": "1999-01-01T00:00"}, "2000"),
        ({"points": ",".join(f"p{n}" for n in range(9))}, "at most 8"),
    ],
)
def test_what_cannot_be_shown_says_why(query: dict[str, str], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        view_of(READER, query, NOW, None)


# -- the clock -------------------------------------------------------------------------------------------------------


def test_TEL_03_day_of_25_hours_has_its_second_hour_and_one_of_23_lacks_it() -> None:
    long = [tick.text for tick in ticks(READER, *local_day(LONG_DAY), most=30)]
    assert long[:5] == ["Sun 1", "01:00", "01:00", "02:00", "03:00"]
    assert len(long) == 26
    short = [tick.text for tick in ticks(READER, *local_day(SHORT_DAY), most=30)]
    assert short[:4] == ["Sun 8", "01:00", "03:00", "04:00"]
    assert len(short) == 24


@given(st.floats(NOW - 900 * DAY, NOW), st.floats(300, 800 * DAY), st.booleans())
@settings(deadline=None)
def test_ticks_are_round_moments_of_the_local_clock(start: float, length: float, clock24: bool) -> None:
    reader = Reader("es", "metric", "America/Los_Angeles", clock24=clock24)
    found = ticks(reader, start, start + length)
    assert 2 <= len(found) <= 22
    assert [t.t for t in found] == sorted({t.t for t in found})
    for tick in found:
        assert start <= tick.t <= start + length
        local = datetime.fromtimestamp(tick.t, ZONE)
        assert local.second == 0
        assert (local.hour, local.minute) == (0, 0) or not tick.major
        if length > 11 * DAY:
            assert (local.hour, local.minute) == (0, 0)


def test_comparison_keeps_the_time_of_day_across_the_change_of_the_clock() -> None:
    after = datetime(2026, 11, 3, 7, 30, tzinfo=ZONE)
    before = datetime.fromtimestamp(shifted(READER, after.timestamp(), -7), ZONE)
    assert (before.day, before.hour, before.minute) == (27, 7, 30)
    assert after.timestamp() - before.timestamp() == 7 * DAY + HOUR
    start, end = local_day(LONG_DAY)
    t = [start + 600.0 * n for n in range(int((end - start) // 600))]
    moved, values = shifted_trace(READER, t, [float(n) for n in range(len(t))], 7)
    assert moved == sorted(set(moved))
    assert len(moved) == len(values) == 24 * 6, "the hour that the clock shows twice is there once"


# -- gaps and states -------------------------------------------------------------------------------------------------


def test_gap_is_what_is_longer_than_the_points_own_step() -> None:
    every_minute = [60.0 * n for n in range(100)]
    assert 120 < gap_of(every_minute) < 240
    buckets = [n * 100.0 + offset for n in range(50) for offset in (25.0, 75.0)]
    assert 50 < gap_of(buckets) < 150 + 1e-9, "one empty bucket is a gap"
    assert gap_of([0.0, 300.0, 600.0]) > 300


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from([0.0, 1.0, 3.0])), min_size=1, max_size=60))
@settings(deadline=None)
def test_spells_cover_every_reading_once_and_never_bridge_a_gap(steps: list[tuple[int, float]]) -> None:
    t = 0.0
    known = [(t := t + step, value) for step, value in steps]
    found = spells("operating_mode", known, t + 10)
    gap = gap_of([moment for moment, _ in known])
    for before, after in itertools.pairwise(found):
        assert before.end <= after.start
    for moment, value in known:
        word = {0.0: "off", 1.0: "heating", 3.0: "defrost"}[value]
        assert any(s.start <= moment <= s.end and s.word == word for s in found)
    for (a, _), (b, _) in itertools.pairwise(known):
        if b - a > gap:
            assert not any(s.start <= a and s.end >= b for s in found)


@given(st.integers(0, 2**32), st.integers(1001, 3000))
@settings(max_examples=15, deadline=None)
def test_more_modes_than_a_lane_can_show_keep_their_share_of_the_time(seed: int, count: int) -> None:
    chance = random.Random(seed)
    t, modes = 0.0, list[tuple[float, float, str]]()
    for _ in range(count):
        length = chance.expovariate(1 / 900)
        modes.append((t, t + length, chance.choice(["heating", "defrost", "idle"])))
        t += length
    found = coarse(modes, 0.0, t)
    assert len(found) <= 3 * 500
    for mode in ("heating", "defrost", "idle"):
        spent = [sum(b - a for a, b, said in spans if said == mode) for spans in (modes, found)]
        assert spent[1] == pytest.approx(spent[0], rel=1e-6, abs=1e-3 + t * 1e-4)


def test_faults_that_touch_are_one_and_the_code_says_more_than_the_state() -> None:
    found = troubles(
        {
            "alarm_state": [Spell(100, 900, "fault"), Spell(5000, 5100, "warning")],
            "fault_code": [Spell(0, 110, "0"), Spell(110, 900, "34")],
            "leak_sensor": [Spell(0, 9000, "dry")],
        }
    )
    merged = faults(READER, Day(0, 10_000, (), {}, troubles=found))
    assert [(f.start, f.end, f.text, f.mild) for f in merged] == [(100, 900, "Fault code 34", False), (5000, 5100, "Warning", True)]


# -- panels and figures ----------------------------------------------------------------------------------------------


def machine(**values: float | str) -> Machine:
    """A heat pump that has sent these."""
    return Machine("m", "heat_pump_air_air", "HP-1", {name: Reading(value, NOW) for name, value in values.items()}, online=True)


def test_panels_are_those_that_were_chosen_with_their_set_points_and_states_as_lanes() -> None:
    pump = machine(room_temperature=20.0, heating_setpoint=21.0, electric_power=900.0, outdoor_temperature=1.0)
    assert next((w.point, w.should) for w in panels(pump)) == ("room_temperature", "heating_setpoint")
    chosen = ("superheat", "defrost_state", "operating_mode", "home_made")
    assert [w.point for w in panels(pump, chosen)] == ["superheat", "home_made"]
    assert lanes_of(chosen) == ("defrost_state",)
    assert [w.point for w in panels(pump, chosen, outdoor=True)][-1] == "outdoor_temperature"


def charted() -> Charted:
    """Two hours with a peak, a gap, a week before, a mode and a fault."""
    start = NOW - 2 * HOUR
    t = [start + 60.0 * n for n in range(120) if not 50 <= n < 80]
    room = [20.0 + (9.5 if n == 10 else 0.0) for n in range(len(t))]
    day = Day(
        start,
        NOW,
        t,
        {"room_temperature": room, "heating_setpoint": [21.0] + [None] * (len(t) - 1)},
        modes=[(start, start + HOUR, "heating"), (start + HOUR, NOW, "defrost")],
        before={"room_temperature": (t, [18.0] * len(t))},
        troubles=(Trouble(start + 600, start + 900, "fault_code", "34"),),
    )
    pump = machine(room_temperature=20.0, heating_setpoint=21.0)
    return Charted(View(start, NOW, "2h", compare="week"), pump, tuple(panels(pump)), (), "", day)


def test_TEL_03_figures_are_those_of_the_lines_in_the_persons_units() -> None:
    found = charted()
    rows = list(csv.reader(io.StringIO(csv_of(READER, found.day, found.wanted, found.codes, "week before"))))
    assert rows[0] == [
        "Time",
        "Room temperature [°F]",
        "Heating set point [°F]",
        "Room temperature, week before [°F]",
        "Operating mode",
    ]
    assert len(rows) == 1 + len(found.day.t)
    assert rows[1] == ["2026-11-22T01:00:00-08:00", "68", "69.8", "64.4", "Heating"]
    assert rows[11][1] == "85.1"
    assert rows[-1][4] == "Defrost"
    read = table(READER, found.day, found.wanted, found.codes, "week before")
    assert any("68.0 to 85.1" in row.cells for row in read.rows)
    assert any(row.cells[0] == "–" for row in read.rows), "the gap is a gap in the table too"
    assert len(read.rows) <= 40


def test_answer_has_what_the_drawing_has() -> None:
    found = charted()
    moment = datetime.fromtimestamp(NOW, ZONE)
    answer = answer_of(READER, found, moment)
    drawn = chart(READER, "m", found.day, found.wanted, keep=True)
    assert answer.blocks[0].series["room_temperature"][10] == 29.5
    assert answer.before[0].series["room_temperature"][0] == 18.0
    assert [f.text for f in answer.faults] == ["Fault code 34"] == [band.text for band in drawn.faults]
    assert [lane.name for lane in drawn.lanes] == ["Heating", "Defrost"] == [s.text for s in answer.modes]
    assert len(drawn.panels[0].drawing.gaps) == 1
    assert drawn.panels[0].drawing.measured.count("M") == 2
    assert answer.say == drawn.say
    assert "No readings for 0.5 h." in answer.say
    assert not answer.empty
    assert {t for t, _, _ in answer.ticks} >= {tick.t for tick in ticks(READER, found.view.start, found.view.end)}
