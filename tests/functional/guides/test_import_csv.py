"""The guide for recorded history, followed to the letter on a platform that `lineset up` started."""

from pathlib import Path

import pytest

from tests.functional.guides.conftest import Household
from tests.support.guide import Shell, blocks, follow
from tests.support.running import Running

pytestmark = [pytest.mark.xdist_group("guides"), pytest.mark.timeout(400)]
GUIDE = "import-csv.md"


def test_the_guide_for_recorded_history_works_as_written(running: Running, household: Household, tmp_path: Path) -> None:
    with Shell(tmp_path, running.env) as shell:
        count = follow(GUIDE, shell, lambda _: {})
    assert count == len([b for b in blocks(GUIDE) if b.kind == "sh"]) == 7
    assert "Old heat pump" in household.visitor.get(f"{household.base}/machines").text
