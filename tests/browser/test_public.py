"""The public pages and the way in, in a real browser on the real web process."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looking import WAYS, look_at, window
from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor, new_address

pytestmark = pytest.mark.browser

PAGES = {
    "/": 200,
    "/sign-in": 200,
    "/sign-in?reset": 200,
    "/sign-up": 200,
    "/sign-up/sent": 200,
    "/verify?token=x": 200,
    "/reset": 200,
    "/reset/sent": 200,
    "/reset/new?token=x": 200,
    "/operator?token=x": 200,
    "/invitation?token=dead": 410,
    "/contact": 404,
    "/policy": 404,
    "/cookies": 200,
    "/recipients": 200,
    "/models": 200,
    "/news": 200,
    "/mailbox": 200,
    "/no/such/page": 404,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", PAGES)
def test_PLT_06_public_pages_keep_their_frame_and_pass_axe(chromium: Browser, installation: Installation, path: str, way: str) -> None:
    with window(chromium, installation.url, way=WAYS[way]) as page:
        look_at(page, installation.url, path, WAYS[way], PAGES[path])


def test_ACC_01_sign_up_through_the_pages(chromium: Browser, installation: Installation) -> None:
    email = new_address("ines")
    with window(chromium, installation.url) as page:
        page.goto(installation.url)
        page.get_by_role("link", name="Create an account").first.click()
        page.get_by_label("Name", exact=True).fill("Ines Lund")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill("short")
        page.get_by_label("°C, litres").check()
        page.get_by_role("button", name="Create the account").click()
        password = page.get_by_label("Password")
        expect(password).to_be_focused()
        expect(password).to_have_accessible_description(re.compile("at least 10 characters"))
        expect(page.get_by_label("E-mail")).to_have_value(email)
        password.fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("One step left: open the mail")
        page.get_by_role("link", name="Its mails wait here").click()
        page.locator(".mail-list li", has_text=email).get_by_role("link").click()
        page.get_by_role("link", name="/verify").click()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm and sign in").click()
        page.wait_for_url(lambda url: "/verify" not in url)
        page.goto(f"{installation.url}/account")
        expect(page.get_by_label("Time zone")).to_have_value("America/Los_Angeles")
        expect(page.get_by_label("Units")).to_have_value("metric")


def test_ACC_02_signing_in_and_out_needs_no_scripts(chromium: Browser, installation: Installation) -> None:
    with Visitor(installation.url) as somebody:
        email = somebody.sign_up()
    with window(chromium, installation.url, scripts=False) as page:
        page.goto(f"{installation.url}/account/security")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile("/account/security$"))
        page.get_by_role("banner").get_by_role("button", name="Sign out").click()
        page.goto(f"{installation.url}/account")
        expect(page).to_have_url(re.compile("/sign-in"))


def test_theme_chosen_on_a_page_stays_on_the_next(chromium: Browser, installation: Installation) -> None:
    with window(chromium, installation.url) as page:
        page.goto(f"{installation.url}/sign-in")
        with page.expect_response("**/preferences/theme"):
            page.locator("[data-theme-switch] button").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.goto(f"{installation.url}/sign-up")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_language_is_chosen_in_the_foot(chromium: Browser, installation: Installation) -> None:
    with window(chromium, installation.url) as page:
        page.context.clear_cookies(name="ls_language")
        page.goto(f"{installation.url}/sign-in")
        page.get_by_role("button", name="Español").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Entrar")
