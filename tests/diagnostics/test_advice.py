"""Advice: what is worth doing at a machine, why, what it saves and pays back, and in which order."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset.diagnostics.advice import LABOUR_AN_HOUR, REPLACEMENTS, Known, advise, identity, power_ratio, rank, repair_cost, worth
from lineset.diagnostics.knowledge import KNOWLEDGE
from lineset.diagnostics.views import Advice, Candidate, Due, Finding, Life
from lineset_contract.profiles import PROFILES

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
MACHINE, SITE, HOME = UUID(int=1), UUID(int=2), UUID(int=3)


def finding(fault: str, n: int = 10, **changes: Any) -> Finding:
    made = Finding(
        UUID(int=n), MACHINE, SITE, HOME, fault, (Candidate(fault, 0.9),), (), 0.9, 0.6, 2.0, {}, (), "open", NOW - timedelta(days=2), NOW
    )
    return msgspec.structs.replace(made, **changes)


def known(**what: Any) -> Known:
    fixed: dict[str, Any] = {"household": HOME, "equipment": MACHINE, "site": SITE, "type": "heat_pump_air_water"}
    return Known(**(fixed | what))


def test_DIA_05_a_finding_becomes_a_repair_with_its_saving_cost_and_payback() -> None:
    (repair,) = advise(known(findings=[finding("low_charge")]), NOW)
    assert (repair.kind, repair.code, repair.finding) == ("repair", "low_charge", UUID(int=10))
    assert repair.saving_a_year == pytest.approx(2.0 * 365)
    assert repair.cost == pytest.approx(KNOWLEDGE["low_charge"].repair_hours * LABOUR_AN_HOUR + KNOWLEDGE["low_charge"].parts)
    assert repair.payback_years == pytest.approx((360 + 250) / 730)
    assert 0 < repair.urgency_days < KNOWLEDGE["low_charge"].within_days * 4
    assert repair.figures["hours"] == 3.0


def test_what_is_closed_or_in_repair_gives_no_advice_and_an_unknown_cost_no_saving() -> None:
    states = ("in_repair", "verified_fixed", "closed", "false_alarm")
    assert advise(known(findings=[finding("low_charge", state=state) for state in states]), NOW) == []
    (repair,) = advise(known(findings=[finding("low_charge", cost_a_day=None)]), NOW)
    assert repair.saving_a_year is None
    assert repair.payback_years is None


def test_what_a_finding_says_already_is_not_said_again_as_due() -> None:
    dues = [Due(MACHINE, "filter", 5.0, 2.0, "run_time", {}), Due(MACHINE, "anode", 300.0, 50.0, "age", {})]
    assert [a.code for a in advise(known(dues=dues), NOW)] == ["filter"], "what comes due in 300 days waits"
    assert [a.code for a in advise(known(dues=dues, findings=[finding("low_air_flow")]), NOW)] == ["low_air_flow"]


def test_DIA_05_a_dear_repair_of_an_old_machine_brings_a_replacement_with_what_it_was_reckoned_with() -> None:
    old = Life(MACHINE, "compressor", (0.5, 1.5, 4.0), 0.3, "weibull-1", {"age_years": 14.0})
    young = Life(MACHINE, "compressor", (9.0, 12.0, 16.0), 0.02, "weibull-1", {"age_years": 3.0})
    leak = finding("compressor_valve_leak", cost_a_day=1.0)
    found = advise(known(findings=[leak], lives=[old], energy_kwh=6000.0, price=0.2, efficiency=2.4), NOW)
    new = REPLACEMENTS["heat_pump_air_water"]
    (change,) = [a for a in found if a.kind == "replacement"]
    assert change.finding == leak.id
    assert change.saving_a_year == pytest.approx(6000 * 0.2 * (1 - 2.4 / new.efficiency) + 365)
    assert change.payback_years == pytest.approx(new.price / (6000 * 0.2 * (1 - 2.4 / new.efficiency) + 365))
    assert change.figures["repair"] == repair_cost("compressor_valve_leak")
    assert change.figures["measured"] == 1.0
    assert not [a for a in advise(known(findings=[leak], lives=[young], energy_kwh=6000.0, price=0.2), NOW) if a.kind == "replacement"]
    unknown = advise(known(findings=[leak], lives=[old]), NOW)
    assert next(a for a in unknown if a.kind == "replacement").saving_a_year is None


def test_cooler_water_is_advised_only_where_rooms_stay_warm_and_nothing_is_wrong() -> None:
    well: dict[str, Any] = {"energy_kwh": 6000.0, "price": 0.2, "evaporating": -3.0, "condensing": 45.0, "comfort": 0.98}
    (setting,) = advise(known(**well), NOW)
    assert (setting.kind, setting.code) == ("setting", "cooler_water")
    assert setting.saving_a_year == pytest.approx(6000 * 0.2 * (1 - power_ratio(-3.0, 45.0, 3.0)))
    assert 0.03 < setting.figures["share"] < 0.09
    assert advise(known(**well | {"comfort": 0.8}), NOW) == []
    assert advise(known(**well | {"condensing": 29.0, "evaporating": 5.0}), NOW) == []
    assert [a.kind for a in advise(known(**well, findings=[finding("low_charge")]), NOW)] == ["repair"]


def test_the_carnot_ratio_is_that_of_a_worked_example() -> None:
    # Ideal cycle between 0 and 40 degC: COP 313.15/40 = 7.829; condensing at 35 degC: 308.15/35 = 8.804. Power falls to 0.8892.
    assert power_ratio(0.0, 40.0, 5.0) == pytest.approx(7.82875 / 8.80429, abs=1e-4)


def test_sensors_are_offered_where_two_causes_can_not_be_told_apart() -> None:
    two = (Candidate("low_charge", 0.55), Candidate("liquid_line_restriction", 0.4))
    assert {a.kind for a in advise(known(findings=[finding("low_charge", candidates=two)]), NOW)} == {"repair", "product"}


def test_types_of_replacements_exist() -> None:
    assert set(REPLACEMENTS) <= set(PROFILES)
    assert all(new.efficiency > new.instead > 0 for new in REPLACEMENTS.values())


def piece(n: int, saving: float, days: float, cost: float, suffers: str) -> Advice:
    id_ = identity(HOME, MACHINE, "repair", "x", UUID(int=n))
    return Advice(id_, MACHINE, SITE, "repair", "x", None, saving, cost, None, days, {}, NOW, suffers)


MONEY = st.floats(0, 5000)
PIECES = st.lists(
    st.builds(piece, st.integers(1, 10**6), MONEY, st.floats(0, 400), MONEY, st.sampled_from(["heating", "cost", "health"])),
    max_size=12,
    unique_by=lambda a: a.id,
)


@given(PIECES, st.data())
def test_DIA_05_ranking_is_by_worth_and_what_was_dismissed_stays_away(pieces: list[Advice], data: st.DataObject) -> None:
    gone = {a.id for a in pieces if data.draw(st.booleans())}
    ranked = rank(pieces, gone)
    assert {a.id for a in ranked} == {a.id for a in pieces} - gone
    assert [worth(a) for a in ranked] == sorted((worth(a) for a in ranked), reverse=True)
    assert rank(list(reversed(pieces)), gone) == ranked, "the order does not hang on that of the pieces"


@given(MONEY, MONEY, st.floats(0, 400), st.floats(0, 400), MONEY)
def test_more_saving_sooner_and_cheaper_never_rank_lower(a: float, b: float, soon: float, late: float, cost: float) -> None:
    less, more = sorted((a, b))
    soon, late = sorted((soon, late))
    assert worth(piece(1, more, soon, cost, "cost")) >= worth(piece(1, less, late, cost, "cost"))
    assert worth(piece(1, more, soon, cost, "heating")) > worth(piece(1, more, soon, cost, "cost"))
    assert worth(piece(1, more, soon, cost / 2, "cost")) >= worth(piece(1, more, soon, cost, "cost"))


def test_the_same_advice_has_the_same_id_and_another_finding_another() -> None:
    first, again, other = (finding("low_charge", n) for n in (10, 10, 11))
    ids = [advise(known(findings=[f]), NOW)[0].id for f in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
