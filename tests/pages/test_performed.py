"""How a machine ran over time, as its page divides it."""

from datetime import date
from uuid import UUID

from lineset.diagnostics import Figure, Performance
from lineset.pages.common.performed import performed
from lineset.pages.common.reader import Reader

READER = Reader("en", "metric", "UTC")
MACHINE = UUID(int=1)


def month(start: date, days: int, **figures: float | None) -> Performance:
    units = {"electric": "kWh", "cop_heating": "1", "hours_running": "h"}
    made = {name: Figure(value, units[name], why="" if value is not None else "not_run") for name, value in figures.items()}
    return Performance(MACHINE, start, days, made)


RAN = [
    month(date(2025, 12, 1), 31, electric=None, cop_heating=2.4),
    month(date(2026, 1, 1), 31, electric=800.0, cop_heating=None, hours_running=310.0),
    month(date(2026, 2, 1), 9, electric=200.0, cop_heating=3.0, hours_running=90.0),
]


def test_DIA_01_the_newest_month_stands_first_and_one_that_is_not_over_says_so() -> None:
    view = performed(READER, "month", RAN, date(2026, 2, 10))
    assert [row.span for row in view.rows] == ["February 2026 so far", "January 2026", "December 2025"]
    assert [name for name, _ in view.head] == ["Electricity", "COP, heating", "Running"]
    assert [[cell.value for cell in row.cells] for row in view.rows] == [["200", "3.0", "90.0"], ["800", "", "310"], ["", "2.4", ""]]
    assert view.rows[1].cells[1].why == "it did not run so"
    assert view.rows[2].cells[2].why == "not measured"


def test_DIA_01_bars_are_shares_of_the_highest_and_absent_ones_are_gaps() -> None:
    strips = {strip.name: strip for strip in performed(READER, "month", RAN, date(2026, 2, 10)).strips}
    assert [bar.height for bar in strips["Electricity"].bars] == [None, 100.0, 25.0]
    assert strips["Electricity"].value == "200"
    assert strips["COP, heating"].bars[1].height is None
    assert "from December 2025 to February 2026 so far" in strips["Electricity"].say


def test_DIA_01_seasons_and_years_are_named_by_their_months() -> None:
    quarter = performed(READER, "season", [month(date(2025, 12, 1), 90, electric=9.0)], date(2026, 6, 1))
    assert quarter.rows[0].span == "December 2025 to February 2026"
    assert not quarter.strips, "one span is no course"
    year = performed(READER, "year", [month(date(2026, 1, 1), 40, electric=9.0)], date(2026, 2, 10))
    assert year.rows[0].span == "2026 so far"
    assert performed(READER, "day", [month(date(2026, 2, 9), 1, electric=9.0)], date(2026, 2, 10)).rows[0].span == "9 Feb"


def test_DIA_01_nothing_known_is_an_empty_page() -> None:
    view = performed(READER, "month", [], date(2026, 2, 10))
    assert (view.rows, view.strips, view.head) == ((), (), ())
