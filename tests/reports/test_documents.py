"""Reports as documents and on paper: what they say, in both languages and units, what the plots show, and that pages are not blank."""

import math
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree as ET

import msgspec
import pytest
from lineset.diagnostics import Advice, Compared, Figure
from lineset.diagnostics.changepoint import Response
from lineset.diagnostics.savings import Savings
from lineset.reports import fleet_report, plots, service_report
from lineset.reports.document import Document, Plot
from lineset.reports.fleet import make_fleet
from lineset.reports.household import household_report, over_expected
from lineset.reports.printing import pdf, pictures

from tests.reports import made_up


def plots_of(document: Document) -> list[Plot]:
    return [block for section in document.sections for block in section.blocks if isinstance(block, Plot)]


def heights(svg: str) -> list[float]:
    """The heights of the thick bars of each day, from left to right."""
    found: dict[float, float] = {}
    for rect in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect"):  # noqa: S314 - our own drawing
        found[float(rect.get("x", 0))] = found.get(float(rect.get("x", 0)), 0.0) + float(rect.get("height", 0))
    return [found[x] for x in sorted(found)]


def picture_of(png: bytes) -> tuple[int, float]:
    """Width, and the share of bytes that differ from the commonest: 0 of a blank page."""
    width = int.from_bytes(png[16:20])
    raw = zlib.decompress(b"".join(part for kind, part in _chunks(png) if kind == b"IDAT"))
    common = max(set(raw), key=raw.count)
    return width, 1.0 - raw.count(common) / len(raw)


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def test_REP_01_a_month_says_how_it_was_used_how_it_ran_and_what_it_needs() -> None:
    said = household_report(made_up.voice(), made_up.home(), made_up.MADE).text()
    for words in ("October 2026", "How you used it", "How it ran", "What it needs", "Fouled outdoor coil, Heat pump", "1.27 a day"):
        assert words in said
    assert "can't tell it from: low refrigerant charge" in said
    assert "Filter, Heat pump" in said
    assert "in 19 days" in said
    assert re.search(r"used \d{3}\u00a0kWh\. That is \d\u00a0% more than the weather explains", said)


def test_REP_01_a_month_reads_in_spanish_and_metric_units() -> None:
    metric = household_report(made_up.voice("es", "metric"), made_up.home(), made_up.MADE)
    assert metric.title == "Octubre de 2026"
    assert metric.language == "es"
    said = metric.text()
    assert "°C" in said
    assert "°F" not in said
    assert "Batería exterior sucia" in said
    english = household_report(made_up.voice("en", "metric"), made_up.home(), made_up.MADE)
    same = {s.title for s in metric.sections} & {s.title for s in english.sections}
    assert not same, f"not in Spanish: {same}"


def test_REP_01_plots_show_the_extremes_and_never_bridge_a_gap() -> None:
    energy, room, _outdoor = plots_of(household_report(made_up.voice(), made_up.home(), made_up.MADE))
    tall = heights(energy.wide)
    assert tall.index(max(tall)) == made_up.DEAREST
    assert energy.wide.count('class="none"') == len(made_up.GAP)
    assert room.wide.count('class="is heat"') == 2  # before and after the gap
    assert heights(energy.narrow).index(max(heights(energy.narrow))) == made_up.DEAREST
    assert "34" in energy.say  # 31.4 kWh and the water heater's 2.6


def test_a_plot_says_nothing_that_is_not_on_its_scale() -> None:
    drawn = plots.bars(made_up.voice(), "kWh", ["1", "2"], [plots.Stack("ink", [10.0, 1e4])], [None, float("nan")], plots.NARROW)
    boxes = [float(r.get("y", 0)) for r in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}rect")]  # noqa: S314 - as above
    assert min(boxes) >= 0
    assert 'class="should"' not in drawn


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.3), (-12.0, 31.0), (0.0, 1e5), (19.6, 21.4), (0.0, 1e-6)])
def test_scales_hold_what_they_show_at_round_steps(low: float, high: float) -> None:
    scale = plots.axis(low, high)
    assert scale.low <= low
    assert scale.high >= high
    assert 2 <= len(scale.ticks) <= 8


def test_REP_01_an_empty_home_gets_a_report_that_says_so() -> None:
    empty = made_up.home(machines=(), expected=(), response=None, before=None, findings=(), dues=())
    said = household_report(made_up.voice(), empty, made_up.MADE).text()
    assert "No energy was measured this month." in said
    assert "Nothing was found in this month's readings." in said
    assert over_expected(empty) is None


def test_REP_01_on_paper_it_is_a_tagged_pdf_of_two_full_pages() -> None:
    document = household_report(made_up.voice("es", "metric"), made_up.home(), made_up.MADE)
    made = pdf(document)
    assert made.startswith(b"%PDF-1.7")
    assert b"pdfuaid" in made
    assert b"/Lang" in made
    pages = pictures(document, dots_per_inch=40)
    assert len(pages) == 2
    for page in pages:
        width, inked = picture_of(page)
        assert width == pytest.approx(8.27 * 40, abs=2)
        assert inked > 0.02


def test_a_document_comes_back_as_it_went() -> None:
    document = household_report(made_up.voice(), made_up.home(), made_up.MADE)
    assert msgspec.json.decode(msgspec.json.encode(document), type=Document) == document


def test_REP_01_a_repair_is_reported_with_what_it_saved_and_how_sure_that_is() -> None:
    document = service_report(made_up.voice("en", "metric"), made_up.service(0.8), made_up.MADE)
    said = document.text()
    assert re.search(r"uses (1[5-9]|2[0-5])\u00a0% less than before, give or take \d+\u00a0%", said)
    assert "shows that it is repaired: fouled outdoor coil" in said.replace("show that", "shows that")
    assert "Technician, name and date" in said
    weather = plots_of(document)[0]
    assert weather.wide.count('class="ring"') == 88
    assert weather.wide.count('class="dot"') == 58
    assert len(pictures(document, dots_per_inch=40)) == 2


