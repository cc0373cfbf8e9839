"""The scorer on truth and findings made by hand: it must be wrong about none of them."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from bench.diagnosis import score, table
from bench.diagnosis.score import DAY_S, MONTH_S, Result

START, END = 0.0, 60 * DAY_S


def machine(name: str, kind: str = "heat_pump_air_air", *joined: str) -> dict[str, Any]:
    return {"id": name, "site": "s", "type": kind, "start": START, "end": END, "joined": list(joined)}


def fault(name: str, equipment: str, onset_day: float, loss: float = 0.2, run_s: float = 1e6) -> dict[str, Any]:
    return {"equipment": equipment, "fault": name, "onset": onset_day * DAY_S, "end": END, "loss": loss, "run_s": run_s, "severity": 0.5}


def finding(name: str, equipment: str, opened_day: float, *others: str, closed_day: float | None = None) -> dict[str, Any]:
    candidates = [{"fault": each, "probability": 0.5} for each in (name, *others)]
    closed = None if closed_day is None else closed_day * DAY_S
    return {
        "equipment": equipment,
        "fault": name,
        "opened": opened_day * DAY_S,
        "closed": closed,
        "confidence": 0.9,
        "candidates": candidates,
    }


def scored(faults: list[dict[str, Any]], findings: list[dict[str, Any]], machines: list[dict[str, Any]] | None = None) -> Result:
    machines = machines or [machine("a", "heat_pump_air_air", "t"), machine("t", "thermostat", "a"), machine("b"), machine("c")]
    return score.score({"machines": machines, "faults": faults}, score.read(findings))


@pytest.mark.parametrize(
    ("findings", "outcome", "days"),
    [
        ([finding("low_charge", "a", 23.0)], "correct", 3.0),
        ([finding("low_charge", "t", 23.0)], "correct", 3.0),
        ([finding("liquid_line_restriction", "a", 24.0, "low_charge")], "ambiguous", 4.0),
        ([finding("overcharge", "a", 21.0)], "misdiagnosed", 1.0),
        ([finding("overcharge", "a", 21.0), finding("low_charge", "a", 26.0)], "correct", 6.0),
        ([], "missed", math.nan),
        ([finding("low_charge", "b", 23.0)], "missed", math.nan),
        ([finding("low_charge", "a", 19.0)], "missed", math.nan),
        ([finding("low_charge", "a", 61.0)], "missed", math.nan),
    ],
)
def test_each_outcome_of_a_fault(findings: list[dict[str, Any]], outcome: str, days: float) -> None:
    (one,) = scored([fault("low_charge", "a", 20.0)], findings).faults
    assert one.outcome == outcome
    assert one.days == pytest.approx(days, nan_ok=True)


def test_a_machine_that_hardly_ran_gives_no_response() -> None:
    idle = fault("low_charge", "a", 20.0, run_s=1800.0)
    assert scored([idle], []).faults[0].outcome == "no response"
    assert scored([idle], [finding("low_charge", "a", 30.0)]).faults[0].outcome == "correct"
    assert scored([fault("offline", "a", 20.0, run_s=0.0)], []).faults[0].outcome == "missed"


def test_false_alarms_are_findings_where_nothing_is_wrong_or_not_yet() -> None:
    findings = [
        finding("low_charge", "a", 19.0),  # too early
        finding("low_charge", "a", 22.0),
        finding("short_cycling", "a", 22.0),  # beside the right one
        finding("defrost_stuck", "b", 50.0),  # a sound machine
        finding("offline", "t", 25.0),  # joined to the faulty one
    ]
    found = scored([fault("low_charge", "a", 20.0)], findings)
    assert [(f.fault, f.equipment) for f in found.alarms] == [("low_charge", "a"), ("defrost_stuck", "b")]
    assert sorted(f.fault for f in found.beside) == ["offline", "short_cycling"]
    # two sound machines for 60 days, one for 20; the thermostat does not count
    assert found.months == pytest.approx((2 * 60 + 20) * DAY_S / MONTH_S)


def test_a_fault_that_was_there_before_leaves_nothing_sound_to_watch() -> None:
    found = scored([fault("low_charge", "a", -10.0)], [finding("low_charge", "a", 5.0)])
    assert found.faults[0].days == pytest.approx(5.0)
    assert found.months == pytest.approx(2 * 60 * DAY_S / MONTH_S)
    assert not found.alarms


def test_what_the_contract_or_the_fleet_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no such fault: gremlins"):
        scored([], [finding("gremlins", "a", 1.0)])
    with pytest.raises(ValueError, match="not in the fleet"):
        scored([], [finding("low_charge", "z", 1.0)])


def test_times_are_read_as_the_platform_prints_them() -> None:
    line = finding("low_charge", "a", 1.0) | {"opened": "1970-01-03T00:00:00Z", "closed": None, "candidates": ["overcharge"]}
    (one,) = score.read([line])
    assert (one.opened, one.closed) == (2 * DAY_S, math.inf)
    assert one.candidates == {"low_charge", "overcharge"}


@settings(deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_is_wilsons(drawn: tuple[int, int]) -> None:
    hits, tries = drawn
    theirs = binomtest(hits, tries).proportion_ci(0.95, method="wilson")
    assert score.wilson(hits, tries) == pytest.approx((theirs.low, theirs.high), abs=1e-4)


def test_the_interval_of_a_rate_is_garwoods() -> None:
    # Garwood (1936), table for 95 %: 0 events 0 to 3.689, 10 events 4.795 to 18.390
    assert score.poisson(0, 1.0) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert score.poisson(10, 2.0) == pytest.approx((4.795 / 2, 18.390 / 2), abs=1e-3)


def test_DIA_02_the_table_shows_the_bad_rows_too() -> None:
    faults = [fault("low_charge", "a", 20.0), fault("overcharge", "b", 20.0, loss=0.03), fault("sensor_stuck", "c", 20.0, loss=0.0)]
    page = table.markdown(scored(faults, [finding("low_charge", "a", 25.0), finding("no_condensing", "b", 1.0)]))
    assert "| 10 % of efficiency or more | 1 | 100 %" in page
    assert "| all | 3 | 33 %" in page
    assert "| sensor_stuck | 1 | 0 | 0 | 0 | 1 | 0 |" in page
    assert "False alarms: 1 in" in page
    assert "| no_condensing | 0 |" in page
