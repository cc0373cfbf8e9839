"""Screenshots of each page of a running demo into docs/screenshots, phone and desktop.

Run `make run`, wait until the demo is there, then `python -m tests.browser.shots [data folder]`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.checks import ROOT

FOLDER = ROOT / "docs" / "screenshots"
SIZES = {"1440": (1440, 900), "390": (390, 844)}


def _signed_in(browser: Browser, web: str, who: dict[str, Any] | None, size: str, *, dark: bool = False) -> Page:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
    page = context.new_page()
    if who is not None:
        page.goto(f"{web}/sign-in")
        page.fill("[name=email]", who["email"])
        page.fill("[name=password]", who["password"])
        page.click("main form button")
        page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


def _shoot(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)  # sparks and charts draw themselves once the page is there
    page.screenshot(path=FOLDER / f"{name}.png")
    print(name)


def _portal_pages(page: Page, web: str) -> dict[str, str]:
    page.goto(f"{web}/portal")
    page.wait_for_timeout(1500)
    links = page.eval_on_selector_all("a[href^='/portal/']", "found => found.map(a => a.getAttribute('href'))")
    site = next(link for link in links if link.startswith("/portal/sites/") and not link.endswith("new"))
    machine = next(link for link in links if link.startswith("/portal/equipment/"))
    return {
        "portal-fleet": "/portal",
        "portal-site": site,
        "portal-equipment": machine,
        "portal-leads": "/portal/leads",
        "portal-report": "/portal/report",
        "portal-team": "/portal/team",
    }


def main(data: Path) -> None:
    """All pages, in both sizes; the home app and the fleet also dark."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    demo = json.loads((data / "demo.json").read_text())
    web = demo["web"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for size in SIZES:
            visitor = _signed_in(browser, web, None, size)
            for name, path in (("public-landing", "/"), ("public-sign-in", "/sign-in"), ("public-sign-up", "/sign-up")):
                _shoot(visitor, web + path, f"{name}-{size}")
            contractor = _signed_in(browser, web, demo["contractors"][0], size)
            for name, path in _portal_pages(contractor, web).items():
                _shoot(contractor, web + path, f"{name}-{size}")
            household = _signed_in(browser, web, demo["households"][0], size)
            site, machine = demo["households"][0]["site"], demo["households"][0]["equipment"][0]["id"]
            for name, path in (
                ("home-now", f"/home/{site}"),
                ("home-advice", f"/home/{site}/advice"),
                ("home-machines", f"/home/{site}/machines"),
                ("home-performance", f"/home/{site}/machines/{machine}/performance?by=day"),
                ("home-reports", f"/home/{site}/reports"),
                ("home-gateways", f"/home/{site}/gateways"),
                ("account-profile", "/account"),
                ("account-access", "/account/access"),
                ("account-security", "/account/security"),
            ):
                _shoot(household, web + path, f"{name}-{size}")
            operator = _signed_in(browser, web, demo["operator"], size)
            _shoot(operator, f"{web}/console", f"console-{size}")
            _shoot(operator, f"{web}/console/diagnosis", f"console-diagnosis-{size}")
        _shoot(_signed_in(browser, web, demo["households"][0], "390", dark=True), f"{web}/home", "home-now-390-dark")
        _shoot(_signed_in(browser, web, demo["contractors"][0], "1440", dark=True), f"{web}/portal", "portal-fleet-1440-dark")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".lineset")
