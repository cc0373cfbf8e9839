"""The whole way in small: homes simulated, recorded, diagnosed by the platform's command, scored. It fails when detection broke."""

from pathlib import Path

import msgspec
import pytest
from lineset_simulator import Fault

from bench.diagnosis import ask, record, score
from bench.diagnosis.fleet import DAY_S, ENDS, KINDS, Plan
from bench.diagnosis.homes import PLACES, home

DAYS, ONSET = 16, 6.0


def planned(key: str, kit: str, name: str = "", severity: float = 0.0, point: str = "") -> Plan:
    """A home in summer that gets a fault at its cooling machine six days before the end, or none."""
    spec = home(key, kit, PLACES[4], "summer", 20 + len(key + kit))
    local = "hp1" if kit == "split" else "ac1"
    kind = next((kind for kind in KINDS if kind.name == name), None)
    if kind is not None:
        fitted = tuple(msgspec.structs.replace(machine, sensors="full") for machine in spec.equipment)
        spec = msgspec.structs.replace(spec, equipment=fitted, faults=(Fault(local, kind.name, severity, ONSET, 0.0, point),))
    return Plan(spec, "summer", ENDS["summer"] - DAYS * DAY_S, ENDS["summer"], kind)


@pytest.mark.timeout(600)
def test_DIA_02_gross_faults_are_found_and_sound_homes_are_left_alone(tmp_path: Path) -> None:
    plans = (
        planned("stuck", "cooler", "sensor_stuck", 21.0, "return_air_temperature"),
        planned("lean", "split", "low_charge", 0.35),
        planned("sound", "split"),
        planned("sounder", "cooler"),
    )
    told = record.record(record.Part(tmp_path / "summer-000", plans, 300))
    truth = {"machines": [m for machines, _ in told for m in machines], "faults": [f for _, faults in told for f in faults]}
    assert truth["faults"][1]["loss"] > 0.05
    found, _ = ask.findings(tmp_path)
    result = score.score(truth, score.read(found))
    outcomes = {scored.truth["fault"]: scored.outcome for scored in result.faults}
    assert outcomes["sensor_stuck"] == "correct"
    assert outcomes["low_charge"] in ("correct", "ambiguous")
    assert not result.alarms
