"""What a machine's page says of how it ran and what comes next."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from lineset.diagnostics import Due, Figure, FleetModel, Forecast, Life, Performance
from lineset.kit.ids import new_id
from lineset.pages.common.ahead import due_lines, forecast_view, performance_view, since, upcoming
from lineset.pages.common.reader import Reader

READER = Reader("en", "metric", "UTC")
MACHINE = UUID(int=1)
START = datetime(2026, 1, 10, 0, 0, tzinfo=UTC)
HOURS = tuple((float(n), n - 0.5, n + 0.5) for n in range(48))
FORECAST = Forecast(MACHINE, START, HOURS, HOURS, 0.3, 0.2)


def test_DIA_04_the_next_24_hours_are_counted_from_now() -> None:
    found = upcoming(FORECAST, START + timedelta(hours=5, minutes=20))
    assert found is not None
    assert found.start == START + timedelta(hours=5)
    assert [hour[0] for hour in found.energy_kwh] == [float(n) for n in range(5, 29)]
    view = forecast_view(READER, found)
    assert "396" in view.energy
    assert "30" in view.error, "how much better than yesterday's load"
    assert upcoming(FORECAST, START + timedelta(hours=30)) is None, "it does not reach a day ahead any more"
    assert upcoming(FORECAST, START - timedelta(hours=3)) is not None


def test_DIA_06_what_was_foretold_days_ago_comes_nearer() -> None:
    due = Due(MACHINE, "filter", 10.0, 2.0, "filter_run_time", {})
    assert [d.days for d in since([due], START, START + timedelta(days=3))] == [7.0]
    assert [d.days for d in since([due], START, START + timedelta(days=30))] == [0.0]


def test_DIA_07_a_figure_stands_beside_what_is_usual_for_its_model() -> None:
    ran = Performance(MACHINE, date(2026, 1, 1), 30, {"cop_heating": Figure(3.1, "1"), "electric": Figure(200.0, "kWh")})
    about = (new_id(), "heat_pump_air_air", "Arbelo", "X1", 2, "published", START, 10)
    usual = FleetModel(*about, {"heating.cop": (2.9, 0.2)}, 0.8)
    lines = {line.name: line for line in performance_view(READER, ran, "30 days", usual).figures}
    assert "usual for such machines: 2.9 ± 0.2" in lines["COP, heating"].note
    assert "usual" not in lines["Electricity"].note
    assert "usual" not in performance_view(READER, ran, "30 days").figures[0].note


def test_what_is_counted_is_whole() -> None:
    ran = Performance(MACHINE, date(2026, 1, 1), 30, {"starts": Figure(1204.0, "1", basis="counted"), "cop_heating": Figure(3.0, "1")})
    assert {line.value for line in performance_view(READER, ran, "30 days").figures} == {"1,204", "3.0"}


def test_small_powers_are_told_in_watts_and_with_them_what_stands_beside() -> None:
    figures = {"standby_power": Figure(14.0, "W", 3.0), "capacity_heating": Figure(8_400.0, "W", 150.0)}
    view = performance_view(READER, Performance(MACHINE, date(2026, 1, 1), 30, figures), "30 days")
    lines = (*view.figures, *view.more)
    assert {(line.value, line.unit, line.note) for line in lines} == {("14", "W", "± 3"), ("8.40", "kW", "± 0.15")}


def test_DIA_03_what_is_left_of_a_part_says_what_it_rests_on() -> None:
    def note(taught_by: int) -> str:
        life = Life(MACHINE, "compressor", (3.0, 6.5, 11.0), 0.05, "", {}, taught_by)
        (line,) = due_lines(READER, [], [life], START)
        return line.note

    assert note(0).endswith("From published lives.")
    assert note(1240).endswith("Learnt from 1,240 machines or more of its kind.")
