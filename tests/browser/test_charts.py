"""Charts in a real browser: any range by hand, keys and address; what is shown is what the table, the file and the picture hold."""

import csv
import io
import json
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import numpy as np
import pytest
from lineset.platform import open_platform
from lineset_contract.points import POINTS
from playwright.sync_api import Browser, BrowserContext, FloatRect, Page, expect

from tests.browser.conftest import World, complaints, elsewhere, sign_in
from tests.browser.homes import STEP_S, _load
from tests.browser.looking import WAYS, look_at, window
from tests.browser.test_live import push

pytestmark = pytest.mark.browser
HOUR, DAY = 3600.0, 86_400.0
PEAK_C = 35.5


@dataclass(frozen=True)
class Past:
    """A machine with nine days of readings before its last one: a peak, a silence, a fault; times in seconds since 1970."""

    machine: UUID
    peak: float
    silence: tuple[float, float]
    fault: tuple[float, float]
    url: str


@pytest.fixture(scope="module")
def past(world: World) -> Past:
    """The heat pump, with history."""
    machine = world.homes.machines["hp1"]
    end = (datetime.now(UTC).timestamp() - DAY) // STEP_S * STEP_S
    t = end - STEP_S * np.arange(int(8 * DAY / STEP_S), 0, -1, dtype=np.float64)
    silence, fault, peak = (end - 3 * DAY, end - 3 * DAY + 4 * HOUR), (end - 2 * DAY, end - 2 * DAY + 2 * HOUR), end - 5 * DAY
    t = t[(t < silence[0]) | (t >= silence[1])]
    room = 20.0 + np.sin(t / DAY * 2 * np.pi)
    room[np.argmin(np.abs(t - peak))] = PEAK_C
    wrong = (t >= fault[0]) & (t < fault[1])
    codes = POINTS["alarm_state"].codes
    columns = {
        "room_temperature": room,
        "heating_setpoint": np.full(len(t), 20.0),
        "outdoor_temperature": 5.0 + 3 * np.cos(t / DAY * 2 * np.pi),
        "electric_power": np.where(np.sin(t / 5000) > 0, 2000.0, 80.0),
        "operating_mode": np.full(len(t), float(POINTS["operating_mode"].codes["heating"])),
        "fault_code": np.where(wrong, 34.0, 0.0),
        "alarm_state": np.where(wrong, codes["fault"], codes["none"]).astype(float),
    }

    async def load() -> None:
        async with open_platform(world.settings, "test") as platform:
            await _load(platform, machine, t, columns, datetime.now(UTC).timestamp())

    elsewhere(load)
    return Past(machine, peak, silence, fault, f"/portal/equipment/{machine}")


@pytest.fixture
def page(context: BrowserContext, world: World, past: Past) -> Iterator[Page]:
    """A contractor's window; whatever it does, no script fails and nobody else is asked."""
    made = context.new_page()
    sign_in(made, world, world.homes.manager)
    said, asked = complaints(made), list[str]()
    made.on("request", lambda request: asked.append(request.url))
    yield made
    meant = ("status of 422", "net::ERR_FAILED")  # a range that is refused, a load that a test lets fail
    assert not [line for line in said if not any(part in line for part in meant)]
    assert [url for url in asked if not url.startswith((world.url, "data:", "blob:"))] == []


def show(page: Page, world: World, past: Past, query: str = "") -> dict[str, Any]:
    """Open the machine's page; the numbers that its chart fetched."""
    with page.expect_response(is_answer) as answer:
        page.goto(f"{world.url}{past.url}{query}")
    expect(page.locator(".day-over")).to_be_attached()
    found: dict[str, Any] = answer.value.json()
    return found


def is_answer(response: Any) -> bool:
    """Whether these are a chart's numbers."""
    return re.search(r"/charts/[0-9a-f-]+\?", response.url) is not None


