"""The real pages of real homes in a real browser: live values, commands, what stays in the browser."""

import json
from uuid import UUID

import pytest
from lineset.kit.bus import Bus
from lineset.schema import register
from playwright.sync_api import Browser, BrowserContext, Route, expect

from tests.browser.conftest import World, complaints, elsewhere, sign_in

pytestmark = pytest.mark.browser


def push(world: World, machine: UUID, message: dict[str, object]) -> None:
    """What ingestion and control put on the bus for open pages."""

    async def send() -> None:
        bus = await Bus.connect(world.engines.settings, "test")
        await bus.publish(f"live.{world.homes.household}.{machine}", json.dumps(message).encode())
        await bus.close()

    elsewhere(send)


def test_TEL_03_new_value_reaches_the_open_page_without_a_reload(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    said = complaints(page)
    sign_in(page, world, world.homes.owner)
    page.goto(f"{world.url}/home/{world.homes.sites[0]}")
    page.wait_for_selector(".day canvas")
    expect(page.locator(".dial-art .reading")).to_have_text("60°")
    push(
        world,
        world.homes.machines["hp1"],
        {
            "equipment": str(world.homes.machines["hp1"]),
            "t": 1e10,
            "values": {"room_temperature": 21.1, "outdoor_temperature": -3.0},
        },
    )
    expect(page.locator(".dial-art .reading")).to_have_text("70°", timeout=2000)
    expect(page.locator(f"[data-point='{world.homes.machines['hp1']}/outdoor_temperature']").first).to_have_text("27")
    assert not said


def test_CTL_01_set_point_from_the_page_shows_its_state(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    sign_in(page, world, world.homes.owner)
    page.goto(f"{world.url}/home/{world.homes.sites[0]}")
    page.click("#step button:last-of-type")
    page.click("#step button:last-of-type")
    expect(page.locator("#step b")).to_have_text("70°")
    expect(page.locator("#step .cst")).to_have_text("Queued", timeout=15000)
    page.reload()
    expect(page.locator(".dial-art .target text")).to_have_text("70° waits")


def test_CTL_01_a_tap_counts_though_the_answer_to_the_one_before_is_still_on_its_way(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    sign_in(page, world, world.homes.owner)
    page.goto(f"{world.url}/home/{world.homes.sites[0]}")
    before = int(page.inner_text("#step b").rstrip("°"))
    held: list[Route] = []
    page.route("**/setpoint", lambda route: held.append(route))  # noqa: PLW0108 - the library asks a function for its name
    with page.expect_request("**/setpoint"):
        page.click("#step button:first-of-type")
    page.click("#step button:first-of-type")
    expect(page.locator("#step b")).to_have_text(f"{before - 2}°")
    with page.expect_response("**/setpoint"), page.expect_request("**/setpoint"):
        held[0].continue_()
        page.unroute("**/setpoint")
    expect(page.locator("#step .cst")).to_have_text("Queued", timeout=15000)
    expect(page.locator("#step b")).to_have_text(f"{before - 2}°")


def test_set_point_form_works_without_scripts(world: World, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, world, world.homes.owner)
    page.goto(f"{world.url}/home/{world.homes.sites[0]}")
    before = page.inner_text("#step b")
    page.click("#step button:first-of-type")
    expect(page.locator("#step b")).not_to_have_text(before)
    expect(page.locator("#step .cst")).to_have_text("Queued")
    context.close()


def test_CTL_03_refused_setting_says_whose_limit_it_is(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    sign_in(page, world, world.homes.manager)
    page.goto(f"{world.url}/portal/equipment/{world.homes.machines['hp1']}")
    page.fill("#c-heating_setpoint", "99")
    page.click("form:has(#c-heating_setpoint) button")
    error = page.locator("#c-heating_setpoint-err")
    expect(error).to_contain_text("limit of this type of machine")
    expect(page.locator("#c-heating_setpoint")).to_have_value("99")
    expect(page.locator("#orders .cst.refused").first).to_be_visible()


def test_TAG_02_browser_keeps_only_what_is_declared(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    sign_in(page, world, world.homes.owner)
    site = world.homes.sites[0]
    for path in (f"/home/{site}", f"/home/{site}/machines", f"/home/{site}/gateways", "/account", "/"):
        page.goto(world.url + path)
    page.locator("[data-theme-switch] button").first.click()
    page.reload()
    declared = {store: {c.name for c in register().cookies if c.store == store} for store in ("cookie", "local", "session")}
    assert {cookie["name"] for cookie in context.cookies()} <= declared["cookie"]
    assert set(page.evaluate("Object.keys(localStorage)")) <= declared["local"]
    assert set(page.evaluate("Object.keys(sessionStorage)")) <= declared["session"]
    assert page.evaluate("indexedDB.databases().then(d => d.length)") == 0
    assert page.evaluate("caches.keys().then(k => k.length)") == 0


def test_session_cookie_is_out_of_scripts_reach(context: BrowserContext, world: World) -> None:
    page = context.new_page()
    sign_in(page, world, world.homes.owner)
    session = next(cookie for cookie in context.cookies() if cookie["name"] == "ls_session")
    assert session["httpOnly"]
    assert session["sameSite"] in ("Lax", "Strict")
