"""How verdicts become findings: causes and effects, following over days, and detectors that fail."""

from collections.abc import Mapping

import numpy as np
import pytest
from lineset.diagnostics.cases import Cases, Detector, Status, Verdicts
from lineset.diagnostics.engine import CLEAR_S, Found, Judged, judge, track
from lineset.diagnostics.grouping import EXPLAINS, Conclusion, conclusion, group
from lineset.diagnostics.machine import Machine
from lineset.diagnostics.samples import DAY_S
from lineset_contract.faults import FAULTS


def said(confidence: float = 0.95, **probability: float) -> Conclusion:
    shares = {fault: p * confidence for fault, p in probability.items()}
    even = dict.fromkeys(shares, 0.2)
    return conclusion(shares, even, even, {"superheat_K": 12.0}, ("superheat",))


def judged(*conclusions: Conclusion, **status: Status) -> Judged:
    return Judged(list(conclusions), {fault: n for n, fault in enumerate(status)}, np.array(list(status.values()), np.int8))


def detector(name: str, fault: str, found: Mapping[str, bool], family: str = "heat_pump") -> Detector:
    """One that sees its fault at the machines named."""

    def look(cases: Cases) -> Verdicts:
        hit = np.array([found[machine.id] for machine in cases.machines])
        full = {fault: np.where(hit, 0.9, 0.0)}
        return Verdicts(np.where(hit, Status.FAULT, Status.OK).astype(np.int8), full, full, full)

    return Detector(name, (fault,), frozenset({family}), (), {}, "a test", ("superheat",), look)


def cases(*machines: Machine) -> Cases:
    return Cases(machines, np.full(len(machines), 20_000, np.int64), {})


def test_every_fault_in_the_table_of_causes_is_one_of_the_contract() -> None:
    named = set(EXPLAINS) | {fault for effects in EXPLAINS.values() for fault in effects}
    assert named <= set(FAULTS)


def test_DIA_02_what_a_fault_does_is_no_second_finding() -> None:
    (only,) = group([said(capacity_degradation=1.0), said(0.9, low_charge=1.0), said(0.99, setpoint_not_reached=1.0)])
    assert only.fault == "low_charge"
    assert only.effects == ("capacity_degradation", "setpoint_not_reached")


def test_faults_that_have_nothing_to_do_with_each_other_both_stay() -> None:
    assert {c.fault for c in group([said(low_charge=1.0), said(anode_due=1.0)])} == {"low_charge", "anode_due"}


def test_of_two_that_explain_each_other_the_likelier_is_the_cause() -> None:
    for sure, cause in ((0.99, "low_water_flow"), (0.8, "air_in_water")):
        (only,) = group([said(sure, low_water_flow=1.0), said(0.9, air_in_water=1.0)])
        assert only.fault == cause


def test_faults_that_measurements_cannot_tell_apart_are_named_together() -> None:
    both = said(0.98, low_charge=0.55, liquid_line_restriction=0.42, overcharge=0.03)
    assert [c.fault for c in both.candidates] == ["low_charge", "liquid_line_restriction"]
    assert both.confidence == pytest.approx(0.98)
    assert group([both, said(0.7, liquid_line_restriction=1.0)])[0].fault == "low_charge"


def test_a_detector_that_fails_disturbs_no_other() -> None:
    def broken(cases: Cases) -> Verdicts:
        raise ZeroDivisionError

    bad = Detector("bad", ("anode_due",), frozenset({"heat_pump"}), (), {}, "a test", (), broken)
    (one,) = judge(cases(Machine("a", "heat_pump_air_air")), [bad, detector("good", "low_charge", {"a": True})])
    assert one.status("anode_due") == Status.ERROR
    assert [c.fault for c in one.conclusions] == ["low_charge"]


def test_a_detector_is_asked_about_machines_of_its_families_alone() -> None:
    pump, furnace = Machine("a", "heat_pump_air_air"), Machine("b", "furnace_gas")
    first, second = judge(cases(pump, furnace), [detector("d", "low_charge", {"a": False})])
    assert (first.status("low_charge"), second.status("low_charge")) == (Status.OK, Status.NOT_APPLICABLE)


def test_a_fault_between_machines_of_a_zone_is_found_once() -> None:
    pair = [Machine(name, "heat_pump_air_air", site="s") for name in "ab"]
    both = judge(
        cases(*pair, Machine("c", "heat_pump_air_air", site="t")), [detector("d", "thermostat_fighting", dict.fromkeys("abc", True))]
    )
    assert [len(each.conclusions) for each in both] == [1, 0, 1]


def followed(*days: Judged) -> list[Found]:
    """What is left open after these days."""
    before: list[Found] = []
    for n, each in enumerate(days):
        before = track("a", before, each, n * DAY_S).open
    return before


def test_a_finding_goes_on_while_the_machine_is_off_and_closes_when_it_runs_well() -> None:
    fault = judged(said(low_charge=1.0), low_charge=Status.FAULT)
    off, fine = judged(low_charge=Status.OFF), judged(low_charge=Status.OK)
    assert [f.opened for f in followed(fault, off, off, off, fine)] == [0.0]
    assert followed(fault, *[fine] * (2 + int(CLEAR_S / DAY_S))) == []


def test_a_finding_keeps_its_day_when_its_likeliest_cause_changes() -> None:
    first, second = said(low_charge=0.6, liquid_line_restriction=0.4), said(low_charge=0.3, liquid_line_restriction=0.7)
    (one,) = followed(judged(first), judged(second))
    assert (one.opened, one.what.fault) == (0.0, "liquid_line_restriction")


def test_doubt_opens_nothing_but_does_not_close_either() -> None:
    doubt = judged(said(0.5, low_charge=1.0), low_charge=Status.FAULT)
    assert followed(doubt) == []
    assert [f.seen for f in followed(judged(said(low_charge=1.0)), doubt)] == [DAY_S]
