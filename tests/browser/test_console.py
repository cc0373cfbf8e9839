"""The operator's console in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looking import WAYS, look_at, window
from tests.functional.pages.installation import Installation
from tests.support.visitor import Visitor, new_address

pytestmark = pytest.mark.browser

PAGES = ("/console", "/console/companies", "/console/gateways", "/console/diagnosis")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", PAGES)
def test_ACC_05_console_pages_keep_their_frame_and_pass_axe(
    chromium: Browser, installation: Installation, operator: Visitor, path: str, way: str
) -> None:
    operator.send(operator.get("/console/companies"), "/console/companies", name="Sierra Heating and Air", manager_email=new_address("m"))
    operator.send(operator.get("/console/gateways"), "/console/gateways", count="2")
    operator.send(operator.get("/account"), "/preferences/language", language=WAYS[way].language)
    with window(chromium, installation.url, session=operator.session, way=WAYS[way]) as page:
        look_at(page, installation.url, path, WAYS[way])
    operator.send(operator.get("/account"), "/preferences/language", language="en")


@pytest.mark.parametrize("way", ["desktop", "phone"])
def test_EQP_02_claim_codes_are_made_shown_and_readable_in_every_theme(
    chromium: Browser, installation: Installation, operator: Visitor, way: str
) -> None:
    with window(chromium, installation.url, session=operator.session, way=WAYS[way]) as page:
        page.goto(f"{installation.url}/console/gateways")
        page.get_by_label(re.compile("How many")).fill("2")
        page.get_by_role("button", name="Make and show the codes").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("2 claim codes")
        expect(page.locator(".labels li")).to_have_count(2)
        style = page.locator(".labels svg").first.evaluate("e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).fill]")
        assert style == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"], "a camera needs dark on light"
        page.emulate_media(media="print")
        expect(page.get_by_role("banner")).to_be_hidden()
        expect(page.locator(".labels b").first).to_be_visible()


def test_ACC_05_a_company_is_let_in_without_scripts(chromium: Browser, installation: Installation, operator: Visitor) -> None:
    with window(chromium, installation.url, session=operator.session, scripts=False) as page:
        page.goto(f"{installation.url}/console/companies")
        page.get_by_label("Name of the company").fill("Donner Plumbing")
        page.get_by_label("E-mail of its first manager").fill(new_address("dana"))
        page.get_by_role("button", name="Make it and send the invitation").click()
        expect(page.get_by_role("status")).to_contain_text("on its way")
        expect(page.get_by_role("heading", level=1)).to_have_text("Donner Plumbing")
