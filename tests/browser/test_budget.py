"""The first load of a contractor with 2,000 sites: at most 100 kB over the wire, and the whole list reachable from it."""

import gzip

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

MOST_BYTES = 100_000


def test_PLT_02_first_load_of_two_thousand_sites_is_light(chromium: Browser, preview: str) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sizes: dict[str, int] = {}

    def weigh(response: object) -> None:
        body, url = response.body(), response.url  # type: ignore[attr-defined]
        # The preview sends plain bytes; the platform compresses all but what is compressed already.
        sizes[url] = len(body) if url.endswith((".woff2", ".png")) else len(gzip.compress(body, 5))

    page.on("response", weigh)
    page.goto(f"{preview}/portal/fleet")
    page.wait_for_load_state("networkidle")
    assert len(sizes) >= 4
    assert sum(sizes.values()) < MOST_BYTES, sizes
    assert page.locator("[data-row]").count() >= 60
    context.close()
