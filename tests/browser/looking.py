"""How a page of the real installation is looked at: signed in as somebody, in one of the ways that people see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import complaints
from tests.browser.test_samples import violations

expect.set_options(timeout=15_000)  # tests share their machine with everything else that runs


@dataclass(frozen=True)
class Way:
    """A window's size in px, a theme, a language."""

    width: int
    height: int
    theme: str
    language: str


WAYS = {
    "desktop": Way(1440, 900, "light", "en"),
    "phone": Way(390, 844, "dark", "es"),
    "narrow": Way(360, 740, "contrast", "es"),
}


@contextmanager
def window(chromium: Browser, url: str, *, session: str = "", way: Way = WAYS["desktop"], scripts: bool = True) -> Iterator[Page]:
    """A fresh browser profile's window; `session` is the cookie of somebody who has signed in."""
    context = chromium.new_context(
        viewport={"width": way.width, "height": way.height},
        timezone_id="America/Los_Angeles",
        locale="es-US" if way.language == "es" else "en-US",
        java_script_enabled=scripts,
        has_touch=way.width < 500,
    )
    cookies = {"ls_theme": way.theme, "ls_language": way.language, "ls_session": session}
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items() if value])
    yield context.new_page()
    context.close()


def look_at(page: Page, url: str, path: str, way: Way, status: int = 200) -> None:
    """Open the page; it has one title, fits the window, asks nobody else, breaks no policy, and axe finds nothing."""
    said, asked = complaints(page), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(f"{url}{path}")
    assert answer is not None
    assert answer.status == status
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= way.width, "the page scrolls sideways"
    assert [other for other in asked if not other.startswith((url, "data:"))] == []
    assert not violations(page)
    assert [line for line in said if f"status of {status}" not in line] == []
