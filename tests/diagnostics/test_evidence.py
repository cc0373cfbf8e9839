"""The course of what a finding rests on: measured, expected and the normal band, from stored days; and how a page draws and says it."""

from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest
from lineset.diagnostics import Candidate, Finding
from lineset.diagnostics.days import Days
from lineset.diagnostics.evidence import NINE_IN_TEN, Course, courses
from lineset.diagnostics.keeping import EPOCH
from lineset.diagnostics.machine import Machine
from lineset.pages.common.courses import course_view
from lineset.pages.common.reader import Reader

FIRST, BEGAN, LAST = date(2026, 10, 1), date(2026, 10, 21), date(2026, 10, 30)
COUNT = (LAST - FIRST).days + 1
STEADY_S = 6 * 3600.0


def finding() -> Finding:
    at = datetime(2026, 10, 21, tzinfo=UTC)
    one = UUID(int=1)
    candidates = (Candidate("low_charge", 0.9),)
    return Finding(one, one, one, one, "low_charge", candidates, (), 0.9, 0.4, None, {"superheat_K": 12.0}, (), "open", at, at)


def block(channel: str, apart: np.ndarray[tuple[int], np.dtype[np.float64]], level: float, sd: float, count: float) -> dict[str, object]:
    whole = np.full(COUNT, STEADY_S)
    return {
        f"steady.heating.{channel}.x": (level + apart) * whole,
        f"steady.heating.{channel}.s": whole,
        f"residual.heating.{channel}.x": apart * whole,
        f"residual.heating.{channel}.s": whole,
        f"residual.heating.{channel}.v": sd**2 * whole,
        f"residual.heating.{channel}.n": count * whole,
    }


def drawn(count: float = 60.0) -> tuple[Course, ...]:
    day = np.arange(COUNT) + (FIRST - EPOCH).days
    grows = np.where(np.arange(COUNT) >= (BEGAN - FIRST).days, 6.0, 0.2)
    sums = block("superheat", grows, 6.0, 1.0, count) | block("subcooling", np.full(COUNT, 0.3), 5.0, 1.0, count)
    sums |= block("discharge", np.where(grows > 1, 5.0, 0.0), 70.0, 2.0, count)
    here = np.array([n for n in range(COUNT) if n != 4])  # nothing is known of one day
    days = Days(
        [Machine("m", "heat_pump_air_air")], np.zeros(len(here), np.int64), day[here], {n: np.asarray(v)[here] for n, v in sums.items()}
    )
    return courses(days, finding(), FIRST, LAST, BEGAN, None)


def test_DIA_02_the_evidence_is_drawn_over_what_is_normal_for_the_machine() -> None:
    superheat, discharge = drawn()
    assert (superheat.channel, discharge.channel) == ("superheat", "discharge"), "what tells most first, and not what is as ever"
    assert superheat.unit == "K"
    assert superheat.expected[-1] == pytest.approx(6.0)
    assert superheat.low[-1] == pytest.approx(6.0 - NINE_IN_TEN)
    assert superheat.high[-1] == pytest.approx(6.0 + NINE_IN_TEN)
    assert superheat.measured[-1] == pytest.approx(12.0)
    assert (superheat.measured[4], superheat.expected[4]) == (None, None)
    assert drawn(count=3.0) == (), "a memory that is young has no band"


def test_DIA_02_a_page_says_the_course_in_words_and_figures() -> None:
    view = course_view(Reader("en", "metric", "UTC"), drawn()[0])
    said = "30 Oct: 12.0\u00a0K, normal 4.4\u00a0K to 7.6\u00a0K"
    assert view.say == f"Superheat, heating: {said}. Outside of what is normal for this machine on 10 days."
    assert len(view.rows) == len(view.told) == COUNT
    assert view.rows[0].value == "12.0\u00a0K"
    assert view.told[4] == "5 Oct: no readings"
    assert len(view.gaps) == 1
    assert view.band.count("M") == 2, "nothing is bridged"
    assert view.began == pytest.approx(1000 * 20 / (COUNT - 1))
    assert view.began + view.length == pytest.approx(1000.0), "it goes on"
    spanish = course_view(Reader("es", "us", "UTC"), drawn()[0])
    assert "Fuera de lo normal para esta máquina 10 días" in spanish.say
