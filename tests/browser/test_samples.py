"""Every page in every state, in a real browser: nothing leaves the frame, nothing breaks the policy, axe finds nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import complaints
from tests.browser.samples import ALL
from tests.checks import ROOT

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text()
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
VARIANTS = {
    "desktop": ("theme=light", 1440, 900),
    "phone": ("theme=dark&lang=es&units=metric", 390, 844),
    "narrow": ("theme=contrast&lang=es", 360, 740),
}
DRAWN = "document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))"
PAGES = [(area, name) for area, samples in ALL.items() for name in samples]

pytestmark = pytest.mark.browser


def violations(page: Any) -> list[str]:
    """What axe objects to. Its source is evaluated, since the page's policy lets no foreign script in."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
    return [f"{v['id']}: {v['help']} at {[n['target'] for n in v['nodes'][:3]]}" for v in found]


@dataclass
class Window:
    """A page that stays open from one sample to the next, what it complained about since the last one began, and whom it asked."""

    page: Page
    said: list[str]
    asked: list[str]


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Window]:
    page = chromium.new_context(timezone_id="America/Los_Angeles").new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield Window(page, complaints(page), asked)
    page.context.close()


@pytest.fixture(scope="module")
def plain(chromium: Browser) -> Iterator[Page]:
    """A page that runs no scripts and stays open."""
    page = chromium.new_context(java_script_enabled=False).new_page()
    yield page
    page.context.close()


def looked_at(name: str) -> str:
    """The way of viewing in which axe looks at a sample: one for each, all three over the samples; it takes seconds a look."""
    return list(VARIANTS)[sum(name.encode()) % len(VARIANTS)]


def fits(page: Page, width: int, height: int) -> bool:
    """Whether the page stays within a window of this size."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(DRAWN)
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


def shown(window: Window, address: str, preview: str, variant: str) -> None:
    """Open a sample in one way of viewing; it fits, asks nobody else and breaks no rule of its policy."""
    query, width, height = VARIANTS[variant]
    window.said.clear()
    window.asked.clear()
    window.page.set_viewport_size({"width": width, "height": height})
    answer = window.page.goto(f"{preview}/{address}?{query}")
    assert answer is not None
    assert answer.status == 200
    assert fits(window.page, width, height), f"{variant}: the page scrolls sideways"
    assert not window.said, variant
    assert window.asked
    assert [url for url in window.asked if not url.startswith((preview, "data:"))] == [], "the page asks somebody else"


@pytest.mark.parametrize(("area", "name"), PAGES, ids=[f"{a}-{n}" for a, n in PAGES])
def test_page_keeps_its_frame_and_passes_axe(window: Window, preview: str, area: str, name: str) -> None:
    """In one way of viewing; in the sizes of the others it fits at least. All of each is `make soak`'s."""
    shown(window, f"{area}/{name}", preview, looked_at(name))
    assert not violations(window.page)
    for variant, (_, width, height) in VARIANTS.items():
        assert fits(window.page, width, height), f"{variant}: the page scrolls sideways"


@pytest.mark.soak
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("area", "name"), PAGES, ids=[f"{a}-{n}" for a, n in PAGES])
def test_page_in_every_way_of_viewing(window: Window, preview: str, area: str, name: str, variant: str) -> None:
    shown(window, f"{area}/{name}", preview, variant)
    assert not violations(window.page)


@pytest.mark.parametrize(("area", "name"), PAGES, ids=[f"{a}-{n}" for a, n in PAGES])
def test_page_reads_without_scripts(plain: Page, preview: str, area: str, name: str) -> None:
    plain.goto(f"{preview}/{area}/{name}")
    assert len(plain.inner_text("main").split()) > 5
    assert plain.locator("h1").count() == 1


def test_theme_changes_at_once_and_in_print_all_is_light(chromium: Browser, preview: str) -> None:
    context = chromium.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{preview}/public/sign-in")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(14, 19, 20)"
    page.click("[data-theme-switch] button")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.evaluate(ground) == "rgb(241, 244, 242)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    context.close()


def test_keys_walk_through_the_list(chromium: Browser, preview: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{preview}/portal/fleet")
    page.wait_for_load_state("networkidle")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    focused = "document.activeElement.getAttribute('href')"
    second = page.locator("[data-row] .home a").nth(1).get_attribute("href")
    assert page.evaluate(focused) == second
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    context.close()
