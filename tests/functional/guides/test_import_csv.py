"""The guide for recorded history, followed to the letter on a platform that `lineset up` started."""

import json
from pathlib import Path

import httpx
import pytest

from tests.functional.guides.conftest import Household
from tests.support.guide import Shell, blocks, follow
from tests.support.running import Running

pytestmark = pytest.mark.timeout(400)
GUIDE = "import-csv.md"


def test_the_guide_for_recorded_history_works_as_written(running: Running, household: Household, tmp_path: Path) -> None:
    with Shell(tmp_path, running.env) as shell:
        count = follow(GUIDE, shell, lambda _: {})
    assert count == len([b for b in blocks(GUIDE) if b.kind == "sh"]) == 7
    assert "Old heat pump" in household.visitor.get(f"{household.base}/machines").text


def test_TEL_02_history_from_before_a_machine_was_entered_is_its_owners(running: Running, household: Household, tmp_path: Path) -> None:
    (tmp_path / "hall.csv").write_text("time,room temperature\n2023-02-01T08:00:00Z,19.5\n2023-02-01T08:10:00Z,20.5\n")
    machine = json.loads((running.data / "demo.json").read_text())["device"]["equipment"]
    with Shell(tmp_path, running.env) as shell:
        code, said = shell.run(f".venv/bin/lineset import hall.csv --site {household.site} --equipment byhand")
    assert code == 0, said
    assert said.endswith("2 rows were loaded from 2023-02-01 08:00 to 2023-02-01 08:10 UTC")
    span = {"points": "room_temperature", "start": "2023-02-01T00:00:00Z", "end": "2023-02-02T00:00:00Z"}
    headers = {"authorization": f"Bearer {household.token}"}
    answer = httpx.get(f"{running.url}/api/v1/equipment/{machine}/series", params=span, headers=headers, timeout=30)
    assert answer.json()["values"] == {"room_temperature": [19.5, 20.5]}
