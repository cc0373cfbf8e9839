"""Every figure that speaks for a finding has a name in both languages, and units that are no part of it."""

import ast
from pathlib import Path

import pytest
from lineset.pages.common import evidence_words as words
from lineset.pages.common.findings import speaks
from lineset.pages.common.reader import Reader
from lineset_contract.points import POINTS

FOLDER = Path(words.__file__).parents[2] / "diagnostics" / "detectors"


def figures() -> set[str]:
    """What rules name as evidence."""
    found = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            for keyword in node.keywords if isinstance(node, ast.Call) else ():
                if keyword.arg == "evidence" and isinstance(keyword.value, ast.Dict):
                    found |= {key.value for key in keyword.value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return found


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_figure_that_speaks_for_a_finding_has_a_name(language: str) -> None:
    reader = Reader(language)
    told = figures()
    assert len(told) > 40
    for key in told:
        name, unit = words.apart(key)
        bare = name.removesuffix("_deviation").removesuffix("_limit")
        assert bare in words._NAMES or bare in POINTS, key
        assert words.evidence_name(reader, name)
        assert unit != "d" or not name.endswith("_per")


def test_a_rate_is_no_time_and_a_deviation_says_so() -> None:
    english, spanish = Reader("en", "metric"), Reader("es", "metric")
    shown = speaks(english, {"starts_per_d": 48.0, "superheat_deviation_K": 4.0, "silent_d": 3.0})
    assert [(s.name, s.value.replace("\xa0", " ")) for s in shown[:2]] == [("Starts a day", "48"), ("Superheat, deviation", "4.0 K")]
    assert shown[2].value.replace("\xa0", " ") == "3 days"
    assert speaks(spanish, {"superheat_deviation_K": 4.0})[0].name.endswith(", desviación")
