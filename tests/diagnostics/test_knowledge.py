"""Each fault of the contract is explained in full, in both languages, and urgency follows from severity and age."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineset.diagnostics.knowledge import KNOWLEDGE, MILDEST
from lineset_contract.faults import FAULTS

FORBIDDEN = (" safe ", "harmless", "seguro", "inofensiv", "please", "oops", "!")


@pytest.mark.parametrize("fault", FAULTS)
def test_DIA_02_each_fault_is_explained_in_both_languages(fault: str) -> None:
    known = KNOWLEDGE[fault]
    for words in (known.en, known.es):
        assert all((words.home.strip(), words.do.strip(), words.line.strip(), words.decides.strip()))
        assert 2 <= len(words.causes) <= 5
        assert 2 <= len(words.checks) <= 6
        assert 2 <= len(words.bring) <= 6
        said = " ".join((words.home, words.do, words.line, words.decides, *words.causes, *words.checks, *words.bring)).lower()
        assert not any(bad in f" {said} " for bad in FORBIDDEN), "nothing tells that a faulty machine is safe, and no pleading"
        assert all(text[0].isupper() or text[0].isdigit() for text in (*words.causes, *words.checks, *words.bring)), "a comma cut a text"
        assert max(map(len, (words.home, words.do))) <= 190, "a household reads it at a glance"
    assert [len(x) for x in (known.en.causes, known.en.checks, known.en.bring)] == [
        len(x) for x in (known.es.causes, known.es.checks, known.es.bring)
    ]
    assert known.en.home != known.es.home
    assert known.within_days > 0
    assert known.repair_hours > 0


@given(st.sampled_from(sorted(FAULTS)), st.floats(0, 1), st.floats(0, 1), st.floats(0, 400))
def test_a_worse_or_older_fault_leaves_less_time(fault: str, a: float, b: float, age: float) -> None:
    known = KNOWLEDGE[fault]
    mild, bad = sorted((a, b))
    assert known.days_left(bad, age) <= known.days_left(mild, age) <= known.days_left(mild, 0.0) <= known.within_days * MILDEST
    assert known.days_left(1.0, 0.0) == known.within_days
