"""Every figure, basis and reason of performance has words in both languages."""

import ast
from pathlib import Path

import numpy as np
import pytest
from lineset.diagnostics.days import Days
from lineset.diagnostics.performance import figures, table
from lineset.pages.common import performance_words as words
from lineset.pages.common.reader import Reader

from tests.diagnostics.columns import machine

FOLDER = Path(table.__file__).parent


@pytest.fixture(params=["en", "es"])
def reader(request: pytest.FixtureRequest) -> Reader:
    return Reader(language=request.param)


def test_figures_have_names(reader: Reader) -> None:
    days = Days([machine()], np.zeros(1, np.int64), np.full(1, 20_000), {})
    named = {name: words.figure_name(reader, name) for name in figures(days, "whole")[1]}
    bases = {
        name if name in words._NAMES else name.removesuffix(f"_{mode}") for name in named for mode in words._MODES if name.endswith(mode)
    }
    assert bases <= set(words._NAMES)
    assert {name for name in named if not name.endswith(tuple(words._MODES))} <= set(words._NAMES)
    assert len(set(named.values())) == len(named)


def test_every_basis_and_reason_in_the_code_has_words() -> None:
    said = {
        node.value
        for file in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(words._BASES) <= said
    reasons = {table.NOT_MEASURED, table.NOT_RUN, table.TOO_LITTLE, table.IMPLAUSIBLE, table.NO_SPREAD, table.MIXED, table.INCOMPLETE}
    reasons |= {table.BELOW_ZERO}
    assert set(words._REASONS) == reasons