def query_of(page: Page) -> dict[str, str]:
    """The parameters in the address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def box(page: Page) -> FloatRect:
    """Where the plots are, in sight."""
    over = page.locator(".day-over")
    over.scroll_into_view_if_needed()
    found = over.bounding_box()
    assert found is not None
    return found


def between(start: float, end: float) -> str:
    """A query for this stretch of time."""
    first, last = (datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for t in (start, end))
    return f"?start={first}&end={last}"


def span_of(answer: dict[str, Any]) -> float:
    """Seconds that a chart shows."""
    return float(answer["end"] - answer["start"])


def test_TEL_03_presets_stand_in_the_address_and_the_browser_goes_back(page: Page, world: World, past: Past) -> None:
    show(page, world, past)
    title = page.locator("#chart-h")
    expect(title).to_have_text("Last 24 hours")
    for words, span in (("7 d", "7d"), ("1 year", "1y"), ("1 h", "1h")):
        page.get_by_role("link", name=words, exact=True).click()
        expect(page.locator(f"[data-set='span={span}']")).to_have_attribute("aria-current", "true")
        expect(page.locator("#chart:not([aria-busy])")).to_be_attached()
        assert query_of(page) == {"span": span}
    page.go_back()
    expect(title).to_have_text("Last year")
    page.go_back()
    expect(title).to_have_text("Last 7 days")
    page.go_forward()
    expect(title).to_have_text("Last year")
    page.reload()
    expect(title).to_have_text("Last year")


def test_TEL_03_peak_of_one_reading_is_seen_in_a_chart_of_a_year(page: Page, world: World, past: Past) -> None:
    show(page, world, past, "?span=1y")
    expect(page.locator("[data-panel=room_temperature] .y.top")).to_have_text("96")


def test_TEL_03_hand_zooms_into_a_span_moves_it_and_goes_back(page: Page, world: World, past: Past) -> None:
    show(page, world, past, between(past.peak - 12 * HOUR, past.peak + 12 * HOUR))
    at = box(page)
    middle = at["y"] + at["height"] / 2
    with page.expect_response(is_answer) as answer:
        page.mouse.move(at["x"] + at["width"] * 0.45, middle)
        page.mouse.down()
        page.mouse.move(at["x"] + at["width"] * 0.55, middle, steps=4)
        expect(page.locator(".day-mark")).to_be_visible()
        page.mouse.up()
    marked = answer.value.json()
    assert span_of(marked) == pytest.approx(2.4 * HOUR, rel=0.03)
    assert marked["start"] < past.peak < marked["end"]
    with page.expect_response(is_answer) as answer:
        page.mouse.move(at["x"] + at["width"] * 0.8, at["y"] + 8)
        page.mouse.down()
        page.mouse.move(at["x"] + at["width"] * 0.3, at["y"] + 8, steps=4)
        page.mouse.up()
    moved = answer.value.json()
    assert span_of(moved) == pytest.approx(span_of(marked), abs=2)
    assert moved["start"] - marked["start"] == pytest.approx(span_of(marked) / 2, rel=0.05)
    with page.expect_response(is_answer) as answer:
        page.keyboard.down("Control")
        page.mouse.move(at["x"] + at["width"] / 2, middle)
        page.mouse.wheel(0, 400)
        page.keyboard.up("Control")
    assert span_of(answer.value.json()) > 1.5 * span_of(moved)
    for expected in (moved, marked):
        with page.expect_response(is_answer) as answer:
            page.mouse.dblclick(at["x"] + at["width"] / 2, middle)
        assert answer.value.json()["start"] == pytest.approx(expected["start"], abs=1)


def test_TEL_03_keys_read_zoom_move_and_go_back(page: Page, world: World, past: Past) -> None:
    first = show(page, world, past, between(past.peak - 6 * HOUR, past.peak + 6 * HOUR))
    chart = page.get_by_role("slider", name="Read the chart")
    chart.focus()
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    said = chart.get_attribute("aria-valuetext") or ""
    assert "Room temperature" in said
    assert "°F" in said
    assert "Heating" in said
    expect(page.locator("[data-panel=room_temperature] .readout")).to_be_visible()
    expect(page.locator("[data-panel=electric_power] .readout")).to_be_visible()
    with page.expect_response(is_answer) as answer:
        page.keyboard.press("+")
    assert span_of(answer.value.json()) == pytest.approx(span_of(first) / 2, rel=0.02)
    with page.expect_response(is_answer) as answer:
        page.keyboard.press("Shift+ArrowLeft")
    assert answer.value.json()["end"] < first["end"] - HOUR
    expect(page.locator("[data-say]")).to_contain_text("Room temperature from")
    with page.expect_response(is_answer) as answer:
        page.keyboard.press("Escape")
    assert span_of(answer.value.json()) == pytest.approx(span_of(first) / 2, rel=0.02)
    expect(chart).to_be_focused()


def test_TEL_03_gap_is_a_gap_and_is_said(page: Page, world: World, past: Past) -> None:
    quiet, again = past.silence
    show(page, world, past, between(quiet - 4 * HOUR, again + 4 * HOUR))
    count = """share => {
        const canvas = document.querySelector("[data-panel=room_temperature] canvas");
        const probe = document.createElement("i");
        const tone = document.querySelector("[data-panel=room_temperature]").dataset.tone;
        probe.style.color = `var(${tone === "ink" || !tone ? "--ink" : tone === "heat" ? "--heat-fill" : `--${tone}`})`;
        document.body.append(probe);
        const line = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
        probe.remove();
        const x = Math.round(canvas.width * share);
        const { data } = canvas.getContext("2d").getImageData(x - 2, 0, 5, canvas.height);
        let found = 0;
        for (let i = 0; i < data.length; i += 4) found += line.every((part, k) => Math.abs(part - data[i + k]) < 30) && data[i + 3] > 200;
        return found;
    }"""
    page.evaluate("document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))")
    before, inside, after = (page.evaluate(count, share) for share in (0.15, 0.5, 0.85))
    assert before > 3
    assert after > 3
    assert inside < before / 2, "only the set point's thin line runs on"
    at = box(page)
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    expect(page.locator(".day-cursor")).to_be_visible()
    expect(page.locator("[data-panel=room_temperature] .readout")).to_be_hidden()
    assert "No readings" in (page.locator(".day-over").get_attribute("aria-valuetext") or "")
    assert "No readings for 4" in (page.locator("ls-day").get_attribute("aria-label") or "")


def test_TEL_03_faults_stand_under_the_lines_and_in_words(page: Page, world: World, past: Past) -> None:
    start, end = past.fault
    answer = show(page, world, past, between(start - 2 * HOUR, end + 2 * HOUR))
    assert [(round(a - start), text) for a, _, text, _ in answer["faults"]] == [(0, "Fault code 34")]
    assert answer["faults"][0][1] - end == pytest.approx(0, abs=STEP_S)
    expect(page.locator(".lane.faults text")).to_have_text("Fault code 34")
    at = box(page)
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    expect(page.locator(".day-time")).to_contain_text("Fault code 34")


def test_TEL_03_week_before_is_compared_and_the_file_holds_exactly_what_is_shown(page: Page, world: World, past: Past) -> None:
    show(page, world, past)
    with page.expect_response(is_answer) as answer:
        page.get_by_role("link", name="week before").click()
    shown = answer.value.json()
    expect(page.locator("[data-set='compare=week']")).to_have_attribute("aria-current", "true")
    assert query_of(page) == {"compare": "week"}
    with page.expect_download() as kept:
        page.click("[data-csv]")
    rows = list(csv.reader(io.StringIO(kept.value.path().read_text("utf-8-sig"))))
    assert rows[0][:3] == ["Time", "Room temperature [°F]", "Heating set point [°F]"]
    assert rows[0][3] == "Room temperature, week before [°F]"

    def column(name: str, blocks: list[dict[str, Any]]) -> dict[float, float]:
        return {round(t, 3): v * 1.8 + 32 for b in blocks for t, v in zip(b["t"], b["series"].get(name, ()), strict=False) if v is not None}

    for index, wanted in ((1, column("room_temperature", shown["blocks"])), (3, column("room_temperature", shown["before"]))):
        found = {round(datetime.fromisoformat(row[0]).timestamp(), 3): float(row[index]) for row in rows[1:] if row[index]}
        # The link's stretch is in whole seconds, so a reading at its very edge may fall in or out.
        assert len(wanted.keys() ^ found.keys()) <= 2
        assert len(wanted) > 200
        for t in wanted.keys() & found.keys():
            assert found[t] == pytest.approx(wanted[t], rel=1e-5)
    page.go_back()
    expect(page.locator("[data-set='compare=']")).to_have_attribute("aria-current", "true")


def test_TEL_03_points_are_chosen_and_remembered_in_the_address(page: Page, world: World, past: Past) -> None:
    show(page, world, past)
    page.get_by_text("Choose times and points").click()
    chosen = page.locator("[data-chart-form] [name=points]:checked")
    while chosen.count():
        chosen.first.uncheck()
    page.get_by_role("checkbox", name="COP").check()
    page.get_by_role("checkbox", name="Compressor power").check()
    page.get_by_role("button", name="Show").click()
    panels = page.locator("[data-panel]")
    expect(panels).to_have_count(2)
    assert sorted(query_of(page)["points"].split(",")) == ["compressor_power", "cop"]
    page.reload()
    expect(panels).to_have_count(2)
    expect(page.locator("[data-panel=cop] canvas")).to_be_visible()
    page.get_by_text("The figures as a table").click()
    expect(page.locator(".figures thead")).to_contain_text("Compressor power, kW")


def test_weather_comes_from_another_machine_of_the_site(page: Page, world: World, past: Past) -> None:
    with page.expect_response(is_answer) as answer:
        page.goto(f"{world.url}/portal/equipment/{world.homes.machines['wh1']}?outdoor=1")
    found = answer.value.json()
    assert any("outdoor_temperature" in block["series"] and len(block["t"]) > 200 for block in found["blocks"])
    expect(page.locator("[data-panel=outdoor_temperature] small")).to_contain_text("Heat pump HP-1")


def test_TEL_03_picture_is_a_png_of_the_chart(page: Page, world: World, past: Past) -> None:
    show(page, world, past)
    with page.expect_download() as kept:
        page.click("[data-png]")
    data = kept.value.path().read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert kept.value.suggested_filename == "Last-24-hours.png"
    width, height = struct.unpack(">II", data[16:24])
    assert width > 600
    assert height > 300
    at, pixels = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            pixels += data[at + 8 : at + 8 + length]
        at += 12 + length
    assert len(set(zlib.decompress(pixels))) > 50, "the picture is not one colour"


def test_TEL_03_live_values_modes_and_faults_appear_while_the_chart_ends_now(page: Page, world: World, past: Past) -> None:
    show(page, world, past, "?span=1h")
    last = page.locator("[data-panel=room_temperature] .last b").first
    mode, alarm = POINTS["operating_mode"].codes, POINTS["alarm_state"].codes

    def say(room: float, code: float) -> None:
        values = {"room_temperature": room, "operating_mode": mode["defrost"], "fault_code": code, "alarm_state": alarm["fault"]}
        push(world, past.machine, {"equipment": str(past.machine), "t": datetime.now(UTC).timestamp(), "values": values})

    say(21.5, 34.0)
    expect(last).to_have_text("70.7")
    expect(page.locator(".day-lanes")).to_contain_text("Defrost")
    expect(page.locator(".lane.faults .name")).to_have_text("Faults")
    page.get_by_role("button", name="Earlier").click()
    expect(page.locator("#chart-h")).not_to_have_text("Last hour")
    before = last.text_content()
    say(30.0, 34.0)
    say(31.0, 34.0)
    assert last.text_content() == before, "a chart of the past does not change"


def test_wrong_range_is_said_and_the_last_day_stands_in_its_place(page: Page, world: World, past: Past) -> None:
    answer = page.goto(f"{world.url}{past.url}?start=2026-11-17T04:00&end=2026-11-17T02:00")
    assert answer is not None
    assert answer.status == 422
    expect(page.locator("[data-problem]")).to_contain_text("at least five minutes after the start")
    expect(page.locator("#chart-h")).to_have_text("Last 24 hours")
    page.goto(f"{world.url}{past.url}?points=no_such_point")
    expect(page.locator("[data-problem]")).to_contain_text("has sent no no_such_point")


def test_stretch_without_readings_says_so_and_panels_stay(page: Page, world: World, past: Past) -> None:
    show(page, world, past, "?start=2020-01-01T00:00&end=2020-01-02T00:00")
    expect(page.locator("[data-nothing]")).to_be_visible()
    expect(page.locator("[data-panel=room_temperature] canvas")).to_be_visible()
    with page.expect_response(is_answer):
        page.get_by_role("link", name="24 h", exact=True).click()
    expect(page.locator("[data-nothing]")).to_be_hidden()


def test_failed_load_keeps_the_picture_and_says_so(page: Page, world: World, past: Past) -> None:
    show(page, world, past)
    page.route("**/charts/**", lambda route: route.abort())
    page.get_by_role("link", name="7 d", exact=True).click()
    expect(page.locator("[data-problem]")).to_have_text("The chart did not load. Readings are safe. Try again.")
    expect(page.locator("#chart-h")).to_have_text("Last 24 hours")
    expect(page.locator("[data-panel=room_temperature] canvas")).to_be_visible()
    page.unroute("**/charts/**")


def test_TEL_03_chart_and_its_form_work_without_scripts(chromium: Browser, world: World, past: Past) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, world, world.homes.owner)
    here = f"{world.url}/home/{world.homes.sites[0]}/machines/{past.machine}"
    page.goto(f"{here}?span=7d&compare=day")
    expect(page.locator("#chart-h")).to_have_text("Last 7 days")
    expect(page.locator("[data-panel=room_temperature] path.is")).to_be_attached()
    expect(page.locator("[data-panel=room_temperature] path.before")).to_be_attached()
    expect(page.locator("[data-panel=room_temperature] .y.top")).to_have_text("96")
    expect(page.locator(".lane.faults text")).to_have_text("Fault code 34")
    page.click("#chart-set summary")
    for name in ("Outdoor temperature", "Electric power", "Supply air temperature"):
        page.get_by_role("checkbox", name=name).uncheck()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("[data-panel]")).to_have_count(1)
    assert query_of(page)["compare"] == "day"
    page.click("#chart-figures summary")
    assert page.locator(".figures tbody tr").count() > 20
    context.close()


def test_finger_reads_moves_and_pinches(chromium: Browser, world: World, past: Past) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page = context.new_page()
    said = complaints(page)
    sign_in(page, world, world.homes.manager)
    first = show(page, world, past, between(past.peak - 6 * HOUR, past.peak + 6 * HOUR))
    at = box(page)
    page.touchscreen.tap(at["x"] + at["width"] / 2, at["y"] + 200)
    expect(page.locator(".day-cursor")).to_be_visible()
    finger = """([kind, id, x, y]) => document.querySelector(".day-over").dispatchEvent(new PointerEvent(kind,
        {pointerId: id, pointerType: "touch", isPrimary: id === 1, clientX: x, clientY: y, bubbles: true, button: 0}))"""

    def touch(kind: str, number: int, share: float) -> None:
        page.evaluate(finger, [f"pointer{kind}", number, at["x"] + at["width"] * share, at["y"] + 200])

    with page.expect_response(is_answer) as answer:
        for kind, share in (("down", 0.2), ("move", 0.4), ("move", 0.7), ("up", 0.7)):
            touch(kind, 1, share)
    moved = answer.value.json()
    assert moved["start"] - first["start"] == pytest.approx(-0.5 * span_of(first), rel=0.05)
    with page.expect_response(is_answer) as answer:
        for kind, number, share in (("down", 1, 0.4), ("down", 2, 0.6), ("move", 1, 0.3), ("move", 2, 0.7), ("up", 1, 0.3), ("up", 2, 0.7)):
            touch(kind, number, share)
    assert span_of(answer.value.json()) == pytest.approx(span_of(moved) / 2, rel=0.05)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not said
    context.close()


@pytest.mark.parametrize("way", ["desktop", "narrow"])
def test_compared_chart_passes_axe(chromium: Browser, world: World, past: Past, context: BrowserContext, way: str) -> None:
    page = context.new_page()
    sign_in(page, world, world.homes.owner)
    session = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "ls_session")
    with window(chromium, world.url, session=session, way=WAYS[way]) as seen:
        look_at(seen, world.url, f"/home/{world.homes.sites[0]}/machines/{past.machine}?span=7d&compare=day&outdoor=1", WAYS[way])
        expect(seen.locator("[data-panel=room_temperature] canvas")).to_be_visible()
        assert json.loads(seen.locator("ls-day").get_attribute("words") or "{}")["noread"]