def test_REP_01_a_repair_that_saved_nothing_is_not_called_a_saving() -> None:
    said = service_report(made_up.voice(), made_up.service(1.0), made_up.MADE).text()
    assert "one can't tell yet" in said
    assert "smaller than its own uncertainty" in said
    few = service_report(made_up.voice("es"), made_up.service(0.5, count=9), made_up.MADE).text()
    assert "Todavía no se puede decir" in few


def test_REP_02_no_group_of_few_homes_is_told_of_nor_left_to_be_worked_out() -> None:
    fleet = made_up.fleet(alder=24, birch=13, cedar=4)
    makes = [group.name for group in fleet.groups["make"]]
    assert makes == ["Alder"], "Cedar's four homes alone would be the rest, so Birch goes with them"
    assert fleet.hidden["make"] == 17
    said = fleet_report(made_up.voice(), fleet, made_up.MADE).text()
    assert "Cedar" not in said
    assert "Birch" not in said
    assert "Fouled outdoor coil" in said  # at 12 homes
    assert [g.name for g in made_up.fleet(alder=24, birch=13, cedar=0).groups["make"]] == ["Alder", "Birch"]
    assert made_up.fleet(alder=10, birch=0, cedar=0).groups == {}


def test_REP_01_a_months_savings_are_told_with_their_doubt_or_that_one_cannot_tell() -> None:
    response = Response("3PH", 6.9, 0.85, 15.0, 0.0, math.nan, 1.6, 0.11, 0.9, 0.3, 274)
    own = Savings(400.0, 360.0, 40.0, 22.0, certain=True, why="", baseline_days=274, reported_days=29, baseline=response)
    sure = Savings(450.0, 360.0, 90.0, 30.0, certain=True, why="", baseline_days=274, reported_days=29)
    said = household_report(made_up.voice(), made_up.home(compared=Compared(made_up.FIRST, own, sure, 20, 0.12)), made_up.MADE).text()
    assert "At the same weather it used 10\u00a0% less than in the year before, give or take 6\u00a0%." in said
    assert "Other homes, at least 20, changed by +12.7\u00a0%" in said
    assert "Beside them it used 20.0\u00a0% less, give or take 6.7\u00a0%." in said
    unsure = msgspec.structs.replace(Compared(made_up.FIRST, own), own=replace(own, certain=False, why="too_uncertain", saved=9.0))
    home = made_up.home(compared=msgspec.structs.replace(unsure, beside=replace(sure, certain=False), homes=10))
    said = household_report(made_up.voice("es"), home, made_up.MADE).text()
    assert "No se puede decir si ahorró respecto a su propio año anterior." in said
    assert "Junto a ellos no se puede decir" in said
    alone = household_report(made_up.voice(), made_up.home(compared=Compared(made_up.FIRST, own)), made_up.MADE).text()
    assert "Other homes: no comparison." in alone


def test_REP_01_a_month_says_how_well_machines_ran_and_what_else_is_worth_doing() -> None:
    figures = {"spf_h3": Figure(2.94, "1", 0.31), "comfort": Figure(93.4, "%")}
    pump = msgspec.structs.replace(made_up.heat_pump(), figures=figures)
    advice = Advice(
        UUID(int=77), made_up.HEAT_PUMP, made_up.SITE, "setting", "cooler_water", None, 84.0, 0.0, None, 30.0, {}, made_up.MADE
    )  # fmt: skip
    said = household_report(made_up.voice(), made_up.home(machines=(pump, made_up.tank()), advice=(advice,)), made_up.MADE).text()
    assert "2.94 ± 0.31" in said
    assert "93\u00a0%" in said
    assert "Make the heating water cooler, Heat pump" in said
    assert "saves $84.00 a year" in said


def test_REP_01_the_fleets_report_says_what_was_found_and_mended() -> None:
    fleet = made_up.fleet(alder=24, birch=0, cedar=0)
    assert fleet.serviced is not None
    assert (fleet.serviced.found, fleet.serviced.mended, fleet.serviced.still) == (12, 0, 12)
    opened, mended = datetime(2026, 10, 3, 12, tzinfo=UTC), datetime(2026, 10, 9, 12, tzinfo=UTC)
    fixed = made_up.finding(state="verified_fixed", opened=opened, repaired=mended, closed=mended + timedelta(days=9))
    waiting = made_up.finding(state="in_repair", opened=opened, repaired=mended)
    fleet = make_fleet("Alder", (fleet.first, fleet.last), [(UUID(int=n), made_up.heat_pump()) for n in range(11)], [fixed, waiting])
    said = fleet_report(made_up.voice("es"), fleet, made_up.MADE).text()
    assert "se hallaron 2 averías y se repararon 1" in said
    assert "la mitad en 6 días" in said
    few = make_fleet("Alder", (fleet.first, fleet.last), [(UUID(int=n), made_up.heat_pump()) for n in range(10)], [fixed])
    assert few.serviced is None, "of ten homes nothing is told"


@pytest.mark.parametrize("floor", [11, 15, 30])
def test_REP_02_every_figure_told_rests_on_the_floor_or_more(floor: int) -> None:
    fleet = made_up.fleet(alder=31, birch=15, cedar=12, floor=floor)
    for by, groups in fleet.groups.items():
        assert all(group.homes >= floor for group in groups)
        assert not 0 < fleet.hidden[by] < floor
    assert all(homes >= floor for _, homes in fleet.faults)
